"""Read-outs against loops over samples and steps."""

from __future__ import annotations

import pytest
import torch
from toys import Toy, config, scramble, stimulus

from quant.readouts import Readout
from trainer.arithmetic import Integer, Real
from trainer.config import NetworkConfig
from trainer.network import Network
from trainer.readouts import READOUTS

BY_HAND = {"spike_count": sum, "membrane_sum": sum, "membrane_max": max, "membrane_last": lambda values: values[-1]}


@pytest.mark.parametrize("name", READOUTS)
def test_scores_are_those_of_the_steps_of_a_sample(name: Readout) -> None:
    outputs = -1 - torch.randint(0, 9, (8, 5, 3), generator=torch.Generator().manual_seed(1)).float()
    steps = torch.tensor([8, 1, 3, 7, 5])
    for sample, end in enumerate(steps.tolist()):
        outputs[end:, sample] = 0
    for arithmetic in (Real(), Integer(8)):
        found = READOUTS[name].scores(outputs, steps, arithmetic)
        expected = [
            [BY_HAND[name](outputs[:end, sample, one].tolist()) for one in range(3)]
            for sample, end in enumerate(steps.tolist())
        ]
        assert found.tolist() == expected
        assert found.dtype == torch.float64


@pytest.mark.parametrize("name", READOUTS)
def test_an_empty_sample_has_scores(name: Readout) -> None:
    """As one that fills a process's share of a batch."""
    assert READOUTS[name].scores(torch.zeros(4, 2, 3), torch.tensor([0, 4]), Real()).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("quantized", [False, True])
@pytest.mark.parametrize("name", [name for name, kind in READOUTS.items() if not kind.spiking])
def test_potentials_reach_the_loss_in_real_units(name: Readout, quantized: bool) -> None:
    layers = config(data=Toy(channels=11)).network.layers
    network = Network(config(data=Toy(channels=11), network=NetworkConfig(layers, readout=name, logit_gain=3.0)))
    scramble(network, 1, strength=0.5)
    inputs, steps = stimulus(1, 11)
    trace = network(inputs, steps, quantized=quantized)
    unit = network.layers[-1].numbers(quantized=quantized).unit
    per_step = trace.scores / steps[:, None] if name == "membrane_sum" else trace.scores
    torch.testing.assert_close(trace.logits, (per_step * unit * 3.0).float())
    assert trace.logits.abs().sum() > 1
