"""From the nodes of a NIR file to the layers of a `RealModel`.

Between two populations of neurons a file may have any chain of linear nodes; here it becomes one matrix, and what is
constant in it a bias. Gains of the current vanish into a neuron's own units: its threshold, and nothing else, is
divided by them (docs/semantics.md, scales). Everything that cannot be built is found before anything is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

import numpy as np

from quant.arithmetic import LEAK_BITS, Array
from quant.errors import ModelError, brief
from quant.files import memory_limit
from quant.foreign.frameworks import FRAMEWORKS, Framework, Gain
from quant.foreign.nodes import Graph, Node
from quant.model import CHANNELS, NEURONS, Layer, RealModel
from quant.neurons import Bias, Delay, Lif, Part, Reset, SelfWeight, Synapse
from quant.neurons.part import MAX_DELAY
from quant.projections import Dense
from quant.readouts import READOUTS, Readout

_CLOSE = 1e-6  # what single precision loses on the way from a leak or a gain to a time constant and back


_LARGEST = 1e30  # of parameters; products of several must fit into a float


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
        notes: what was assumed, and what is not exact.
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


Source = tuple[str, tuple[int, ...]]
"""A population, or the input, and by how many steps its channels are delayed; () means not at all."""


class _Terms(NamedTuple):
    """What arrives: from each source through a matrix, None being the identity; and what is always there."""

    by_source: Mapping[Source, Array | None]
    constant: Array


_NONE = np.zeros(1)


def lower(graph: Graph, assumed: Assumed, name: str) -> Foreign:
    """What becomes of a file's nodes.

    Raises:
        ModelError: if an assumption is missing or impossible, or the graph has no nodes.
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
    if assumed.readout is not None and assumed.readout not in READOUTS:
        raise ModelError(f"--readout is {brief(assumed.readout)}; allowed is {' or '.join(READOUTS)}")
    if not graph.nodes:
        raise ModelError("the graph has no nodes")
    with np.errstate(all="ignore"):  # what is not finite is refused by name
        return _Lowering(graph, framework, assumed, dt, reset).run(name)


@dataclass(slots=True)
class _Population:
    """Neurons on the way to a layer: what they are, what reaches them, the gain of their current."""

    key: str
    neuron: Lif
    terms: _Terms
    gain: Array


