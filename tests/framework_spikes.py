"""What networks of frameworks put out, against our graphs of real numbers on the same input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from quant import golden
from quant.model import RealModel

STEPS, SAMPLES, INPUTS, HIDDEN, OUTPUTS = 50, 8, 20, 30, 10
SPIKES = np.random.default_rng(1).random((STEPS, SAMPLES, INPUTS)) < 0.3
Outputs = list[list[np.ndarray]]
"""By layer and step."""


def traced(model: RealModel) -> golden.Trace:
    return golden.run(model, SPIKES, np.full(SAMPLES, STEPS))


def same(trace: golden.Trace, theirs: Outputs) -> None:
    """Every spike of every layer; and there were some."""
    for found, steps in zip(trace.spikes[1:], theirs, strict=True):
        wanted = np.stack(steps)
        assert (wanted > 0).sum() > 100
        np.testing.assert_array_equal(found, wanted)


def same_scores(trace: golden.Trace, theirs: Outputs) -> None:
    """Every spike of the first layer, and the sums of the potentials of the second."""
    hidden, potentials = map(np.stack, theirs)
    assert hidden.sum() > 100
    np.testing.assert_array_equal(trace.spikes[1], hidden)
    assert np.abs(potentials).sum(axis=0).min() > 1
    np.testing.assert_allclose(trace.scores, potentials.sum(axis=0), rtol=1e-5, atol=1e-5)


def stepped(layers: list[Callable[[torch.Tensor], Any]], spiking: tuple[int, ...]) -> Outputs:
    """What the layers at these places put out in every step, fed in float64."""
    found: Outputs = [[] for _ in spiking]
    with torch.no_grad():
        for given in torch.from_numpy(SPIKES).double():
            value: Any = given
            for place, layer in enumerate(layers):
                value = layer(value)
                value = (value[0] if isinstance(value, tuple) else value).double()
                if place in spiking:
                    found[spiking.index(place)].append(value.numpy())
    return found


def at_once(layers: list[Callable[[torch.Tensor], Any]], spiking: tuple[int, ...]) -> Outputs:
    """The same of layers that take all steps, `(samples, steps, channels)`."""
    found: Outputs = []
    value: Any = torch.from_numpy(SPIKES).double().transpose(0, 1)
    with torch.no_grad():
        for place, layer in enumerate(layers):
            value = layer(value)
            value = (value[0] if isinstance(value, tuple) else value).double()
            if place in spiking:
                found.append(list(value.transpose(0, 1).numpy()))
    return found


def linear(inputs: int, outputs: int, *, bias: bool, gain: float = 4.0) -> torch.nn.Linear:
    made = torch.nn.Linear(inputs, outputs, bias=bias)
    with torch.no_grad():
        made.weight *= gain
    return made


def differ_where_several(trace: golden.Trace, theirs: Outputs) -> None:
    """Neurons that fire several times in a step are no others with one spike."""
    wanted = [np.stack(steps) for steps in theirs]
    several = sum(int((one > 1).sum()) for one in wanted)
    differ = sum(int((a != (b > 0)).sum()) for a, b in zip(trace.spikes[1:], wanted, strict=True))
    assert several > 100
    assert differ > 0.05 * STEPS * SAMPLES * (HIDDEN + OUTPUTS)
