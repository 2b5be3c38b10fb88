"""Scales, ranges and the integers that come out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_equality import compare
from toys import Toy, config, scramble, stimulus

from hwgen.core.neuron import leak_shifts
from trainer.config import LayerConfig, NetworkConfig
from trainer.integers import integers
from trainer.network import Network
from trainer.neurons import QUANTITIES
from trainer.readouts import READOUTS


def network_of(layer: LayerConfig, readout: str = "spike_count") -> Network:
    network = Network(
        config(data=Toy(channels=11, labels=layer.neurons), network=NetworkConfig((layer,), readout=readout))
    )  # type: ignore[arg-type]
    scramble(network, 1)
    return network


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_fitted_scales_beat_the_full_range(bits: int) -> None:
    """The error of the fitted scale is at most that of the scale that just holds the largest weight."""
    layer = network_of(LayerConfig(3, (0,), weight_bits=bits)).layers[0]
    numbers = layer.numbers(quantized=True)
    found = (numbers.weight * numbers.unit[:, None] - layer.weight).square().sum(dim=1)
    step = layer.weight.abs().amax(dim=1, keepdim=True) / 2 ** (bits - 1)
    naive = (layer.weight / step).round().clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) * step
    assert (found <= (naive - layer.weight).square().sum(dim=1) + 1e-6).all()


def test_every_neuron_has_its_scale_but_potentials_that_are_compared_share_one() -> None:
    layer = LayerConfig(3, (0,))
    for readout, kind in READOUTS.items():
        shape = (3,) if kind.spiking else (1,)
        assert network_of(layer, readout).layers[0].numbers(quantized=True).unit.shape == shape


def test_parameters_beyond_their_range_are_clamped_and_still_learn() -> None:
    network = network_of(LayerConfig(3, (0,), self_weight=True, bias=True, leak_bits=3, state_bits=6))
    layer = network.layers[0]
    with torch.no_grad():
        layer.leak_logit.copy_(torch.tensor([20.0, -20.0, 0.0]))
        layer.threshold_log.copy_(torch.tensor([9.0, -9.0, 0.0]))
        layer.self_weight.copy_(torch.tensor([1e4, -1e4, 0.0]))
        layer.bias.copy_(layer.self_weight)
    numbers = layer.numbers(quantized=True)
    codes = {name: QUANTITIES[name].code(value, 3).tolist() for name, value in numbers.neuron.items()}
    assert codes["leak"] == [7, 0, 4]
    assert codes["threshold"][:2] == [31, 1]
    assert codes["self_weight"] == codes["bias"] == [31, -32, 0]
    sum(value.sum() for value in numbers.neuron.values()).backward()
    assert layer.threshold_log.grad[:2].all()
    assert layer.self_weight.grad.all()
    assert layer.bias.grad.all()


def test_the_scale_does_not_change_what_a_neuron_does() -> None:
    """Weights, self-weight, bias and threshold times a power of two: the same integers, the same spikes."""
    network = network_of(LayerConfig(3, (0,), self_weight=True, bias=True))
    inputs, steps = stimulus(3, 11)
    layer = network.layers[0]
    with torch.no_grad():
        before = network(inputs, steps, quantized=True)
        layer.weight.mul_(4)
        layer.self_weight.mul_(4)
        layer.bias.mul_(4)
        layer.threshold_log.add_(torch.tensor(4.0).log())
        network.fit_scales()
        after = network(inputs, steps, quantized=True)
    assert before.scores.sum() > 0
    assert torch.equal(before.outputs[1], after.outputs[1])


def test_leaks_on_the_shift_grid_need_no_multiplier_and_still_learn() -> None:
    layer = LayerConfig(40, (0,), synapse=True, leak_bits=6, leak_grid="shift")
    network = network_of(layer)
    found = integers(network).layers[0]
    allowed = {64 - (64 >> shift) for shift in range(7)}
    leaks = found.neuron.leak.tolist()
    assert set(leaks) <= allowed
    assert len(set(leaks)) > 2
    assert leak_shifts(found.neuron, 6) is not None
    free = integers(network_of(replace(layer, leak_grid="free"))).layers[0]
    nearest = np.array(sorted(allowed))[np.abs(np.array(sorted(allowed)) - free.neuron.leak[:, None]).argmin(axis=1)]
    assert np.mean(nearest == leaks) > 0.9  # but for ties that the first rounding made
    network.layers[0].numbers(quantized=True).leak.sum().backward()
    assert (network.layers[0].leak_logit.grad.abs() > 0).all()


def test_leaks_of_seconds_reach_the_integers() -> None:
    """The longest that twelve bits hold decays by a part of 4,096 in a step."""
    for leak, code in ((0.9995, 4094), (0.99975, 4095)):
        layers = (LayerConfig(3, (0,), adaptation=True, leak_bits=12, state_bits=12),)
        network = Network(config(network=NetworkConfig(layers, adaptation_leak=leak)))
        assert (
            QUANTITIES["adaptation_leak"]
            .code(network.layers[0].numbers(quantized=True).neuron["adaptation_leak"], 12)
            .tolist()
            == [code] * 3
        )


def test_shifted_weights_are_coarser_than_states() -> None:
    """The same weights in units a sixteenth as large, in which thresholds and steps are finer; golden model agrees."""
    layer = LayerConfig(3, (0,), adaptation=True, weight_bits=3, state_bits=14)
    plain, shifted = (network_of(replace(layer, weight_shift=shift)) for shift in (0, 4))
    coarse, fine = (network.layers[0].numbers(quantized=True) for network in (plain, shifted))
    assert torch.equal(fine.weight, 16 * coarse.weight)
    assert torch.equal(fine.unit, coarse.unit / 16)
    assert ((fine.threshold - 16 * coarse.threshold).abs() <= 8).all()
    assert (fine.threshold % 16).any()
    model = integers(shifted)
    assert model.layers[0].integers.weight_bits == 7
    assert compare(shifted, model, *stimulus(2, 11, longest=40))[0] > 20
