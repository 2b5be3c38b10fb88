"""From the nodes of a NIR file to the layers of a `RealModel`.

Between two populations of neurons a file may have any chain of linear nodes; here it becomes one matrix, and what is
constant in it a bias. Gains of the current vanish into a neuron's own units: its threshold, and nothing else, is
divided by them (docs/semantics.md, scales). Everything that cannot be built is found before anything is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

import numpy as np

from quant.arithmetic import LEAK_BITS, Array
from quant.errors import ModelError, brief
from quant.foreign.frameworks import FRAMEWORKS, Framework
from quant.foreign.nodes import Graph, Node
from quant.model import Layer, RealModel
from quant.neurons import Bias, Delay, Lif, Part, Reset, SelfWeight, Synapse
from quant.neurons.part import MAX_DELAY
from quant.projections import Dense
from quant.readouts import READOUTS, Readout

_CLOSE = 1e-6  # relative: what single precision loses on the way from a leak to a time constant and back


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a NIR file does not say, and its user does.

    Attributes:
        source: the framework that the network was trained in, a key of `FRAMEWORKS`.
        dt: its time step in the unit of the file's time constants; None: the framework's own.
        reset: what follows a spike; None: what the framework does.
        readout: how the last layer's steps become scores; None: by whether its neurons spike.
        single_spikes: the network was trained so that no neuron fires more than once in a step.
    """

    source: str
    dt: float | None = None
    reset: Reset | None = None
    readout: Readout | None = None
    single_spikes: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What becomes of a node: text for people, or why it cannot be built."""

    node: str
    kind: str
    becomes: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """A file as it is understood.

    Attributes:
        findings: one for each node, in the file's order.
        notes: what was assumed.
        model: the network, or None where a finding has a problem.
    """

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    model: RealModel | None

    @property
    def problems(self) -> list[str]:
        """All of them, a line each."""
        return [f"{one.node} ({one.kind}): {one.problem}" for one in self.findings if one.problem]

    def built(self) -> RealModel:
        """The network.

        Raises:
            ModelError: naming every node that cannot be built.
        """
        if self.model is None:
            raise ModelError("; ".join(self.problems))
        return self.model


class _Problem(Exception):
    def __init__(self, node: str, text: str) -> None:
        super().__init__(text)
        self.node = node


class _Terms(NamedTuple):
    """What arrives: from each source, delayed by so many steps, through a matrix, None being the identity; and what is
    always there."""

    by_source: Mapping[tuple[str, tuple[int, ...]], Array | None]
    constant: Array


_NONE = np.zeros(1)


def lower(graph: Graph, assumed: Assumed, name: str) -> Foreign:
    """What becomes of a file's nodes.

    Raises:
        ModelError: if an assumption is missing or impossible.
    """
    framework = FRAMEWORKS.get(assumed.source)
    if framework is None:
        raise ModelError(f"--source is {brief(assumed.source)}; allowed is {' or '.join(FRAMEWORKS)}")
    dt = framework.dt if assumed.dt is None else assumed.dt
    if dt is None:
        raise ModelError(f"--dt is missing: {assumed.source} has no time step of its own; give that of the training")
    if not 0 < dt < np.inf:
        raise ModelError(f"--dt is {dt}; a time step is a positive number")
    reset = assumed.reset or framework.resets[0]
    if framework.told and assumed.reset is None:
        raise ModelError(
            f"--reset is missing: {assumed.source} has {' and '.join(framework.resets)}, the file does not say which"
        )
    if reset not in framework.resets:
        raise ModelError(f"--reset is {reset}; neurons of {assumed.source} have {' or '.join(framework.resets)}")
    return _Lowering(graph, framework, assumed, dt, reset).run(name)


@dataclass(slots=True)
class _Lowering:
    graph: Graph
    framework: Framework
    assumed: Assumed
    dt: float
    reset: Reset
    problems: dict[str, str] = field(default_factory=dict)
    becomes: dict[str, str] = field(default_factory=dict)
    terms: dict[str, _Terms] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def run(self, name: str) -> Foreign:
        nodes = self.graph.nodes
        for key, node in nodes.items():
            if node.kind not in _KINDS:
                self.problems[key] = _UNKNOWN.get(node.kind, "no node that hardware has an equivalent for")
        model = None
        if not self.problems:
            try:
                model = self._model(name)
            except _Problem as problem:
                self.problems[problem.node] = str(problem)
        findings = [
            Finding(key, node.kind, self.becomes.get(key, ""), self.problems.get(key, ""))
            for key, node in nodes.items()
        ]
        return Foreign(tuple(findings), tuple(self.notes), model)

    def _model(self, name: str) -> RealModel | None:
        start, end = self._end("Input", self._before), self._end("Output", self._behind)
        last = self._last(end)
        order = self._order(start, last)
        places = {key: place for place, key in enumerate([start, *order])}
        sizes = {start: _size(self.graph.nodes[start])}
        found: list[tuple[str, Lif, _Terms]] = []
        for key in order:
            try:
                terms = self._arriving(key)
                sizes[key] = self._neurons(key, terms, sizes)
                found.append((key, self._neuron(key, terms, sizes[key]), terms))
            except _Problem as problem:
                self.problems[problem.node] = str(problem)
        if self.problems:
            return None
        everything = [terms for _, _, terms in found]
        layers = [
            self._layer(key, neuron, terms, self._delay_of(key, everything), places, sizes)
            for key, neuron, terms in found
        ]
        shape = tuple(int(axis) for axis in np.atleast_1d(self.graph.nodes[start].numbers.get("shape", ())))
        shape = shape if len(shape) in (1, 3) and np.prod(shape) == sizes[start] else (sizes[start],)
        try:
            return RealModel(name, shape, tuple(layers), self._readout(last))
        except ModelError as error:
            raise _Problem(start, str(error)) from None

    def _end(self, kind: str, others: Callable[[str], list[str]]) -> str:
        """The one node of a kind with nothing beyond it."""
        found = [key for key, node in self.graph.nodes.items() if node.kind == kind and not others(key)]
        if len(found) != 1:
            raise _Problem(
                next(iter(found or self.graph.nodes)),
                f"the graph has {len(found)} nodes {kind} at its end; it can have one",
            )
        return found[0]

    def _before(self, key: str) -> list[str]:
        return [a for a, b in self.graph.edges if b == key]

    def _behind(self, key: str) -> list[str]:
        return [b for a, b in self.graph.edges if a == key]

    def _order(self, start: str, last: str) -> list[str]:
        """The populations of neurons that lead to the last, each behind those that feed it."""
        feeds: dict[str, set[str]] = {}
        todo = [last]
        while todo:
            key = todo.pop()
            if key not in feeds and key != start:
                arriving = self._arriving(key)
                if not arriving.by_source:
                    raise _Problem(key, "nothing leads to it from the input")
                feeds[key] = {source for source, _ in arriving.by_source} - {key, start}
                todo.extend(feeds[key])
        for key, node in self.graph.nodes.items():
            if node.kind in _NEURONS and key not in feeds:
                self.becomes[key] = "nothing: it does not lead to the output"
        try:
            return list(TopologicalSorter(feeds).static_order())
        except CycleError as error:
            around = error.args[1]
            through = ", ".join(around[1:-1])
            raise _Problem(around[0], f"feeds itself through {through}; a layer may only read its own spikes") from None

    def _arriving(self, key: str) -> _Terms:
        """What arrives at a node, summed over its edges."""
        total: dict[tuple[str, tuple[int, ...]], Array | None] = {}
        constant = _NONE
        for before in self._before(key):
            terms = self._leaving(before)
            for source, matrix in terms.by_source.items():
                total[source] = matrix if source not in total else _sum(total[source], matrix)
            constant = constant + terms.constant
        return _Terms(total, constant)

    def _leaving(self, key: str) -> _Terms:
        node = self.graph.nodes[key]
        if node.kind in _NEURONS or (node.kind == "Input" and not self._before(key)):
            return _Terms({(key, ()): None}, _NONE)
        if key not in self.terms:
            self.terms[key] = _Terms({}, _NONE)  # a cycle of linear nodes alone comes back here, and brings nothing
            arriving = self._arriving(key)
            try:
                self.terms[key] = _LINEAR[node.kind](self, key, node, arriving)
            except (KeyError, ValueError, IndexError) as error:
                raise _Problem(key, f"its parameters do not fit ({error})") from None
        return self.terms[key]

    def _through(self, key: str, node: Node, arriving: _Terms) -> _Terms:
        self.becomes[key] = "wires"
        return arriving

    def _flatten(self, key: str, node: Node, arriving: _Terms) -> _Terms:
        if any(matrix is not None for matrix in arriving.by_source.values()) or arriving.constant is not _NONE:
            raise _Problem(key, "stands behind a linear node; let it follow the input or neurons")
        return self._through(key, node, arriving)

    def _linear(self, key: str, node: Node, arriving: _Terms) -> _Terms:
        weight = np.asarray(node.numbers["weight"], dtype=np.float64)
        if weight.ndim != 2:
            raise _Problem(key, f"its weight has shape {weight.shape}; it must be (out, in)")
        bias = np.asarray(node.numbers.get("bias", 0.0), dtype=np.float64).reshape(-1)
        found = {source: weight if matrix is None else weight @ matrix for source, matrix in arriving.by_source.items()}
        constant = arriving.constant
        carried = weight @ np.broadcast_to(constant, weight.shape[1]) if constant.any() else _NONE
        self.becomes[key] = f"weights {weight.shape[1]} to {weight.shape[0]}" + (", bias" if bias.any() else "")
        return _Terms(found, carried + bias if bias.any() else carried)

    def _scale(self, key: str, node: Node, arriving: _Terms) -> _Terms:
        scale = np.asarray(node.numbers["scale"], dtype=np.float64).reshape(-1)
        found: dict[tuple[str, tuple[int, ...]], Array | None] = {}
        for source, matrix in arriving.by_source.items():
            if matrix is None:
                found[source] = np.diag(scale) if scale.size > 1 else None
                if scale.size == 1 and scale[0] != 1:
                    raise _Problem(key, "scales all channels of a source by one number; give a number for each")
            else:
                found[source] = matrix * (scale[:, None] if scale.size > 1 else scale)
        self.becomes[key] = "part of the weights"
        return _Terms(found, arriving.constant * scale)

    def _delay(self, key: str, node: Node, arriving: _Terms) -> _Terms:
        steps = np.asarray(node.numbers["delay"], dtype=np.float64).reshape(-1) / self.dt
        whole = np.rint(steps)
        if np.abs(steps - whole).max(initial=0) > 1e-3 or not 0 <= whole.min() <= whole.max() <= MAX_DELAY:
            raise _Problem(key, f"delays by {brief(steps.tolist())} steps; allowed are whole numbers, 0..{MAX_DELAY}")
        found: dict[tuple[str, tuple[int, ...]], Array | None] = {}
        for (source, before), matrix in arriving.by_source.items():
            if matrix is not None or before or self.graph.nodes[source].kind == "Input":
                raise _Problem(key, "delays something else than the spikes of neurons; let it follow them directly")
            found[source, tuple(int(step) for step in whole)] = matrix
        self.becomes[key] = f"axonal delay of {int(whole.min())}..{int(whole.max())} steps"
        return _Terms(found, arriving.constant)

    def _last(self, output: str) -> str:
        """The population that the output shows."""
        shown = self._arriving(output)
        if len(shown.by_source) == 1:
            (key, delayed), matrix = next(iter(shown.by_source.items()))
            if matrix is None and not delayed and not shown.constant.any() and self.graph.nodes[key].kind in _NEURONS:
                self.becomes[output] = f"the scores: {key}"
                return key
        raise _Problem(output, "does not show one population of neurons as it is; end with neurons, such as LI")

    def _neurons(self, key: str, terms: _Terms, sizes: dict[str, int]) -> int:
        """How many neurons a population has: NIR files of some frameworks only say so by the weights."""
        node, found = self.graph.nodes[key], set[int]()
        for values in node.numbers.values():
            if values.size > 1:
                found.add(values.size)
        for (source, _), matrix in terms.by_source.items():
            if matrix is not None:
                found.add(len(matrix))
                if source in sizes and sizes[source] == 0:
                    sizes[source] = matrix.shape[1]
            elif source != key:
                found.add(sizes[source])
        if len(found) != 1 or 0 in found:
            raise _Problem(key, f"its number of neurons is not clear: {brief(sorted(found))}")
        return found.pop()

    def _neuron(self, key: str, terms: _Terms, size: int) -> Lif:
        node, kind = self.graph.nodes[key], _NEURONS[self.graph.nodes[key].kind]

        def number(name: str, default: float | None = None) -> Array:
            if name not in node.numbers:
                if default is None:
                    raise _Problem(key, f"its parameter {name} is missing")
                return np.full(size, default)
            values = np.asarray(node.numbers[name], dtype=np.float64).reshape(-1)
            if not np.isfinite(values).all():
                raise _Problem(key, f"its {name} is not finite")
            return np.broadcast_to(values, size).copy()

        for name in ("v_leak", "v_reset"):
            if number(name, 0.0).any():
                raise _Problem(key, f"its {name} is not 0; hardware resets to 0 and decays to 0: train with {name} = 0")
        if kind.fires and self.framework.several and not self.assumed.single_spikes:
            raise _Problem(
                key,
                f"neurons of {self.assumed.source} may fire several times in a step, and those of the "
                "hardware once: say --single-spikes if the network was trained that way",
            )
        leak, gain, parts = kind.dynamics(self, number)
        threshold = number("threshold" if node.kind == "Threshold" else "v_threshold") if kind.fires else np.ones(size)
        if kind.fires and threshold.min() <= 0:
            raise _Problem(key, "its threshold is not positive")
        if (gain <= 0).any():
            raise _Problem(key, "the gain of its current is not positive")
        if (leak < 0).any() or (leak > 1).any():
            raise _Problem(key, f"its time constant is below the time step, {self.dt}: give the --dt of the training")
        if terms.constant.any():
            parts = [Bias(np.broadcast_to(terms.constant, size).copy()), *parts]
        return Lif(leak, threshold / gain, self.reset, tuple(parts), strict=self.framework.strict)

    def leak_of(self, tau: Array) -> Array:
        """What is left after a step; one that single precision has moved from a code of the hardware is put back."""
        leak = self.framework.leak(tau, self.dt)
        grid = 2.0 ** LEAK_BITS[1]
        near = np.rint(leak * grid) / grid
        return np.where(np.abs(leak - near) < _CLOSE, near, leak)

    def gain_of(self, gain: Callable[[Array, Array, float], Array], r: Array, tau: Array) -> Array:
        """By what a current is multiplied; 1 where only single precision makes it anything else."""
        found = gain(r, tau, self.dt)
        return np.where(np.abs(found - 1) < _CLOSE, 1.0, found)

    def _delay_of(self, key: str, arriving: Iterable[_Terms]) -> Array:
        """`(N,)` or `(1,)`: by how many steps the spikes of a population arrive later, everywhere."""
        seen = {delayed for terms in arriving for source, delayed in terms.by_source if source == key}
        if len(seen) > 1:
            raise _Problem(key, "its spikes are delayed on some ways and not on others; delay them on all")
        late = self.framework.late if _NEURONS[self.graph.nodes[key].kind].fires else 0
        return np.array(next(iter(seen), ()) or (0,), dtype=np.float64) + late

    def _layer(
        self, key: str, neuron: Lif, terms: _Terms, steps: Array, places: Mapping[str, int], sizes: Mapping[str, int]
    ) -> Layer:
        projections, parts, size = [], list(neuron.parts), sizes[key]
        for (source, _), matrix in terms.by_source.items():
            weight = np.eye(size) if matrix is None else matrix
            if weight.shape != (size, sizes[source]):
                raise _Problem(key, f"its weights have shape {weight.shape}; they must have {(size, sizes[source])}")
            if source == key and not steps.any() and not (weight - np.diag(np.diagonal(weight))).any():
                parts.insert(0, SelfWeight(np.diagonal(weight).copy()))
            else:
                projections.append(Dense(places[source], weight))
        if steps.any():
            parts.append(Delay(np.broadcast_to(steps, size).copy()))
        if not _NEURONS[self.graph.nodes[key].kind].fires and places[key] < len(places) - 1:
            raise _Problem(
                key,
                "puts out potentials to other neurons; hardware exchanges spikes, only the last layer may have none",
            )
        self.becomes[key] = ", ".join([f"{size} neurons", *(part.label for part in parts)])
        return Layer((size,), tuple(projections), replace(neuron, parts=tuple(parts)))

    def _readout(self, last: str) -> Readout:
        fires = _NEURONS[self.graph.nodes[last].kind].fires
        chosen: Readout = self.assumed.readout or ("spike_count" if fires else "membrane_sum")
        if READOUTS[chosen].spiking and not fires:
            raise _Problem(last, f"has no spikes for the read-out {chosen}; take one of potentials")
        if fires and not READOUTS[chosen].spiking:
            self.notes.append(f"{last}: its potentials are read, so its neurons never spike and are never reset")
        return chosen


@dataclass(frozen=True, slots=True)
class _Neurons:
    """A kind of neurons: whether it fires; its leak, the gain of its current, and its parts."""

    fires: bool
    dynamics: Callable[[_Lowering, Callable[..., Array]], tuple[Array, Array, list[Part]]]


def _leaky(lowering: _Lowering, number: Callable[..., Array]) -> tuple[Array, Array, list[Part]]:
    tau = number("tau")
    return lowering.leak_of(tau), lowering.gain_of(lowering.framework.gain, number("r", 1.0), tau), []


def _filtered(lowering: _Lowering, number: Callable[..., Array]) -> tuple[Array, Array, list[Part]]:
    tau, tau_syn, gain = number("tau_mem"), number("tau_syn"), lowering.framework.gain_cuba
    into_filter = lowering.gain_of(gain, number("w_in", 1.0), tau_syn)
    into_membrane = lowering.gain_of(gain, number("r", 1.0), tau)
    return lowering.leak_of(tau), into_filter * into_membrane, [Synapse(lowering.leak_of(tau_syn))]


def _integrating(lowering: _Lowering, number: Callable[..., Array]) -> tuple[Array, Array, list[Part]]:
    r = number("r", 1.0)
    return np.ones_like(r), lowering.gain_of(lambda r, _, dt: np.where(r == 1, 1.0, r * dt), r, r), []


def _plain(lowering: _Lowering, number: Callable[..., Array]) -> tuple[Array, Array, list[Part]]:
    threshold = number("threshold")
    return np.zeros_like(threshold), np.ones_like(threshold), []


_NEURONS: Mapping[str, _Neurons] = {
    "LIF": _Neurons(True, _leaky),
    "CubaLIF": _Neurons(True, _filtered),
    "IF": _Neurons(True, _integrating),
    "Threshold": _Neurons(True, _plain),
    "LI": _Neurons(False, _leaky),
    "CubaLI": _Neurons(False, _filtered),
    "I": _Neurons(False, _integrating),
}
_LINEAR: Mapping[str, Callable[[_Lowering, str, Node, _Terms], _Terms]] = {
    "Input": _Lowering._through,
    "Output": _Lowering._through,
    "Flatten": _Lowering._flatten,
    "Linear": _Lowering._linear,
    "Affine": _Lowering._linear,
    "Scale": _Lowering._scale,
    "Delay": _Lowering._delay,
}
_KINDS = {*_NEURONS, *_LINEAR}
_UNKNOWN = dict.fromkeys(("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d"), "no engine for it yet")


def _sum(one: Array | None, two: Array | None) -> Array | None:
    if one is None and two is None:
        raise ValueError("two ways without weights lead here from the same source")
    if one is None or two is None:
        known = one if two is None else two
        assert known is not None
        return known + np.eye(*known.shape)
    return one + two


def _size(node: Node) -> int:
    """Number of channels of the input, or 0 where the file does not say."""
    return int(np.prod(np.atleast_1d(node.numbers["shape"]))) if "shape" in node.numbers else 0
