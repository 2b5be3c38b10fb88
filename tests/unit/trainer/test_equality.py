"""The quantized forward pass in PyTorch and the golden model agree on every spike and every score."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from toys import ON, Toy, config, scramble, stimulus

import quant.neurons
import quant.readouts
from quant import golden
from quant.arithmetic import saturate
from quant.formats import signed_range
from quant.model import IntModel
from quant.readouts import SCORE_BITS
from quant.spikes import SpikeSet
from trainer import config as configuration
from trainer import loop
from trainer.arithmetic import Integer
from trainer.config import LayerConfig, NetworkConfig
from trainer.data.batches import in_order
from trainer.integers import integers, real_model
from trainer.kernels import native
from trainer.network import Network
from trainer.neurons import PARTS, RESETS, Part
from trainer.readouts import READOUTS

DIGITS = Path(__file__).parents[3] / "configs" / "digits.toml"
FEATURES = list(
    itertools.product((False, True), (False, True), (False, True), quant.neurons.RESETS, quant.readouts.READOUTS)
)
# Parts that both sides have, besides those in every combination above.
OTHERS = [
    part
    for part in PARTS
    if part.key not in ("self_weight", "synapse") and part.key in {one.key for one in quant.neurons.PARTS}
]


def random_network(features: tuple[bool, bool, bool, str, str], seed: int) -> Network:
    """Three layers with skips, the features on in all of them, widths and other parts drawn at random."""
    self_weight, dense_recurrent, synapse, reset, readout = features
    draw = np.random.default_rng(seed)

    def layer(neurons: int, *sources: int) -> LayerConfig:
        return LayerConfig(
            neurons,
            sources,
            self_weight=self_weight,
            dense_recurrent=dense_recurrent,
            synapse=synapse,
            reset=reset,  # type: ignore[arg-type]
            weight_bits=int(draw.integers(1, 9)),
            leak_bits=int(draw.integers(1, 13)),
            state_bits=int(draw.integers(4, 14)),
            leak_grid=str(draw.choice(["free", "shift"])),  # type: ignore[arg-type]
            **{part.key: ON[part.key] for part in OTHERS if draw.random() < 0.5},
        )

    layers = (layer(9, 0), layer(7, 1, 0), layer(3, 0, 2, 1))
    network = Network(config(network=NetworkConfig(layers, readout=readout), data=Toy(channels=11)))  # type: ignore[arg-type]
    scramble(network, seed, strength=float(draw.uniform(0.3, 2.0)))
    return network


def compare(network: Network, model: IntModel, inputs: Tensor, steps: Tensor) -> list[int]:
    """Assert that both agree; returns the number of spikes of each spiking layer."""
    with torch.no_grad():
        trace = network(inputs, steps, quantized=True)
    expected = golden.run(model, inputs.numpy().astype(bool), steps.numpy())
    counts = []
    for index in range(1, len(model.layers) + 1):
        if model.spikes(index):
            np.testing.assert_array_equal(trace.outputs[index].numpy(), expected.spikes[index])
            counts.append(int(expected.spikes[index].sum()))
    np.testing.assert_array_equal(trace.scores.numpy(), expected.scores)
    np.testing.assert_array_equal(trace.scores.argmax(dim=1).numpy(), expected.classes)
    return counts


@pytest.mark.parametrize("features", FEATURES, ids=lambda features: "-".join(map(str, features)))
def test_every_feature_on_and_off(features: tuple[bool, bool, bool, str, str]) -> None:
    spikes = np.zeros(2, dtype=np.int64)
    scores = 0
    for seed in range(4):
        network = random_network(features, seed)
        model = integers(network)
        inputs, steps = stimulus(seed, 11)
        spikes += compare(network, model, inputs, steps)[:2]
        scores += int(np.abs(golden.run(model, inputs.numpy().astype(bool), steps.numpy()).scores).sum())
    assert (spikes > 100).all(), "the comparison needs activity in every layer"
    assert scores > 0


def test_training_has_every_kind_that_hardware_has() -> None:
    assert {part.key for part in PARTS} == {part.key for part in quant.neurons.PARTS}
    assert RESETS.keys() == quant.neurons.RESETS.keys()
    assert READOUTS.keys() == quant.readouts.READOUTS.keys()


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
@pytest.mark.parametrize("reset", RESETS)
def test_each_part_is_felt(part: type[Part], reset: quant.neurons.Reset) -> None:
    """In a network with every part: without this one the same integers give other spikes."""
    layers = LayerConfig(9, (0,), reset=reset, **ON), LayerConfig(3, (1, 0), reset=reset, **ON)
    network = Network(config(*layers, data=Toy(channels=11)))
    scramble(network, 19, strength=0.7)
    model = integers(network)
    inputs, steps = stimulus(4, 11, batch=64, longest=40)
    assert min(compare(network, model, inputs, steps)) > 10
    lame = [
        replace(one, neuron=replace(one.neuron, parts=tuple(own for own in one.neuron.parts if own.key != part.key)))
        for one in model.layers
    ]
    arguments = inputs.numpy().astype(bool), steps.numpy()
    found, without = golden.run(model, *arguments), golden.run(replace(model, layers=tuple(lame)), *arguments)
    assert any((one != other).any() for one, other in zip(found.spikes, without.spikes, strict=True))


def test_the_hard_cases_occur(monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks compared above do saturate on both sides and do round negative numbers toward zero."""
    seen = {"high": 0, "low": 0, "negative fraction": 0}
    saturate: Callable[[Integer, Tensor], Tensor] = Integer.saturate
    rounded: Callable[[Integer, Tensor], Tensor] = Integer.round

    def counting_saturate(self: Integer, value: Tensor) -> Tensor:
        low, high = signed_range(self.state_bits)
        seen["high"] += int((value > high).sum())
        seen["low"] += int((value < low).sum())
        return saturate(self, value)

    def counting_round(self: Integer, value: Tensor) -> Tensor:
        seen["negative fraction"] += int(((value < 0) & (value != value.floor())).sum())
        return rounded(self, value)

    monkeypatch.setattr(native, "library", lambda: None)  # plain PyTorch, where every step can be watched
    monkeypatch.setattr(Integer, "saturate", counting_saturate)
    monkeypatch.setattr(Integer, "round", counting_round)
    for seed, features in enumerate(FEATURES[::5]):
        network = random_network(features, seed % 4)
        inputs, steps = stimulus(seed, 11)
        assert sum(compare(network, integers(network), inputs, steps)) > 0
    assert min(seen.values()) > 100, seen


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_weights_use_their_range(bits: int) -> None:
    network = Network(config(LayerConfig(20, (0,), weight_bits=bits), LayerConfig(3, (1,), weight_bits=bits)))
    scramble(network, 1)
    weight = integers(network).layers[0].projections[0].weight
    assert weight.max() >= 2 ** (bits - 1) - 1
    assert set(np.unique(weight)) == {-1, 1} if bits == 1 else weight.min() <= -(2 ** (bits - 1)) + 1


