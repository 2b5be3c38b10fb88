"""The training loop: real numbers first, then the hardware's integers from the best of the first.

Everything random in an epoch is drawn from (seed, phase, epoch) alone, and the learning rate is a function of the
epoch: progress that is restored after an epoch therefore continues bit for bit as if nothing had happened.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

import numpy as np
import torch
from torch import nn

from quant.errors import ConfigError
from quant.spikes import SpikeSet
from trainer.checkpoint import State
from trainer.config import Config, TrainConfig
from trainer.data.batches import Batch, in_order, shuffled
from trainer.data.source import Split
from trainer.network import Network

Phase = Literal["float", "quantized"]
PHASES: tuple[Phase, ...] = get_args(Phase)

_EVALUATION_BATCH = 256


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of the history. Losses are means per sample in nats, accuracies fractions of 1."""

    phase: Phase
    epoch: int
    loss_train: float
    loss_validation: float
    accuracy_train: float
    accuracy_validation: float
    seconds: float


@dataclass(slots=True)
class Progress:
    """Where a training run stands; everything in it goes into `last.pt`.

    Attributes:
        network: as it is after the last epoch in the history.
        optimizer: of the phase under way.
        best: for each phase, the state of the network after its best epoch.
        history: all epochs so far.
    """

    network: Network
    optimizer: torch.optim.Optimizer
    best: dict[Phase, State] = field(default_factory=dict)
    history: list[Epoch] = field(default_factory=list)

    def of_phase(self, phase: Phase) -> list[Epoch]:
        """The part of the history that belongs to `phase`."""
        return [epoch for epoch in self.history if epoch.phase == phase]

    def best_epoch(self, phase: Phase) -> Epoch:
        """The epoch of `phase` with the highest validation accuracy; among equals, with the lowest loss."""
        return max(self.of_phase(phase), key=lambda epoch: (epoch.accuracy_validation, -epoch.loss_validation))

    def to_state(self) -> State:
        """Plain data and tensors."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "history": [asdict(epoch) for epoch in self.history],
        }

    @classmethod
    def from_state(cls, config: Config, state: State) -> Progress:
        """The inverse of `to_state`."""
        history = [Epoch(**epoch) for epoch in state["history"]]
        progress = start(config, history[-1].phase)
        progress.network.load_state_dict(state["network"])
        progress.optimizer.load_state_dict(state["optimizer"])
        progress.best, progress.history = state["best"], history
        return progress


def start(config: Config, phase: Phase = "float") -> Progress:
    """Progress before the first epoch."""
    network = Network(config)
    return Progress(network, _optimizer(config.train, network, phase))


def train(
    progress: Progress,
    data: Mapping[Split, SpikeSet],
    watch: Callable[[Iterable[Batch], int], Iterable[Batch]],
    after_epoch: Callable[[Epoch], None],
) -> None:
    """Train until every epoch of both phases is in the history.

    Args:
        progress: from `start`, or restored; updated in place.
        data: "train" and "validation" are used; the test split is not looked at.
        watch: wraps the batches of an epoch, given their number, for a progress bar.
        after_epoch: called when an epoch is complete and `progress` may be saved.

    Raises:
        ConfigError: if the loss is no longer a number.
    """
    settings = progress.network.config.train
    for phase, epochs in zip(PHASES, (settings.epochs_float, settings.epochs_quantized), strict=True):
        done = len(progress.of_phase(phase))
        if done == 0 and phase == "quantized":
            _begin_quantized(progress)
        for number in range(done + 1, epochs + 1):
            _set_rate(progress.optimizer, 0.5 * (1 + math.cos(math.pi * (number - 1) / epochs)))
            epoch = _epoch(progress, data, phase, number, watch)
            progress.history.append(epoch)
            if progress.best_epoch(phase) is epoch:
                progress.best[phase] = {name: value.clone() for name, value in progress.network.state_dict().items()}
            after_epoch(epoch)


@torch.no_grad()
def evaluate(network: Network, samples: SpikeSet, *, quantized: bool) -> tuple[float, float]:
    """Mean loss and accuracy. The class is the lowest index among the largest scores."""
    loss, right = 0.0, 0
    for batch in in_order(samples, _EVALUATION_BATCH):
        trace = network(batch.inputs, batch.steps, quantized=quantized)
        loss += nn.functional.cross_entropy(trace.logits, batch.labels, reduction="sum").item()
        right += int((trace.scores.argmax(dim=1) == batch.labels).sum())
    return loss / len(samples), right / len(samples)


def _begin_quantized(progress: Progress) -> None:
    """Quantized training starts from the best of the real-valued one, with scales fitted to its weights."""
    network = progress.network
    network.load_state_dict(progress.best["float"])
    network.fit_scales()
    progress.optimizer = _optimizer(network.config.train, network, "quantized")


def _optimizer(settings: TrainConfig, network: Network, phase: Phase) -> torch.optim.Optimizer:
    rate = settings.rate_float if phase == "float" else settings.rate_quantized
    return torch.optim.AdamW(
        [
            {"params": list(network.weights()), "full_rate": rate, "weight_decay": settings.weight_decay},
            {"params": list(network.intrinsic()), "full_rate": rate * settings.rate_intrinsic, "weight_decay": 0.0},
        ],
        lr=rate,
    )


def _set_rate(optimizer: torch.optim.Optimizer, fraction: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = group["full_rate"] * fraction


def _epoch(
    progress: Progress,
    data: Mapping[Split, SpikeSet],
    phase: Phase,
    number: int,
    watch: Callable[[Iterable[Batch], int], Iterable[Batch]],
) -> Epoch:
    """Train for one pass over the data, then validate."""
    began = time.perf_counter()
    network, settings, samples = progress.network, progress.network.config.train, data["train"]
    draw = np.random.default_rng([settings.seed, PHASES.index(phase), number])
    batches = shuffled(samples, settings.batch, draw, settings.drop_events)
    loss_sum, right = 0.0, 0
    for batch in watch(batches, -(-len(samples) // settings.batch)):
        trace = network(batch.inputs, batch.steps, quantized=phase == "quantized")
        loss = nn.functional.cross_entropy(trace.logits, batch.labels)
        if not loss.isfinite():
            raise ConfigError(
                f"the loss is {loss.item()} in epoch {number} of the {phase} phase; "
                f"lower train.rate_{phase} or train.gradient_limit"
            )
        _update(progress, loss)
        loss_sum += loss.item() * len(batch.labels)
        right += int((trace.scores.argmax(dim=1) == batch.labels).sum())
    loss_validation, accuracy_validation = evaluate(network, data["validation"], quantized=phase == "quantized")
    return Epoch(
        phase=phase,
        epoch=number,
        loss_train=loss_sum / len(samples),
        loss_validation=loss_validation,
        accuracy_train=right / len(samples),
        accuracy_validation=accuracy_validation,
        seconds=time.perf_counter() - began,
    )


def _update(progress: Progress, loss: torch.Tensor) -> None:
    progress.optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(progress.network.parameters(), progress.network.config.train.gradient_limit)
    progress.optimizer.step()
