"""Every reader on crafted and damaged files, and the judge that watches them (docs/hostile.md)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from marks import later

from bench.hostile import CONFIGURATION, READERS, Reader, bomb, crafted, examine
from quant import reader

INPUTS = 24
SLOW = "HDF5 lists", "HDF5 groups", "NIR"  # a process for each input that reads with h5py


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that `bench.hostile` sets for its whole process."""
    monkeypatch.setattr(reader, "memory_limit", lambda: 2 << 30)
    monkeypatch.setattr("quant.archive.memory_limit", lambda: 2 << 30)


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("name", [*later(*SLOW), *(name for name in READERS if name not in SLOW)])
def test_a_reader_accepts_or_refuses_and_does_nothing_else(name: str) -> None:
    row, failures = examine(name, READERS[name], range(INPUTS))
    assert failures == []
    assert row["crafted"] < row["inputs"] == row["accepted"] + row["refused"] == INPUTS, "some inputs must be drawn"
    assert row["accepted"] > 0
    assert row["refused"] > 5


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "traceback": (lambda path: int("x"), "not of its kind (invalid literal"),
    "hang": (lambda path: time.sleep(60), "takes more than 1 s"),
    "memory": (lambda path: bytearray(b"x") * (3 << 30), "takes more than 2048 MiB"),
    "crash": (lambda path: os.kill(os.getpid(), 9), "stopped by the system"),
    "file written": (lambda path: path.with_name("more").write_text("x"), "it left files"),
    "code": (lambda path: exec("open('hostile-was-here', 'w').close()"), "it left files"),
    "warning": (lambda path: warnings.warn("odd", stacklevel=1), "warning: odd"),
}


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize(("read", "message"), FAULTS.values(), ids=FAULTS)
def test_the_judge_sees(read: Callable[[Path], object], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "SECONDS", 1)
    monkeypatch.setattr(reader, "_WALL", 1)
    _, failures = examine("faulty", Reader(read, "file", lambda: b"seed"), range(1))
    assert len(failures) == 1
    assert message in failures[0]


def test_an_input_is_reproduced_by_its_number(tmp_path: Path) -> None:
    seen = tmp_path / "seen"

    def contents(number: int) -> bytes:
        keep = Reader(lambda path: seen.write_bytes(path.read_bytes()), "file", lambda: bytes(range(100)))
        examine("kept", keep, range(number, number + 1))
        return seen.read_bytes()

    assert contents(50) == contents(50) != contents(51)


COMMANDS = {
    "trainer": (["trainer", "train", "--out", "run", "--config"], "c.toml", crafted(CONFIGURATION)["long name"]),
    "export": (["quant", "export", "--out", "m.safetensors", "--model"], "c.pt", bomb(READERS["checkpoint"].seed())),
}


@pytest.mark.parametrize(("command", "file", "content"), COMMANDS.values(), ids=COMMANDS)
def test_a_command_says_in_one_line_which_limit_ended_its_reader(
    tmp_path: Path, command: list[str], file: str, content: bytes
) -> None:
    """Processor time for a configuration, here shortened; memory for a checkpoint, by the shell's own limit."""
    (tmp_path / file).write_bytes(content)
    start = "import runpy, sys; from quant import reader; reader.SECONDS = 1; sys.argv = sys.argv[1:]; "
    start += "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
    shell = f'ulimit -v {4 << 20}; exec {sys.executable} -c "$0" "$@"'
    root = Path(__file__).parents[2]
    done = subprocess.run(
        ["bash", "-c", shell, start, *command, file],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: {file}: ")
    assert "takes more than" in done.stderr or "memory" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [file]