@dataclass(slots=True)
class _Lowering:
    graph: Graph
    framework: Framework
    assumed: Assumed
    dt: float
    reset: Reset
    problems: dict[str, str] = field(default_factory=dict)
    becomes: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    leaving: dict[str, _Terms] = field(default_factory=dict)  # of each node that could be understood
    before: dict[str, list[str]] = field(default_factory=dict)
    behind: dict[str, list[str]] = field(default_factory=dict)

    def run(self, name: str) -> Foreign:
        nodes = self.graph.nodes
        self.before, self.behind = {key: [] for key in nodes}, {key: [] for key in nodes}
        for one, two in self.graph.edges:
            self.before[two].append(one)
            self.behind[one].append(two)
        for key, node in nodes.items():
            if node.kind not in _KINDS:
                self.problems[key] = _UNKNOWN.get(node.kind, "no node that hardware has an equivalent for")
        model = None
        try:
            model = self._model(name)
        except _Problem as problem:
            self.problems.setdefault(problem.node, str(problem))
        findings = [
            Finding(key, node.kind, self.becomes.get(key, ""), self.problems.get(key, ""))
            for key, node in nodes.items()
        ]
        return Foreign(tuple(findings), tuple(self.notes), None if self.problems else model)

    def _model(self, name: str) -> RealModel | None:
        start, end = self._end("Input", self.before), self._end("Output", self.behind)
        shape = self._shape(start)
        self._understand(start)
        found = self._populations(start, math.prod(shape))
        if self.problems:
            return None
        last = self._last(end)
        order = self._order(start, last)
        readout = self._readout(last)
        places = {key: place for place, key in enumerate([start, *order])}
        sizes = {start: math.prod(shape) or self._inputs(start), **{key: len(found[key].gain) for key in order}}
        shown = self.leaving[self.before[end][0]].by_source if len(self.before[end]) == 1 else {}
        ways = [*(found[key].terms.by_source for key in order), shown]
        layers = []
        for key in order:
            one = found[key]
            if key == last and not READOUTS[readout].spiking:
                one = _in_real_units(one)
            layers.append(self._layer(one, self._delay_of(key, ways), places, sizes))
        shape = shape if len(shape) in (1, 3) and all(shape) else (sizes[start],)
        try:
            return RealModel(name, shape, tuple(layers), readout)
        except ModelError as error:
            raise _Problem(start, str(error)) from None

    def _end(self, kind: str, others: Mapping[str, list[str]]) -> str:
        """The one node of a kind with nothing beyond it."""
        found = [key for key, node in self.graph.nodes.items() if node.kind == kind and not others[key]]
        if len(found) != 1:
            where = next(iter(found or self.graph.nodes))
            raise _Problem(where, f"the graph has {len(found)} nodes {kind} at its end; it can have one")
        return found[0]

    def _shape(self, start: str) -> tuple[int, ...]:
        """Of the input, or (0,) where the file does not say."""
        given = self.graph.nodes[start].numbers.get("shape", _NONE)
        if given.ndim > 1 or not np.isfinite(given).all() or (given < 0).any() or np.prod(given * 1.0) > CHANNELS[1]:
            raise _Problem(start, f"its shape is {brief(given.tolist())}; it must be 1 to {CHANNELS[1]} channels")
        return tuple(int(axis) for axis in np.atleast_1d(given)) or (0,)

    def _inputs(self, start: str) -> int:
        """The number of input channels, where only weights tell it."""
        found = {
            matrix.shape[1]
            for terms in self.leaving.values()
            for (source, _), matrix in terms.by_source.items()
            if source == start and matrix is not None
        }
        if len(found) != 1:
            raise _Problem(start, f"its number of channels is not clear: {brief(sorted(found))}")
        (size,) = found
        return int(size)

    def _understand(self, start: str) -> None:
        """What leaves every node; linear nodes each behind those that feed them."""
        nodes = self.graph.nodes
        sources = [key for key, node in nodes.items() if node.kind in _NEURONS or key == start]
        self.leaving |= {key: _Terms({(key, ()): None}, _NONE) for key in sources}
        linear = {key: [one for one in self.before[key] if one not in self.leaving] for key in nodes}
        sorter = TopologicalSorter({key: before for key, before in linear.items() if key not in self.leaving})
        try:
            order = list(sorter.static_order())
        except CycleError as error:
            raise _Problem(error.args[1][0], "linear nodes feed each other around a circle") from None
        for key in order:
            if key in self.problems or any(one not in self.leaving for one in self.before[key]):
                continue
            try:
                self.leaving[key] = _LINEAR[nodes[key].kind](self, key, nodes[key], self._arriving(key))
            except KeyError as error:
                self.problems[key] = f"its parameter {error} is missing"
            except _Problem as problem:
                self.problems[problem.node] = str(problem)

    def _arriving(self, key: str) -> _Terms:
        """What arrives at a node, summed over its edges."""
        total: dict[Source, Array | None] = {}
        constant = _NONE
        for before in self.before[key]:
            terms = self.leaving[before]
            for source, matrix in terms.by_source.items():
                total[source] = matrix if source not in total else _sum(key, total[source], matrix)
            if constant.size > 1 < terms.constant.size != constant.size:
                raise _Problem(key, f"biases of {constant.size} and of {terms.constant.size} numbers reach it")
            constant = constant + terms.constant
        return _Terms(total, constant)

    def _through(self, key: str, node: Node, arriving: _Terms) -> _Terms:
        self.becomes[key] = "wires"
        return arriving

    def _flatten(self, key: str, node: Node, arriving: _Terms) -> _Terms:
        if any(matrix is not None for matrix in arriving.by_source.values()) or arriving.constant.any():
            raise _Problem(key, "stands behind a linear node; let it follow the input or neurons")
        return self._through(key, node, arriving)

    def _linear(self, key: str, node: Node, arriving: _Terms) -> _Terms:
        weight = _finite(key, "weight", node.numbers["weight"])
        bias = _finite(key, "bias", node.numbers.get("bias", _NONE)).reshape(-1)
        if weight.ndim != 2:
            raise _Problem(key, f"its weight has shape {weight.shape}; it must be (out, in)")
        out, into = weight.shape
        if bias.size not in (1, out):
            raise _Problem(key, f"its bias has {bias.size} numbers; its weight asks for {out}")
        for reaches in (len(one) for one in arriving.by_source.values() if one is not None):
            if reaches != into:
                raise _Problem(key, f"{reaches} channels reach it; its weight asks for {into}")
        if arriving.constant.size not in (1, into):
            raise _Problem(key, f"a bias of {arriving.constant.size} reaches it; its weight asks for {into} channels")
        found = {source: weight if one is None else weight @ one for source, one in arriving.by_source.items()}
        carried = weight @ np.broadcast_to(arriving.constant, into) if arriving.constant.any() else _NONE
        if self.framework.late and len(self.before[key]) > 1 and set(self.before[key]) & set(self.behind[key]):
            raise _Problem(
                key, "input passes through recurrent weights, as the exporter writes it, but not in the network"
            )
        self.becomes[key] = f"weights {into} to {out}" + (", bias" if bias.any() else "")
        return _Terms(found, _finite(key, "bias", carried + bias if bias.any() else carried))

    def _scale(self, key: str, node: Node, arriving: _Terms) -> _Terms:
        scale = _finite(key, "scale", node.numbers["scale"]).reshape(-1)
        found: dict[Source, Array | None] = {}
        for source, matrix in arriving.by_source.items():
            if matrix is not None:
                if scale.size not in (1, len(matrix)):
                    raise _Problem(key, f"its scale has {scale.size} numbers; {len(matrix)} channels reach it")
                found[source] = matrix * (scale[:, None] if scale.size > 1 else scale)
            elif scale.size > 1:
                found[source] = _diagonal(key, scale)
            elif scale[0] == 1:
                found[source] = None
            else:
                raise _Problem(key, "scales all channels of a source by one number; give a number for each")
        if arriving.constant.any() and 1 < arriving.constant.size != scale.size > 1:
            raise _Problem(key, f"its scale has {scale.size} numbers; a bias of {arriving.constant.size} reaches it")
        self.becomes[key] = "part of the weights"
        return _Terms(found, arriving.constant * scale if arriving.constant.any() else _NONE)

    def _delay(self, key: str, node: Node, arriving: _Terms) -> _Terms:
        steps = _finite(key, "delay", node.numbers["delay"]).reshape(-1) / self.dt
        whole = np.rint(steps)
        if not len(steps) or np.abs(steps - whole).max() > 1e-3 or not 0 <= whole.min() <= whole.max() <= MAX_DELAY:
            raise _Problem(key, f"delays by {brief(steps.tolist())} steps; allowed are whole numbers, 0..{MAX_DELAY}")
        found: dict[Source, Array | None] = {}
        for (source, before), matrix in arriving.by_source.items():
            if matrix is not None or before or self.graph.nodes[source].kind == "Input":
                raise _Problem(key, "delays something else than the spikes of neurons; let it follow them directly")
            found[source, tuple(int(step) for step in whole)] = matrix
        self.becomes[key] = f"axonal delay of {int(whole.min())}..{int(whole.max())} steps"
        return _Terms(found, arriving.constant)

    def _populations(self, start: str, inputs: int) -> dict[str, _Population]:
        """All populations of neurons whose inputs are understood; the parameters of the others are checked, too."""
        found: dict[str, _Population] = {}
        sizes = {start: inputs}
        keys = [key for key, node in self.graph.nodes.items() if node.kind in _NEURONS]
        known: dict[str, _Terms] = {}
        for key in keys:
            try:
                if all(one in self.leaving for one in self.before[key]):
                    known[key] = self._arriving(key)
                else:
                    self._parameters(key, max(one.size for one in (_NONE, *self.graph.nodes[key].numbers.values())))
            except _Problem as problem:
                self.problems.setdefault(key, str(problem))
        waiting = list(known)
        while waiting:  # a size may follow from that of another population
            ready = [key for key in waiting if self._size_is_told(key, known[key], sizes)] or waiting
            for key in ready:
                try:
                    sizes[key] = self._size(key, known[key], sizes)
                    neuron, gain = self._neuron(key, known[key], sizes[key])
                    found[key] = _Population(key, neuron, known[key], gain)
                except _Problem as problem:
                    self.problems.setdefault(problem.node, str(problem))
            waiting = [key for key in waiting if key not in ready]
        return found

    def _size_is_told(self, key: str, terms: _Terms, sizes: Mapping[str, int]) -> bool:
        return all(
            matrix is not None or source == key or sizes.get(source) for (source, _), matrix in terms.by_source.items()
        )

    def _size(self, key: str, terms: _Terms, sizes: Mapping[str, int]) -> int:
        """How many neurons a population has: files of some frameworks only say so by the weights."""
        found = {values.size for name, values in self.graph.nodes[key].numbers.items() if name in _PARAMETERS} - {1}
        found |= {terms.constant.size} - {1}
        for (source, _), matrix in terms.by_source.items():
            if matrix is not None:
                found.add(len(matrix))
            elif source != key and sizes.get(source):
                found.add(sizes[source])
        if len(found) != 1 or not NEURONS[0] <= next(iter(found)) <= NEURONS[1]:
            raise _Problem(key, f"its number of neurons is not clear: {brief(sorted(found))}")
        return found.pop()

    def _neuron(self, key: str, terms: _Terms, size: int) -> tuple[Lif, Array]:
        leak, threshold, gain, parts = self._parameters(key, size)
        kind = self.graph.nodes[key].kind
        reset = self.framework.reset_cuba if kind == "CubaLIF" and self.framework.reset_cuba else self.reset
        if terms.constant.any():
            parts = [Bias(np.broadcast_to(terms.constant, size).copy()), *parts]
        if (leak == 1).any():
            self.notes.append(f"{key}: keeps all of its potential; in integers the largest fraction below 1")
        return Lif(leak, threshold / gain, reset, tuple(parts), strict=self.framework.strict), gain

    def _parameters(self, key: str, size: int) -> tuple[Array, Array, Array, list[Part]]:
        """Leak, threshold, gain of the current, and the parts that follow from the node alone."""
        node, kind = self.graph.nodes[key], _NEURONS[self.graph.nodes[key].kind]

        def number(name: str, default: float | None = None) -> Array:
            if name not in node.numbers and default is not None:
                return np.full(size, default)
            if name not in node.numbers:
                raise _Problem(key, f"its parameter {name} is missing")
            values = _finite(key, name, node.numbers[name]).reshape(-1)
            if values.size not in (1, size):
                raise _Problem(key, f"its {name} has {values.size} numbers; it has {size} neurons")
            return np.broadcast_to(values, size).copy()

        if node.kind not in self.framework.kinds:
            raise _Problem(key, f"{self.assumed.source} has no such neurons, or computes them as hardware does not")
        for name in ("v_leak", "v_reset"):
            if number(name, 0.0).any():
                raise _Problem(key, f"its {name} is not 0; hardware resets to 0 and decays to 0: train with {name} = 0")
        if kind.fires and self.framework.several and not self.assumed.single_spikes:
            raise _Problem(
                key,
                f"neurons of {self.assumed.source} may fire several times in a step, and those of the hardware once: "
                "say --single-spikes if the network was trained that way",
            )
        leak, gain, parts = kind.dynamics(self, number)
        threshold = number("threshold" if node.kind == "Threshold" else "v_threshold") if kind.fires else np.ones(size)
        if threshold.min() <= 0:
            raise _Problem(key, "its threshold is not positive")
        for states in (leak, *(part.leak for part in parts if isinstance(part, Synapse))):
            if not (np.isfinite(states).all() and states.min() >= 0 and states.max() <= 1):
                squared = " (Norse's own files need the square of it)" if self.assumed.source == "norse" else ""
                raise _Problem(
                    key, f"its time constant is below the time step, {self.dt}: give --dt as trained{squared}"
                )
        if not (np.isfinite(gain).all() and gain.min() > 0):
            raise _Problem(key, "the gain of its current is not a positive number")
        return leak, threshold, gain, parts

    def leak_of(self, tau: Array) -> Array:
        """What is left after a step; one that single precision has moved from a code of the hardware is put back."""
        leak = self.framework.leak(tau, self.dt)
        grid = 2.0 ** LEAK_BITS[1]
        near = np.rint(leak * grid) / grid
        return np.where(np.abs(leak - near) < _CLOSE, near, leak)

    def gain_of(self, gain: Gain, r: Array, tau: Array) -> Array:
        """By what a current is multiplied; 1 where only single precision makes it anything else."""
        return _near_one(gain(r, tau, self.dt))

    def _last(self, output: str) -> str:
        """The population that the output shows."""
        shown = self._arriving(output)
        if len(shown.by_source) == 1:
            (key, _), matrix = next(iter(shown.by_source.items()))
            if matrix is None and not shown.constant.any() and self.graph.nodes[key].kind in _NEURONS:
                self.becomes[output] = f"the scores: {key}"
                return key
        raise _Problem(output, "does not show one population of neurons as it is; end with neurons, such as LI")

    def _order(self, start: str, last: str) -> list[str]:
        """The populations that lead to the last, each behind those that feed it."""
        feeds: dict[str, list[str]] = {}
        todo = [last]
        while todo:
            key = todo.pop()
            if key not in feeds and key != start:
                arriving = self._arriving(key)
                if not arriving.by_source:
                    raise _Problem(key, "nothing leads to it from the input")
                sources = dict.fromkeys(source for source, _ in arriving.by_source)
                feeds[key] = [source for source in sources if source not in (key, start)]
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

    def _delay_of(self, key: str, ways: Iterable[Mapping[Source, Array | None]]) -> Array:
        """`(N,)` or `(1,)`: by how many steps the spikes of a population arrive later, everywhere."""
        seen = {delayed for way in ways for source, delayed in way if source == key}
        if len(seen) > 1:
            raise _Problem(key, "its spikes are delayed on some ways and not on others; delay them on all")
        return np.array(next(iter(seen), ()) or (0,), dtype=np.float64)

    def _layer(self, one: _Population, steps: Array, places: Mapping[str, int], sizes: Mapping[str, int]) -> Layer:
        key, parts, size, projections = one.key, list(one.neuron.parts), len(one.gain), []
        fires, late = _NEURONS[self.graph.nodes[key].kind].fires, self.framework.late
        if not fires and places[key] < len(places) - 1:
            raise _Problem(
                key,
                "puts out potentials to other neurons; hardware exchanges spikes, only the last layer may have none",
            )
        if len(steps) not in (1, size):
            raise _Problem(key, f"its spikes are delayed by {len(steps)} numbers of steps; it has {size} neurons")
        for (source, _), matrix in one.terms.by_source.items():
            weight = _diagonal(key, np.ones(size)) if matrix is None else matrix
            if weight.shape != (size, sizes[source]):
                raise _Problem(key, f"its weights have shape {weight.shape}; they must have {(size, sizes[source])}")
            weight = _finite(key, "weight", weight)
            diagonal = np.diagonal(weight) if source == key else _NONE
            if source == key and not steps.any() and np.count_nonzero(weight) == np.count_nonzero(diagonal):
                parts.insert(0, SelfWeight(diagonal.copy()))
            elif source == key and late:
                raise _Problem(key, f"{self.assumed.source} feeds spikes back a step earlier than hardware can")
            else:
                projections.append(Dense(places[source], weight))
        if fires and (steps + late).any():
            parts.append(Delay(np.broadcast_to(steps + late, size).copy()))
        self.becomes[key] = ", ".join([f"{size} neurons", *(part.label for part in parts)])
        return Layer((size,), tuple(projections), replace(one.neuron, parts=tuple(parts)))

    def _readout(self, last: str) -> Readout:
        fires = _NEURONS[self.graph.nodes[last].kind].fires
        chosen: Readout = self.assumed.readout or ("spike_count" if fires else "membrane_sum")
        if READOUTS[chosen].spiking and not fires:
            raise _Problem(last, f"has no spikes for the read-out {chosen}; take one of potentials")
        if fires and not READOUTS[chosen].spiking:
            self.notes.append(f"{last}: its potentials are read, so its neurons never spike and are never reset")
        return chosen


