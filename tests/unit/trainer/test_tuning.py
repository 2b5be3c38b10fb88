"""Networks from elsewhere as the trainer takes them over, and what becomes of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import nir_files
import numpy as np
import pytest
import torch
from nir_files import lif
from toys import Toy

from quant import export, foreign, golden, store
from quant.errors import ConfigError, ModelError
from quant.model import Layer, RealModel
from quant.neurons import Bias, Delay, Lif, Reset, SelfWeight, Synapse
from quant.projections import Dense
from quant.spikes import SpikeSet
from trainer import __main__ as command_line
from trainer import checkpoint, data, pictures, run, tuning
from trainer.evaluation import evaluate
from trainer.integers import real_model
from trainer.network import Network

DRAW = np.random.default_rng(11)
TABLE: dict[str, Any] = {
    "data": {"name": "toy"},
    "train": {"epochs_float": 1, "epochs_quantized": 2, "batch": 8},
}


@pytest.fixture(autouse=True)
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(data.SOURCES, "toy", Toy)


def uniform(low: float, high: float, *shape: int) -> np.ndarray:
    return DRAW.uniform(low, high, shape)


def network(reset: Reset = "zero") -> RealModel:
    """Every feature that a network from elsewhere may have: a skip connection, recurrence, filters, delays, biases."""

    def neuron(size: int, *parts: Any) -> Lif:
        return Lif(uniform(0.5, 0.95, size), uniform(0.4, 1.5, size), reset, parts, strict=True)

    first = neuron(9, Bias(uniform(-0.1, 0.2, 9)), Synapse(uniform(0.2, 0.6, 9)), Delay(np.arange(9.0) % 4))
    second = neuron(7, SelfWeight(uniform(-0.5, 0.5, 7)))
    return RealModel(
        "elsewhere",
        (12,),
        (
            Layer((9,), (Dense(0, uniform(-0.4, 0.8, 9, 12)), Dense(1, uniform(-0.3, 0.3, 9, 9))), first),
            Layer((7,), (Dense(1, uniform(-0.5, 0.8, 7, 9)), Dense(0, uniform(-0.2, 0.3, 7, 12))), second),
            Layer((3,), (Dense(2, uniform(-0.7, 0.9, 3, 7)),), neuron(3)),
        ),
        "spike_count",
    )


def begun(real: RealModel, table: dict[str, Any] = TABLE) -> Network:
    config, state = tuning.begin(real, table)
    found = Network(config)
    found.load_state_dict(state)
    return found


def differing(real: RealModel, other: RealModel, samples: SpikeSet) -> int:
    """Spikes that differ, of more than 200."""
    differ, spikes = 0, 0
    for (_, one), (_, two) in zip(golden.run_set(real, samples), golden.run_set(other, samples), strict=True):
        spikes += sum(int(layer.sum()) for layer in one.spikes[1:])
        differ += sum(int((a != b).sum()) for a, b in zip(one.spikes[1:], two.spikes[1:], strict=True))
    assert spikes > 200
    return differ


@pytest.mark.parametrize("reset", ["zero", "subtract", "late_subtract"])
def test_training_begins_with_the_very_network(reset: Reset) -> None:
    real = network(reset)
    found = real_model(begun(real))
    for one, two in zip(real.layers, found.layers, strict=True):
        assert one.neuron.reset == two.neuron.reset
        for a, b in zip(one.projections, two.projections, strict=True):
            assert a.source == b.source
            np.testing.assert_allclose(a.weight, b.weight, rtol=1e-6)
        theirs = {tensor.name: tensor.values for tensor in two.neuron.tensors()}
        for tensor in one.neuron.tensors():
            np.testing.assert_allclose(tensor.values, theirs[tensor.name], rtol=1e-5, atol=1e-6)
    samples = Toy().load()["train"]
    assert differing(real, found, samples) == 0


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("leak", [0.5, 1.0])
@pytest.mark.parametrize("reset", ["zero", "late_subtract"])
def test_potentials_right_at_a_threshold_stay_on_their_side(reset: Reset, leak: float, strict: bool) -> None:
    def layer(source: int, inputs: int, neurons: int) -> Layer:
        neuron = Lif(np.full(neurons, leak), np.full(neurons, 0.75), reset, strict=strict)
        return Layer((neurons,), (Dense(source, DRAW.integers(-1, 4, (neurons, inputs)) / 4),), neuron)

    real = RealModel("net", (12,), (layer(0, 12, 9), layer(1, 9, 3)), "spike_count")
    samples = Toy().load()["train"]
    other = replace(
        real, layers=tuple(replace(one, neuron=replace(one.neuron, strict=not strict)) for one in real.layers)
    )
    assert differing(real, other, samples) > 50
    assert differing(real, real_model(begun(real)), samples) == 0


def test_a_threshold_that_training_cannot_hold_is_refused() -> None:
    layer = Layer((3,), (Dense(0, uniform(0, 1e-9, 3, 12)),), Lif(np.full(3, 0.5), np.array([1, 1e-9, 1]), "zero", ()))
    with pytest.raises(ModelError, match=re.escape("layer 1 has a threshold of 1e-09; training takes 1e-06 or more")):
        begun(RealModel("net", (12,), (layer,), "spike_count"))


def test_numbers_that_no_logarithm_has_come_as_near_as_they_can() -> None:
    neuron = Lif(np.array([0.0, 1.0, 0.5]), np.ones(3), "zero", ())
    found = real_model(
        begun(RealModel("net", (12,), (Layer((3,), (Dense(0, uniform(0, 1, 3, 12)),), neuron),), "spike_count"))
    )
    np.testing.assert_allclose(found.layers[0].neuron.leak, [0.0, 1.0, 0.5], atol=2e-6)


@pytest.mark.drawn
def test_leaks_that_are_all_but_equal_are_drawn() -> None:
    found = begun(network())
    with torch.no_grad():
        for layer in found.layers:
            layer.leak_logit.copy_(13.8 + 1e-6 * torch.arange(layer.layer.neurons))
    assert pictures.intrinsic(begun(network()), found).startswith(b"\x89PNG")


def test_widths_are_those_of_all_layers_or_of_each() -> None:
    one = {**TABLE, "network": {"layers": [{"weight_bits": 6, "weight_shift": 2}], "logit_gain": 4.0}}
    assert [layer.layer.weight_bits for layer in begun(network(), one).layers] == [6, 6, 6]
    each = {**TABLE, "network": {"layers": [{"weight_bits": bits} for bits in (3, 4, 5)]}}
    assert [layer.layer.weight_bits for layer in begun(network(), each).layers] == [3, 4, 5]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"network": 3}, "network must be a table"),
        ({"network": {"leak": 0.5}}, "network.leak: the network that is tuned says it itself"),
        ({"network": {"layers": [{"neurons": 9}]}}, "network.layers[1].neurons: the network that is tuned says it"),
        ({"network": {"layers": [{}, {}]}}, "network.layers has 2 tables; give one for all 3 layers, or one each"),
        ({"network": {"layers": 5}}, "network.layers must be a list of tables"),
        ({"network": {"layers": [{"weight_bits": 11}]}}, "network.layers[1].weight_bits is 11; allowed is 1..8"),
        ({"data": {"name": "toy", "channels": 11}}, "data has 11 channels; the network has 12 inputs"),
        ({"data": {"name": "toy", "labels": 4}}, "the last layer needs one neuron for each of the 4 classes"),
        ({"train": {"rule": "lee"}}, "train.rule lee"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        tuning.begin(network(), {**TABLE, **given})


def test_two_ways_from_one_source_are_refused() -> None:
    real = network()
    layer = replace(real.layers[2], projections=real.layers[2].projections * 2)
    with pytest.raises(ModelError, match="layer 3 has several ways from one source"):
        tuning.begin(replace(real, layers=(*real.layers[:2], layer)), TABLE)


COUNTS = 'loss = { name = "spike_count" }'
RULES = {
    "surrogate": ("", "zero"),
    "tssl": (COUNTS, "zero"),
    "strsbp": (COUNTS, "zero"),
    "lee": (COUNTS, "subtract"),
    "eprop": ("", "subtract"),
}


def words(folder: Path, rule: str = "surrogate", seed: int = 3) -> list[str]:
    """Of `python -m trainer tune`; its files are written."""
    draw, (train, reset) = np.random.default_rng(seed), RULES[rule]
    weights = [{"weight": draw.normal(0.2, 0.5, shape)} for shape in ((10, 12), (3, 10))]
    model = nir_files.chain(folder / "net.nir", ("Linear", weights[0]), lif(10), ("Linear", weights[1]), lif(3))
    (folder / "tune.toml").write_text(
        f'data = {{ name = "toy" }}\n[train]\nepochs_float = 1\nepochs_quantized = 2\nbatch = 8\nrule = "{rule}"\n'
        f"{train}\n[plasticity]\nleak = false\n"
    )
    said = ["--source", "spikingjelly", "--reset", reset]
    said += ["--readout", "membrane_sum"] if rule == "eprop" else []
    return ["tune", "--model", str(model), *said, "--config", str(folder / "tune.toml"), "--out", str(folder / "run")]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_tunes_and_the_integers_are_exact(
    rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(words(tmp_path, rule)) == 0
    assert re.search(
        r"before tuning: validation accuracy 0\.\d+ in real numbers, 0\.\d+ in int", capsys.readouterr().out
    )
    path, samples = tmp_path / "run" / "ckpt.pt", Toy().load()["test"]
    tuned = checkpoint.restore(export.read_checkpoint(path), path)[1]
    assert not torch.equal(tuned.layers[0].weight, tuned.layers[0].weight.round())
    model, right, spikes = export.load(path), 0, 0
    for chosen, trace in golden.run_set(model, samples):
        right += int((trace.classes == samples.label[chosen]).sum())
        spikes += int(trace.spikes[1].sum())
    assert spikes > 20
    assert evaluate(tuned, samples, quantized=True).accuracy == right / len(samples)


def test_tuning_that_is_finished_is_not_repeated_and_never_continued_with_another_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(words(tmp_path)) == 0
    assert command_line.main(words(tmp_path)) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert command_line.main(words(tmp_path, seed=4)) == 2
    assert "comes from another configuration, network.imported differs" in capsys.readouterr().err


def test_only_tuning_begins_with_a_network_from_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"network\.imported: only `python -m trainer tune` sets it"):
        run.train(tuning.begin(network(), TABLE)[0], tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.drawn
def test_pictures_show_where_tuning_began(tmp_path: Path) -> None:
    assert command_line.main(words(tmp_path)) == 0
    leaks = run.restored(tmp_path / "run").begun["stack.0.leak_logit"].sigmoid()
    torch.testing.assert_close(leaks, torch.full((10,), 0.8))  # of the file: 1 - 1e-4 / 5e-4


def test_what_was_tuned_goes_back_as_a_graph(tmp_path: Path) -> None:
    assert command_line.main(words(tmp_path)) == 0
    model = export.load(tmp_path / "run" / "ckpt.pt")
    (tmp_path / "back.nir").write_bytes(foreign.to_bytes(model))
    back = foreign.integers(foreign.read(tmp_path / "back.nir"))
    assert back is not None
    assert store.digest(back) == store.digest(model)
