"""Engines: kinds of hardware for a layer. A new engine is a folder here and a line in `ENGINES`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Protocol

from hwgen.core.folding import Folding
from hwgen.core.footprint import Footprint
from hwgen.core.plan import Memory, Node, Place
from hwgen.engines.folded import Folded
from quant.errors import BuildError
from quant.model import Layer
from quant.page.records import Block


class Clock(Protocol):
    """When a layer's list closes, and when its TICK goes out, step after step, in cycles."""

    tick: int

    def list_opens(self) -> int:
        """The first cycle in which the next step's events can be taken."""

    def advance(self, arrival: int, events: int, spikes: int = 0, taken_from: int = 0) -> None:
        """Account for one step whose last source ticked in cycle `arrival`, with so many events in and spikes out;
        its first spike can leave in cycle `taken_from`."""

    def answered(self) -> int:
        """When the last beat of a packet with the step's scores leaves."""

    def send(self) -> None:
        """Account for that packet."""


class Engine(Protocol):
    """How one kind of layer becomes hardware.

    Attributes:
        name: for messages and options.
        plans: the class of its plans.
        template: of its instance in the top module, below `rtl_templates`.
    """

    name: ClassVar[str]
    plans: ClassVar[Any]
    template: ClassVar[str]

    def refuses(self, layer: Layer) -> str | None:
        """What in the layer it cannot build; None where it can."""

    def plan(self, layer: Layer, place: Place, folding: Folding, *, spiking: bool) -> Node:
        """The layer in its place. Raises BuildError where the folding cannot be."""

    def variants(self, layer: Any, ports: int, lanes: int | None) -> Iterator[Node]:
        """The same layer in every folding worth considering, or with the lanes that are given."""

    def clock(self, layer: Any) -> Clock:
        """The clock of an idle layer."""

    def footprint(self, layer: Any) -> Footprint:
        """What the layer takes."""

    def contents(self, layer: Layer, plan: Any) -> Iterator[tuple[Memory, Iterator[str]]]:
        """Its memories, and their words in hexadecimal."""

    def blocks(self, layer: Any) -> list[Block]:
        """Its blocks as the page shows them, the one that merges its links first."""

    def report(self, layers: Sequence[Any]) -> list[str]:
        """The lines of `2_plan.txt` about its layers."""

    def record(self, layer: Any) -> dict[str, Any]:
        """What a test bench must know to read the probe."""


ENGINES: tuple[Engine, ...] = (Folded(),)


def of(layer: Node) -> Engine:
    """The engine that planned a layer."""
    return next(engine for engine in ENGINES if type(layer) is engine.plans)


def plan(layer: Layer, place: Place, folding: Folding, *, spiking: bool) -> Node:
    """The layer in its place, by the first engine that takes it.

    Raises:
        BuildError: if none does, or if the folding cannot be.
    """
    problems = []
    for engine in ENGINES:
        problem = engine.refuses(layer)
        if problem is None:
            return engine.plan(layer, place, folding, spiking=spiking)
        problems.append(f"{engine.name} has none for {problem}")
    raise BuildError(f"layer {place.index}: no engine builds it ({'; '.join(problems)})")
