"""Synapses of phase-change memory: conductances that grow by noisy pulses, drift, and are read with noise.

Device: Nandakumar et al. 2018, A phase-change memory model for neuromorphic computing, Journal of Applied Physics 124,
152135. Arrays and write schemes: Demirag, Frenkel, Payvand and Indiveri 2021, Online training of spiking recurrent
neural networks with phase-change memory synapses. A weight is the difference of two conductances, each the mean of some
devices, as a pulse can only add: a weight that is to fall raises the other side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import torch
from torch import Tensor, nn

from quant.errors import ConfigError
from trainer.schema import Range
from trainer.synapses.synapse import Store

if TYPE_CHECKING:
    from trainer.config import Config

Scheme = Literal["mixed_precision", "sign", "stochastic", "multi_memristor"]

LEAST, MOST = 0.1, 12.0  # conductances, in microsiemens
FADING = 2.6  # pulses in which the memory of the last reset fades by 1/e
GROWTH = -0.084, 0.880, 1.40  # mean of a pulse's growth: per conductance, constant, per memory of the reset
SPREAD = 0.091, 0.260, 2.15  # its standard deviation
DRIFT, DRIFT_FROM_S = -0.04, 38.6  # exponent; seconds after a pulse at which a device reads as it is
READ_NOISE = 0.03, 0.13  # standard deviation of a reading: per conductance, constant
RESET_SPREAD = 0.1  # of the conductance after a reset, relative


@dataclass(frozen=True, slots=True)
class Pcm:
    """Weights in pairs of phase-change devices.

    Attributes:
        scheme: how a wanted change becomes pulses. "mixed_precision" adds changes up in digital memory and writes what
            has reached `granularity`; "sign" gives a pulse where a change is larger than `threshold`; "stochastic"
            gives one with a probability of its size in pulses, times `chance`; "multi_memristor" gives as many whole
            pulses as it is worth, to the pairs in turn.
        pairs: of devices for a weight.
        scale: microsiemens of a weight of 1.
        pulse: microsiemens that a pulse is taken to add.
        granularity: of "mixed_precision", in units of the weight.
        threshold: of "sign", in units of the weight.
        chance: of "stochastic".
        ideal: every pulse adds just `pulse`; nothing drifts, and readings have no noise.
        refresh: reset a pair with a device above this fraction of the largest conductance, if the other one holds at
            least a pulse, and write its difference again; 0: never.
        step_s: seconds of a time step, for the drift.
    """

    scheme: Scheme = "mixed_precision"
    pairs: Annotated[int, Range(1, 16)] = 1
    scale: Annotated[float, Range(0.01, 1e4)] = 11.825
    pulse: Annotated[float, Range(0.001, 12.0)] = 0.75
    granularity: Annotated[float, Range(1e-6, 100.0)] = 0.125
    threshold: Annotated[float, Range(0.0, 100.0)] = 0.01
    chance: Annotated[float, Range(0.0, 1e6)] = 1.0
    ideal: bool = False
    refresh: Annotated[float, Range(0.0, 1.0)] = 0.8
    step_s: Annotated[float, Range(1e-9, 1e6)] = 1e-3

    @property
    def worth(self) -> float:
        """What a pulse is taken to add to a weight."""
        return self.pulse / (self.pairs * self.scale)

    def check(self, config: Config) -> None:
        if config.train.average:
            raise ConfigError("train.average: devices hold one state of the network; take 0 with the synapse pcm")
        if self.scheme == "mixed_precision" and self.granularity < self.worth:
            raise ConfigError(
                f"train.synapse.granularity is {self.granularity}; a pulse is worth {self.worth:.4g}, and what is less "
                "would never be written: take at least that, or a smaller pulse, more pairs or a larger scale"
            )

    def store(self, weights: Sequence[nn.Parameter], seed: int) -> Store:
        return _Crossbars(self, weights, seed)


@dataclass(slots=True, eq=False)
class Devices:
    """An array of devices of any shape, each in a state of its own.

    Attributes:
        conductance: in microsiemens.
        memory: of the last reset, 1 behind it, fading with every pulse.
        pulsed_s: when the last pulse or reset was.
    """

    conductance: Tensor
    memory: Tensor
    pulsed_s: Tensor

    def pulse(self, chosen: Tensor, now_s: float, how: Pcm, draw: torch.Generator) -> None:
        """Give a pulse to the `chosen` ones, a bool tensor."""
        if how.ideal:
            grown = torch.full_like(self.conductance, how.pulse)
        else:
            self.memory = torch.where(chosen, self.memory * torch.tensor(-1 / FADING).exp(), self.memory)
            mean, deviation = (a * self.conductance + b + c * self.memory for a, b, c in (GROWTH, SPREAD))
            grown = mean + deviation * _normal(mean, draw)
        after = (self.conductance + grown).clamp(LEAST, MOST)
        self.conductance = torch.where(chosen, after, self.conductance)
        self.pulsed_s = torch.where(chosen, now_s, self.pulsed_s)

    def reset(self, chosen: Tensor, now_s: float, how: Pcm, draw: torch.Generator) -> None:
        """Reset the `chosen` ones."""
        noise = 0.0 if how.ideal else RESET_SPREAD * _normal(self.conductance, draw)
        low = torch.full_like(self.conductance, LEAST) * (1 + noise)
        self.conductance = torch.where(chosen, low.clamp(min=0), self.conductance)
        self.memory = torch.where(chosen, 1.0, self.memory)
        self.pulsed_s = torch.where(chosen, now_s, self.pulsed_s)

    def read(self, now_s: float, how: Pcm, draw: torch.Generator) -> Tensor:
        """The conductances that a reading finds, at least a time step after the last pulse."""
        if how.ideal:
            return self.conductance
        age_s = (now_s - self.pulsed_s).clamp(min=how.step_s)
        drifted = self.conductance * (age_s / DRIFT_FROM_S) ** DRIFT
        noise = (READ_NOISE[0] * drifted + READ_NOISE[1]) * _normal(drifted, draw)
        return (drifted + noise).clamp(LEAST, MOST)


class _Crossbars(Store):
    """For every parameter an array of devices `(2, pairs, *shape)`: those that add, and those that subtract."""

    def __init__(self, how: Pcm, weights: Sequence[nn.Parameter], seed: int) -> None:
        super().__init__(weights)
        self._how, self._draw = how, torch.Generator().manual_seed(seed)
        self._now_s, self._turn = DRIFT_FROM_S, 0
        self._devices = [self._written(weight.detach()) for weight in weights]
        self._waiting = [torch.zeros_like(weight) for weight in weights]

    def _written(self, weight: Tensor) -> Devices:
        """Devices that hold `weight`, as good as their range allows, since long ago."""
        target = torch.stack([weight, -weight]).clamp(min=0) * self._how.scale
        conductance = (LEAST + target).clamp(max=MOST)[:, None].repeat(1, self._how.pairs, *(1 for _ in weight.shape))
        memory = torch.exp(-conductance / self._how.pulse / FADING)
        return Devices(conductance, memory, torch.zeros_like(conductance))

    @torch.no_grad()
    def read(self, steps: int) -> None:
        self._now_s += steps * self._how.step_s
        for weight, devices in zip(self.weights, self._devices, strict=True):
            sides = devices.read(self._now_s, self._how, self._draw).mean(dim=1)
            weight.copy_((sides[0] - sides[1]) / self._how.scale)

    @torch.no_grad()
    def write(self, step: Callable[[], object]) -> None:
        before = [weight.clone() for weight in self.weights]
        step()
        for index, (weight, old) in enumerate(zip(self.weights, before, strict=True)):
            pulses = _SCHEMES[self._how.scheme](self, index, weight - old)
            weight.copy_(old)
            self._give(self._devices[index], pulses)
            if self._how.refresh:
                self._refresh(self._devices[index])
        self._turn += 1

    def _give(self, devices: Devices, pulses: Tensor) -> None:
        """Whole numbers of pulses `(*shape)`, positive ones for the side that adds; the pairs take turns."""
        fill = self._how.pairs * math.ceil(2 * MOST / self._how.pulse)  # more than the devices can take
        for number in range(min(int(pulses.abs().max()), fill)):
            chosen = torch.zeros_like(devices.conductance, dtype=torch.bool)
            pair = (self._turn + number) % self._how.pairs
            chosen[0, pair], chosen[1, pair] = pulses > number, pulses < -number
            devices.pulse(chosen, self._now_s, self._how, self._draw)

    def _refresh(self, devices: Devices) -> None:
        """A reset device grows more by a pulse than others do, so what is written is looked at after each."""
        pulse, room = self._how.pulse, devices.conductance.amin(dim=0) >= LEAST + self._how.pulse
        full = room & (devices.conductance.amax(dim=0) > self._how.refresh * MOST)
        if full.any():
            difference = devices.conductance[0] - devices.conductance[1]
            devices.reset(full.expand_as(devices.conductance), self._now_s, self._how, self._draw)
            for _ in range(round(2 * MOST / pulse)):
                missing = difference - (devices.conductance[0] - devices.conductance[1])
                chosen = torch.stack([missing > pulse / 2, missing < -pulse / 2]) & full
                devices.pulse(chosen, self._now_s, self._how, self._draw)

    def mixed_precision(self, index: int, change: Tensor) -> Tensor:
        waiting = self._waiting[index] + change
        # Truncated: rounding down would write a step for every small negative change.
        due = (waiting / self._how.granularity).trunc() * self._how.granularity
        self._waiting[index] = waiting - due
        return _whole(due / self._how.worth)

    def sign(self, index: int, change: Tensor) -> Tensor:
        return change.sign() * (change.abs() > self._how.threshold)

    def stochastic(self, index: int, change: Tensor) -> Tensor:
        chance = self._how.chance * change.abs() / self._how.worth
        return change.sign() * (torch.rand(change.shape, generator=self._draw).to(change) < chance)

    def multi_memristor(self, index: int, change: Tensor) -> Tensor:
        return _whole(change / self._how.worth)

    def state(self) -> dict[str, Any]:
        held = [{name: getattr(one, name) for name in Devices.__slots__} for one in self._devices]
        return {
            "devices": held,
            "waiting": self._waiting,
            "draw": self._draw.get_state(),
            "now_s": self._now_s,
            "turn": self._turn,
        }

    def restore(self, state: dict[str, Any]) -> None:
        kept = zip(self.weights, state["devices"], state["waiting"], strict=True)
        self._devices, self._waiting = [], []
        for weight, devices, waiting in kept:
            self._devices.append(Devices(**{name: value.to(weight.device) for name, value in devices.items()}))
            self._waiting.append(waiting.to(weight.device))
        self._now_s, self._turn = state["now_s"], state["turn"]
        self._draw.set_state(state["draw"])


_SCHEMES: Mapping[str, Callable[[_Crossbars, int, Tensor], Tensor]] = {
    name: getattr(_Crossbars, name) for name in get_args(Scheme)
}


def _whole(pulses: Tensor) -> Tensor:
    """Truncated, but for what rounding took from a whole number."""
    return (pulses * (1 + 1e-6)).trunc()


def _normal(like: Tensor, draw: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=draw).to(like)
