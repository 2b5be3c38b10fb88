"""A build folder as it lies on disk, for the commands that work on one."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.core.build import FORMAT, MANIFEST, VERSION, core_ports
from hwgen.core.names import is_top_name
from quant.errors import BuildError
from quant.files import check_size

_MAX_BYTES = 1 << 22  # of the manifest, which spends a hundred bytes on a file

# What a build names its files: these names go into scripts of outside tools.
_NAME = re.compile(r"([A-Za-z0-9_]{1,80}/)?[A-Za-z0-9_]{1,80}(\.[A-Za-z0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class BuildFolder:
    """A build folder, as its manifest says.

    Attributes:
        path: the folder, absolute.
        top: name of the core's top module.
        generator: name and version of what built it.
        digest: of the model.
        sources: the core's Verilog, leaf modules first.
        memories: the files that the core's memories are loaded from.
        uart_top, uart_model, uart_sources: the module with the serial line, the number it names itself by, and what
            Verilog it needs besides `sources`.
        load: the file of words that the core takes after a reset, None where it takes none.
        self_test: whether the core can test itself.
        idle_limit_cycles: cycles after which a core that moves nothing hangs.
        checksums: SHA-256 of every file that was built, by its name.
    """

    path: Path
    top: str
    generator: str
    digest: str
    sources: tuple[str, ...]
    memories: tuple[str, ...]
    uart_top: str
    uart_model: int
    uart_sources: tuple[str, ...]
    load: str | None
    self_test: bool
    idle_limit_cycles: int
    checksums: dict[str, str]

    @property
    def ports(self) -> tuple[tuple[str, str, int], ...]:
        """The core's ports that move: name, direction, width in bits."""
        return core_ports(loaded=self.load is not None, self_test=self.self_test)

    def load_words(self) -> bytes:
        """The words that the core takes after a reset, 16 bits each, lower byte first; empty where it takes none."""
        return b"" if self.load is None else (self.path / self.load).read_bytes()


def open_build(path: Path) -> BuildFolder:
    """Read and check a build folder.

    Raises:
        BuildError: if it is no build folder of this version, or a file is missing or not as it was built.
    """
    folder = read_manifest(path)
    _check_files(path, folder)
    return folder


def read_manifest(path: Path) -> BuildFolder:
    """What a build folder's manifest says; whether its files are so is not looked at.

    Raises:
        BuildError: if it is no build folder of this version.
    """
    manifest = _manifest(path)
    try:
        return _read(path.resolve(), manifest)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise _no_build(path) from None


def _manifest(path: Path) -> dict[str, Any]:
    file = path / MANIFEST
    if not file.is_file():
        raise _no_build(path)
    check_size(file, _MAX_BYTES)
    try:
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        known = manifest["format"] == FORMAT and manifest["version"] == VERSION
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known:
        raise _no_build(path)
    return manifest


def _no_build(path: Path) -> BuildError:
    return BuildError(f"{path} is no build folder of this version; `python -m hwgen build` makes one")


def _read(path: Path, manifest: dict[str, Any]) -> BuildFolder:
    uart, load, top = manifest["uart"], manifest.get("load"), str(manifest["top"])
    if not is_top_name(top) or uart["top"] != f"{top}_uart":
        raise ValueError(top)
    return BuildFolder(
        path=path,
        top=top,
        generator=str(manifest["generator"]),
        digest=str(manifest["model_digest"]),
        sources=tuple(map(str, manifest["sources"])),
        memories=tuple(map(str, manifest["memories"])),
        uart_top=str(uart["top"]),
        uart_model=int(uart["model"], 16),
        uart_sources=tuple(map(str, uart["sources"])),
        load=None if load is None else str(load["file"]),
        self_test=bool(manifest.get("safety", {}).get("self_test")),
        idle_limit_cycles=int(manifest["idle_limit_cycles"]),
        checksums={name: str(checksum) for name, checksum in manifest["checksums"].items()},
    )


def _check_files(path: Path, folder: BuildFolder) -> None:
    checksums = folder.checksums
    used = {*folder.sources, *folder.memories, *folder.uart_sources, *([folder.load] if folder.load else [])}
    for name in sorted({*checksums, *used}):
        if not _NAME.fullmatch(name) or name not in checksums:
            raise BuildError(f"{path}/{MANIFEST} names {name[:60]!r}, which no build does; build the folder again")
        if not (path / name).is_file():
            raise BuildError(f"{path / name} is missing; build the folder again")
        check_size(path / name)
        with (path / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != checksums[name]:
            raise BuildError(f"{path / name} was changed since it was built; build the folder again")
