"""The comparison finds what differs, names the first place, and knows silence."""

from __future__ import annotations

import numpy as np

from sim.tb import streams

LAYERS = [streams.Layer(1, 3, 3, 1, True, (0,)), streams.Layer(2, 2, 2, 1, True, (1,))]


def _vectors() -> dict[str, np.ndarray]:
    return {
        "steps": np.array([2, 3]),
        "step": np.array([0]),
        "scores": np.array([[1, 0], [0, 2]]),
        "classes": np.array([0, 1]),
        "layer_1": np.array([0, 4, 7, 13]),
        "layer_2": np.array([0, 5, 9]),
    }


def _observed() -> tuple[streams.Packets, dict[int, np.ndarray]]:
    vectors = _vectors()
    packets = streams.Packets(vectors["scores"].copy(), vectors["classes"].copy(), np.zeros(2, dtype=np.int64))
    return packets, {1: vectors["layer_1"], 2: vectors["layer_2"]}


def _compare(packets: streams.Packets, spikes: dict[int, np.ndarray]) -> streams.Comparison:
    return streams.compare(_vectors(), packets, np.zeros(2, dtype=np.int64), spikes, LAYERS)


def test_equal_runs_are_equal() -> None:
    result = _compare(*_observed())
    assert result.equal
    assert (result.samples, result.steps, result.output_spikes) == (2, 5, 3)


def test_the_first_step_that_differs_is_named_and_its_earliest_layer() -> None:
    packets, spikes = _observed()
    spikes[2] = np.array([0, 6, 9])
    spikes[1] = np.array([0, 4, 7, 8, 13])
    result = _compare(packets, spikes)
    assert result.mismatching_spikes == 3
    assert result.first_difference == "sample 1, step 0, layer 1, neuron 2: hardware 1, golden model 0"


def test_scores_classes_and_flags_are_compared() -> None:
    packets, spikes = _observed()
    packets.scores[1, 0] = 9
    assert _compare(packets, spikes).first_difference == "sample 1, score of class 0: hardware 9, golden model 0"
    packets, spikes = _observed()
    packets.classes[0] = 1
    assert _compare(packets, spikes).first_difference == "sample 0, class: hardware 1, golden model 0"
    packets, spikes = _observed()
    packets.flags[1] = 4
    assert _compare(packets, spikes).first_difference == "sample 1, status flags: hardware 4, golden model 0"


def test_scores_that_never_moved_are_silence() -> None:
    vectors = {**_vectors(), "scores": np.zeros((2, 2), dtype=np.int64), "classes": np.zeros(2, dtype=np.int64)}
    packets = streams.Packets(vectors["scores"], vectors["classes"], np.zeros(2, dtype=np.int64))
    spikes = {1: vectors["layer_1"], 2: vectors["layer_2"]}
    result = streams.compare(vectors, packets, np.zeros(2, dtype=np.int64), spikes, LAYERS)
    assert result.equal
    assert result.output_spikes == 0
