"""The golden model: what the hardware computes, in NumPy, for batches of samples.

Equations and rounding are those of docs/semantics.md. The arithmetic of a projection, of a neuron and of a read-out is
at home in their own files (quant/projections, quant/neurons, quant/readouts.py); here is how they work together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant.arithmetic import Array
from quant.errors import SpikeFileError
from quant.files import memory_limit
from quant.formats import IntArray
from quant.model import IntModel, Layer, RealModel
from quant.neurons.part import State
from quant.readouts import READOUTS
from quant.spikes import SpikeSet

BoolArray = npt.NDArray[np.bool_]

_BATCH = 64
_BATCH_CELLS = 1 << 24
_LAYER_BYTES = 24  # of the layer that is computed, for each neuron and step; the spikes of all layers are kept as bytes


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a network did on a batch of samples.

    Attributes:
        spikes: one bool array `(T, batch, N)` per source: the input, then each layer; False after a sample's end.
        scores_by_step: `(T, batch, N_L)`, int64, or float64 of a `RealModel`: the scores so far behind each step, after
            a sample's end those of its last.
    """

    spikes: tuple[BoolArray, ...]
    scores_by_step: Array

    @property
    def scores(self) -> Array:
        """Of each sample `(batch, N_L)`."""
        last: Array = self.scores_by_step[-1]
        return last

    @property
    def classes(self) -> IntArray:
        """int64 `(batch,)`: the lowest index among the largest scores."""
        best: IntArray = np.argmax(self.scores, axis=1)
        return best


def run(model: IntModel | RealModel, inputs: BoolArray, steps: IntArray) -> Trace:
    """Run a batch of samples through the network.

    Args:
        model: the network.
        inputs: bool `(T, batch, N_0)`, the input spikes.
        steps: int `(batch,)`, the number of time steps of each sample, `1 .. T`.
    """
    mask = np.arange(len(inputs))[:, None] < steps[None, :]
    sources = [inputs & mask[:, :, None]]
    values: Array = np.zeros(0)
    for index, layer in enumerate(model.layers, start=1):
        spiking = model.spikes(index)
        outputs = np.zeros((*inputs.shape[:2], layer.neurons), dtype=np.bool_)
        values = np.zeros(outputs.shape, dtype=layer.arithmetic.dtype)
        for step, (_, potentials, spikes) in enumerate(walk(layer, index, sources, spiking=spiking)):
            outputs[step] = spikes
            values[step] = spikes if spiking else potentials
        sources.append(outputs & mask[:, :, None])
    scores: Array = np.zeros(values.shape[1:], dtype=values.dtype)
    for step, value in enumerate(values):
        after = READOUTS[model.readout].score(scores, value, first=step == 0)
        values[step] = scores = np.where(mask[step, :, None], after, scores)
    return Trace(tuple(sources), values)


def run_set(model: IntModel | RealModel, samples: SpikeSet) -> Iterator[tuple[slice, Trace]]:
    """Run a spike set in batches as large as memory well allows; yields which samples each trace is about."""
    for chosen in batches(model, samples):
        yield chosen, run(model, samples.dense(chosen), samples.steps[chosen].astype(np.int64))


def batches(model: IntModel | RealModel, samples: SpikeSet) -> Iterator[slice]:
    """Batches of samples as large as memory well allows.

    Raises:
        SpikeFileError: if a single sample is too long for that.
    """
    sizes = [model.size(source) for source in range(len(model.layers) + 1)]
    longest = int(samples.steps.max(initial=1))
    if longest * (sum(sizes) + _LAYER_BYTES * max(sizes)) > memory_limit():
        raise SpikeFileError(f"a sample of {longest} steps takes more memory in this network than there is; cut it")
    batch = max(1, min(_BATCH, _BATCH_CELLS // (longest * max(sizes))))
    for start in range(0, len(samples), batch):
        yield slice(start, min(start + batch, len(samples)))


def walk(
    layer: Layer, index: int, sources: Sequence[BoolArray], *, spiking: bool
) -> Iterator[tuple[State, Array, BoolArray]]:
    """Layer `index` (1-based) through all steps: its states, potentials `u` and outputs `o` behind each.

    What earlier sources bring is known for all steps at once; only the layer's own spikes need the loop.
    """
    arithmetic, neuron = layer.arithmetic, layer.spread()
    forward = [one.current(sources[one.source], arithmetic.dtype) for one in layer.projections if one.source != index]
    recurrent = [one for one in layer.projections if one.source == index]
    currents: Array = np.sum(forward, axis=0)
    state = neuron.rest(currents.shape[1:], arithmetic)
    outputs: BoolArray = np.zeros(currents.shape[1:], dtype=np.bool_)
    for x in currents:
        for projection in recurrent:
            x = x + projection.current(outputs, arithmetic.dtype)
        state, potentials, outputs = neuron.step(state, x, arithmetic, spiking=spiking)
        yield state, potentials, outputs
