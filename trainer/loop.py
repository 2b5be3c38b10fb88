"""The training loop: first real numbers, then, from the best network of that phase, the integers of the hardware.

Everything random in an epoch is drawn from (seed, phase, epoch) alone, but for the noise of synapses, whose generator
is part of their state; learning rate and surrogate width are functions of the epoch. So progress that is restored after
an epoch continues bit for bit as if nothing had happened.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, cast, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from quant.errors import DivergenceError
from quant.spikes import SpikeSet, Split
from trainer import kernels, online
from trainer.checkpoint import State
from trainer.config import Config, TrainConfig
from trainer.data.batches import Batch, shuffled
from trainer.distributed import add_gradients, of_first, processes, share, total
from trainer.evaluation import Quality, answer_of, evaluate, quality
from trainer.losses import inactivity, price_of_growth
from trainer.network import Network, Trace
from trainer.neurons import LEAK, THRESHOLD
from trainer.synapses import Store
from trainer.teachers import Judge

Phase = Literal["float", "quantized"]
PHASES: tuple[Phase, ...] = get_args(Phase)

_OPTIMIZERS: Mapping[str, type[torch.optim.AdamW | torch.optim.SGD]] = {
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
}


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of the history. Losses are means per sample, accuracies fractions of 1; a regression has none.

    With several tasks, `accuracy_tasks` is that on the validation part of each.
    """

    phase: Phase
    epoch: int
    loss_train: float
    loss_validation: float
    accuracy_train: float | None
    accuracy_validation: float | None
    seconds: float
    accuracy_tasks: tuple[float, ...] = ()

    @property
    def train(self) -> Quality:
        return quality(self.loss_train, self.accuracy_train)

    @property
    def validation(self) -> Quality:
        return quality(self.loss_validation, self.accuracy_validation)


@dataclass(slots=True)
class Progress:
    """The state of a training run, which `last.pt` stores.

    Attributes:
        network: as it is after the last epoch in the history.
        average: the running average of the network in this phase, where one is asked for.
        optimizer: of the phase under way.
        store: the synapses of the network in this phase.
        best: for each phase that has begun, the state of the network after its best epoch.
        history: all epochs so far.
        begun: the leaks and thresholds before the first, by their names in the network's state.
    """

    network: Network
    optimizer: torch.optim.Optimizer
    store: Store
    average: AveragedModel | None = None
    best: dict[Phase, State] = field(default_factory=dict)
    history: list[Epoch] = field(default_factory=list)
    begun: State = field(default_factory=dict)

    @property
    def candidate(self) -> Network:
        """What is validated, and kept if it is the best."""
        return self.network if self.average is None else cast(Network, self.average.module)

    def best_state(self, phase: Phase) -> State:
        """The state after the best epoch of `phase`; of the other one where this has had none."""
        return self.best[phase] if phase in self.best else next(iter(self.best.values()))

    @property
    def phases(self) -> list[Phase]:
        """Those that have begun."""
        return [phase for phase in PHASES if self.of_phase(phase)]

    def of_phase(self, phase: Phase) -> list[Epoch]:
        """The part of the history that belongs to `phase`."""
        return [epoch for epoch in self.history if epoch.phase == phase]

    def best_epoch(self, phase: Phase) -> Epoch:
        """The epoch of `phase` that is best on validation; among equals, the one with the lowest loss."""
        return max(self.of_phase(phase), key=lambda epoch: (epoch.validation.merit, -epoch.loss_validation))

    def is_over(self, phase: Phase) -> bool:
        """Whether `phase` has had all its epochs, or so many without a better one that it ends early."""
        settings, done = self.network.config.train, len(self.of_phase(phase))
        if done == (settings.epochs_float if phase == "float" else settings.epochs_quantized):
            return True
        return bool(settings.patience and done) and done - self.best_epoch(phase).epoch >= settings.patience

    def to_state(self) -> State:
        """Plain data and tensors."""
        return {
            "network": self.network.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "synapses": self.store.state(),
            "best": self.best,
            "history": [asdict(epoch) for epoch in self.history],
            "begun": self.begun,
        }

    @classmethod
    def from_state(cls, config: Config, state: State, device: torch.device) -> Progress:
        """The inverse of `to_state`."""
        history = [Epoch(**epoch) for epoch in state["history"]]
        progress = start(config, history[-1].phase, device)
        progress.network.load_state_dict(state["network"])
        if progress.average is not None:
            progress.average.load_state_dict(state["average"])
        progress.optimizer.load_state_dict(state["optimizer"])
        progress.store.restore(state.get("synapses", {}))
        for phase in {epoch.phase for epoch in history}:
            Network(config).load_state_dict(state["best"][phase])
        progress.best, progress.history = state["best"], history
        progress.begun = state.get("begun", progress.begun)
        Network(config).load_state_dict(progress.begun, strict=False)
        return progress


