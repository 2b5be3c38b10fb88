"""Kinds of learned numbers: how training holds them, what they are in real numbers, and in integers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from brevitas.function.ops_ste import round_ste
from torch import Tensor

if TYPE_CHECKING:
    from trainer.config import LayerConfig

_NEAREST = 1e-7  # to 0 or 1, where logit and logarithm end; single precision has no number much nearer to 1
_END = 0.005  # of a delay's range: near enough to it, and its logit still learns


class Grid(Protocol):
    """The integers of a layer's widths (trainer/quantizers.py); all of it lets the gradient pass."""

    def leak(self, value: Tensor) -> Tensor:
        """The nearest multiple of `2**-leak_bits` below 1."""

    def signed(self, value: Tensor, unit: Tensor) -> Tensor:
        """The nearest state, in units of `unit`."""

    def magnitude(self, value: Tensor, unit: Tensor, least: int) -> Tensor:
        """The nearest state of at least `least`."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that every neuron of a layer has.

    Attributes:
        name: in the model file.
        synaptic: whether it learns as weights do, at their rate and with their decay.
        suffix: of the parameter that training holds.
        state: whether its integers are as wide as the states.
        learns: whether it ever does.
    """

    name: str
    synaptic: bool = False
    suffix: ClassVar[str] = ""
    state: ClassVar[bool] = True
    learns: ClassVar[bool] = True

    @property
    def parameter(self) -> str:
        """Name of the parameter that training holds, in checkpoints too."""
        return self.name + self.suffix

    def real(self, raw: Tensor, layer: LayerConfig) -> Tensor:
        """The real number that the parameter `raw` stands for."""
        return raw

    def raw(self, real: Tensor, layer: LayerConfig) -> Tensor:
        """The parameter that stands for a real number, or for the nearest that can learn: the inverse of `real`."""
        return real

    def quantized(self, value: Tensor, unit: Tensor, grid: Grid) -> Tensor:
        """The integer nearest to the real number `value`; of a leak, the fraction."""
        return grid.signed(value, unit)

    def code(self, quantized: Tensor, leak_bits: int) -> Tensor:
        """The number in the model file."""
        return quantized


# Logit and logarithm keep a leak inside (0, 1) and a threshold positive whatever the optimizer does.


class Leak(Quantity):
    """A fraction kept per step."""

    __slots__ = ()
    suffix = "_logit"
    state = False

    def real(self, raw: Tensor, layer: LayerConfig) -> Tensor:
        return raw.sigmoid()

    def raw(self, real: Tensor, layer: LayerConfig) -> Tensor:
        return real.logit(eps=_NEAREST)

    def quantized(self, value: Tensor, unit: Tensor, grid: Grid) -> Tensor:
        return grid.leak(value)

    def code(self, quantized: Tensor, leak_bits: int) -> Tensor:
        return quantized * 2**leak_bits


@dataclass(frozen=True, slots=True)
class Magnitude(Quantity):
    """A positive number in the units of the states, in integers at least `least`."""

    least: int = 0
    suffix = "_log"

    def real(self, raw: Tensor, layer: LayerConfig) -> Tensor:
        return raw.exp()

    def raw(self, real: Tensor, layer: LayerConfig) -> Tensor:
        return real.clamp(min=_NEAREST).log()

    def quantized(self, value: Tensor, unit: Tensor, grid: Grid) -> Tensor:
        return grid.magnitude(value, unit, self.least)


class Steps(Quantity):
    """A whole number of time steps, up to the layer's largest."""

    __slots__ = ()
    suffix = "_logit"
    state = False

    def real(self, raw: Tensor, layer: LayerConfig) -> Tensor:
        return round_ste(raw.sigmoid() * layer.delay)

    def raw(self, real: Tensor, layer: LayerConfig) -> Tensor:
        return (real / layer.delay).logit(eps=_END)

    def quantized(self, value: Tensor, unit: Tensor, grid: Grid) -> Tensor:
        return value


class Fixed(Quantity):
    """A whole number of time steps that stays what the configuration says."""

    __slots__ = ()
    state = learns = False

    def quantized(self, value: Tensor, unit: Tensor, grid: Grid) -> Tensor:
        return value


LEAK, THRESHOLD = Leak("leak"), Magnitude("threshold", least=1)


def logit(fraction: float) -> float:
    """The parameter of a leak."""
    return math.log(fraction / (1 - fraction))
