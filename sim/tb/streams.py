"""The core's streams in numbers: samples to input beats, output beats to packets, and what came out held against test
vectors: scores, classes, flags, and every spike of every layer.

A beat is `tdata`, with `tlast` above it in bit `LAST_BIT` (docs/streams.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Beats = npt.NDArray[np.uint32]
Arrays = Mapping[str, npt.NDArray[np.signedinteger]]
Spikes = Mapping[int, npt.NDArray[np.int64]]

LAST_BIT = 16
TICK = 1 << 15
LAST = 1 << LAST_BIT
MAX_CHANNELS = 1 << 15

UNKNOWN_CHANNEL, REPEATED_CHANNEL, LAST_ON_SPIKE = 1, 2, 4
LAST_STEP = 1 << 6  # where a core gives a packet per step


class StreamError(Exception):
    """The core broke a rule of its streams."""


def encode(vectors: Arrays) -> Beats:
    """Input beats of all samples: in each step its events, then a TICK; `tlast` on a sample's last TICK."""
    ends = np.cumsum(vectors["steps"], dtype=np.int64)
    ticks = int(ends[-1]) if len(ends) else 0
    step = vectors["step"] + np.repeat(ends - vectors["steps"], np.diff(vectors["offset"]))  # over all samples in a row
    events_so_far = np.cumsum(np.bincount(step, minlength=ticks))
    beats = np.empty(len(step) + ticks, dtype=np.uint32)
    beats[np.arange(len(step)) + step] = vectors["channel"]
    tick_positions = events_so_far + np.arange(ticks)
    beats[tick_positions] = TICK
    beats[tick_positions[ends - 1]] |= LAST
    return beats