def start(
    config: Config, phase: Phase = "float", device: torch.device | None = None, first: State | None = None
) -> Progress:
    """Progress before the first epoch, from the state `first` or a fresh network."""
    network = Network(config).to(device)
    if first is None:
        network.fit_scales()
    else:
        network.load_state_dict(first)
    intrinsic = (f".{LEAK.parameter}", f".{THRESHOLD.parameter}")
    begun = {name: value.clone() for name, value in network.state_dict().items() if name.endswith(intrinsic)}
    return Progress(network, *_tools(network, phase), begun=begun)


def train(
    progress: Progress,
    data: Mapping[Split, SpikeSet],
    watch: Callable[[Iterable[Batch], int], Iterable[Batch]],
    after_epoch: Callable[[Epoch], None],
    phases: Sequence[Phase] = PHASES,
    tasks: Sequence[SpikeSet] = (),
) -> None:
    """Train until `phases`, both or the first, are over.

    Args:
        progress: from `start`, or restored; updated in place.
        data: "train" and "validation" are used; the test split is not looked at.
        watch: wraps the batches of an epoch, given their number, for a progress bar.
        after_epoch: called when an epoch is complete and `progress` may be saved.
        tasks: the validation parts of all tasks, to follow what is learned and forgotten.

    Raises:
        DivergenceError: when a number is no longer finite; the progress is that after the last good update.
    """
    config = progress.network.config
    teacher = config.train.teacher
    judge = teacher.prepared(data["train"], config, progress.network.device) if teacher.sharpness else None
    for phase in phases:
        if phase == "quantized" and not progress.of_phase(phase):
            _begin_quantized(progress)
        while not progress.is_over(phase):
            epoch = _epoch(progress, data, phase, len(progress.of_phase(phase)) + 1, watch, judge)
            known = (evaluate(progress.candidate, one, quantized=phase == "quantized").quality.value for one in tasks)
            epoch = replace(epoch, accuracy_tasks=tuple(known))
            progress.history.append(epoch)
            if progress.best_epoch(phase) is epoch:
                progress.best[phase] = {name: value.clone() for name, value in progress.candidate.state_dict().items()}
            after_epoch(epoch)


def _begin_quantized(progress: Progress) -> None:
    """Quantized training starts from the best of the real-valued one, if any, with scales fitted to its weights."""
    network = progress.network
    if "float" in progress.best:
        network.load_state_dict(progress.best["float"])
        network.fit_scales()
    progress.optimizer, progress.store, progress.average = _tools(network, "quantized")


def _tools(network: Network, phase: Phase) -> tuple[torch.optim.Optimizer, Store, AveragedModel | None]:
    """Everything that a phase begins anew beside the network."""
    settings = network.config.train
    store = settings.synapse.store(list(network.weights()), settings.seed)
    return _optimizer(settings, network, phase), store, _average(network)


