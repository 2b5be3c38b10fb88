"""Normalized currents: what training divides by, and that folding it into the weights changes no spike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from toys import Toy, config, stimulus

from trainer.config import LayerConfig
from trainer.integers import integers
from trainer.network import Network
from trainer.normalization import CurrentNorm

LAYERS = (
    LayerConfig(14, (0,), self_weight=True, bias=True, normalize=True),
    LayerConfig(3, (1, 0), self_weight=True, dense_recurrent=True, normalize=True),
)


def trained() -> Network:
    """A network whose running mean squares and gains are far from 1."""
    network = Network(config(*LAYERS, data=Toy(channels=11)))
    inputs, steps = stimulus(3, 11)
    for _ in range(5):
        network(inputs, steps, quantized=False)
    for layer in network.layers:
        assert layer.normalization is not None
        layer.normalization.gain_log.data = torch.linspace(-1, 1, len(layer.weight))
    network.layers[0].bias.data = torch.linspace(-0.2, 0.3, 14)
    return network.eval()


def test_the_mean_square_is_one_over_the_steps_of_the_samples() -> None:
    norm = CurrentNorm(2)
    currents = torch.randn(10, 3, 2, generator=torch.Generator().manual_seed(1)) * torch.tensor([3.0, 0.1])
    ends = torch.tensor([10, 4, 7])
    for sample, end in enumerate(ends.tolist()):
        currents[end:, sample] = 0
    found = norm(currents, ends)
    torch.testing.assert_close(found.square().sum(dim=(0, 1)) / 21, torch.ones(2), rtol=1e-3, atol=1e-3)
    assert (norm.mean_square != 1).all()


def test_evaluation_uses_what_training_saw() -> None:
    norm = CurrentNorm(1)
    currents, ends = torch.full((4, 1, 1), 10.0), torch.tensor([4])
    for _ in range(200):
        norm(currents, ends)
    torch.testing.assert_close(norm.eval()(currents, ends), torch.ones(4, 1, 1), rtol=1e-3, atol=1e-3)


def test_folded_weights_give_the_same_spikes() -> None:
    """A network without normalization, with the folded weights, is the same network."""
    network = trained()
    plain = Network(config(*(replace(layer, normalize=False) for layer in LAYERS), data=Toy(channels=11)))
    with torch.no_grad():
        for layer, copy in zip(network.layers, plain.layers, strict=True):
            copy.load_state_dict(layer.state_dict(), strict=False)
            copy.weight.copy_(layer.folded_weight())
            assert not torch.equal(copy.weight, layer.weight)
    inputs, steps = stimulus(4, 11)
    real, same = network(inputs, steps, quantized=False), plain(inputs, steps, quantized=False)
    assert torch.equal(real.outputs[1], same.outputs[1])
    assert real.outputs[1].sum() > 20
    network.fit_scales()
    plain.fit_scales()
    first, second = integers(network), integers(plain)
    for one, other in zip(first.layers, second.layers, strict=True):
        for block, same in zip(one.projections, other.projections, strict=True):
            np.testing.assert_array_equal(block.weight, same.weight)
        np.testing.assert_array_equal(one.neuron.threshold, other.neuron.threshold)
    quantized = network(inputs, steps, quantized=True)
    assert torch.equal(quantized.scores, plain(inputs, steps, quantized=True).scores)
    assert quantized.outputs[1].sum() > 20
