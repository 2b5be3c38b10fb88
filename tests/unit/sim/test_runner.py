"""Tools and what they print."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sim.tb import runner

PRINTS = "import sys; sys.stdout.buffer.write(b'%Warning: core.__Vcellout_\\x815__CO\\n')"


def test_a_tool_may_print_what_is_no_text(tmp_path: Path) -> None:
    """Verilator names some signals of netlists by bytes that are no UTF-8."""
    runner._call([sys.executable, "-c", PRINTS], cwd=tmp_path, log=tmp_path / "log")
    assert "__Vcellout_\\x815__CO" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_tool_that_fails_says_what_and_where(tmp_path: Path) -> None:
    with pytest.raises(runner.SimulationError, match=r"failed, log in .*Vcellout"):
        runner._call([sys.executable, "-c", f"{PRINTS}; sys.exit(3)"], cwd=tmp_path, log=tmp_path / "log")