def _in_real_units(one: _Population) -> _Population:
    """A population whose potentials are compared with each other: currents take the gain, thresholds give it back."""
    scaled = {
        source: _diagonal(one.key, one.gain) if matrix is None else matrix * one.gain[:, None]
        for source, matrix in one.terms.by_source.items()
    }
    parts = tuple(Bias(part.value * one.gain) if isinstance(part, Bias) else part for part in one.neuron.parts)
    neuron = replace(one.neuron, threshold=one.neuron.threshold * one.gain, parts=parts)
    return _Population(one.key, neuron, _Terms(scaled, one.terms.constant), one.gain)


@dataclass(frozen=True, slots=True)
class _Neurons:
    """A kind of neurons: whether it fires; its leak, the gain of its current, and its parts."""

    fires: bool
    dynamics: Callable[[_Lowering, Callable[..., Array]], tuple[Array, Array, list[Part]]]


def _leaky(lowering: _Lowering, number: Callable[..., Array]) -> tuple[Array, Array, list[Part]]:
    tau = number("tau")
    return lowering.leak_of(tau), lowering.gain_of(lowering.framework.gain, number("r", 1.0), tau), []


def _filtered(lowering: _Lowering, number: Callable[..., Array]) -> tuple[Array, Array, list[Part]]:
    tau, tau_syn, framework = number("tau_mem"), number("tau_syn"), lowering.framework
    into_filter = lowering.gain_of(framework.gain_filter, number("w_in", 1.0), tau_syn)
    into_membrane = lowering.gain_of(framework.gain_membrane, number("r", 1.0), tau)
    return lowering.leak_of(tau), into_filter * into_membrane, [Synapse(lowering.leak_of(tau_syn))]


