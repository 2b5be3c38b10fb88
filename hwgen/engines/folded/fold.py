"""How far one layer is folded: what is asked for, checked, and what is chosen where nothing is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hwgen.core.folding import DEFAULT_DENSITY, Folding
from quant.errors import BuildError

DEFAULT_MAX_LANES = 16
FULL_RATE_EVENTS = 16  # from so many on, a step's events shall be all that a group waits for
MIN_UPDATE_CYCLES = 8  # fewer are not worth their units unless they are asked for


@dataclass(frozen=True, slots=True)
class Fold:
    """How far one layer is folded; `Folding` explains the numbers."""

    lanes: int
    units: int
    ports: int
    loaded: bool = False


def fold(folding: Folding, index: int, neurons: int, rows: int) -> Fold:
    """What a folding asks of layer `index` (1-based) with so many neurons and inputs.

    Raises:
        BuildError: if that cannot be.
    """
    groups = -(-neurons // DEFAULT_MAX_LANES)
    lanes = -(-neurons // groups) if folding.lanes is None else folding.lanes[index - 1]
    if not 1 <= lanes <= neurons:
        raise BuildError(f"--lanes: {lanes} for layer {index}; allowed is 1..{neurons}, its neurons")
    loaded = index in folding.loaded
    ports = events_per_cycle(neurons, lanes, folding.ports, loaded)
    units = _default_units(rows, lanes, ports) if folding.units is None else folding.units[index - 1]
    if not 1 <= units <= lanes:
        raise BuildError(f"--units: {units} for layer {index}; allowed is 1..{lanes}, its lanes")
    return Fold(lanes, units, ports, loaded)


def _default_units(rows: int, lanes: int, ports: int) -> int:
    events = min(FULL_RATE_EVENTS, math.ceil(rows * DEFAULT_DENSITY))
    return -(-lanes // max(MIN_UPDATE_CYCLES, events // ports))


def events_per_cycle(neurons: int, lanes: int, ports: int, loaded: bool) -> int:
    """Events that a layer takes per cycle where `ports` are asked for.

    One where its weights are loaded, into memory with one port, and where it has a single group of lanes, as its list
    fills by one event per cycle.
    """
    return 1 if loaded or lanes == neurons else ports
