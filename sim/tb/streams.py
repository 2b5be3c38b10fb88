"""The core's streams in numbers: samples to input beats, output beats to packets, and beats that break the rules.

A beat is `tdata`, with `tlast` above it in bit `LAST_BIT` (docs/streams.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Beats = npt.NDArray[np.uint32]
Arrays = Mapping[str, npt.NDArray[np.signedinteger]]

LAST_BIT = 16
TICK = 1 << 15
LAST = 1 << LAST_BIT
MAX_CHANNELS = 1 << 15

UNKNOWN_CHANNEL, REPEATED_CHANNEL, LAST_ON_SPIKE = 1, 2, 4


class StreamError(Exception):
    """The core broke a rule of its streams."""


def encode(vectors: Arrays) -> Beats:
    """Input beats of all samples: in each step its events, then a TICK; `tlast` on a sample's last TICK."""
    ends = np.cumsum(vectors["steps"], dtype=np.int64)
    ticks = int(ends[-1]) if len(ends) else 0
    step = global_steps(vectors)
    events_so_far = np.cumsum(np.bincount(step, minlength=ticks))
    beats = np.empty(len(step) + ticks, dtype=np.uint32)
    beats[np.arange(len(step)) + step] = vectors["channel"]
    tick_positions = events_so_far + np.arange(ticks)
    beats[tick_positions] = TICK
    beats[tick_positions[ends - 1]] |= LAST
    return beats


def global_steps(vectors: Arrays) -> npt.NDArray[np.int64]:
    """The step of each event, counted over all samples in a row."""
    first = np.concatenate([[0], np.cumsum(vectors["steps"], dtype=np.int64)[:-1]])
    return np.asarray(vectors["step"] + np.repeat(first, np.diff(vectors["offset"])), dtype=np.int64)


def malform(beats: Beats, channels: int, seed: int) -> tuple[Beats, npt.NDArray[np.int64]]:
    """The same samples with events shuffled within steps and malformed beats among them.

    Returns:
        The beats, and the status flags that each sample's packet must carry.
    """
    rng = np.random.default_rng(seed)
    result: list[int] = []
    flags: list[int] = []
    step: list[int] = []
    found = 0
    for beat in beats.tolist():
        if not beat & TICK:
            step.append(beat)
            continue
        damaged, damage = _damage(step, channels, rng)
        result += damaged
        found |= damage
        result.append(beat | int(rng.integers(TICK)))  # what a TICK carries below bit 15 has no meaning
        step = []
        if beat & LAST:
            flags.append(found)
            found = 0
    return np.array(result, dtype=np.uint32), np.array(flags, dtype=np.int64)


def _damage(step: list[int], channels: int, rng: np.random.Generator) -> tuple[list[int], int]:
    """One step's events in another order, perhaps with repeats, unknown channels, and `tlast` where it must not be."""
    beats, flags = [step[position] for position in rng.permutation(len(step))], 0
    if beats and rng.random() < 0.2:
        beats.insert(int(rng.integers(len(beats))), beats[int(rng.integers(len(beats)))])
        flags |= REPEATED_CHANNEL
    if channels < MAX_CHANNELS and rng.random() < 0.2:
        beats.insert(int(rng.integers(len(beats) + 1)), int(rng.integers(channels, MAX_CHANNELS)))
        flags |= UNKNOWN_CHANNEL
    if beats and rng.random() < 0.2:
        beats[int(rng.integers(len(beats)))] |= LAST
        flags |= LAST_ON_SPIKE
    return beats, flags


@dataclass(frozen=True)
class Packets:
    """What came out: per sample its scores `(S, N_L)`, class `(S,)` and status flags `(S,)`."""

    scores: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int64]
    flags: npt.NDArray[np.int64]


def decode(data: npt.NDArray[np.uint32], last: npt.NDArray[np.bool_], classes: int) -> Packets:
    """Packets from output beats.

    Raises:
        StreamError: if a packet has another length than `classes + 1` beats.
    """
    ends = np.flatnonzero(last)
    if len(data) != len(ends) * (classes + 1) or (np.diff(ends, prepend=-1) != classes + 1).any():
        raise StreamError(f"output packets are not all {classes + 1} beats long: {len(data)} beats, ends at {ends[:5]}")
    beats = data.reshape(-1, classes + 1)
    return Packets(
        scores=beats[:, :-1].astype(np.int32).astype(np.int64),
        classes=(beats[:, -1] & 0xFFFF).astype(np.int64),
        flags=(beats[:, -1] >> 16).astype(np.int64),
    )
