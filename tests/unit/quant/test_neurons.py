"""What hardware is planned by: ranges of the input current, widths of parameters, acting parts, kept spikes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from quant.arithmetic import Array, Real, Widths
from quant.neurons import RESETS, Adaptation, Bias, Delay, Lif, SelfWeight, Synapse
from quant.neurons.part import LEAK as LEAKS
from quant.neurons.part import SIGNED, STEP, STEPS

LOW, HIGH, VALUES = np.array([-7, -3, 0, -2]), np.array([4, 9, 1, 0]), np.array([5, -6, 0, 12])
THRESHOLD, LEAK = np.array([3, 1, 8, 2]), np.array([9, 2, 15, 0])


def _reached(current: Callable[[Array, Array], Array]) -> tuple[list[int], list[int]]:
    """Smallest and largest of a current over both ends of the sums, and whether the neurons spiked a step ago."""
    past = (np.zeros((1, 4), dtype=np.bool_), np.ones((1, 4), dtype=np.bool_))
    found = np.array([current(x, spikes) for x in (LOW, HIGH) for spikes in past])
    return found.min(axis=0).tolist(), found.max(axis=0).tolist()


@pytest.mark.parametrize("part", [Bias(VALUES), SelfWeight(VALUES)], ids=lambda part: part.key)
def test_the_range_of_the_input_current_is_exact(part: Bias | SelfWeight) -> None:
    low, high = part.current_range(LOW, HIGH)
    found = _reached(lambda x, past: part.current(x, {"past": past}, {}, Real()))
    assert (low.tolist(), high.tolist()) == found


@pytest.mark.parametrize("name", list(RESETS))
def test_so_is_that_behind_a_reset(name: str) -> None:
    reset = RESETS[name]
    low, high = reset.current_range(LOW, HIGH, THRESHOLD)
    assert (low.tolist(), high.tolist()) == _reached(lambda x, past: reset.before(x, past, THRESHOLD))


def test_without_spikes_only_bias_and_filter_act() -> None:
    parts = (Bias(VALUES), SelfWeight(VALUES), Synapse(LEAK), Adaptation(LEAK, THRESHOLD), Delay(THRESHOLD))
    neuron = Lif(LEAK, THRESHOLD, "zero", parts)
    assert neuron.acting(spiking=True) == parts
    assert [part.key for part in neuron.acting(spiking=False)] == ["bias", "synapse"]


def test_no_more_past_spikes_are_kept_than_are_read() -> None:
    assert Lif(LEAK, THRESHOLD, "zero", (Bias(VALUES), Synapse(LEAK))).history == 0
    assert Lif(LEAK, THRESHOLD, "late_subtract").history == 1
    assert Lif(LEAK, THRESHOLD, "zero", (SelfWeight(VALUES),)).history == 1
    assert Lif(LEAK, THRESHOLD, "zero", (Adaptation(LEAK, THRESHOLD),)).history == 1
    assert Lif(LEAK, THRESHOLD, "zero", (SelfWeight(VALUES), Delay(THRESHOLD))).history == 8


def test_parameters_are_no_wider_than_their_numbers() -> None:
    widths = Widths(4, 6, 12)
    assert [quantity.bits(np.array([0, 5]), widths) for quantity in (STEP, STEPS, SIGNED, LEAKS)] == [3, 3, 4, 6]
    assert [SIGNED.bits(np.array(values), widths) for values in ([0, 0], [-1, 0], [-2, 1], [-5, 4])] == [2, 2, 2, 4]
