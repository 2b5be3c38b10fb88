"""Hypothesis strategies: networks over the full range of the model file, their foldings, and streams of samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
from hypothesis import strategies as st
from models import Limits, random_folding, random_model, random_safety, with_tensor

from hwgen.core.folding import Folding
from hwgen.core.plan import Safety
from quant.formats import IntArray
from quant.model import IntModel, Layer
from quant.readouts import Packets
from quant.spikes import SpikeSet, from_dense

# Sizes that Verilator compiles in seconds and Hypothesis shrinks in minutes.
SMALL = Limits(layers=4, inputs=24, neurons=12)
LARGE = Limits(layers=5, inputs=300, neurons=80)

# Of a stream: most samples, most steps of one. Single steps back to back are many samples.
STREAMS = {"samples": (20, 12), "one step each": (300, 1), "long": (2, 300), "thousands": (2000, 3)}


class Drawn:
    """What `models` uses of NumPy's Generator: numbers that decide a structure are drawn, and so shrunk, by Hypothesis;
    arrays are filled from a seed that is drawn."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._filled = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def integers(self, low: Any, high: Any, size: Any = None, dtype: Any = np.int64) -> Any:
        if size is None:
            return self._draw(st.integers(int(low), int(high) - 1))
        return self._filled.integers(low, high, size, dtype=dtype)

    def random(self) -> float:
        return self._draw(st.floats(0.0, 1.0, exclude_max=True))

    def choice(self, options: Sequence[Any], size: Any = None) -> Any:
        if size is None:
            return self._draw(st.sampled_from(list(options)))
        return self._filled.choice(options, size)

    def permutation(self, count: int) -> IntArray:
        return self._filled.permutation(count)


@dataclass(frozen=True)
class Case:
    """A network, how it is folded and protected, when it gives packets, what is sent, and the seed of stalls and
    malformed beats."""

    model: IntModel
    folding: Folding
    safety: Safety
    packets: Packets
    samples: SpikeSet
    seed: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Networks of every feature, some layers at the ends of their ranges; every kind of stream."""
    drawn: Any = Drawn(draw)
    model = random_model(drawn, draw(st.sampled_from([SMALL, SMALL, SMALL, LARGE])))
    model = replace(model, layers=tuple(draw(_extremes(layer)) for layer in model.layers))
    most = st.sampled_from([kind for kind in STREAMS if model.inputs <= SMALL.inputs or kind == "samples"])
    samples = draw(_streams(model.inputs, STREAMS[draw(most)]))
    packets = draw(st.sampled_from(get_args(Packets)))
    return Case(model, random_folding(drawn, model), random_safety(drawn), packets, samples, drawn.integers(0, 1000))


@st.composite
def _extremes(draw: st.DrawFn, layer: Layer) -> Layer:
    """The layer, or one with its weights or a parameter of its neurons at an end of its range everywhere."""
    widths, neuron = layer.integers, layer.neuron
    low = -1 if widths.weight_bits == 1 else widths.weight[0]
    ends = {"weight": (low, widths.weight[1])}
    ends |= {name: quantity.range(widths) for name, _, quantity in neuron.tensors()}
    chosen = draw(st.sampled_from([None, None, None, *ends]))
    if chosen is None:
        return layer
    end = draw(st.sampled_from(ends[chosen]))
    if chosen == "weight":
        filled = (replace(one, weight=np.full_like(one.weight, end)) for one in layer.projections)
        return replace(layer, projections=tuple(filled))
    return replace(layer, neuron=with_tensor(neuron, chosen, end))


@st.composite
def _streams(draw: st.DrawFn, channels: int, most: tuple[int, int]) -> SpikeSet:
    """Samples of 1 to `most[1]` steps; in some streams, silent steps and full ones take turns at random."""
    count, longest = draw(st.integers(1, most[0])), draw(st.integers(1, most[1]))
    density = draw(st.sampled_from([0.3, 0.05, 0.8]))
    bursts = draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lengths = rng.integers(1, longest + 1, count)
    spikes = rng.random((longest, count, channels)) < density
    if bursts:
        kind = rng.integers(0, 3, (longest, count, 1))
        spikes = np.where(kind == 0, False, spikes | (kind == 1))
    spikes &= np.arange(longest)[:, None, None] < lengths[None, :, None]
    return from_dense(spikes, lengths, np.full(count, -1))
