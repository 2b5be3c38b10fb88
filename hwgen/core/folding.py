"""How far a network is asked to be folded; every engine takes from it what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PORTS = (1, 2)
DEFAULT_DENSITY = 0.1  # of a layer's inputs that spike in a step, where nobody has measured it


@dataclass(frozen=True, slots=True)
class Folding:
    """How far a network is folded; None: the engine's choice.

    Attributes:
        lanes: of each layer, the neurons that accumulate at once, `1 .. neurons`; by default at most 16, evenly filled.
        units: of each layer, the neurons updated per cycle, at most its lanes. By default the fewest that keep up with
            the events of a step (`hwgen.engines.folded.fold`).
        ports: events that a layer takes per cycle, 1 or 2 (`events_per_cycle`).
        loaded: numbers, from 1, of the layers whose weights are loaded at run time, into memory with one port.
    """

    lanes: Sequence[int] | None = None
    units: Sequence[int] | None = None
    ports: int = 1
    loaded: Sequence[int] = ()


DEFAULT_FOLDING = Folding()
