"""Beats and packets: the encoding of docs/streams.md, and malformed beats that know their flags."""

from __future__ import annotations

import numpy as np
import pytest

from quant import spikes
from sim.tb import streams


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
    seen = 0
    for seed in range(20):
        beats, flags = streams.malform(streams.encode(arrays), 6, seed)
        sample, step, found, damage = 0, 0, set(), 0
        for beat in beats.tolist():
            if beat & streams.TICK:
                assert found == set(np.flatnonzero(dense[step, sample]).tolist())
                found = set()
                step += 1
                if beat & streams.LAST:
                    assert flags[sample] == damage
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
    assert seen == 7


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
