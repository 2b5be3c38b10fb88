"""The vectorized golden model against the naive one, and against worked examples of the specification."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import dense_layer, random_model, tiny_model

from quant import calibration, golden, naive, vectors
from quant.arithmetic import decay
from quant.errors import SpikeFileError
from quant.model import IntModel
from quant.neurons import Part, Reset, SelfWeight
from quant.spikes import SpikeSet, from_dense


def test_golden_equals_naive_on_random_networks() -> None:
    spikes = saturated = negative = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        model = random_model(rng)
        steps = rng.integers(1, 13, 3)
        inputs = rng.random((12, 3, model.inputs)) < rng.choice([0.1, 0.5, 0.9])
        trace = golden.run(model, inputs, steps)
        for sample, length in enumerate(steps):
            history, by_step, best = naive.run(model, inputs[:length, sample].astype(int).tolist())
            for layer in range(len(model.layers)):
                expected = np.array([step[layer] for step in history], dtype=bool)
                assert (trace.spikes[layer + 1][:length, sample] == expected).all(), (seed, sample, layer)
                assert not trace.spikes[layer + 1][length:, sample].any()
            assert trace.scores_by_step[:length, sample].tolist() == by_step
            assert (trace.scores_by_step[length:, sample] == by_step[-1]).all()
            assert trace.scores[sample].tolist() == by_step[-1]
            assert trace.classes[sample] == best
        spikes += int(trace.spikes[-1].sum())
        negative += int((trace.scores < 0).sum())
        given = inputs & (np.arange(12)[:, None, None] < steps[None, :, None])
        saturated += calibration.saturated(model, from_dense(given, steps, np.zeros(3, dtype=np.int64))) > 0
    assert spikes > 1000
    assert negative > 20
    assert saturated > 30


def test_a_set_runs_in_batches_as_if_at_once() -> None:
    model = tiny_model()
    samples = vectors.random_samples(model, 150, 6, 0.4, seed=1)
    whole = golden.run(model, samples.dense(slice(0, 150)), samples.steps.astype(np.int64))
    parts = list(golden.run_set(model, samples))
    assert [(chosen.start, chosen.stop) for chosen, _ in parts] == [(0, 64), (64, 128), (128, 150)]
    assert whole.scores.any()
    assert (np.concatenate([trace.scores for _, trace in parts]) == whole.scores).all()
    assert (np.concatenate([trace.classes for _, trace in parts]) == whole.classes).all()


def test_vectors_have_the_scores_of_every_packet() -> None:
    model = tiny_model()
    samples = vectors.random_samples(model, 70, 6, 0.4, seed=1)
    whole, parts = (vectors.expected(model, samples, packets) for packets in ("sample", "step"))
    last = np.cumsum(samples.steps) - 1
    assert len(parts["scores"]) == samples.steps.sum() > len(whole["scores"]) == 70
    assert whole["scores"].any()
    for name in ("scores", "classes"):
        assert (parts[name][last] == whole[name]).all()
    trace = golden.run(model, samples.dense(slice(0, 1)), samples.steps[:1].astype(np.int64))
    assert (parts["scores"][: samples.steps[0]] == trace.scores_by_step[:, 0]).all()


def test_long_samples_come_in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "_BATCH_CELLS", 240)
    model = tiny_model()
    widest = max(layer.neurons for layer in model.layers)
    assert widest > model.inputs
    nothing, ones = np.zeros(0, dtype=np.int32), np.ones(9, dtype=np.int32)
    samples = SpikeSet(model.inputs, ones * 12, ones, np.zeros(10, dtype=np.int64), nothing, nothing)
    limit = 240 // (12 * widest)
    assert 1 < limit < 9
    assert max(chosen.stop - chosen.start for chosen, _ in golden.run_set(model, samples)) == limit
    monkeypatch.setattr(golden, "memory_limit", lambda: 1_000)
    with pytest.raises(SpikeFileError, match="takes more memory in this network than there is"):
        list(golden.run_set(model, samples))


@pytest.mark.parametrize(("state", "code", "expected"), [(-1, 255, 0), (-2, 255, -1), (100, 128, 50), (-101, 128, -50)])
def test_decay_rounds_toward_zero(state: int, code: int, expected: int) -> None:
    assert decay(np.array([state]), np.array([code]), 8).tolist() == [expected]


@given(st.integers(-(2**23), 2**23 - 1), st.integers(0, 4095))
@settings(max_examples=300)
def test_decay_shrinks_and_keeps_the_sign(state: int, code: int) -> None:
    decayed = int(decay(np.array([state]), np.array([code]), 12)[0])
    assert abs(decayed) <= abs(state)
    assert decayed * state >= 0
    assert state == 0 or abs(decayed) < abs(state)


def _single(
    *parts: Part, threshold: int = 3, weight: int = 3, bits: tuple[int, int, int] = (4, 8, 4), reset: Reset = "zero"
) -> IntModel:
    leak = np.array([255], dtype=np.int16)
    weights, thresholds = np.array([[weight]], dtype=np.int16), np.array([threshold], dtype=np.int16)
    return IntModel("one", (1,), (dense_layer({0: weights}, leak, thresholds, bits, reset, *parts),), "spike_count")


def _spikes(model: IntModel, inputs: list[int]) -> list[int]:
    trace = golden.run(model, np.array(inputs, dtype=bool)[:, None, None], np.array([len(inputs)]))
    return trace.spikes[1][:, 0, 0].astype(int).tolist()


def test_a_neuron_fires_at_the_threshold_not_only_above() -> None:
    assert _spikes(_single(), [1, 0, 1]) == [1, 0, 1]
    assert _spikes(_single(threshold=4), [1, 1, 1]) == [0, 1, 0]


def test_subtract_keeps_what_is_above_the_threshold() -> None:
    model = _single(threshold=2, reset="subtract")
    assert _spikes(model, [1, 0, 1, 0]) == [1, 0, 1, 0]
    assert _spikes(model, [1, 1, 1, 0]) == [1, 1, 1, 0]


def test_self_recurrence_acts_one_step_later_and_not_across_samples() -> None:
    model = _single(SelfWeight(np.array([3], dtype=np.int8)))
    assert _spikes(model, [1, 0, 0, 0]) == [1, 1, 1, 1]
    trace = golden.run(model, np.zeros((4, 1, 1), dtype=bool), np.array([4]))
    assert not trace.spikes[1].any()


def test_scores_are_clamped_to_32_bits() -> None:
    big = _single(weight=2**15 - 1, threshold=1, bits=(16, 8, 24))
    model = IntModel("big", (1,), big.layers, "membrane_sum")
    steps = 2000
    trace = golden.run(model, np.ones((steps, 1, 1), dtype=bool), np.array([steps]))
    assert trace.scores.tolist() == [[2**31 - 1]]


def test_a_tie_goes_to_the_lowest_class() -> None:
    nothing, ones = np.zeros(3, dtype=np.int8), np.ones(3, dtype=np.int8)
    layer = dense_layer({0: np.array([[-1], [2], [2]], dtype=np.int8)}, nothing, ones, (4, 4, 8))
    trace = golden.run(IntModel("tie", (1,), (layer,), "spike_count"), np.ones((2, 1, 1), dtype=bool), np.array([2]))
    assert trace.scores.tolist() == [[0, 2, 2]]
    assert trace.classes.tolist() == [1]
