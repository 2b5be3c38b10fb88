"""A NIR file as plain nodes and edges, nested graphs taken apart.

Read with h5py, not with the package `nir`: files whose parameters have lost their shapes, and nodes that are not known
here, are read all the same, so that everything wrong with a file can be said at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quant import reader
from quant.arithmetic import Array
from quant.errors import ModelError, brief
from quant.files import check_size

GRAPH = "NIRGraph"
NONE = np.zeros(1)
_DEEPEST = 16  # graphs in graphs
_LARGEST = 1e30  # of parameters; products of several must fit into a float


class NodeError(Exception):
    """Why a node cannot be built."""

    def __init__(self, node: str, text: str) -> None:
        super().__init__(text)
        self.node = node


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A node.

    Attributes:
        kind: its type in NIR.
        numbers: its parameters that are numbers, by name, float64 or integers, of whatever shape.
    """

    kind: str
    numbers: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by name, `outer/inner` for one in a nested graph, and edges between them, each once.

    `metadata` are texts and numbers that a tool may have left at the whole graph.
    """

    nodes: Mapping[str, Node]
    edges: tuple[tuple[str, str], ...]
    metadata: Mapping[str, str | Array]


def number(key: str, node: Node, name: str, default: Array | None = None) -> Array:
    """A parameter of a node, float64.

    Raises:
        NodeError: if it is missing and has no default, or is not `finite`.
    """
    found = node.numbers.get(name, default)
    if found is None:
        raise NodeError(key, f"its parameter {name} is missing")
    return finite(key, name, found)


def finite(key: str, name: str, values: Array) -> Array:
    """What a node computes with, float64, without numbers too small to matter.

    Raises:
        NodeError: if it is empty, or has numbers that are not finite or too large.
    """
    found = np.asarray(values, dtype=np.float64)
    if not found.size or not np.isfinite(found).all():
        raise NodeError(key, f"its {name} is {'empty' if not found.size else 'not finite'}")
    if np.abs(found).max() > _LARGEST:
        raise NodeError(key, f"its {name} reaches {np.abs(found).max():.3g}; the largest number is {_LARGEST:g}")
    return np.where(np.abs(found) < 1 / _LARGEST, 0.0, found)


def read(path: Path) -> Graph:
    """Read a NIR file.

    Raises:
        ModelError: if the file is missing, or is no NIR file.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file; give a NIR file, as `nir.write` makes it")
    check_size(path)
    return reader.rehearse(path, lambda: _read(path), ModelError)


def _read(path: Path) -> Graph:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            top = _own(file, "node")
            kind = _text(_value(top, "type"))
            if kind != GRAPH:
                raise ModelError(f"{path}: holds a single {brief(kind)}, no graph")
            return _graph(top)
    except (OSError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ModelError(f"{path}: not a readable NIR file ({brief(str(error))}); write it with nir.write") from None


def _graph(group: Any, depth: int = 0) -> Graph:
    if depth > _DEEPEST:
        raise ValueError(f"graphs are nested more than {_DEEPEST} deep")
    nodes: dict[str, Node] = {}
    entries: dict[str, str] = {}  # of nested graphs, the nodes that their edges really lead to, and come from
    exits: dict[str, str] = {}
    edges: list[tuple[str, str]] = []
    named = _own(group, "nodes")
    for name in named:
        inner = _own(named, name)
        kind = _text(_value(inner, "type"))
        if kind != GRAPH:
            nodes[name] = Node(kind, _numbers(inner))
            continue
        graph = _graph(inner, depth + 1)
        nodes |= {f"{name}/{key}": node for key, node in graph.nodes.items()}
        edges += [(f"{name}/{a}", f"{name}/{b}") for a, b in graph.edges]
        entries[name] = f"{name}/{_only(graph, 'Input', name)}"
        exits[name] = f"{name}/{_only(graph, 'Output', name)}"
    for pair in _value(group, "edges"):
        before, behind = map(_text, pair)
        edges.append((exits.get(before, before), entries.get(behind, behind)))
    for edge in edges:
        for end in edge:
            if end not in nodes:
                raise ValueError(f"an edge names {brief(end)}, which is no node")
    return Graph(nodes, tuple(dict.fromkeys(edges)), _metadata(group))


def _only(graph: Graph, kind: str, name: str) -> str:
    found = [key for key, node in graph.nodes.items() if node.kind == kind and "/" not in key]
    if len(found) != 1:
        raise ValueError(f"the nested graph {brief(name)} has {len(found)} nodes {kind}; it can have one")
    return found[0]


def _numbers(group: Any) -> dict[str, Array]:
    found = {}
    for name in group:
        if name not in ("type", "metadata", "input_type", "output_type"):
            value = np.asarray(_value(group, name))
            if value.dtype.kind in "fiub":
                found[name] = value.astype(np.float64 if value.dtype.kind == "f" else np.int64)
    return found


def _metadata(group: Any) -> dict[str, str | Array]:
    if "metadata" not in group:
        return {}
    import h5py

    kept = _own(group, "metadata")
    values = {name: _value(kept, name) for name in kept if isinstance(_own(kept, name), h5py.Dataset)}
    return {name: _text(one) if isinstance(one, bytes) else np.asarray(one) for name, one in values.items()}


def _own(group: Any, name: str) -> Any:
    """What a group holds itself: links may lead to other files."""
    import h5py

    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"{brief(name)} is missing, or a link")
    return group[name]


def _value(group: Any, name: str) -> Any:
    found = _own(group, name)
    if found.external or found.is_virtual:
        raise ValueError(f"{brief(name)} lies in another file")
    return found[()]


def _text(value: object) -> str:
    return value.decode("utf8") if isinstance(value, bytes) else str(value)