def _average(network: Network) -> AveragedModel | None:
    decay = network.config.train.average
    if not decay:
        return None

    def mixed(average: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
        # At first the past is short, and the start is not worth remembering.
        return average.lerp(current, 1 - min(decay, float((1 + updates) / (10 + updates))))

    return AveragedModel(network, avg_fn=mixed)


def _optimizer(settings: TrainConfig, network: Network, phase: Phase) -> torch.optim.Optimizer:
    rate = settings.rate_float if phase == "float" else settings.rate_quantized
    return _OPTIMIZERS[settings.optimizer](
        [
            {"params": list(network.weights()), "full_rate": rate, "weight_decay": settings.weight_decay},
            {"params": list(network.intrinsic()), "full_rate": rate * settings.rate_intrinsic, "weight_decay": 0.0},
        ],
        lr=rate,
    )


def _set_schedules(progress: Progress, phase: Phase, number: int) -> None:
    """Learning rate and surrogate width of epoch `number`."""
    settings = progress.network.config.train
    epochs = settings.epochs_float if phase == "float" else settings.epochs_quantized
    for group in progress.optimizer.param_groups:
        group["lr"] = group["full_rate"] * settings.schedule.fraction(number, epochs)
    surrogate = settings.surrogate
    if surrogate.width_end:
        done = (number - 1) / max(1, epochs - 1)
        width = surrogate.width * (surrogate.width_end / surrogate.width) ** done
        for layer in progress.network.layers:
            layer.width_log.data.fill_(math.log(width))


@contextmanager
def _without_subnormals() -> Iterator[None]:
    """Take numbers below 1.2e-38 as 0: gradients fade so far in some hundred steps, and processors crawl there."""
    kernels.flush_subnormals(True)
    try:
        yield
    finally:
        kernels.flush_subnormals(False)


@_without_subnormals()
def _epoch(
    progress: Progress,
    data: Mapping[Split, SpikeSet],
    phase: Phase,
    number: int,
    watch: Callable[[Iterable[Batch], int], Iterable[Batch]],
    judge: Judge | None,
) -> Epoch:
    """Train for one pass over the data, then validate."""
    began = time.perf_counter()
    network, settings, samples = progress.network, progress.network.config.train, data["train"]
    _set_schedules(progress, phase, number)
    network.train()
    draw = np.random.default_rng([settings.seed, PHASES.index(phase), number])
    batches = shuffled(samples, settings.batch, draw, settings.augment, judge)
    loss_sum, right = 0.0, 0.0
    for update, batch in enumerate(watch(batches, -(-len(samples) // settings.batch)), start=1):
        longest = len(batch.inputs)  # of all processes' shares: their synapses grow old alike
        progress.store.read(longest)
        batch = share(batch).to(network.device)
        progress.optimizer.zero_grad()
        trace, loss = learn(network, batch, phase)
        add_gradients(network)
        norm = clip_gradient(network, settings.gradient_limit)
        counts = batch.weights > 0
        hits = (trace.scores.argmax(dim=1) == batch.labels) & counts
        mine = torch.stack([loss.detach().double(), counts.sum().double(), hits.sum().double()])
        mean_loss, samples_seen, hits_seen = total(mine).tolist()
        if not math.isfinite(mean_loss) or not norm.isfinite():
            where = f"{phase} phase, epoch {number}, update {update}"
            if not price_of_growth(network).isfinite():
                remedy = f"raise train.growth.limit, or lower its beta or train.rate_{phase}"
                raise DivergenceError(f"{where}: the price of large weights is not finite; {remedy}")
            remedy = f"lower train.rate_{phase} or train.rate_intrinsic"
            raise DivergenceError(f"{where}: {_origin(network, trace)}; {remedy}")
        progress.store.write(progress.optimizer.step)
        if progress.average is not None:
            progress.average.update_parameters(network)
        loss_sum += mean_loss * samples_seen
        right += hits_seen
    progress.store.read(longest)
    validation = evaluate(progress.candidate, data["validation"], quantized=phase == "quantized")
    seen = torch.tensor([validation.loss, validation.accuracy or 0.0], dtype=torch.float64, device=network.device)
    loss_validation, accuracy_validation = of_first(seen).tolist()
    regression = validation.accuracy is None
    return Epoch(
        phase=phase,
        epoch=number,
        loss_train=loss_sum / len(samples),
        loss_validation=loss_validation,
        accuracy_train=None if regression else right / len(samples),
        accuracy_validation=None if regression else accuracy_validation,
        seconds=time.perf_counter() - began,
    )


def clip_gradient(network: Network, limit: float) -> Tensor:
    """Clip the gradient to a norm of `limit`; returns the norm before, in float64 where float32 overflows."""
    gradients = [one.grad for one in network.parameters() if one.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if not norm.isfinite():
        norm = nn.utils.get_total_norm([one.double() for one in gradients])
    nn.utils.clip_grads_with_norm_(network.parameters(), limit, norm)
    return norm


def learn(network: Network, batch: Batch, phase: Phase) -> tuple[Trace, Tensor]:
    """Add this process's part of the gradients to the parameters; what the network did, and the loss."""
    settings, quantized = network.config.train, phase == "quantized"
    if settings.rule.online:
        return online.learn(network, batch, quantized=quantized)
    with torch.autocast(network.device.type, torch.bfloat16, enabled=settings.precision == "mixed" and not quantized):
        trace = network(batch.inputs, batch.steps, quantized=quantized)
    loss, price = batch_loss(network, trace, batch)
    (loss + price / processes()).backward()  # every process knows the whole price
    return trace, loss


def batch_loss(network: Network, trace: Trace, batch: Batch) -> tuple[Tensor, Tensor]:
    """This process's part of the batch's mean loss, and the price of the hidden layers' activity and of all weights."""
    settings = network.config.train
    loss = (settings.loss(answer_of(network, trace, batch)) * batch.weights).sum()
    activity, price = settings.activity, torch.zeros_like(loss)
    if activity.strength:
        hidden = (inactivity(states.outputs, batch.steps, activity.low, activity.high) for states in trace.states[:-1])
        price = price + activity.strength * sum(hidden, price)
    return loss, price + price_of_growth(network)


def _origin(network: Network, trace: Trace) -> str:
    """Where the first number that is not finite stands: in a state, or, going back, in a gradient."""
    for index, states in enumerate(trace.states, start=1):
        broken = ~states.potential.isfinite().flatten(1).all(dim=1)
        if broken.any():
            step = trace.first + int(broken.int().argmax())
            return f"layer {index} has a potential that is not finite from time step {step} on"
    for index in range(len(network.layers), 0, -1):
        for name, parameter in network.layers[index - 1].named_parameters():
            if parameter.grad is not None and not parameter.grad.isfinite().all():
                return f"the gradient of layer {index}'s {name} is not finite"
    return "the loss or the gradient of the logits' gain is not finite"
