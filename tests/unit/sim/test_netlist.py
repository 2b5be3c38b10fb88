"""Which netlist is simulated, with which models; every refusal says what is missing."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from models import tiny_model

from hwgen.fpga.targets import TARGETS
from quant import spikes, vectors
from quant.errors import BuildError, ToolError
from sim import netlist
from sim.__main__ import main

MANIFEST: Any = SimpleNamespace(top="tiny", model_digest="d")
RECORD = {"family": "xc7", "model_digest": "d", "top": "tiny"}


def _folder(tmp_path: Path, target: str = "xc7", **changed: Any) -> Path:
    result = tmp_path / "synth" / target
    result.mkdir(parents=True)
    (result / "synth.json").write_text(json.dumps({**RECORD, **changed}))
    (result / "netlist.v").write_text("module tiny; endmodule\n")
    return tmp_path


@pytest.fixture
def yosys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    class Spec:
        submodule_search_locations = (str(tmp_path / "pyosys"),)

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: Spec)
    return tmp_path / "pyosys"


def test_own_models_come_before_those_of_yosys(tmp_path: Path, yosys: Path) -> None:
    arguments = netlist.sources(_folder(tmp_path), "xc7", MANIFEST)
    models = yosys / "share" / "xilinx"
    own = ["scsr_sim_bram.v", "scsr_sim_ramb.v", "RAMB18E1.v", "RAMB36E1.v"]
    assert arguments == [
        str(tmp_path / "synth" / "xc7" / "netlist.v"),
        *(str(netlist.CELLS / name) for name in own),
        "-v",
        str(models / "cells_sim.v"),
        f"+incdir+{models}",
    ]


def test_own_models_exist_and_are_named_like_their_files() -> None:
    own = {name for library in netlist.LIBRARIES.values() for name in library.own}
    assert own == {path.name for path in netlist.CELLS.iterdir()}
    for name in own:
        assert f"\nmodule {Path(name).stem} #(" in (netlist.CELLS / name).read_text()


def test_libraries_are_of_families_that_targets_have() -> None:
    assert set(netlist.LIBRARIES) <= {target.family for target in TARGETS.values()}


def _no_netlist(folder: Path) -> None:
    (folder / "synth" / "xc7" / "netlist.v").unlink()


def _no_record(folder: Path) -> None:
    (folder / "synth" / "xc7" / "synth.json").write_text("[]")


@pytest.mark.parametrize("break_it", [_no_netlist, _no_record])
def test_a_missing_netlist_is_refused(break_it: Callable[[Path], None], tmp_path: Path, yosys: Path) -> None:
    folder = _folder(tmp_path)
    break_it(folder)
    with pytest.raises(BuildError, match="has no netlist for 'xc7'"):
        netlist.sources(folder, "xc7", MANIFEST)


@pytest.mark.parametrize("target", ["ecp5-85k", "../synth/xc7", "", "xc7\n"])
def test_a_target_is_a_name_and_no_path(target: str, tmp_path: Path, yosys: Path) -> None:
    with pytest.raises(BuildError, match="has no netlist"):
        netlist.sources(_folder(tmp_path), target, MANIFEST)


@pytest.mark.parametrize("changed", [{"model_digest": "e"}, {"top": "other"}])
def test_another_builds_netlist_is_refused(changed: dict[str, str], tmp_path: Path, yosys: Path) -> None:
    with pytest.raises(BuildError, match="is of another build"):
        netlist.sources(_folder(tmp_path, **changed), "xc7", MANIFEST)


def test_a_family_without_models_is_refused(tmp_path: Path, yosys: Path) -> None:
    with pytest.raises(
        BuildError, match="cells of gowin have no models; netlists can be simulated of xc7, ecp5, ice40"
    ):
        netlist.sources(_folder(tmp_path, "gowin", family="gowin"), "gowin", MANIFEST)


def test_missing_models_are_named_with_their_remedy(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match="pyosys is missing"):
        netlist.sources(_folder(tmp_path), "xc7", MANIFEST)


def test_cocotb_has_no_netlists(tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "s.npz").write_bytes(spikes.to_bytes(vectors.random_samples(tiny_model(), 1, 1, 0.5, seed=1)))
    options = ["--build", "x", "--spikes", str(tmp_path / "s.npz"), "--netlist", "xc7", "--engine", "cocotb"]
    monkeypatch.setattr("sys.argv", ["sim", "verify", *options])
    assert main() == 2
    assert "--netlist is for --engine cpp" in capsys.readouterr().err
