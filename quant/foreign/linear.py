"""What linear nodes do: a chain of them becomes one matrix from each source, and what is constant in it a bias.

A new kind is a function here and a line in `LINEAR`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from quant.arithmetic import Array
from quant.errors import brief
from quant.files import memory_limit
from quant.foreign.nodes import NONE, Graph, NodeError, finite, number
from quant.neurons.part import MAX_DELAY

Source = tuple[str, tuple[int, ...]]
"""A population, or the input, and by how many steps its channels are delayed; () means not at all."""


class Terms(NamedTuple):
    """What arrives: from each source through a matrix, None being the identity; and what is always there."""

    by_source: Mapping[Source, Array | None]
    constant: Array = NONE


@dataclass(frozen=True, slots=True)
class Place:
    """A linear node in its graph; `dt` is the time step in the unit of the file's times."""

    graph: Graph
    key: str
    dt: float

    def number(self, name: str, default: Array | None = None) -> Array:
        return number(self.key, self.graph.nodes[self.key], name, default)


def summed(key: str, ways: Iterable[Terms]) -> Terms:
    """What arrives at a node over several edges."""
    total: dict[Source, Array | None] = {}
    constant = NONE
    for terms in ways:
        for source, matrix in terms.by_source.items():
            total[source] = matrix if source not in total else _sum(key, total[source], matrix)
        if constant.size > 1 < terms.constant.size != constant.size:
            raise NodeError(key, f"biases of {constant.size} and of {terms.constant.size} numbers reach it")
        constant = constant + terms.constant
    return Terms(total, constant)


def diagonal(key: str, values: Array) -> Array:
    """A matrix with these numbers on its diagonal, if it is not too large for this machine."""
    if 40 * len(values) ** 2 > memory_limit():
        raise NodeError(key, f"a way from {len(values)} channels to as many neurons is a matrix too large to be built")
    return np.diag(values)


def _sum(key: str, one: Array | None, two: Array | None) -> Array | None:
    if one is None or two is None:
        known = two if one is None else one
        if known is None or known.shape[0] != known.shape[1]:
            raise NodeError(key, "a way without weights and another one lead to it from the same source")
        return known + np.eye(len(known))
    if one.shape != two.shape:
        raise NodeError(key, f"weights of shapes {one.shape} and {two.shape} lead to it from the same source")
    return one + two


def _wires(at: Place, arriving: Terms) -> tuple[Terms, str]:
    return arriving, "wires"


def _flatten(at: Place, arriving: Terms) -> tuple[Terms, str]:
    if any(matrix is not None for matrix in arriving.by_source.values()) or arriving.constant.any():
        raise NodeError(at.key, "stands behind a linear node; let it follow the input or neurons")
    return _wires(at, arriving)


def _weights(at: Place, arriving: Terms) -> tuple[Terms, str]:
    weight, bias = at.number("weight"), at.number("bias", NONE).reshape(-1)
    if weight.ndim != 2:
        raise NodeError(at.key, f"its weight has shape {weight.shape}; it must be (out, in)")
    out, into = weight.shape
    if bias.size not in (1, out):
        raise NodeError(at.key, f"its bias has {bias.size} numbers; its weight asks for {out}")
    for reaches in (len(one) for one in arriving.by_source.values() if one is not None):
        if reaches != into:
            raise NodeError(at.key, f"{reaches} channels reach it; its weight asks for {into}")
    if arriving.constant.size not in (1, into):
        raise NodeError(at.key, f"a bias of {arriving.constant.size} reaches it; its weight asks for {into} channels")
    found = {source: weight if one is None else weight @ one for source, one in arriving.by_source.items()}
    carried = weight @ np.broadcast_to(arriving.constant, into) if arriving.constant.any() else NONE
    constant = finite(at.key, "bias", carried + bias if bias.any() else carried)
    return Terms(found, constant), f"weights {into} to {out}" + (", bias" if bias.any() else "")


def _scale(at: Place, arriving: Terms) -> tuple[Terms, str]:
    scale = at.number("scale").reshape(-1)
    found: dict[Source, Array | None] = {}
    for source, matrix in arriving.by_source.items():
        if matrix is not None:
            if scale.size not in (1, len(matrix)):
                raise NodeError(at.key, f"its scale has {scale.size} numbers; {len(matrix)} channels reach it")
            found[source] = matrix * (scale[:, None] if scale.size > 1 else scale)
        elif scale.size > 1:
            found[source] = diagonal(at.key, scale)
        elif scale[0] == 1:
            found[source] = None
        else:
            raise NodeError(at.key, "scales all channels of a source by one number; give a number for each")
    if arriving.constant.any() and 1 < arriving.constant.size != scale.size > 1:
        raise NodeError(at.key, f"its scale has {scale.size} numbers; a bias of {arriving.constant.size} reaches it")
    return Terms(found, arriving.constant * scale if arriving.constant.any() else NONE), "part of the weights"


def _delay(at: Place, arriving: Terms) -> tuple[Terms, str]:
    steps = at.number("delay").reshape(-1) / at.dt
    whole = np.rint(steps)
    if np.abs(steps - whole).max() > 1e-3 or not 0 <= whole.min() <= whole.max() <= MAX_DELAY:
        raise NodeError(at.key, f"delays by {brief(steps.tolist())} steps; allowed are whole numbers, 0..{MAX_DELAY}")
    found: dict[Source, Array | None] = {}
    for (source, before), matrix in arriving.by_source.items():
        if matrix is not None or before or at.graph.nodes[source].kind == "Input":
            raise NodeError(at.key, "delays something else than the spikes of neurons; let it follow them directly")
        found[source, tuple(int(step) for step in whole)] = matrix
    return Terms(found, arriving.constant), f"axonal delay of {int(whole.min())}..{int(whole.max())} steps"


LINEAR: Mapping[str, Callable[[Place, Terms], tuple[Terms, str]]] = {
    "Input": _wires,
    "Output": _wires,
    "Flatten": _flatten,
    "Linear": _weights,
    "Affine": _weights,
    "Scale": _scale,
    "Delay": _delay,
}
"""By its kind, what leaves a node where something arrives, and what becomes of it, for people."""
