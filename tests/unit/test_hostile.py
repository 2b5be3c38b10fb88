"""Every reader on crafted and drawn hostile files, and the watch that judges them (docs/hostile.md)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.hostile import examine
from bench.readers import READERS, Inputs

INPUTS = 300

READER = replace(READERS["spike list"], cases=lambda seed: {"seed": seed})


@pytest.mark.parametrize("name", READERS)
def test_a_reader_accepts_or_refuses_and_does_nothing_else(name: str) -> None:
    tally = examine(name, READERS[name], range(INPUTS))
    assert tally.failures == []
    assert tally.crafted < tally.inputs == INPUTS, "some inputs must be drawn"
    assert tally.accepted + tally.refused == INPUTS
    assert min(tally.accepted, tally.refused) > 10


def _write(path: Path) -> None:
    path.with_name("more").write_text("x")


def _fill_memory(_: Path) -> None:
    bytearray(b"x") * (9 << 27)


def _end(_: Path) -> None:
    os.kill(os.getpid(), 9)


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "traceback": (lambda path: int("x"), "ValueError"),
    "hang": (lambda path: time.sleep(60), "Hang"),
    "memory": (_fill_memory, "MiB of memory"),
    "crash": (_end, "the process ended with -9"),
    "file written": (_write, "open"),
    "file elsewhere": (lambda path: Path("/etc/hostname").read_bytes(), "open"),
    "folder": (lambda path: path.with_name("more").mkdir(), "os.mkdir"),
    "code": (lambda path: exec("1"), "exec"),
    "process": (lambda path: subprocess.run([sys.executable, "-c", ""], check=True), "subprocess.Popen"),
    "warning": (lambda path: warnings.warn("odd", stacklevel=1), "warning: odd"),
}


@pytest.mark.parametrize(("read", "message"), FAULTS.values(), ids=FAULTS)
def test_the_watch_sees(read: Callable[[Path], object], message: str) -> None:
    tally = examine("faulty", replace(READER, read=read), range(1), limit_s=1.0 if message == "Hang" else 10.0)
    assert message in tally.failures[0][2]


def test_an_input_is_reproduced_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def content(number: int) -> bytes:
        Inputs("spike list", READER, 1).place(number, path)
        return path.read_bytes()

    assert content(50) == content(50) != content(51)
