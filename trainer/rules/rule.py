"""What a learning rule is: all share the forward walk to the bit, and each has its own way from it to a gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import torch
from torch import Tensor
from torch.autograd import Function

from trainer.neurons import Fire, Population, States, walk

if TYPE_CHECKING:
    from trainer.config import Config


@dataclass(frozen=True, slots=True, eq=False)
class Did:
    """What a layer did on a batch: all that a rule sees.

    Attributes:
        sources: `(T, batch, inputs)`, what reached the layer from its sources, or None where nobody knows.
        currents: `(T, batch, N)`, the input currents that this made.
        ends: int64 `(batch,)`, steps of each sample.
        population, states: see there.
    """

    sources: Tensor | None
    currents: Tensor
    ends: Tensor
    population: Population
    states: States


@dataclass(frozen=True, slots=True, eq=False)
class Gradients:
    """The gradient of the loss for everything that a layer computes with; what is left out has none.

    Attributes:
        currents: `(T, batch, N)`; reaches the weights and the sources through their product.
        sources: `(T, batch, inputs)`, past that product.
        numbers: by the names of `Numbers.learned`; "weight" has the columns of the sources too.
    """

    currents: Tensor | None = None
    sources: Tensor | None = None
    numbers: Mapping[str, Tensor | None] = field(default_factory=dict)


class Rule(Protocol):
    """A rule with its options filled in: a frozen dataclass.

    Attributes:
        broadcast: hidden layers hear the error of the last layer instead of what comes back from those they feed.
            Such a rule has a method `feedback(layer, neurons, gradient)`: for hidden layer `layer` (1-based), the
            gradient of its outputs, `(T, batch, neurons)`, given that of the last layer's.
    """

    broadcast: ClassVar[bool]

    def check(self, config: Config) -> None:
        """Refuse by name what the rule cannot train.

        Raises:
            ConfigError: naming the key path.
        """

    def backward(self, did: Did, gradient: Tensor) -> Gradients:
        """The gradients of the layer, given that of its outputs, `(T, batch, N)`."""


def replay(did: Did, gradient: Tensor, make_fire: Callable[[Population], Fire]) -> Gradients:
    """Backpropagation through time: the walk once more, with spikes that pass a gradient, then back through it."""
    currents = did.currents.detach().requires_grad_()
    learned = {name: value.detach().requires_grad_() for name, value in did.population.numbers.learned.items()}
    population = did.population.holding(learned.values())
    with torch.enable_grad():
        outputs = walk(currents, did.ends, population, make_fire(population)).outputs
        found = torch.autograd.grad(outputs, (currents, *learned.values()), gradient, allow_unused=True)
    return Gradients(currents=found[0], numbers=dict(zip(learned, found[1:], strict=True)))


class Broadcast(Function):
    """The last layer's outputs, unchanged; their gradient goes to all hidden layers too, by the rule's feedback."""

    @staticmethod
    def forward(ctx: Any, rule: Any, outputs: Tensor, *hidden: Tensor) -> Tensor:
        ctx.rule, ctx.neurons = rule, [one.shape[2] for one in hidden]
        return outputs.view_as(outputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        heard = (ctx.rule.feedback(layer, n, gradients[0]) for layer, n in enumerate(ctx.neurons, start=1))
        return None, gradients[0], *heard