def malform(beats: Beats, channels: int, seed: int) -> tuple[Beats, npt.NDArray[np.int64]]:
    """The same samples with events shuffled within steps and malformed beats among them.

    Returns:
        The beats, and of every step the flags that its sample has by then.
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
        flags.append(found)
        if beat & LAST:
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


def packet_steps(vectors: Arrays, packets: str) -> npt.NDArray[np.int64]:
    """The steps, counted over all samples in a row, behind which a core gives a packet "sample" or "step"."""
    ends = np.cumsum(vectors["steps"], dtype=np.int64)
    return ends - 1 if packets == "sample" else np.arange(ends[-1])


def packet_flags(vectors: Arrays, packets: str, flags: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.int64]:
    """The status flags that every packet must carry, given those of every step (`malform`)."""
    ends = packet_steps(vectors, "sample")
    found = np.zeros(ends[-1] + 1, dtype=np.int64) if flags is None else flags.copy()
    if packets == "step":
        found[ends] |= LAST_STEP
    return found[packet_steps(vectors, packets)]


@dataclass(frozen=True)
class Packets:
    """What came out: of every packet its scores `(P, N_L)`, class `(P,)` and status flags `(P,)`."""

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


@dataclass(frozen=True)
class Layer:
    """A layer of the hardware: its index in the model, its neurons, how many are updated per cycle, whether they spike,
    and what the layer reads."""

    index: int
    neurons: int
    lanes: int
    units: int
    spiking: bool
    sources: Sequence[int]

    def word_length(self, updates: int) -> int:
        """Neurons in the word that is updated behind `updates` neurons: a word ends where its group of lanes does."""
        neuron = updates % self.neurons
        return min(self.units, self.lanes - neuron % self.lanes, self.neurons - neuron)


@dataclass(frozen=True)
class Difference:
    """How many spikes of a layer differ, and the first of them: where it is, and whether the hardware has it."""

    layer: int
    count: int
    sample: int
    step: int
    neuron: int
    hardware: int

    def __str__(self) -> str:
        return (
            f"sample {self.sample}, step {self.step}, layer {self.layer}, neuron {self.neuron}: "
            f"hardware {self.hardware}, golden model {1 - self.hardware}"
        )


@dataclass(frozen=True)
class Comparison:
    """How many samples, steps and spikes were compared, and what differed; of spikes, by layer."""

    samples: int
    steps: int
    output_spikes: int
    layer_spikes: dict[int, int]
    mismatching_scores: int
    mismatching_classes: int
    mismatching_flags: int
    mismatching_spikes: int
    first_difference: str | None
    differences: list[Difference]

    @property
    def equal(self) -> bool:
        return self.first_difference is None


def compare(
    vectors: Arrays,
    packets: Packets,
    flags: npt.NDArray[np.int64],
    spikes: Spikes | None,
    layers: Sequence[Layer],
    updates: Sequence[int] | None = None,
) -> Comparison:
    """Compare exactly.

    Args:
        vectors: samples and the golden model's answers.
        packets: what came out of the core.
        flags: the status flags that each packet must carry.
        spikes: by layer index, when each layer spiked, no neuron twice in a step: `step * neurons + neuron`, steps
            counted over all samples; None where spikes inside cannot be observed, as in a netlist.
        layers: the layers of the hardware.
        updates: of each layer how many neurons it has updated; None where that cannot be observed.

    Raises:
        StreamError: if there are more or fewer packets than answers, or updates than neurons in all steps.
    """
    if len(packets.classes) != len(vectors["classes"]):
        raise StreamError(f"{len(packets.classes)} packets came out for {len(vectors['steps'])} samples")
    for layer, updated in zip(layers, updates or (), strict=False):
        if updated != (due := layer.neurons * int(np.sum(vectors["steps"]))):
            raise StreamError(f"layer {layer.index} has updated {updated} neurons in all steps; {due} were due")
    score_wrong = packets.scores != vectors["scores"]
    class_wrong = packets.classes != vectors["classes"]
    flag_wrong = packets.flags != flags
    observed = {} if spikes is None else spikes
    watched = [] if spikes is None else [layer for layer in layers if layer.spiking]
    differences = [found for one in watched if (found := _difference(one, observed[one.index], vectors)) is not None]
    # The earliest step in which a layer differs, and the earliest layer in it: where to look first
    spike = min(differences, key=lambda found: (found.sample, found.step, found.layer), default=None)
    first = (
        (spike and str(spike))
        or _first(score_wrong, packets.scores, vectors["scores"], "score of class", vectors)
        or _first(class_wrong, packets.classes, vectors["classes"], "class", vectors)
        or _first(flag_wrong, packets.flags, flags, "status flags", vectors)
    )
    return Comparison(
        samples=len(vectors["steps"]),
        steps=int(np.sum(vectors["steps"])),
        output_spikes=_output_spikes(vectors, layers[-1]),
        layer_spikes={layer.index: len(vectors[f"layer_{layer.index}"]) for layer in layers if layer.spiking},
        mismatching_scores=int(score_wrong.sum()),
        mismatching_classes=int(class_wrong.sum()),
        mismatching_flags=int(flag_wrong.sum()),
        mismatching_spikes=sum(found.count for found in differences),
        first_difference=first,
        differences=differences,
    )


def _output_spikes(vectors: Arrays, last: Layer) -> int:
    """The spikes behind the scores: the last layer's, or, where that one does not spike, those it reads.

    Zero if the scores are, whatever was read: an output that never moved is silent.
    """
    if not vectors["scores"].any():
        return 0
    if last.spiking:
        return len(vectors[f"layer_{last.index}"])
    return sum(len(vectors["step"] if source == 0 else vectors[f"layer_{source}"]) for source in last.sources)


def _difference(layer: Layer, observed: npt.NDArray[np.int64], vectors: Arrays) -> Difference | None:
    """Where a layer's spikes differ; None where they do not."""
    differing = np.setxor1d(observed, vectors[f"layer_{layer.index}"], assume_unique=True)
    if not len(differing):
        return None
    position, neuron = divmod(int(differing[0]), layer.neurons)
    sample, step = _place(position, vectors)
    return Difference(layer.index, len(differing), sample, step, neuron, int(differing[0] in observed))


def _place(position: int, vectors: Arrays) -> tuple[int, int]:
    """The sample, and the step in it, of a step that is counted over all samples in a row."""
    ends = np.cumsum(vectors["steps"], dtype=np.int64)
    sample = int(np.searchsorted(ends, position, side="right"))
    return sample, position - int(ends[sample] - vectors["steps"][sample])


def _first(
    wrong: npt.NDArray[np.bool_],
    observed: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.signedinteger],
    what: str,
    vectors: Arrays,
) -> str | None:
    if not wrong.any():
        return None
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    which = f"{what} {place[1]}" if len(place) > 1 else what
    packet = f"sample {place[0]}"
    if len(wrong) != len(vectors["steps"]):
        packet = "sample {}, step {}".format(*_place(place[0], vectors))
    return f"{packet}, {which}: hardware {int(observed[place])}, golden model {int(wanted[place])}"
