"""What a NIR file does not say: the framework, its time step, its reset; and the rules for neurons that follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quant.arithmetic import LEAK_BITS, Array
from quant.errors import ModelError, brief
from quant.foreign.frameworks import FRAMEWORKS, Framework, Gain
from quant.neurons import Reset
from quant.readouts import READOUTS, Readout

_CLOSE = 1e-6  # what single precision loses on the way from a leak or a gain to a time constant and back


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

    def rules(self) -> Rules:
        """How the file's neurons run.

        Raises:
            ModelError: if an assumption is missing or impossible.
        """
        framework = FRAMEWORKS.get(self.source)
        if framework is None:
            raise ModelError(f"--source is {brief(self.source)}; allowed is {' or '.join(FRAMEWORKS)}")
        dt = framework.dt if self.dt is None else self.dt
        if dt is None:
            raise ModelError(f"--dt is missing: {self.source} has no time step of its own; give that of the training")
        if not 0 < dt < np.inf:
            raise ModelError(f"--dt is {dt}; a time step is a positive number")
        reset = self.reset or framework.resets[0]
        if framework.told and self.reset is None:
            raise ModelError(
                f"--reset is missing: {self.source} has {' and '.join(framework.resets)}, the file does not say which"
            )
        if reset not in framework.resets:
            raise ModelError(f"--reset is {reset}; neurons of {self.source} have {' or '.join(framework.resets)}")
        if self.readout is not None and self.readout not in READOUTS:
            raise ModelError(f"--readout is {brief(self.readout)}; allowed is {' or '.join(READOUTS)}")
        return Rules(self.source, framework, dt, reset, self.single_spikes)


@dataclass(frozen=True, slots=True)
class Rules:
    """By which the neurons of a file run: those of a framework, at a time step; fields as in `Assumed`."""

    source: str
    framework: Framework
    dt: float
    reset: Reset
    single_spikes: bool

    def leak(self, tau: Array) -> Array:
        """What is left after a step; one that single precision has moved from a code of the hardware is put back."""
        leak = self.framework.leak(tau, self.dt)
        grid = 2.0 ** LEAK_BITS[1]
        near = np.rint(leak * grid) / grid
        return np.where(np.abs(leak - near) < _CLOSE, near, leak)

    def gain(self, gain: Gain, r: Array, tau: Array) -> Array:
        """By what a current is multiplied; 1 where only single precision makes it anything else."""
        return _near_one(gain(r, tau, self.dt))

    def gain_if(self, r: Array) -> Array:
        """The same of a neuron without a leak."""
        return _near_one(self.framework.gain_if(r, self.dt))


def _near_one(gain: Array) -> Array:
    return np.where(np.abs(gain - 1) < _CLOSE, 1.0, gain)
