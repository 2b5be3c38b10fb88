"""What a learning rule is: all share the forward walk to the bit, and each has its own way from it to a gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import torch
from torch import Tensor
from torch.autograd import Function

from quant.errors import ConfigError
from trainer.neurons import RESETS, Fire, Population, States, walk
from trainer.readouts import READOUTS

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
        hidden: whether the network has layers behind this one.
    """

    sources: Tensor | None
    currents: Tensor
    ends: Tensor
    population: Population
    states: States
    hidden: bool = False


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
            Such a rule has a method `hear(layer, weight, error)`: for hidden layer `layer` (1-based), the gradient of
            its outputs, `(T, batch, neurons)`, given that of the last layer's input currents, `(T, batch, classes)`,
            and the weights between the two, `(classes, neurons)`, 0 where there are none; both in real units.
    """

    broadcast: ClassVar[bool] = False

    @property
    def online(self) -> bool:
        """Whether batches are learned step by step (trainer/online.py), not by `backward`."""
        return False

    def check(self, config: Config) -> None:
        """Refuse by name what the rule cannot train.

        Raises:
            ConfigError: naming the key path.
        """

    def backward(self, did: Did, gradient: Tensor) -> Gradients:
        """The gradients of the layer, given that of its outputs, `(T, batch, N)`."""


def check_features(config: Config, rule: str, trains: frozenset[str]) -> None:
    """Refuse layers with a reset or a feature that `rule` does not train.

    Raises:
        ConfigError: naming layer, what it has, and what would do.
    """
    for index, layer in enumerate(config.network.layers, start=1):
        if config.graph.spikes(index) and layer.reset not in trains:
            allowed = " or ".join(f'"{reset}"' for reset in RESETS if reset in trains)
            raise ConfigError(f'network.layers[{index}].reset is "{layer.reset}"; train.rule {rule} needs {allowed}')
        optional = (name for name in ("dense_recurrent", "sparse_recurrent", "normalize") if getattr(layer, name))
        for name in (*(part.key for part in layer.parts), *optional):
            if name not in trains:
                raise ConfigError(
                    f"network.layers[{index}] has {name}, which train.rule {rule} does not train: leave it out, or "
                    "take the rule surrogate"
                )


def check_counts(config: Config, rule: str) -> None:
    """Refuse what no rule of spike counts trains: read-outs without spikes, and leaks that learn.

    Raises:
        ConfigError: naming the key path.
    """
    if not READOUTS[config.network.readout].spiking:
        raise ConfigError(
            f"train.rule {rule} is one of spikes; network.readout {config.network.readout} has none: take spike_count"
        )
    if config.train.surrogate.learned:
        raise ConfigError(f"train.surrogate.learned: train.rule {rule} has no surrogate; leave it out")
    if config.plasticity.leak:
        raise ConfigError(f"train.rule {rule} has no gradient for leaks: set plasticity.leak = false")


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
    """The input currents of the last layer, unchanged; their gradient goes to every hidden layer as the rule says.

    `unit` is what 1 of a current stands for, and `weights` are the real ones from each of the hidden layers.
    """

    @staticmethod
    def forward(
        ctx: Any, rule: Any, unit: Tensor, weights: Sequence[Tensor], currents: Tensor, *hidden: Tensor
    ) -> Tensor:
        ctx.rule, ctx.unit, ctx.weights = rule, unit, weights
        return currents.view_as(currents)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        error = gradients[0] / ctx.unit
        heard = (ctx.rule.hear(layer, weight, error) for layer, weight in enumerate(ctx.weights, start=1))
        return None, None, None, gradients[0], *heard