def _integrating(lowering: _Lowering, number: Callable[..., Array]) -> tuple[Array, Array, list[Part]]:
    r = number("r", 1.0)
    return np.ones_like(r), _near_one(lowering.framework.gain_if(r, lowering.dt)), []


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
_PARAMETERS = ("tau", "tau_mem", "tau_syn", "r", "w_in", "v_leak", "v_threshold", "v_reset", "threshold")
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


def _near_one(gain: Array) -> Array:
    return np.where(np.abs(gain - 1) < _CLOSE, 1.0, gain)


def _finite(key: str, name: str, values: Any) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if not found.size or not np.isfinite(found).all():
        raise _Problem(key, f"its {name} is {'empty' if not found.size else 'not finite'}")
    if np.abs(found).max() > _LARGEST:
        raise _Problem(key, f"its {name} reaches {np.abs(found).max():.3g}; the largest number is {_LARGEST:g}")
    return np.where(np.abs(found) < 1 / _LARGEST, 0.0, found)


def _diagonal(key: str, values: Array) -> Array:
    """A matrix with these numbers on its diagonal, if it is not too large for this machine."""
    if 40 * len(values) ** 2 > memory_limit():
        raise _Problem(key, f"a way from {len(values)} channels to as many neurons is a matrix too large to be built")
    return np.diag(values)


def _sum(key: str, one: Array | None, two: Array | None) -> Array | None:
    if one is None or two is None:
        known = two if one is None else one
        if known is None or known.shape[0] != known.shape[1]:
            raise _Problem(key, "a way without weights and another one lead to it from the same source")
        return known + np.eye(len(known))
    if one.shape != two.shape:
        raise _Problem(key, f"weights of shapes {one.shape} and {two.shape} lead to it from the same source")
    return one + two
