"""Writing files so that nothing is half-written and nothing of the user's is overwritten in silence."""

from __future__ import annotations

import os
import resource
import shutil
from pathlib import Path

from quant.errors import ScsrError


def memory_limit() -> int:
    """The most bytes that one file may take to read: half of the memory of this machine, or of this process."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    return min(memory, allowed if allowed != resource.RLIM_INFINITY else memory) // 2


def write_atomic(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader finds the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")  # others may write the same file at the same time
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:  # what fails while writing, as a full disk does, does not know the file's name
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        partial.unlink(missing_ok=True)


def check_size(path: Path, limit: int | None = None) -> None:
    """Refuse a file that is too large to be read whole; one with holes costs its maker nothing."""
    size, limit = path.stat().st_size, memory_limit() if limit is None else limit
    if size > limit:
        raise ScsrError(f"{path} has {size} bytes; the limit is {limit}, give a smaller file")


def check_file(path: Path) -> None:
    """Refuse a path that cannot be a file."""
    if path.is_dir():
        raise ScsrError(f"{path} is a folder; name a file")


def check_folder(path: Path) -> None:
    """Refuse a path that cannot be a folder, before long work whose results go there."""
    if path.exists() and not path.is_dir():
        raise ScsrError(f"{path} is a file; name a folder")


def check_new(path: Path, *, force: bool = False) -> None:
    """Refuse a path that holds anything, before long work whose result goes there."""
    check_file(path)
    if path.exists() and not force:
        raise ScsrError(f"{path} exists; remove it, name another file, or give --force")


def write_new(path: Path, content: bytes, *, force: bool = False) -> None:
    """Write atomically, but refuse to replace a file that holds something else unless `force`."""
    check_file(path)
    if path.exists() and not force and path.read_bytes() != content:
        raise ScsrError(f"{path} exists and holds something else; remove it, name another file, or give --force")
    write_atomic(path, content)


def replace_folder(fresh: Path, folder: Path) -> None:
    """Put a folder in place of an earlier one; an interrupt leaves one of them."""
    old = fresh.with_name(f"{fresh.name}.old")
    try:
        if folder.exists():
            os.replace(folder, old)
        os.replace(fresh, folder)
    except BaseException:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
