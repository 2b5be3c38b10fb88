"""Test vectors: samples together with everything the golden model says about them, as plain arrays.

One format serves the build folder's own test bench and `sim verify`: an .npz file with the arrays of a spike file, and

    scores      int64 (P, N_L)
    classes     int64 (P,)
    layer_<l>   int64 (spikes,)   where layer l spiked: step * N_l + neuron, steps counted over all samples in a row

The P packets are one per sample, or one per step, over all samples in a row.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from tqdm import tqdm

from quant import archive, golden
from quant.formats import IntArray
from quant.model import IntModel
from quant.readouts import Packets
from quant.spikes import SpikeSet, from_dense, plain_arrays


def expected(model: IntModel, samples: SpikeSet, packets: Packets = "sample") -> dict[str, IntArray]:
    """What the golden model says about a spike set.

    Returns:
        `scores` int64 `(packets, classes)`; `classes` int64 `(packets,)`, of each packet the first of the largest
        scores; `layer_<l>` int64 `(spikes,)`, ascending, of each spike of layer `l` its step, counted over all
        samples in a row, times the layer's neurons, plus its neuron.
    """
    found = defaultdict[str, list[IntArray]](list)
    first_step = np.concatenate([[0], np.cumsum(samples.steps, dtype=np.int64)])
    with tqdm(total=len(samples), desc="golden model", unit="sample", leave=False, disable=None, delay=1) as bar:
        for chosen, trace in golden.run_set(model, samples):
            scores = trace.scores if packets == "sample" else _by_step(trace.scores_by_step, samples.steps[chosen])
            found["scores"].append(scores)
            found["classes"].append(np.argmax(scores, axis=1))
            for index, spikes in enumerate(trace.spikes[1:], start=1):
                sample, step, neuron = np.nonzero(spikes.transpose(1, 0, 2))
                found[f"layer_{index}"].append((first_step[chosen][sample] + step) * model.size(index) + neuron)
            bar.update(len(trace.scores))
    return {name: np.concatenate(several) for name, several in found.items()}


def _by_step(scores: IntArray, steps: IntArray) -> IntArray:
    """The scores `(T, batch, N_L)` behind each step of the samples, all in a row."""
    inside = np.arange(len(scores)) < steps[:, None]
    return scores.transpose(1, 0, 2)[inside]


def to_bytes(samples: SpikeSet, answers: dict[str, IntArray]) -> bytes:
    """The vector file's content; equal vectors give equal bytes."""
    return archive.to_bytes({**plain_arrays(samples), **answers})


def random_samples(model: IntModel, samples: int, steps: int, density: float, seed: int) -> SpikeSet:
    """Random input: every channel spikes in every step with probability `density`; 1 to `steps` steps a sample."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, steps + 1, samples)
    spikes = rng.random((steps, samples, model.inputs)) < density
    spikes &= np.arange(steps)[:, None, None] < lengths[None, :, None]
    return from_dense(spikes, lengths, np.full(samples, -1))
