"""Beats and packets: the encoding of docs/streams.md, malformed beats that know their flags, and the comparison, which
finds what differs, names the first place, and knows silence."""

from __future__ import annotations

import numpy as np
import pytest

from quant import spikes
from sim.tb import streams

LAYERS = [streams.Layer(1, 3, 3, 1, True, (0,)), streams.Layer(2, 2, 2, 1, True, (1,))]


def _arrays(density: float = 0.4):
    rng = np.random.default_rng(1)
    steps = np.array([3, 1, 5, 2])
    dense = (rng.random((5, 4, 6)) < density) & (np.arange(5)[:, None, None] < steps[None, :, None])
    return dense, steps, spikes.plain_arrays(spikes.from_dense(dense, steps, np.zeros(4)))


@pytest.mark.parametrize("density", [0.0, 0.4, 1.0])
def test_encoded_beats_say_what_the_samples_say(density: float) -> None:
    dense, steps, arrays = _arrays(density)
    expected = []
    for sample, length in enumerate(steps):
        for step in range(length):
            expected += np.flatnonzero(dense[step, sample]).tolist()
            expected.append(streams.TICK | (streams.LAST if step == length - 1 else 0))
    assert streams.encode(arrays).tolist() == expected


def test_malformed_beats_keep_the_samples_and_raise_every_flag() -> None:
    dense, steps, arrays = _arrays()
    seen = later = 0
    for seed in range(20):
        beats, flags = streams.malform(streams.encode(arrays), 6, seed)
        sample, step, found, damage = 0, 0, set(), 0
        for beat in beats.tolist():
            if beat & streams.TICK:
                assert found == set(np.flatnonzero(dense[step, sample]).tolist())
                found = set()
                step += 1
                assert flags[steps[:sample].sum() + step - 1] == damage
                if beat & streams.LAST:
                    seen |= damage
                    sample, step, damage = sample + 1, 0, 0
                continue
            channel = beat & 0x7FFF
            damage |= streams.LAST_ON_SPIKE if beat & streams.LAST else 0
            damage |= streams.UNKNOWN_CHANNEL if channel >= 6 else 0
            damage |= streams.REPEATED_CHANNEL if channel in found else 0
            if channel < 6:
                found.add(channel)
        assert sample == len(steps)
        whole, parts = (streams.packet_flags(arrays, packets, flags) for packets in ("sample", "step"))
        last = np.cumsum(steps) - 1
        assert (whole == flags[last]).all()
        assert (parts == flags | streams.LAST_STEP * np.isin(np.arange(steps.sum()), last)).all()
        later += int((flags[last] != flags[last - steps + 1]).sum())
    assert seen == 7
    assert later, "no flag came in the midst of a sample"


def test_packets_come_apart_as_they_are_put_together() -> None:
    beats = np.array([5, -7 & 0xFFFFFFFF, 0x0003_0000, 1, 2, 0x0000_0001], dtype=np.uint32)
    packets = streams.decode(beats, np.array([0, 0, 1, 0, 0, 1], dtype=bool), 2)
    assert packets.scores.tolist() == [[5, -7], [1, 2]]
    assert packets.classes.tolist() == [0, 1]
    assert packets.flags.tolist() == [3, 0]


@pytest.mark.parametrize("last", [[0, 1, 0, 0, 0, 1], [0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]])
def test_a_packet_of_the_wrong_length_is_an_error(last: list[int]) -> None:
    with pytest.raises(streams.StreamError, match="beats long"):
        streams.decode(np.zeros(6, dtype=np.uint32), np.array(last, dtype=bool), 2)


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
    assert result.differences == [
        streams.Difference(layer=1, count=1, sample=1, step=0, neuron=2, hardware=1),
        streams.Difference(layer=2, count=2, sample=1, step=0, neuron=1, hardware=0),
    ]


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


def test_a_packet_of_a_step_is_named_by_its_sample_and_step() -> None:
    vectors = {**_vectors(), "scores": np.arange(10).reshape(5, 2), "classes": np.ones(5, dtype=np.int64)}
    packets = streams.Packets(vectors["scores"].copy(), vectors["classes"], streams.packet_flags(vectors, "step"))
    spikes = {1: vectors["layer_1"], 2: vectors["layer_2"]}
    flags = np.array([0, 64, 0, 0, 64])
    assert streams.compare(vectors, packets, flags, spikes, LAYERS).equal
    packets.scores[3, 1] = 5
    found = streams.compare(vectors, packets, flags, spikes, LAYERS)
    assert found.first_difference == "sample 1, step 1, score of class 1: hardware 5, golden model 7"
    assert found.samples == 2
    with pytest.raises(streams.StreamError, match="5 packets came out for 2 samples"):
        streams.compare(_vectors(), packets, flags, spikes, LAYERS)


def test_every_neuron_must_be_updated_in_every_step() -> None:
    packets, spikes = _observed()
    flags = np.zeros(2, dtype=np.int64)
    assert streams.compare(_vectors(), packets, flags, spikes, LAYERS, [15, 10]).equal
    for updates in ([15, 9], [15, 12]):  # a silent step left out; one too many, in which nothing or something spikes
        with pytest.raises(streams.StreamError, match=rf"layer 2 has updated {updates[1]} .* 10 were due"):
            streams.compare(_vectors(), packets, flags, {**spikes, 2: np.array([0, 5, 9, 11])}, LAYERS, updates)


def test_scores_that_never_moved_are_silence() -> None:
    vectors = {**_vectors(), "scores": np.zeros((2, 2), dtype=np.int64), "classes": np.zeros(2, dtype=np.int64)}
    packets = streams.Packets(vectors["scores"], vectors["classes"], np.zeros(2, dtype=np.int64))
    spikes = {1: vectors["layer_1"], 2: vectors["layer_2"]}
    result = streams.compare(vectors, packets, np.zeros(2, dtype=np.int64), spikes, LAYERS)
    assert result.equal
    assert result.output_spikes == 0
