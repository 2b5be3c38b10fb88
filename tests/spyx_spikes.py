"""Networks of spyx: graphs as its exporter writes them, and their spikes in float64. `python spyx_spikes.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jax
import nir
import numpy as np
from flax import nnx
from framework_spikes import HIDDEN, INPUTS, OUTPUTS, SAMPLES, SPIKES
from spyx import nn
from spyx.nir import to_nir

KINDS = ("LIF", "CuBaLIF", "IF", "RIF", "RLIF", "RCuBaLIF", "PSU_LIF")


def single(values: np.ndarray) -> Any:
    """float64 that float32 can hold, since the exporter writes that."""
    return jax.numpy.asarray(values.astype(np.float32).astype(np.float64))


def layers(kind: str) -> list[Any]:
    """A layer of a kind, and a layer of `LIF`, each behind weights."""
    draw, found = np.random.default_rng(9), []
    for name, into, size in ((kind, INPUTS, HIDDEN), ("LIF", HIDDEN, OUTPUTS)):
        weights = nnx.Linear(into, size, use_bias=not found, rngs=nnx.Rngs(0))
        weights.kernel[...] = single(draw.normal(0.03, 0.4, (into, size)))
        if not found:
            weights.bias[...] = single(draw.normal(0.1, 0.1, size))
        neurons = getattr(nn, name)((size,), threshold=single(draw.uniform(0.8, 1.3, size)), rngs=nnx.Rngs(0))
        for leak in ("alpha", "beta"):
            if hasattr(neurons, leak):
                getattr(neurons, leak)[...] = single(draw.uniform(0.3, 0.9, size))
        found += [weights, neurons]
    return found


def spikes(chain: list[Any]) -> list[np.ndarray]:
    """Of both layers of neurons, `(steps, samples, neurons)`."""
    states, found = [chain[place].initial_state(SAMPLES) for place in (1, 3)], [[], []]
    for given in SPIKES:
        value = jax.numpy.asarray(given, dtype=jax.numpy.float64)
        for place in (0, 1):
            value, states[place] = chain[2 * place + 1](chain[2 * place](value), states[place])
            found[place].append(np.asarray(value))
    return [np.stack(one) for one in found]


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    folder = Path(sys.argv[1])
    for kind in KINDS:
        chain = layers(kind)
        graph = to_nir(nn.Sequential(*chain), {"input": np.array([INPUTS])}, {"output": np.array([OUTPUTS])})
        nir.write(folder / f"{kind}.nir", graph)
        np.savez(folder / f"{kind}.npz", *spikes(chain))
