"""The test bench that travels with a build folder, alone: in Verilator, and in Icarus with four states."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from models import recurrent_model, tiny_model

from hwgen.core.build import make_build, write
from hwgen.core.folding import Folding

pytestmark = pytest.mark.rtl


SYSTEM_PATH = "/usr/bin:/bin"


def _run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables
    return subprocess.run(
        list(command), cwd=folder / "tb", env=environment, capture_output=True, text=True, check=False
    )


def test_make_runs_the_folder_on_the_vectors_it_carries(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    write(make_build(tiny_model(), Folding([3, 1])), folder)
    done = _run(folder, "make", f"PYTHON={sys.executable} -P")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS: 3 test cases" in done.stdout
    assert "malformed_beats" in done.stdout


@pytest.mark.skipif(
    shutil.which("python", path=SYSTEM_PATH) is not None or shutil.which("c++", path=SYSTEM_PATH) is None,
    reason="the system has a command `python`, or no compiler, where this test looks",
)
@pytest.mark.check
def test_a_command_named_python_is_not_needed(tmp_path: Path) -> None:
    folder = tmp_path / "core"
    write(make_build(tiny_model()), folder)
    done = _run(folder, "make", f"PYTHON={sys.executable}", PATH=SYSTEM_PATH)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed")
@pytest.mark.parametrize("packets", ["sample", "step"])
@pytest.mark.parametrize("model", [tiny_model(), recurrent_model()], ids=lambda model: model.name)
def test_no_unknown_state_reaches_an_output(model, packets, tmp_path: Path) -> None:
    folder = tmp_path / "core"
    write(make_build(model, packets=packets), folder)
    done = _run(folder, sys.executable, "runner.py", "--simulator", "icarus")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.check
def test_a_broken_core_fails_the_bench(tmp_path: Path) -> None:
    folder = tmp_path / "core"
    write(make_build(tiny_model()), folder)
    fire = folder / "rtl" / "scsr_fire.v"
    broken = fire.read_text().replace("over ? after_spike : u", "u")
    assert broken != fire.read_text()
    fire.write_text(broken)
    done = _run(folder, sys.executable, "runner.py")
    assert done.returncode == 1
    assert "hardware" in done.stdout
    assert "FAIL: 3 of 3" in done.stderr
