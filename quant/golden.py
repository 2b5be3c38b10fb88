"""The golden model: what the hardware computes, in NumPy, for batches of samples. Meaning has its home here.

Equations and rounding are those of docs/semantics.md; the RTL headers point to the functions below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant.formats import IntArray, signed_range
from quant.model import IntLayer, IntModel, Reset
from quant.spikes import SpikeSet

BoolArray = npt.NDArray[np.bool_]

SCORE_BITS = 32

_BATCH = 64
_BATCH_CELLS = 1 << 24


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a network did on a batch of samples.

    Attributes:
        spikes: one bool array `(T, batch, N)` per source: the input, then each layer; False after a sample's end.
        scores: int64 `(batch, N_L)`.
        classes: int64 `(batch,)`, the lowest index among the largest scores.
    """

    spikes: tuple[BoolArray, ...]
    scores: IntArray
    classes: IntArray


def decay(state: IntArray, leak: IntArray, leak_bits: int) -> IntArray:
    """`state * leak / 2**leak_bits`, rounded toward zero."""
    decayed: IntArray = np.sign(state) * ((np.abs(state) * leak) >> leak_bits)
    return decayed


def saturate(value: IntArray, bits: int) -> IntArray:
    """`value` clamped to the range of a two's complement number of `bits` bits."""
    return np.clip(value, *signed_range(bits))


def fire(potential: IntArray, threshold: IntArray, reset: Reset) -> tuple[BoolArray, IntArray]:
    """Spikes (`>=`) and the membrane after the reset."""
    spikes = potential >= threshold
    after = np.zeros_like(potential) if reset == "zero" else potential - threshold
    return spikes, np.where(spikes, after, potential)


def run(model: IntModel, inputs: BoolArray, steps: IntArray) -> Trace:
    """Run a batch of samples through the network.

    Args:
        model: the network.
        inputs: bool `(T, batch, N_0)`, the input spikes.
        steps: int `(batch,)`, the number of time steps of each sample, `1 .. T`.
    """
    alive = np.arange(len(inputs))[:, None] < steps[None, :]
    sources = [inputs & alive[:, :, None]]
    values: IntArray = np.zeros(0, dtype=np.int64)
    for index, layer in enumerate(model.layers, start=1):
        spikes, potentials = _run_layer(layer, sources, spiking=model.spikes(index))
        sources.append(spikes & alive[:, :, None])
        values = sources[-1].astype(np.int64) if model.spikes(index) else potentials * alive[:, :, None]
    scores = np.zeros(values.shape[1:], dtype=np.int64)
    for value in values:
        scores = saturate(scores + value, SCORE_BITS)
    return Trace(tuple(sources), scores, np.argmax(scores, axis=1))


def run_set(model: IntModel, samples: SpikeSet) -> Iterator[tuple[slice, Trace]]:
    """Run a spike set in batches as large as memory well allows; yields which samples each trace is about."""
    widest = max(model.size(source) for source in range(len(model.layers) + 1))
    batch = max(1, min(_BATCH, _BATCH_CELLS // (int(samples.steps.max(initial=1)) * widest)))
    for start in range(0, len(samples), batch):
        chosen = slice(start, min(start + batch, len(samples)))
        yield chosen, run(model, samples.dense(chosen), samples.steps[chosen].astype(np.int64))


def _run_layer(layer: IntLayer, sources: list[BoolArray], *, spiking: bool) -> tuple[BoolArray, IntArray]:
    """Spikes and potentials `u`, each `(T, batch, N)`, of one layer over all steps."""
    currents = _feed_forward(layer, sources)
    shape = currents.shape[1:]
    membrane, current = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    spikes = np.zeros(shape, dtype=np.bool_)
    all_spikes, all_potentials = np.zeros(currents.shape, dtype=np.bool_), np.zeros(currents.shape, dtype=np.int64)
    for step, drive in enumerate(currents):
        if layer.recurrent is not None:
            drive = drive + _exact_product(spikes, layer.recurrent)
        if layer.self_weight is not None:
            drive = drive + spikes * layer.self_weight.astype(np.int64)
        if layer.synapse_leak is not None:
            current = saturate(decay(current, layer.synapse_leak, layer.leak_bits) + drive, layer.state_bits)
        else:
            current = drive
        potential = saturate(decay(membrane, layer.leak, layer.leak_bits) + current, layer.state_bits)
        if spiking:
            spikes, membrane = fire(potential, layer.threshold.astype(np.int64), layer.reset)
        else:
            membrane = potential
        all_spikes[step], all_potentials[step] = spikes, potential
    return all_spikes, all_potentials


def _feed_forward(layer: IntLayer, sources: list[BoolArray]) -> IntArray:
    """The input currents of all steps, int64 `(T, batch, N)`: no state is involved, so no loop over time is."""
    products = [_exact_product(sources[index], weight) for index, weight in layer.weight.items()]
    total: IntArray = np.sum(products, axis=0, dtype=np.int64)
    return total


def _exact_product(spikes: BoolArray, weight: IntArray) -> IntArray:
    """`spikes @ weight.T` in int64. Floating point only borrows its fast product: every sum is below 2**53."""
    return (spikes.astype(np.float64) @ weight.astype(np.float64).T).astype(np.int64)
