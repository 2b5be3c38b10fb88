"""The search for the fewest bits: it never recommends what is not good enough, and nothing that could be narrower."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from quant import golden
from quant.calibration import calibrate, saturated
from quant.errors import ModelError
from quant.foreign.search import Choice, search
from quant.model import IntModel, Layer, RealModel
from quant.neurons import Lif
from quant.projections import Dense
from quant.spikes import SpikeSet, from_dense

DRAW = np.random.default_rng(5)
WEIGHTS = DRAW.normal(0.1, 0.4, (12, 10)), DRAW.normal(0.1, 0.5, (4, 12))


def network() -> RealModel:
    layers = [
        Layer((len(weight),), (Dense(place, weight),), Lif(np.full(len(weight), 0.9), np.ones(len(weight)), "zero", ()))
        for place, weight in enumerate(WEIGHTS)
    ]
    return RealModel("net", (10,), tuple(layers), "spike_count")


def labelled(real: RealModel, *, known: bool = True) -> SpikeSet:
    """Samples whose labels are the classes of the network in real numbers, or that have none."""
    dense = DRAW.random((15, 200, 10)) < 0.3
    samples = from_dense(dense, np.full(200, 15), np.full(200, -1))
    return replace(samples, label=classes(real, samples).astype(np.int32)) if known else samples


def classes(model: RealModel | IntModel, samples: SpikeSet) -> np.ndarray:
    traces = [trace for _, trace in golden.run_set(model, samples)]
    assert sum(int(trace.spikes[-1].sum()) for trace in traces) > 50
    return np.concatenate([trace.classes for trace in traces])


@pytest.mark.parametrize("known", [True, False])
def test_what_is_recommended_is_good_enough_and_one_bit_less_is_not(known: bool) -> None:
    real = network()
    samples = labelled(real, known=known)
    tries: list[None] = []
    found = search(real, samples, 0.1, lambda: tries.append(None))
    assert found.labelled == known
    assert found.accuracy_real == 1.0
    assert [one.choice.weight_bits[0] for one in found.uniform] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert len(tries) > 12
    assert found.chosen is not None
    assert found.narrowed is not None
    assert found.chosen.choice.weight_bits[0] < 8

    def accuracy(choice: Choice) -> float:
        made = calibrate(real, samples, **asdict(choice))
        return float((classes(made, samples) == classes(real, samples)).mean())

    best = found.narrowed.choice
    assert accuracy(best) == found.narrowed.accuracy >= 0.9
    assert sum(best.weight_bits) <= sum(found.chosen.choice.weight_bits)
    assert accuracy(replace(best, state_bits=best.state_bits - 1)) < 0.9
    assert best.options.startswith(f"--weight-bits {best.weight_bits[0]},{best.weight_bits[1]} --leak-bits")


def test_nothing_is_recommended_where_nothing_is_good_enough() -> None:
    real = network()
    samples = labelled(real)
    found = search(real, samples, -0.01)  # better than the real network, which is always right
    assert len(found.uniform) == 8
    assert (found.chosen, found.narrowed, found.saturated) == (None, None, 0)


def test_narrow_states_saturate_and_are_counted() -> None:
    real = network()
    samples = labelled(real)
    free = calibrate(real, samples, weight_bits=6, leak_bits=8, fraction_bits=2)
    narrow = calibrate(real, samples, weight_bits=6, leak_bits=8, fraction_bits=2, state_bits=6)
    assert {layer.integers.state_bits for layer in narrow.layers} == {6}
    assert saturated(free, samples) == 0
    assert 0.05 < saturated(narrow, samples) <= 1
    with pytest.raises(ModelError, match=r"state_bits is 25; allowed is 4\.\.24"):
        calibrate(real, samples, state_bits=25)
