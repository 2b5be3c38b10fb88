"""Holds what the hardware did against test vectors: scores, classes, flags, and every spike of every layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from streams import Arrays, Packets, StreamError

Spikes = Mapping[int, npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Layer:
    """A layer of the hardware: its index in the model, its neurons, how many are updated per cycle, whether they spike,
    and what the layer reads."""

    index: int
    neurons: int
    lanes: int
    units: int
    spiking: bool
    sources: tuple[int, ...]

    def word_length(self, updates: int) -> int:
        """Neurons in the word that is updated behind `updates` neurons: a word ends where its group of lanes does."""
        neuron = updates % self.neurons
        return min(self.units, self.lanes - neuron % self.lanes, self.neurons - neuron)


@dataclass(frozen=True)
class Comparison:
    """How many samples, steps and spikes were compared, and what differed."""

    samples: int
    steps: int
    output_spikes: int
    layer_spikes: dict[int, int]
    mismatching_scores: int
    mismatching_classes: int
    mismatching_flags: int
    mismatching_spikes: int
    first_difference: str | None

    @property
    def equal(self) -> bool:
        return self.first_difference is None


def compare(
    vectors: Arrays, packets: Packets, flags: npt.NDArray[np.int64], spikes: Spikes | None, layers: Sequence[Layer]
) -> Comparison:
    """Compare exactly.

    Args:
        vectors: samples and the golden model's answers.
        packets: what came out of the core.
        flags: the status flags that each packet must carry.
        spikes: by layer index, when each layer spiked: `step * neurons + neuron`, steps counted over all samples;
            None where spikes inside cannot be observed, as in a netlist.
        layers: the layers of the hardware.

    Raises:
        StreamError: if there are more or fewer packets than samples.
    """
    if len(packets.classes) != len(vectors["steps"]):
        raise StreamError(f"{len(packets.classes)} packets came out for {len(vectors['steps'])} samples")
    score_wrong = packets.scores != vectors["scores"]
    class_wrong = packets.classes != vectors["classes"]
    flag_wrong = packets.flags != flags
    observed = {} if spikes is None else spikes
    watched = [] if spikes is None else [layer for layer in layers if layer.spiking]
    differing = {one.index: np.setxor1d(observed[one.index], vectors[f"layer_{one.index}"]) for one in watched}
    first = (
        _first_spike(differing, observed, vectors, layers)
        or _first(score_wrong, packets.scores, vectors["scores"], "score of class")
        or _first(class_wrong, packets.classes, vectors["classes"], "class")
        or _first(flag_wrong, packets.flags, flags, "status flags")
    )
    return Comparison(
        samples=len(packets.classes),
        steps=int(np.sum(vectors["steps"])),
        output_spikes=_output_spikes(vectors, layers[-1]),
        layer_spikes={layer.index: len(vectors[f"layer_{layer.index}"]) for layer in layers if layer.spiking},
        mismatching_scores=int(score_wrong.sum()),
        mismatching_classes=int(class_wrong.sum()),
        mismatching_flags=int(flag_wrong.sum()),
        mismatching_spikes=sum(map(len, differing.values())),
        first_difference=first,
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


def _first_spike(differing: Spikes, spikes: Spikes, vectors: Arrays, layers: Sequence[Layer]) -> str | None:
    """The earliest step in which a layer differs, and the earliest layer in it: where to look first."""
    neurons = {layer.index: layer.neurons for layer in layers}
    candidates = [
        (int(positions[0]) // neurons[index], index) for index, positions in differing.items() if len(positions)
    ]
    if not candidates:
        return None
    step, index = min(candidates)
    position = int(differing[index][0])
    ends = np.cumsum(vectors["steps"], dtype=np.int64)
    sample = int(np.searchsorted(ends, step, side="right"))
    observed = int(position in spikes[index])
    return (
        f"sample {sample}, step {step - int(ends[sample] - vectors['steps'][sample])}, layer {index}, "
        f"neuron {position % neurons[index]}: hardware {observed}, golden model {1 - observed}"
    )


def _first(
    wrong: npt.NDArray[np.bool_], observed: npt.NDArray[np.int64], wanted: npt.NDArray[np.signedinteger], what: str
) -> str | None:
    if not wrong.any():
        return None
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    which = f"{what} {place[1]}" if len(place) > 1 else what
    return f"sample {place[0]}, {which}: hardware {int(observed[place])}, golden model {int(wanted[place])}"
