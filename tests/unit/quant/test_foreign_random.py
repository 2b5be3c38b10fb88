"""Random NIR graphs against a naive simulation of their nodes, and damaged ones, which end in one line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from marks import later

from quant import golden
from quant.calibration import calibrate
from quant.errors import ScsrError
from quant.foreign import Assumed, Graph, Node, lower
from quant.spikes import from_dense

STEPS, SAMPLES, DT = 25, 4, 1e-4
FIRING = ("LIF", "CubaLIF", "IF", "Threshold")
KINDS = (*FIRING, "LI", "CubaLI", "I", "Linear", "Affine", "Scale", "Delay", "Flatten", "Input", "Output", "Conv2d")
STRANGE = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e308, -1e308, 5e-324)
SAID = (
    Assumed("nir", dt=DT),
    Assumed("nir", dt=DT, readout="membrane_sum"),
    Assumed("snntorch", reset="zero"),
    Assumed("sinabs", single_spikes=True),
)


@dataclass
class Drawn:
    """A graph that is being drawn: nodes, edges, how many channels leave each node, the populations in their order."""

    draw: np.random.Generator
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    size: dict[str, int] = field(default_factory=dict)
    populations: list[str] = field(default_factory=list)

    def add(self, kind: str, numbers: Mapping[str, Any], size: int, *before: str) -> str:
        name = f"{self.draw.choice(list('zyxwvu'))}{len(self.nodes)}"
        self.nodes[name] = Node(kind, {key: np.asarray(value, dtype=float) for key, value in numbers.items()})
        self.size[name] = size
        self.edges += [(one, name) for one in before]
        return name

    def likely(self, chance: float) -> bool:
        return bool(self.draw.random() < chance)

    def linear(self, before: str, size: int) -> str:
        """A chain of linear nodes."""
        for out in (*self.draw.integers(1, 6, int(self.draw.integers(0, 2))), size):
            weight = self.draw.normal(0.1, 0.7, (int(out), self.size[before]))
            affine = {"bias": self.draw.normal(0, 0.2, int(out))} if self.likely(0.5) else {}
            before = self.add("Affine" if affine else "Linear", {"weight": weight, **affine}, int(out), before)
            if self.likely(0.2):
                scale = self.draw.normal(1, 0.5, int(out)) if self.likely(0.7) else 1.5
                before = self.add("Scale", {"scale": scale}, int(out), before)
        return self.add("Output", {}, size, before) if self.likely(0.2) else before

    def neurons(self, size: int) -> str:
        """A population, whose parameters are scalars as often as not."""
        shape = (size,) if self.likely(0.7) else ()

        def between(low: float, high: float) -> np.ndarray:
            return np.asarray(self.draw.uniform(low, high, shape))

        kind = str(self.draw.choice(FIRING))
        numbers = {"v_threshold": between(0.3, 1.5), "r": between(1, 6), "v_leak": np.zeros(shape)}
        if kind == "LIF":
            numbers["tau"] = between(2e-4, 1e-3)
        if kind == "CubaLIF":
            numbers |= {"tau_mem": between(2e-4, 1e-3), "tau_syn": between(1.5e-4, 5e-4), "w_in": between(1, 4)}
        if kind == "IF":
            numbers = {"r": np.full(shape, 1 / DT), "v_threshold": between(0.5, 2)}
        if kind == "Threshold":
            numbers = {"threshold": between(0.2, 1)}
        return self.add(kind, numbers, size)


def drawn(seed: int) -> Drawn:
    """A legal graph: populations behind each other with skips, delays and recurrence, in a random order."""
    graph = Drawn(np.random.default_rng(seed))
    draw = graph.draw
    inputs = int(draw.integers(2, 6))
    start = graph.add("Input", {"shape": [inputs]}, inputs)
    outlets = {start: start}
    count = int(draw.integers(1, 4))
    for place in range(count):
        size, earlier = int(draw.integers(1, 6)), list(outlets)
        name = graph.neurons(size)
        for source in dict.fromkeys([earlier[-1], *(one for one in earlier if graph.likely(0.4))]):
            direct = graph.size[source] == size and graph.likely(0.25)
            graph.edges.append((outlets[source] if direct else graph.linear(outlets[source], size), name))
        outlets[name] = name
        if place < count - 1 and graph.likely(0.3):
            outlets[name] = graph.add("Delay", {"delay": DT * draw.integers(0, 4, size)}, size, name)
        if graph.likely(0.25):
            graph.edges.append((graph.linear(outlets[name], size), name))
        elif graph.likely(0.2):
            own = graph.add("Linear", {"weight": np.diag(draw.normal(0, 0.5, size))}, size, outlets[name])
            graph.edges.append((own, name))
        graph.populations.append(name)
    graph.add("Output", {}, graph.size[graph.populations[-1]], graph.populations[-1])
    return graph


def shuffled(graph: Drawn) -> Graph:
    names, edges = list(graph.nodes), list(dict.fromkeys(graph.edges))
    graph.draw.shuffle(names)
    graph.draw.shuffle(edges)
    return Graph({name: graph.nodes[name] for name in names}, tuple((str(a), str(b)) for a, b in edges), {})


def simulated(graph: Drawn, spikes: np.ndarray) -> dict[str, np.ndarray]:
    """`(T, samples, N)` of each population: what leaves it, by the equations of NIR, node by node."""
    before = defaultdict(list)
    for one, two in dict.fromkeys(graph.edges):
        before[two].append(one)
    zeros = {name: np.zeros((SAMPLES, graph.size[name])) for name in graph.populations}
    fired: dict[str, list[np.ndarray]] = {name: [] for name in graph.populations}
    potential, current = dict(zeros), dict(zeros)

    def value(name: str, step: int) -> np.ndarray:
        """What leaves a node in a step; of neurons that have not been there yet, in the step before."""
        node = graph.nodes[name]
        if node.kind == "Input":
            return spikes[step].astype(float)
        if name in fired:
            return fired[name][-1] if fired[name] else zeros[name]
        if node.kind == "Delay":
            (source,), ago = before[name], np.rint(node.numbers["delay"] / DT).astype(int)
            past = [np.zeros_like(zeros[source])] * (ago.max() + 1) + fired[source]
            return np.stack([past[-1 - late][:, place] for place, late in enumerate(ago)], axis=1)
        arriving = sum(value(one, step) for one in before[name])
        if node.kind in ("Linear", "Affine"):
            return arriving @ node.numbers["weight"].T + node.numbers.get("bias", 0)
        return arriving * node.numbers.get("scale", 1)

    for step in range(STEPS):
        for name in graph.populations:
            numbers, kind = graph.nodes[name].numbers, graph.nodes[name].kind
            x = sum(value(one, step) for one in before[name])
            if kind == "CubaLIF":
                share = DT / numbers["tau_syn"]
                current[name] = x = (1 - share) * current[name] + numbers["w_in"] * share * x
            if kind in ("LIF", "CubaLIF"):
                share = DT / numbers["tau" if kind == "LIF" else "tau_mem"]
                x = (1 - share) * potential[name] + numbers["r"] * share * x
            if kind == "IF":
                x = potential[name] + numbers["r"] * DT * x
            now = x > numbers.get("v_threshold", numbers.get("threshold"))
            potential[name] = np.where(now, 0, x)
            fired[name].append(now.astype(float))
    return {name: np.stack(steps).astype(bool) for name, steps in fired.items()}


def late(graph: Drawn, name: str, spikes: np.ndarray) -> np.ndarray:
    """The spikes of a population as its layer puts them out: behind its delay, if it has one."""
    delays = [two for one, two in graph.edges if one == name and graph.nodes[two].kind == "Delay"]
    found = np.zeros_like(spikes)
    for place in range(spikes.shape[2]):
        steps = int(np.rint(graph.nodes[delays[0]].numbers["delay"][place] / DT)) if delays else 0
        found[steps:, :, place] = spikes[: STEPS - steps, :, place]
    return found


@pytest.mark.parametrize("first", [0, *later(100)])
def test_random_graphs_spike_as_their_nodes_do(first: int) -> None:
    spikes = compared = 0
    for seed in range(first, 100 if first == 0 else 1000):
        graph = drawn(seed)
        model = lower(shuffled(graph), Assumed("nir", dt=DT), "net").built()
        given = graph.draw.random((STEPS, SAMPLES, model.inputs)) < 0.5
        wanted = simulated(graph, given)
        found = golden.run(model, given, np.full(SAMPLES, STEPS)).spikes[1:]
        assert len(found) == len(wanted)
        for name, layer in zip(graph.populations, found, strict=True):
            np.testing.assert_array_equal(layer, late(graph, name, wanted[name]), err_msg=f"{seed} {name}")
            spikes += int(layer.sum())
            compared += 1
    assert compared > 150
    assert spikes > 5000


def damaged(graph: Drawn) -> Graph:
    """With one to three changes: edges, nodes or numbers lost, exchanged, cut, turned or made strange."""
    draw, nodes, edges = graph.draw, dict(graph.nodes), list(graph.edges)
    for _ in range(int(draw.integers(1, 4))):
        name = str(draw.choice(list(nodes)))
        node, what = nodes[name], int(draw.integers(9))
        if what == 0 and edges:
            edges.pop(int(draw.integers(len(edges))))
        elif what == 1:
            edges.append((name, str(draw.choice(list(nodes)))))
        elif what == 2 and len(nodes) > 1:
            del nodes[name]
        elif what == 3:
            nodes[name] = Node(str(draw.choice(KINDS)), node.numbers)
        elif node.numbers:
            key = str(draw.choice(list(node.numbers)))
            numbers = dict(node.numbers)
            if what == 4:
                del numbers[key]
            elif what == 5:
                numbers[key] = np.resize(numbers[key], tuple(draw.integers(0, 4, int(draw.integers(0, 4)))))
            elif what == 6 and numbers[key].size:
                numbers[key] = numbers[key].copy()
                numbers[key].flat[int(draw.integers(numbers[key].size))] = draw.choice(STRANGE)
            else:
                numbers[key] = -numbers[key] if what == 7 else numbers[key] * 10.0 ** draw.integers(-300, 300)
            nodes[name] = Node(node.kind, numbers)
    kept = [edge for edge in edges if set(edge) <= set(nodes)]
    return Graph(nodes, tuple(dict.fromkeys(kept)), {})


@pytest.mark.parametrize("count", [300, *later(10_000)])
@pytest.mark.filterwarnings("ignore:overflow")  # of the damage
def test_damaged_graphs_are_built_or_refused_in_one_line(count: int) -> None:
    built = refused = 0
    for seed in range(count):
        try:
            model = lower(damaged(drawn(seed)), SAID[seed % len(SAID)], "net").built()
            samples = from_dense(np.ones((3, 2, model.inputs), dtype=bool), np.full(2, 3), np.zeros(2, dtype=int))
            calibrate(model, samples, fraction_bits=4)
            built += 1
        except ScsrError:
            refused += 1
    assert built > count / 30
    assert refused > count / 3
