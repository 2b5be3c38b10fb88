"""What a kind of synapse is, and the ideal one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from torch import nn

if TYPE_CHECKING:
    from trainer.config import Config


class Store:
    """The stored weights of a network: its parameters hold what the weights were last read as.

    Args:
        weights: the synaptic parameters.
    """

    def __init__(self, weights: Sequence[nn.Parameter]) -> None:
        self.weights = weights

    def read(self, steps: int) -> None:
        """Read all weights, `steps` time steps after the last reading: before every batch, and before validation."""

    def write(self, step: Callable[[], object]) -> None:
        """Take a step of the optimizer, and leave in the weights what becomes of the change that it wants."""
        step()

    def state(self) -> dict[str, Any]:
        """What there is besides the parameters: plain data and tensors."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""


class Synapse(Protocol):
    """A kind of synapse with its options filled in: a frozen dataclass."""

    def check(self, config: Config) -> None:
        """Refuse by name what cannot be trained with such synapses.

        Raises:
            ConfigError: naming the key path.
        """

    def store(self, weights: Sequence[nn.Parameter], seed: int) -> Store:
        """Synapses that begin with `weights`; what is random in them is drawn from `seed`."""


@dataclass(frozen=True, slots=True)
class Ideal:
    """A number that keeps whatever is written."""

    def check(self, config: Config) -> None:
        """It holds everything."""

    def store(self, weights: Sequence[nn.Parameter], seed: int) -> Store:
        return Store(weights)
