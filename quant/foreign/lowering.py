"""From the nodes of a NIR file to the layers of a `RealModel`.

Linear nodes vanish into what arrives at the populations of neurons behind them, and each population that leads to the
output becomes a layer. Everything that cannot be built is found before anything is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

import numpy as np

from quant.arithmetic import Array
from quant.errors import ModelError, brief
from quant.foreign.assumed import Assumed, Rules
from quant.foreign.linear import LINEAR, Place, Source, Terms, diagonal, summed
from quant.foreign.nodes import NONE, Graph, NodeError, finite
from quant.foreign.populations import PARAMETERS, POPULATIONS, Population, population, read_out
from quant.model import CHANNELS, NEURONS, Layer, RealModel
from quant.neurons import Delay, SelfWeight
from quant.projections import Dense
from quant.readouts import READOUTS, Readout

_KINDS = {*POPULATIONS, *LINEAR}
_UNKNOWN = dict.fromkeys(("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d"), "no engine for it yet")


@dataclass(frozen=True, slots=True)
class Finding:
    """What becomes of a node: text for people, or why it cannot be built; `layer` is the one it is, from 1 on, or 0."""

    node: str
    kind: str
    becomes: str = ""
    problem: str = ""
    layer: int = 0


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


def lower(graph: Graph, assumed: Assumed, name: str) -> Foreign:
    """What becomes of a file's nodes.

    Raises:
        ModelError: if an assumption is missing or impossible, or the graph has no nodes.
    """
    rules = assumed.rules()
    if not graph.nodes:
        raise ModelError("the graph has no nodes")
    with np.errstate(all="ignore"):  # what is not finite is refused by name
        return _Lowering(graph, rules, assumed.readout).run(name)


@dataclass(slots=True)
class _Lowering:
    graph: Graph
    rules: Rules
    chosen: Readout | None
    problems: dict[str, str] = field(default_factory=dict)
    becomes: dict[str, str] = field(default_factory=dict)
    layers: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    leaving: dict[str, Terms] = field(default_factory=dict)  # of each node that could be understood
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
        if lost := self.rules.framework.lost:
            self.notes.append(f"what {self.rules.source} leaves out of its files is missing: {lost}")
        model = None
        try:
            model = self._model(name)
        except NodeError as problem:
            self.problems.setdefault(problem.node, str(problem))
        findings = [
            Finding(key, node.kind, self.becomes.get(key, ""), self.problems.get(key, ""), self.layers.get(key, 0))
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
        last = self._last(end, found)
        order = self._order(start, last, found)
        readout = self._readout(found[last])
        if not READOUTS[readout].spiking:
            found[last] = found[last].in_real_units()
        places = {key: place for place, key in enumerate([start, *order])}
        self.layers = {key: places[key] for key in order}
        sizes = {start: math.prod(shape) or self._inputs(start), **{key: len(found[key].gain) for key in order}}
        shown = self.leaving[self.before[end][0]].by_source if len(self.before[end]) == 1 else {}
        ways = [*(found[key].terms.by_source for key in order), shown]
        delays = {key: self._delay_of(key, ways) for key in order}
        if delays[last].any() and not READOUTS[readout].spiking:
            raise NodeError(last, "its potentials are read behind a delay; let the output follow it directly")
        layers = [self._layer(found[key], delays[key], places, sizes) for key in order]
        if last == end:
            self.becomes[end] = f"the scores: {readout} of {sizes[end]} neurons without memory, which never spike"
        shape = shape if len(shape) in (1, 3) and all(shape) else (sizes[start],)
        try:
            return RealModel(name, shape, tuple(layers), readout)
        except ModelError as error:
            raise NodeError(start, str(error)) from None

    def _end(self, kind: str, others: Mapping[str, list[str]]) -> str:
        """The one node of a kind with nothing beyond it."""
        found = [key for key, node in self.graph.nodes.items() if node.kind == kind and not others[key]]
        if len(found) != 1:
            where = next(iter(found or self.graph.nodes))
            raise NodeError(where, f"the graph has {len(found)} nodes {kind} at its end; it can have one")
        return found[0]

    def _shape(self, start: str) -> tuple[int, ...]:
        """Of the input, or (0,) where the file does not say."""
        given = self.graph.nodes[start].numbers.get("shape", NONE)
        if given.ndim > 1 or not np.isfinite(given).all() or (given < 0).any() or np.prod(given * 1.0) > CHANNELS[1]:
            raise NodeError(start, f"its shape is {brief(given.tolist())}; it must be 1 to {CHANNELS[1]} channels")
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
            raise NodeError(start, f"its number of channels is not clear: {brief(sorted(found))}")
        (size,) = found
        return int(size)

    def _understand(self, start: str) -> None:
        """What leaves every node; linear nodes each behind those that feed them."""
        nodes = self.graph.nodes
        sources = [key for key, node in nodes.items() if node.kind in POPULATIONS or key == start]
        self.leaving |= {key: Terms({(key, ()): None}) for key in sources}
        linear = {key: [one for one in self.before[key] if one not in self.leaving] for key in nodes}
        sorter = TopologicalSorter({key: before for key, before in linear.items() if key not in self.leaving})
        try:
            order = list(sorter.static_order())
        except CycleError as error:
            raise NodeError(error.args[1][0], "linear nodes feed each other around a circle") from None
        for key in order:
            if key in self.problems or any(one not in self.leaving for one in self.before[key]):
                continue
            try:
                place = Place(self.graph, key, self.rules.dt)
                self.leaving[key], self.becomes[key] = LINEAR[nodes[key].kind](place, self._arriving(key))
                self._refuse_input_through_recurrence(key)
            except NodeError as problem:
                self.problems[problem.node] = str(problem)

    def _refuse_input_through_recurrence(self, key: str) -> None:
        """Some exporters lead the input of a recurrent layer through its recurrent weights."""
        fed_back = len(self.before[key]) > 1 and set(self.before[key]) & set(self.behind[key])
        if fed_back and self.rules.framework.late and "weight" in self.graph.nodes[key].numbers:
            raise NodeError(
                key, "input passes through recurrent weights, as the exporter writes it, but not in the network"
            )

    def _arriving(self, key: str) -> Terms:
        """What arrives at a node, summed over its edges."""
        return summed(key, (self.leaving[before] for before in self.before[key]))

    def _populations(self, start: str, inputs: int) -> dict[str, Population]:
        """All populations of neurons whose inputs are understood; the parameters of the others are checked, too."""
        nodes, found, sizes = self.graph.nodes, dict[str, Population](), {start: inputs}
        known: dict[str, Terms] = {}
        for key in (key for key, node in nodes.items() if node.kind in POPULATIONS):
            try:
                if all(one in self.leaving for one in self.before[key]):
                    known[key] = self._arriving(key)
                else:
                    size = max(one.size for one in (NONE, *nodes[key].numbers.values()))
                    population(key, nodes[key], size, self.rules, Terms({}))
            except NodeError as problem:
                self.problems.setdefault(key, str(problem))
        waiting = list(known)
        while waiting:  # a size may follow from that of another population
            ready = [key for key in waiting if self._size_is_told(key, known[key], sizes)] or waiting
            for key in ready:
                try:
                    sizes[key] = self._size(key, known[key], sizes)
                    found[key] = population(key, nodes[key], sizes[key], self.rules, known[key])
                    if (found[key].neuron.leak == 1).any():
                        self.notes.append(
                            f"{key}: keeps all of its potential; in integers the largest fraction below 1"
                        )
                except NodeError as problem:
                    self.problems.setdefault(problem.node, str(problem))
            waiting = [key for key in waiting if key not in ready]
        return found

    def _size_is_told(self, key: str, terms: Terms, sizes: Mapping[str, int]) -> bool:
        return all(
            matrix is not None or source == key or sizes.get(source) for (source, _), matrix in terms.by_source.items()
        )

    def _size(self, key: str, terms: Terms, sizes: Mapping[str, int]) -> int:
        """How many neurons a population has: files of some frameworks only say so by the weights."""
        found = {values.size for name, values in self.graph.nodes[key].numbers.items() if name in PARAMETERS} - {1}
        found |= {terms.constant.size} - {1}
        for (source, _), matrix in terms.by_source.items():
            if matrix is not None:
                found.add(len(matrix))
            elif source != key and sizes.get(source):
                found.add(sizes[source])
        if len(found) != 1 or not NEURONS[0] <= next(iter(found)) <= NEURONS[1]:
            raise NodeError(key, f"its number of neurons is not clear: {brief(sorted(found))}")
        return found.pop()

    def _last(self, output: str, found: dict[str, Population]) -> str:
        """The population that the output shows; what linear nodes put out becomes one."""
        shown = self._arriving(output)
        weighted = any(matrix is not None for matrix in shown.by_source.values())
        populations = [key for key, _ in shown.by_source if key in found]
        if populations and weighted:
            sizes = {key: len(one.gain) for key, one in found.items()}
            found[output] = read_out(output, self._size(output, shown, sizes), shown)
            return output
        if len(shown.by_source) == len(populations) == 1 and not shown.constant.any():
            self.becomes[output] = f"the scores: {populations[0]}"
            return populations[0]
        raise NodeError(
            output,
            "does not show one population of neurons as it is, or linear nodes behind; end with neurons, such as LI",
        )

    def _order(self, start: str, last: str, found: Mapping[str, Population]) -> list[str]:
        """The populations that lead to the last, each behind those that feed it."""
        feeds: dict[str, list[str]] = {}
        todo = [last]
        while todo:
            key = todo.pop()
            if key not in feeds:
                sources = dict.fromkeys(source for source, _ in found[key].terms.by_source)
                if not sources:
                    raise NodeError(key, "nothing leads to it from the input")
                feeds[key] = [source for source in sources if source not in (key, start)]
                todo.extend(feeds[key])
        for key in found:
            if key not in feeds:
                self.becomes[key] = "nothing: it does not lead to the output"
        try:
            return list(TopologicalSorter(feeds).static_order())
        except CycleError as error:
            around = error.args[1]
            through = ", ".join(around[1:-1])
            raise NodeError(
                around[0], f"feeds itself through {through}; a layer may only read its own spikes"
            ) from None

    def _readout(self, last: Population) -> Readout:
        chosen: Readout = self.chosen or ("spike_count" if last.fires else "membrane_sum")
        if READOUTS[chosen].spiking and not last.fires:
            raise NodeError(last.key, f"has no spikes for the read-out {chosen}; take one of potentials")
        if last.fires and not READOUTS[chosen].spiking:
            self.notes.append(f"{last.key}: its potentials are read, so its neurons never spike and are never reset")
        return chosen

    def _delay_of(self, key: str, ways: Iterable[Mapping[Source, Array | None]]) -> Array:
        """`(N,)` or `(1,)`: by how many steps the spikes of a population arrive later, everywhere."""
        seen = {delayed for way in ways for source, delayed in way if source == key}
        if len(seen) > 1:
            raise NodeError(key, "its spikes are delayed on some ways and not on others; delay them on all")
        return np.array(next(iter(seen), ()) or (0,), dtype=np.float64)

    def _layer(self, one: Population, steps: Array, places: Mapping[str, int], sizes: Mapping[str, int]) -> Layer:
        key, parts, size, projections = one.key, list(one.neuron.parts), len(one.gain), []
        late = self.rules.framework.late
        if not one.fires and places[key] < len(places) - 1:
            raise NodeError(
                key,
                "puts out potentials to other neurons; hardware exchanges spikes, only the last layer may have none",
            )
        if not one.fires and any(source == key for source, _ in one.terms.by_source):
            raise NodeError(key, "feeds its potentials back to itself; hardware feeds back spikes")
        if len(steps) not in (1, size):
            raise NodeError(key, f"its spikes are delayed by {len(steps)} numbers of steps; it has {size} neurons")
        for (source, _), matrix in one.terms.by_source.items():
            weight = diagonal(key, np.ones(size)) if matrix is None else matrix
            if weight.shape != (size, sizes[source]):
                raise NodeError(key, f"its weights have shape {weight.shape}; they must have {(size, sizes[source])}")
            weight = finite(key, "weight", weight)
            own = np.diagonal(weight) if source == key else NONE
            if source == key and not steps.any() and np.count_nonzero(weight) == np.count_nonzero(own):
                parts.insert(0, SelfWeight(own.copy()))
            elif source == key and late:
                raise NodeError(key, f"{self.rules.source} feeds spikes back a step earlier than hardware can")
            else:
                projections.append(Dense(places[source], weight))
        if one.fires and (steps + late).any():
            parts.append(Delay(np.broadcast_to(steps + late, size).copy()))
        self.becomes[key] = ", ".join([f"{size} neurons", *(part.label for part in parts)])
        return Layer((size,), tuple(projections), replace(one.neuron, parts=tuple(parts)))
