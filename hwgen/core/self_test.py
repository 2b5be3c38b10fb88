"""The sample that a core stores to test itself with, and the packets that must come out (scsr_self_test.v)."""

from __future__ import annotations

import numpy as np

from quant import vectors
from quant.formats import IntArray
from quant.model import IntModel
from quant.readouts import Packets
from quant.spikes import SpikeSet

_TICK, _LAST = 1 << 15, 1 << 16
_PACKET_END, _LAST_STEP = 1 << 32, 1 << 22  # of an answer's beat, where every step has one
_SAMPLES = 4
MAX_STEPS = 6
_DENSITIES = (0.2, 0.5, 0.9)


def active_samples(model: IntModel, packets: Packets = "sample") -> tuple[SpikeSet, dict[str, IntArray]]:
    """Random samples under which the output is active, where any of a few input densities makes it so."""
    for density in _DENSITIES:
        samples = vectors.random_samples(model, _SAMPLES, MAX_STEPS, density, seed=1)
        answers = vectors.expected(model, samples, packets)
        if answers["scores"].any():
            break
    return samples, answers


def stored_sample(model: IntModel, packets: Packets) -> tuple[list[int], list[int]]:
    """The beats {tlast, tdata} of a sample, and those of its packet, tdata, or of its packets, {tlast, tdata}.

    It is the one of the build's vectors with most scores.
    """
    samples, answers = active_samples(model)
    chosen = int(np.argmax((answers["scores"] != 0).sum(axis=1) * (MAX_STEPS + 1) + samples.steps))
    dense = samples.dense(slice(chosen, chosen + 1))[: samples.steps[chosen], 0]
    beats: list[int] = []
    for step in dense:
        beats += [*map(int, np.flatnonzero(step)), _TICK]
    beats[-1] |= _LAST
    if packets == "sample":
        return beats, _packet(answers, chosen)
    by_step, stored = vectors.expected(model, samples.part(chosen, 1), packets), list[int]()
    for step in range(len(dense)):
        stored += _packet(by_step, step)
        stored[-1] |= _PACKET_END
    stored[-1] |= _LAST_STEP
    return beats, stored


def _packet(answers: dict[str, IntArray], place: int) -> list[int]:
    scores = [int(score) & 0xFFFFFFFF for score in answers["scores"][place]]
    return [*scores, int(answers["classes"][place])]
