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


def test_a_compiler_cache_beside_python_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `make setup` installs it. What the caller asks of make comes last, and so counts."""
    tools, own = tmp_path / "tools", tmp_path / "own"
    for folder, names in ((tools, ("make", "perl", "c++")), (own, ("python", "ccache"))):
        folder.mkdir()
        for name in names:
            (folder / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("MAKEFLAGS", "OPT_FAST=-O0")
    monkeypatch.delenv("OBJCACHE", raising=False)
    monkeypatch.setattr(sys, "executable", str(tools / "python"))
    assert "OBJCACHE" not in runner.environment()
    monkeypatch.setattr(sys, "executable", str(own / "python"))
    assert runner.environment()["OBJCACHE"] == "ccache"
    assert runner.environment()["MAKEFLAGS"].endswith("OPT_FAST=-O0")
