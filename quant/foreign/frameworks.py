"""What frameworks make of a NIR file, which stores neither the time step nor the kind of reset.

A new framework is a line in `FRAMEWORKS`. Read in the code of nir 1.0.8, snntorch 1.0.0, norse 1.1.0, sinabs 3.1.3,
spyx 1.0.0, spikingjelly 2.0.0 and rockpool 3.1.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from quant.arithmetic import Array
from quant.neurons import Reset

Gain = Callable[[Array, Array, float], Array]
"""Of a resistance, a time constant and a time step: by what an input current is multiplied."""


def _euler(tau: Array, dt: float) -> Array:
    return 1 - dt / tau


def _exponential(tau: Array, dt: float) -> Array:
    kept: Array = np.exp(-dt / tau)
    return kept


def _resisted(r: Array, tau: Array, dt: float) -> Array:
    return r * dt / tau


def _integrated(r: Array, tau: Array, dt: float) -> Array:
    return dt / tau


def _whole(r: Array, tau: Array, dt: float) -> Array:
    return np.ones_like(tau)


def _spikingjelly(r: Array, tau: Array, dt: float) -> Array:
    return np.where(r == 1, dt / tau, 1.0)


@dataclass(frozen=True, slots=True)
class Framework:
    """How a framework runs the neurons of a NIR file.

    Attributes:
        dt: its time step in the unit of the file's time constants; None: the user must give it.
        leak: what of a state is left after a step, of a time constant.
        gain: of the current into a LIF or LI neuron.
        gain_cuba: of the currents into the filter and the membrane of a CubaLIF or CubaLI neuron.
        strict: a neuron fires above its threshold, not at it.
        resets: what may follow a spike; the first is taken where the user says nothing.
        told: whether the user must say the reset, since the framework has several.
        late: steps by which spikes leave later than they arise.
        several: whether a neuron may fire several times in a step.
    """

    dt: float | None
    leak: Callable[[Array, float], Array]
    gain: Gain
    gain_cuba: Gain
    strict: bool
    resets: tuple[Reset, ...]
    told: bool = False
    late: int = 0
    several: bool = False


FRAMEWORKS: Mapping[str, Framework] = {
    "snntorch": Framework(1e-4, _euler, _resisted, _resisted, True, ("zero", "late_subtract"), told=True),
    "norse": Framework(1e-3, _euler, _integrated, _resisted, True, ("zero",)),
    "spikingjelly": Framework(1e-4, _euler, _spikingjelly, _whole, False, ("zero", "subtract")),
    "sinabs": Framework(1.0, _exponential, _whole, _whole, False, ("subtract",), several=True),
    "spyx": Framework(1.0, _euler, _whole, _whole, True, ("late_subtract",), late=1),
    "rockpool": Framework(None, _exponential, _whole, _whole, False, ("subtract",), several=True),
    "nir": Framework(None, _euler, _resisted, _resisted, True, ("zero",)),  # the equations of NIR itself
}
