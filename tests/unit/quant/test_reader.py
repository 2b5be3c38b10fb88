"""A file is read in a child process, whose end, whatever it is, becomes one line."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quant import reader
from quant.errors import DataError, ScsrError
from quant.reader import Array

GIVEN = [np.arange(5, dtype=">i2"), np.zeros(0), np.full(100_000, 0.5, np.float16), np.array([b"a", b"longer"])]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"content")
    return tmp_path / "file"


def test_arrays_are_those_that_the_child_gives(path: Path) -> None:
    found = list(reader.arrays(path, lambda: [np.frombuffer(path.read_bytes(), "u1"), *GIVEN], DataError))
    assert found[0].tobytes() == b"content"
    for mine, given in zip(found[1:], GIVEN, strict=True):
        assert mine.dtype == given.dtype
        np.testing.assert_array_equal(mine, given)


def fill_memory() -> None:
    np.ones(1 << 28, np.int64)


def many_arrays() -> Iterator[Array]:
    for _ in range(1000):
        yield np.zeros(1 << 20)


def refuse() -> None:
    raise DataError("label 3 is 4; the limit is 2")


def spin() -> None:
    while True:
        pass


ENDS: dict[str, tuple[Callable[[], object], str]] = {
    "refused": (refuse, r"^label 3 is 4; the limit is 2$"),
    "traceback": (lambda: int("x"), r"file: damaged, or not of its kind \(invalid literal"),
    "memory": (fill_memory, "file: reading it takes more than 256 MiB; give a smaller file"),
    "hang": (spin, "file: reading it takes more than 1 s, the limit for its size"),
    "sleep": (lambda: time.sleep(60), "file: reading it takes more than 1 s, the limit for its size"),
    "crash": (lambda: os.kill(os.getpid(), signal.SIGSEGV), r"file: reading it crashed \(SIGSEGV\)"),
    "killed": (lambda: os.kill(os.getpid(), signal.SIGKILL), "file: reading it was stopped by the system"),
    "end": (lambda: os._exit(0), r"file: reading it crashed \(unexpected end\)"),
}


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "SECONDS", 1)
    monkeypatch.setattr(reader, "_WALL", 2)
    monkeypatch.setattr(reader, "memory_limit", lambda: 1 << 28)


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize(("read", "message"), ENDS.values(), ids=ENDS)
def test_every_end_of_the_child_is_one_line(
    path: Path, capfd: pytest.CaptureFixture[str], read: Callable[[], object], message: str
) -> None:
    with pytest.raises(DataError, match=message) as refused:
        reader.rehearse(path, read, DataError)
    assert str(refused.value).isprintable()
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("limits")
def test_what_the_child_gives_is_limited_too(path: Path) -> None:
    with pytest.raises(ScsrError, match="its arrays take more than 256 MiB; give a smaller file"):
        list(reader.arrays(path, many_arrays, ScsrError))


def test_an_object_is_never_received(path: Path) -> None:
    given: Any = np.array([None])
    with pytest.raises(AssertionError, match="object is not for sending"):
        list(reader.arrays(path, lambda: [given], DataError))


def test_no_child_is_left(path: Path) -> None:
    """Neither when all is read, nor when the reader stops early, nor after an error."""
    endless = reader.arrays(path, many_arrays, DataError)
    next(endless)
    endless.close()
    list(reader.arrays(path, lambda: GIVEN, DataError))
    with pytest.raises(DataError):
        reader.rehearse(path, refuse, DataError)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_what_was_rehearsed_is_called_once_here(path: Path) -> None:
    seen: list[int] = []
    assert reader.rehearse(path, lambda: seen.append(os.getpid()) or len(seen), DataError) == 1
    assert seen == [os.getpid()]
