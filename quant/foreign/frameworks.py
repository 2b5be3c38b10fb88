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


def _decayed(r: Array, tau: Array, dt: float) -> Array:
    """What arrives decays in the step in which it arrives."""
    return _exponential(tau, dt)


def _spikingjelly(r: Array, tau: Array, dt: float) -> Array:
    return np.where(r == 1, dt / tau, 1.0)


def _summed(r: Array, dt: float) -> Array:
    return r * dt


def _ignored(r: Array, dt: float) -> Array:
    return np.ones_like(r)


@dataclass(frozen=True, slots=True)
class Framework:
    """How a framework runs the neurons of a NIR file.

    Attributes:
        dt: its time step in the unit of the file's time constants; None: the user must give it.
        leak: what of a state is left after a step, of a time constant.
        gain: of the current into a LIF neuron, and into a LI neuron unless `gain_li` is another.
        gain_filter, gain_membrane: of the currents into the two states of a CubaLIF or CubaLI neuron.
        strict: a neuron fires above its threshold, not at it.
        resets: what may follow a spike; the first is taken where the user says nothing.
        kinds: of neurons that it has an equivalent for, and we for that.
        gain_if: of the current into an IF neuron, of its resistance and the time step.
        gain_li: see `gain`.
        reset_cuba: of CubaLIF neurons, where it is another one.
        told: whether the user must say the reset, since the framework has several.
        late: steps by which spikes leave later than they arise; they are fed back when they leave.
        several: whether a neuron may fire several times in a step.
        lost: what its exporter leaves out, for people.
    """

    dt: float | None
    leak: Callable[[Array, float], Array]
    gain: Gain
    gain_filter: Gain
    gain_membrane: Gain
    strict: bool
    resets: tuple[Reset, ...]
    kinds: tuple[str, ...]
    gain_if: Callable[[Array, float], Array] = _summed
    gain_li: Gain | None = None
    reset_cuba: Reset | None = None
    told: bool = False
    late: int = 0
    several: bool = False
    lost: str = ""


_FILTERED = ("LIF", "CubaLIF", "LI", "CubaLI")

FRAMEWORKS: Mapping[str, Framework] = {
    "snntorch": Framework(
        1e-4, _euler, _resisted, _resisted, _resisted, True, ("zero", "late_subtract"), _FILTERED, told=True
    ),
    "norse": Framework(
        1e-3, _euler, _integrated, _resisted, _resisted, True, ("zero",), (*_FILTERED, "IF"), gain_if=_ignored
    ),
    "norse-export": Framework(
        1e-6, _euler, _integrated, _whole, _integrated, True, ("zero",), ("LIF", "CubaLIF", "LI", "IF"),
        gain_if=_ignored, lost="v_reset, taken for 0, and reset_method, taken for a reset to it",
    ),
    "spikingjelly": Framework(
        1e-4, _euler, _spikingjelly, _whole, _whole, False, ("zero", "subtract"), ("LIF", "CubaLIF", "IF"),
        lost="in some versions v_reset = None, written as 0: such networks need --reset subtract",
    ),
    "sinabs": Framework(
        1.0, _exponential, _whole, _whole, _whole, False, ("subtract",), ("LIF", "LI"), several=True,
        lost="norm_input, taken for False; LIF has True unless told otherwise; tau_syn and min_v_mem, taken for None",
    ),
    "spyx": Framework(
        1.0, _euler, _whole, _whole, _whole, True, ("late_subtract",), ("LIF", "CubaLIF", "IF"),
        gain_if=_ignored, reset_cuba="subtract", late=1, lost="layers of LI and ALIF",
    ),
    "rockpool": Framework(
        None, _exponential, _whole, _decayed, _whole, False, ("subtract",), ("LIF", "CubaLIF", "LI"),
        gain_li=_decayed, several=True, lost="biases of neurons and recurrent weights",
    ),
    "nir": Framework(
        None, _euler, _resisted, _resisted, _resisted, True, ("zero",), (*_FILTERED, "IF", "I", "Threshold")
    ),
}  # fmt: skip
"""By the name of `--source`; "nir" stands for the equations of NIR itself, "norse-export" for files that Norse writes,
with time constants multiplied by its time step and another gain than it reads."""