def test_the_score_register_saturates() -> None:
    """Scores are clamped to 32 bits at every step, not at the end."""
    draw = np.random.default_rng(1)
    high = signed_range(23)[1]
    values = draw.integers(0, high, (2000, 1, 2)) * np.array([1, -1])
    values[1500:] *= -1
    expected = np.zeros((1, 2), dtype=np.int64)
    for value in values:
        expected = saturate(expected + value, SCORE_BITS)
    assert (np.abs(values.sum(axis=0)) > 0).all()
    assert (expected != values.sum(axis=0)).all(), "the clamp must have mattered"
    total = Integer(23).total(torch.from_numpy(values).float())
    np.testing.assert_array_equal(total.numpy(), expected)


def test_the_demo_test_set() -> None:
    """Real speech, a network trained on it for two epochs: every spike of all 300 test samples."""
    table = configuration.to_table(configuration.read(DIGITS))
    table["train"] |= {"epochs_float": 1, "epochs_quantized": 1}
    settings = configuration.from_table(table)
    data = settings.data.load()
    progress = loop.start(settings)
    loop.train(progress, data, lambda batches, _: batches, lambda _: None)
    model = integers(progress.network)
    spikes = np.zeros(len(model.layers), dtype=np.int64)
    samples: SpikeSet = data["test"]
    for batch in in_order(samples, 100):
        spikes += compare(progress.network, model, batch.inputs, batch.steps)
    assert len(samples) == 300
    assert (spikes > 1000).all()
    assert progress.best_epoch("quantized").accuracy_validation > 0.5


def test_the_real_model_spikes_as_the_float_phase_does() -> None:
    """The same graph with the real numbers, normalization folded: golden model and network agree."""
    layers = (
        LayerConfig(9, (0,), normalize=True, **ON),
        LayerConfig(3, (1, 0), dense_recurrent=True, reset="subtract", **ON),
    )
    network = Network(config(*layers, data=Toy(channels=11)))
    scramble(network, 19, strength=0.5)
    for layer in network.layers[:1]:
        assert layer.normalization is not None
        layer.normalization.mean_square.fill_(0.3)
    inputs, steps = stimulus(3, 11)
    trace = network.eval()(inputs, steps, quantized=False)
    expected = golden.run(real_model(network), inputs.numpy().astype(bool), steps.numpy())
    for found, spikes in zip(trace.outputs, expected.spikes, strict=True):
        np.testing.assert_array_equal(found.detach().numpy(), spikes)
    assert trace.outputs[1].sum() > 50
    assert trace.outputs[2].sum() > 10
