"""What a part of a neuron is: optional arithmetic at fixed places of a step, with tensors and states of its own.

A part overrides the hooks it needs, twice: vectorized for the golden model, and for one neuron in plain Python
numbers for the naive model that judges it. `was` holds the states after the step before, `now` takes those of this
step; `past` in both are the last spikes, the latest first, and `others`, for a lateral part, is how many other neurons
of the layer put out a spike in the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, ClassVar, NamedTuple, Self

from quant.arithmetic import Arithmetic, Array, Widths
from quant.formats import signed_bits, unsigned_bits

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a parameter's numbers are.

    Attributes:
        range: smallest and largest in the model file.
        code: of a leak, whose width in hardware is that of all leaks; others are as wide as their numbers need.
        steps: of time, which have no scale.
    """

    range: Callable[[Widths], tuple[int, int]]
    code: bool = False
    steps: bool = False

    def bits(self, values: Array, widths: Widths) -> int:
        """Width in bits of the parameter in hardware."""
        low, high = self.range(widths)
        if self.code:
            return unsigned_bits(high)
        least, most = int(values.min()), int(values.max())
        return max(2, signed_bits(least, most)) if low < 0 else unsigned_bits(most)


MAX_DELAY = 63  # time steps
MAX_REFRACTORY = 15

LEAK = Quantity(lambda widths: widths.leak, code=True)
THRESHOLD = Quantity(lambda widths: (1, widths.state[1]))
STEP = Quantity(lambda widths: (0, widths.state[1]))
STEPS = Quantity(lambda widths: (0, MAX_DELAY), steps=True)
REFRACTORY = Quantity(lambda widths: (0, MAX_REFRACTORY), steps=True)
SIGNED = Quantity(lambda widths: widths.state)


class Tensor(NamedTuple):
    """One of a neuron's tensors: its name in the model file, its numbers `(P,)`, and what they are."""

    name: str
    values: Array
    quantity: Quantity


def tensor(name: str, quantity: Quantity) -> Any:
    """A dataclass field that holds a tensor `(P,)` of that name in the model file."""
    return field(metadata={"name": name, "quantity": quantity})


class Tensors:
    """A frozen dataclass whose fields made by `tensor` hold numbers, one per neuron or channel."""

    __slots__ = ()

    def own_tensors(self) -> Iterator[Tensor]:
        """The tensors, in the order in which hardware stores them."""
        for one in _tensor_fields(self):
            yield Tensor(one.metadata["name"], getattr(self, one.name), one.metadata["quantity"])

    def mapped(self, change: Callable[[Array], Array], *, only_codes: bool = False) -> Self:
        """The same with every tensor changed, or every leak code."""
        chosen = [one for one in _tensor_fields(self) if one.metadata["quantity"].code or not only_codes]
        changed: Self = replace(self, **{one.name: change(getattr(self, one.name)) for one in chosen})  # type: ignore[type-var]
        return changed


def _tensor_fields(holder: Tensors) -> list[Field[Any]]:
    return [one for one in fields(holder) if one.metadata]  # type: ignore[arg-type]


class Part(Tensors):
    """An optional part of a neuron; each kind is a frozen dataclass in a file of its own.

    Attributes:
        key: its name in the model file.
        label: its name for people.
        states: names of its states, `state_bits` wide each.
        needs_spikes: whether it does nothing where the neuron never spikes.
        lateral: whether it reads what the layer's other neurons put out.
    """

    __slots__ = ()

    key: ClassVar[str]
    label: ClassVar[str]
    states: ClassVar[tuple[str, ...]] = ()
    needs_spikes: ClassVar[bool] = False
    lateral: ClassVar[bool] = False

    @property
    def history(self) -> int:
        """How many of the neuron's past spikes it reads."""
        return 0

    def current(self, x: Array, was: State, now: State, arithmetic: Arithmetic) -> Array:
        """The input current behind this part."""
        return x

    def naive_current(self, i: int, x: int, was: State, now: State, widths: Widths) -> int:
        """The same for neuron `i`."""
        return x

    def potential(self, u: Array, was: State) -> Array:
        """The potential behind this part."""
        return u

    def naive_potential(self, i: int, u: int, was: State) -> int:
        """The same for neuron `i`."""
        return u

    def threshold(self, theta: Array, was: State, now: State, arithmetic: Arithmetic) -> Array:
        """The threshold behind this part."""
        return theta

    def naive_threshold(self, i: int, theta: int, was: State, now: State, widths: Widths) -> int:
        """The same for neuron `i`."""
        return theta

    def output(self, s: Array, was: State) -> Array:
        """What the spikes `s` let out in this step."""
        return s

    def naive_output(self, i: int, s: int, was: State) -> int:
        """The same for neuron `i`."""
        return s

    def current_range(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Smallest and largest exact sum `x` behind this part, of each neuron, given those in front."""
        return low, high
