"""NIR files for tests, written without the package `nir`, so that they may be as odd as those of frameworks are."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Nodes = Mapping[str, tuple[str, Mapping[str, Any]]]
"""By name, a node's type and parameters; a nested graph has the parameters `nodes` and `edges`."""

Edges = Sequence[tuple[str, str]]


def write(path: Path, nodes: Nodes, edges: Edges) -> Path:
    """A file of one graph."""
    with h5py.File(path, "w") as file:
        file["version"] = "1.0"
        _graph(file.create_group("node"), nodes, edges)
    return path


def chain(path: Path, *nodes: tuple[str, Mapping[str, Any]], inputs: int | None = None) -> Path:
    """A file of nodes one behind the other, between an input and an output."""
    shape = {} if inputs is None else {"shape": np.array([inputs])}
    named = {"input": ("Input", shape), **{str(k): node for k, node in enumerate(nodes)}, "output": ("Output", {})}
    names = list(named)
    return write(path, named, list(itertools.pairwise(names)))


def lif(neurons: int | None = None, **changes: Any) -> tuple[str, Mapping[str, Any]]:
    """A LIF node whose current has the gain 1 at a time step of 1e-4; without a number scalars, as snnTorch writes."""
    shape = () if neurons is None else (neurons,)
    numbers = {"tau": 5e-4, "r": 5.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0, **changes}
    return "LIF", {name: np.broadcast_to(np.float32(value), shape) for name, value in numbers.items()}


def _graph(group: Any, nodes: Nodes, edges: Edges) -> None:
    group["type"] = "NIRGraph"
    inner = group.create_group("nodes")
    for name, (kind, numbers) in nodes.items():
        node = inner.create_group(name)
        if kind == "NIRGraph":
            _graph(node, numbers["nodes"], numbers["edges"])
        else:
            node["type"] = kind
            for key, value in numbers.items():
                node[key] = value
    group["edges"] = np.array(edges, dtype=h5py.string_dtype()).reshape(-1, 2)
