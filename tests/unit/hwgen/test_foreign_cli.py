"""`hwgen check`, `drift` and `build` of a NIR file."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import nir_files
import numpy as np
import pytest
from nir_files import chain, lif

from hwgen import __main__ as hwgen
from quant import spikes, store
from quant.calibration import calibrate
from quant.foreign import Assumed, lower, read, to_bytes
from quant.foreign.drift import drift
from quant.model import Layer, RealModel
from quant.neurons import Lif, Part, SelfWeight
from quant.projections import Dense
from quant.spikes import SpikeSet, from_dense
from sim.verify import verify

SAID = ["--source", "snntorch", "--reset", "zero"]
DRAW = np.random.default_rng(8)
NODES = (
    ("Linear", {"weight": DRAW.normal(0.1, 0.6, (9, 12))}),
    lif(9),
    ("Linear", {"weight": DRAW.normal(0.2, 0.8, (4, 9))}),
    lif(4),
)


@pytest.fixture
def samples() -> SpikeSet:
    labels = np.arange(24, dtype=np.int64) % 4
    return from_dense(DRAW.random((20, 24, 12)) < 0.3, np.full(24, 20), labels)


@pytest.fixture
def files(tmp_path: Path, samples: SpikeSet) -> list[str]:
    (tmp_path / "s.npz").write_bytes(spikes.to_bytes(samples))
    return ["--model", str(chain(tmp_path / "net.nir", *NODES)), *SAID, "--spikes", str(tmp_path / "s.npz")]


@pytest.mark.rtl
def test_a_file_becomes_hardware_with_the_same_spikes(tmp_path: Path, files: list[str], samples: SpikeSet) -> None:
    assert hwgen.main(["build", *files, "--weight-bits", "5,4", "--out", str(tmp_path / "core")]) == 0
    report = verify(tmp_path / "core", samples)
    assert report["equal"]
    assert min(report["layer_spikes"].values()) > 50


@pytest.mark.rtl
def test_a_network_that_ends_in_weights_becomes_hardware(tmp_path: Path, files: list[str], samples: SpikeSet) -> None:
    chain(tmp_path / "net.nir", *NODES[:2], ("Affine", {**NODES[2][1], "bias": np.array([0.5, -0.25, 0, 1])}))
    assert hwgen.main(["build", *files, "--weight-bits", "5,4", "--out", str(tmp_path / "core")]) == 0
    report = verify(tmp_path / "core", samples)
    assert report["equal"]
    assert report["layer_spikes"][1] > 50
    assert report["accuracy_rtl"] == report["accuracy_golden"]


def test_check_says_what_becomes_of_every_node(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert hwgen.main(["check", *files[:-2]]) == 0
    said = capsys.readouterr().out
    assert "weights 12 to 9" in said
    assert "4 neurons" in said


def test_check_says_which_numbers_integers_keep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw = np.random.default_rng(2)
    nodes = (
        ("Linear", {"weight": draw.integers(-7, 8, (9, 12)) / 4}),
        lif(9, tau=1e-4 * 16),  # a leak of 15/16
        ("Linear", {"weight": draw.normal(size=(4, 9))}),
        lif(4, tau=1e-4 * 3),
    )
    path = str(chain(tmp_path / "a.nir", *nodes))
    assert hwgen.main(["check", "--model", path, *SAID]) == 0
    exact, rounded = (line for line in capsys.readouterr().out.splitlines() if " neurons " in line)
    assert exact.endswith("exact")
    assert rounded.endswith("rounded: weights, leak")
    assert hwgen.main(["check", "--model", path, *SAID, "--weight-bits", "3", "--leak-bits", "3"]) == 0
    exact, _ = (line for line in capsys.readouterr().out.splitlines() if " neurons " in line)
    assert exact.endswith("rounded: weights, leak")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--weight-bits", "0"], "weight_bits is 0; allowed is 1..16"),
        (["--weight-bits", "40"], "weight_bits is 40; allowed is 1..16"),
        (["--leak-bits", "-1"], "leak_bits is -1; allowed is 1..12"),
        (["--fraction-bits", "99"], "fraction_bits of weights of 8 bits is 99; allowed is 0..8"),
    ],
)
def test_check_refuses_widths_that_hardware_does_not_have(
    files: list[str], option: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hwgen.main(["check", *files[:-2], *option]) == 2
    assert capsys.readouterr().err == f"error: {said}\n"


def test_check_names_everything_that_cannot_be_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = nir_files.chain(tmp_path / "a.nir", ("Conv2d", {}), ("Magic", {}))
    assert hwgen.main(["check", "--model", str(path), *SAID]) == 2
    captured = capsys.readouterr()
    assert "no: no engine for it yet" in captured.out
    assert "no: no node that hardware has an equivalent for" in captured.out
    assert captured.err == f"error: {path}: 2 nodes cannot be built\n"


def test_drift_shows_what_costs_most(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert hwgen.main(["drift", *files, "--weight-bits", "3"]) == 0
    said = capsys.readouterr().out
    rows = [line for line in said.splitlines() if line.startswith(("nothing", "states"))]
    left = {line[:24].strip(): int(line.split()[-1]) for line in rows}
    assert left["states, weights"] < left["nothing"] / 4
    assert left["states, leaks"] > left["nothing"] / 4
    assert "of 24 samples" in said


@pytest.mark.rtl
def test_drift_draws_a_picture_and_judges_the_hardware(
    tmp_path: Path, files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    narrow = ["--weight-bits", "3", "--state-bits", "7"]
    assert hwgen.main(["drift", *files, *narrow, "--rtl", "--out", str(tmp_path / "d")]) == 0
    said = capsys.readouterr().out
    assert "the states' range" in said
    assert "hardware: every spike as in the integers" in said
    assert (tmp_path / "d" / "drift.png").read_bytes().startswith(b"\x89PNG")
    assert hwgen.main(["drift", *files, "--rtl"]) == 2
    assert "--rtl builds and simulates the hardware; give --out" in capsys.readouterr().err


def test_drift_judges_the_integers_that_build_makes_of_typical_samples(
    tmp_path: Path, files: list[str], samples: SpikeSet, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = from_dense(DRAW.random((20, 8, 12)) < 0.03, np.full(8, 20), np.zeros(8, np.int64))
    (tmp_path / "quiet.npz").write_bytes(spikes.to_bytes(quiet))
    assert hwgen.main(["drift", *files, "--typical", str(tmp_path / "quiet.npz")]) == 0
    assert "the states' range" in capsys.readouterr().out
    real = lower(read(Path(files[1])), Assumed("snntorch", reset="zero"), "net").built()
    widths = {"weight_bits": 8, "leak_bits": 12, "fraction_bits": 4}
    assert store.digest(drift(real, samples, quiet, **widths).model) == store.digest(calibrate(real, quiet, **widths))
    assert store.digest(drift(real, samples, **widths).model) != store.digest(calibrate(real, quiet, **widths))


def test_nothing_drifts_that_is_exact(tmp_path: Path, samples: SpikeSet) -> None:
    path = chain(tmp_path / "a.nir", ("Linear", {"weight": DRAW.integers(-3, 5, (9, 12)) / 4}), lif(9, tau=1e-4, r=1.0))
    real = lower(read(path), Assumed("snntorch", reset="zero"), "net").built()
    found = drift(real, samples, weight_bits=4, leak_bits=8, fraction_bits=0)
    assert found.layers[0].spikes > 100
    assert found.layers[0].differ == 0
    assert found.layers[0].first is None
    assert found.same_class == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda given: given[:-2], "--spikes is missing"),
        (lambda given: [*given[:2], *given[4:]], "--source is missing"),
        (lambda given: [*given, "--weight-bits", "4,4,4"], "3 weight widths for 2 layers"),
        (lambda given: [*given, "--weight-bits", "17"], "weight_bits is 17; allowed is 1..16"),
        (lambda given: [*given, "--fraction-bits", "9"], "fraction_bits of weights of 8 bits is 9; allowed is 0..8"),
        (lambda given: [*given, "--leak-bits", "99"], "leak_bits is 99"),
    ],
)
def test_a_build_asks_for_what_is_missing(
    tmp_path: Path, files: list[str], capsys: pytest.CaptureFixture[str], change: object, expected: str
) -> None:
    assert callable(change)
    assert hwgen.main(["build", *change(files), "--out", str(tmp_path / "core")]) == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "core").exists()


@pytest.mark.parametrize("option", [["--source", "norse"], ["--fraction-bits", "0"], ["--spikes", "a.npz"]])
def test_options_for_files_from_elsewhere_are_not_for_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    assert hwgen.main(["build", "--model", "a.pt", *option, "--out", str(tmp_path / "core")]) == 2
    said = f"error: {option[0]} is for networks from elsewhere (.nir); a.pt needs none\n"
    assert capsys.readouterr().err == said
    assert hwgen.main(["drift", "--model", "a.safetensors", "--spikes", "a.npz", *SAID]) == 2
    assert capsys.readouterr().err == "error: a.safetensors: this command reads NIR files (.nir)\n"


def test_options_for_graphs_are_not_for_integers_that_we_wrote(
    tmp_path: Path, samples: SpikeSet, capsys: pytest.CaptureFixture[str]
) -> None:
    real = lower(read(chain(tmp_path / "net.nir", *NODES)), Assumed("snntorch", reset="zero"), "net").built()
    (tmp_path / "ours.nir").write_bytes(to_bytes(calibrate(real, samples)))
    given = ["build", "--model", str(tmp_path / "ours.nir"), "--out", str(tmp_path / "core")]
    for option in (["--weight-bits", "2"], ["--spikes", "a.npz"], ["--dt", "1"], ["--readout", "membrane_last"]):
        assert hwgen.main([*given, *option]) == 2
        assert "needs none: it has our integers, which --source leaves aside" in capsys.readouterr().err
    assert hwgen.main(given) == 0


def test_what_self_weights_give_back_is_no_drift_of_their_own(samples: SpikeSet) -> None:
    draw = np.random.default_rng(5)

    def layer(source: int, inputs: int, neurons: int, *parts: Part) -> Layer:
        weight = draw.integers(-4, 9, (neurons, inputs)) * 1.0
        neuron = Lif(np.full(neurons, 0.5), np.full(neurons, 7.0), "late_subtract", parts, strict=True)
        return Layer((neurons,), (Dense(source, weight),), neuron)

    layers = layer(0, 12, 9, SelfWeight(draw.integers(-2, 3, 9) * 1.0)), layer(1, 9, 4)
    real = RealModel("net", (12,), layers, "spike_count")
    found = drift(real, samples, weight_bits=8, leak_bits=12, fraction_bits=4)
    assert min(one.spikes for one in found.layers) > 100
    assert found.blame["states, thresholds"] == 0  # all other numbers are integers
    assert 0 < found.blame["states"] == found.blame["states, other parameters"]


@pytest.mark.parametrize("command", ["build", "calibrate", "drift"])
@pytest.mark.parametrize(
    ("channels", "labels", "said"),
    [
        (
            5,
            [0, 0],
            "the spikes have 5 channels; the network has 12 inputs: make them like those that it was trained with",
        ),
        (12, [], "the spike file holds no samples; give typical input"),
        (12, [0, 4], "label 4 is no class; the network has 4, from 0 on"),
    ],
)
def test_the_spikes_must_fit(
    tmp_path: Path,
    files: list[str],
    command: str,
    channels: int,
    labels: list[int],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    label = np.array(labels, dtype=np.int64)
    wrong = from_dense(np.ones((3, len(label), channels), dtype=bool), np.full(len(label), 3), label)
    Path(files[-1]).write_bytes(spikes.to_bytes(wrong))
    assert hwgen.main([command, *files, "--out", str(tmp_path / "new")]) == 2
    assert capsys.readouterr().err == f"error: {said}\n"
    assert not (tmp_path / "new").exists()


def test_the_drift_of_samples_without_labels_has_no_accuracy(
    files: list[str], samples: SpikeSet, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(files[-1]).write_bytes(spikes.to_bytes(replace(samples, label=np.full(24, -1, np.int32))))
    assert hwgen.main(["drift", *files]) == 0
    said = capsys.readouterr().out
    assert "accuracy" not in said
    assert "of 24 samples" in said


@pytest.mark.parametrize("command", ["calibrate", "drift"])
def test_results_go_to_a_folder(files: list[str], command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert hwgen.main([command, *files, "--out", files[-1]]) == 2
    said = capsys.readouterr()
    assert said.err == f"error: {files[-1]} is a file; name a folder\n"
    assert not said.out


def test_calibrate_shows_what_widths_give_and_recommends_options_that_build(
    tmp_path: Path, files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert hwgen.main(["calibrate", *files, "--loss", "20", "--out", str(tmp_path / "w")]) == 0
    said = capsys.readouterr().out
    assert "accuracy on the spikes given" in said
    assert (tmp_path / "w" / "widths.png").read_bytes().startswith(b"\x89PNG")
    study = json.loads((tmp_path / "w" / "widths.json").read_text())
    assert [one["bits"] for one in study["widths"]] == [8, 7, 6, 5, 4, 3, 2, 1]
    options = re.search(r"in real numbers: (--weight-bits.*)", said)
    assert options is not None
    assert hwgen.main(["build", *files, *options[1].split(), "--out", str(tmp_path / "core")]) == 0


def test_a_loss_that_is_none_is_refused(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hwgen.main(["calibrate", *files, "--loss", "-1", "--out", str(tmp_path / "w")]) == 2
    assert "--loss is -1.0; allowed are 0 to 100 points" in capsys.readouterr().err
    assert not (tmp_path / "w").exists()
