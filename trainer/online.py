"""E-prop step by step: states and eligibility traces go along with the samples, and no step is remembered.

The gradient is that of `trainer/rules/eprop.py` (Bellec et al. 2020), in memory that beyond inputs and targets does
not depend on the number of steps, at the price of traces per sample and synapse. Potentials of the last layer are
taken not to reach their bounds.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from quant.formats import signed_range
from trainer.arithmetic import Integer
from trainer.data.batches import Batch
from trainer.data.source import Traced
from trainer.distributed import processes
from trainer.losses import Answer, StepLoss, inactivity, price_of_growth
from trainer.network import Network, Trace
from trainer.neurons import Numbers, Population, States
from trainer.neurons.lif import Walking
from trainer.rules import Eprop
from trainer.surrogates import SLOPES

Pair = tuple[Tensor, Tensor]  # a number that training computes with, and its gradient

_OF_NEURON = ("threshold", "bias", "adaptation_step")


def learn(network: Network, batch: Batch, *, quantized: bool) -> tuple[Trace, Tensor]:
    """Add the gradients of a batch's loss, and of the prices of activity and large weights, to the parameters.

    Returns:
        What the network did, of its outputs and states the last step alone, or the first that is not finite, and this
        process's part of the mean loss.
    """
    settings, rule = network.config.train, network.config.train.rule
    assert isinstance(rule, Eprop)
    numbers = [layer.numbers(quantized=quantized) for layer in network.layers]
    judge = _Judge(network, batch, numbers[-1].unit)
    with torch.no_grad():
        kappa = numbers[-1].leak[0]
        walkers = []
        for layer, one in zip(network.layers, numbers, strict=True):
            alone = Population(one, layer.arithmetic(quantized=quantized), layer.dynamics)
            filtered = torch.zeros_like(kappa) if layer is network.layers[-1] else kappa
            walkers.append(_Walker(alone, len(batch.steps), rule.dampening, filtered))
        *hidden, last = walkers
        sizes = [batch.inputs.shape[2], *(one.outputs.shape[1] for one in hidden)]
        known = network.layers[-1].from_hidden(numbers[-1], sizes)
        straight = torch.eye(last.outputs.shape[1]).to(last.outputs)
        feedback = [rule.hear(index, one, straight) for index, one in enumerate(known, start=1)]
        scores = torch.zeros_like(last.outputs)
        for t, inputs in enumerate(batch.inputs.unbind(0)):
            within = (t < batch.steps)[:, None].to(inputs.dtype)
            outputs = [inputs * within]
            for layer, walker in zip(network.layers, walkers, strict=True):
                sources = torch.cat([outputs[source] for source in layer.layer.sources], dim=1)
                outputs.append(walker.step(sources, within))
            scores = torch.where((batch.steps == t + 1)[:, None], last.outputs, scores)
            error = judge(t, last.outputs)
            last.hear(error)
            for walker, weights in zip(hidden, feedback, strict=True):
                walker.hear((error / numbers[-1].unit) @ weights)
            if not all(walker.potential.isfinite().all() for walker in walkers):
                judge.loss *= torch.nan  # training ends, with this step in the trace
                break
    if settings.activity.strength:  # every process knows the whole price
        for walker in hidden:
            rates = walker.spikes.requires_grad_()
            price = inactivity(rates[None, None], batch.steps, settings.activity.low, settings.activity.high)
            walker.price(settings.activity.strength * torch.autograd.grad(price, rates)[0] / processes())
    pairs = list(judge.pairs())
    for walker, one in zip(walkers, numbers, strict=True):
        pairs += walker.pairs(one)
    price = price_of_growth(network)
    pairs.append((price, torch.ones_like(price) / processes()))
    pairs = [(number, gradient) for number, gradient in pairs if number.requires_grad]
    torch.autograd.backward([number for number, _ in pairs], [gradient for _, gradient in pairs])
    states = tuple(States(walker.outputs[None], walker.potential[None], {}) for walker in walkers)
    unit = numbers[-1].unit.detach()
    return Trace(batch.inputs[t : t + 1], states, scores.double(), scores * unit, unit, first=t), judge.loss


class _Judge:
    """The loss of every step by itself, its gradient at the potentials, and those of unit and gain, added up."""

    def __init__(self, network: Network, batch: Batch, unit: Tensor) -> None:
        loss, data = network.config.train.loss, network.config.data
        assert isinstance(loss, StepLoss), "refused by the rule"
        self._of_steps, self._labels = loss.of_steps, batch.labels
        self._shares = loss.shares(batch.steps.clamp(min=1), len(batch.inputs)) * batch.weights
        self._traces = torch.from_numpy(data.traces()[batch.labels.cpu().numpy()]) if isinstance(data, Traced) else None
        self._numbers = unit, network.logit_gain_log.exp()
        self._leaves = tuple(one.detach().requires_grad_() for one in self._numbers)
        self._sums = tuple(torch.zeros_like(one) for one in self._leaves)
        self.loss = torch.zeros((), device=unit.device)

    @torch.enable_grad()
    def __call__(self, t: int, potentials: Tensor) -> Tensor:
        """The gradient of the batch's loss for the potentials `(batch, outputs)` of step `t`."""
        given, (unit, gain) = potentials.requires_grad_(), self._leaves
        traces = None if self._traces is None else self._traces[None, :, t].to(given)
        real = (given * unit)[None]
        answer = Answer(real[0], real, torch.ones_like(self._labels), self._labels, traces=traces, gain=gain)
        loss = (self._of_steps(answer)[0] * self._shares[t]).sum()
        of_potentials, *rest = torch.autograd.grad(loss, (given, unit, gain), allow_unused=True)
        self.loss = self.loss + loss.detach()
        for total, part in zip(self._sums, rest, strict=True):
            total += 0 if part is None else part
        return of_potentials

    def pairs(self) -> Iterator[Pair]:
        return zip(self._numbers, self._sums, strict=True)


class _Walker:
    """A layer on its way through time, with a trace of everything that it learns, per sample and neuron.

    The traces' columns are the weights of a neuron, those of recurrence included, then its own numbers.

    Args:
        kappa: the leak by which eligibility is filtered, the last layer's.
    """

    def __init__(self, population: Population, batch: int, dampening: float, kappa: Tensor) -> None:
        numbers, self._dynamics = population.numbers, population.dynamics
        self._neurons = population.holding(one.detach() for one in numbers.learned.values())
        self._numbers, self._dampening, self._kappa = self._neurons.numbers, dampening, kappa
        self.outputs = self.potential = self._before = rest = numbers.leak.new_zeros(batch, len(numbers.leak))
        self._walking, self.spikes = Walking(self._neurons, rest), rest[0]
        spiking = self._dynamics.spiking
        self._own = [one for one in _OF_NEURON if one in numbers.neuron and (spiking or one == "bias")]
        self._columns = numbers.weight.shape[1] if spiking else numbers.inputs
        traces = rest.new_zeros(*rest.shape, self._columns + len(self._own))
        self._moved = self._raised = self._eligible = self._filtered = traces  # of potential, adaptation, spikes
        self._learned = self._all = traces[0]

    def step(self, sources: Tensor, within: Tensor) -> Tensor:
        """The outputs of a step, `(batch, N)`, given those of the sources; the traces follow."""
        numbers, before = self._numbers, self._before
        current = sources @ numbers.feed_forward.T
        self._before, self.potential = self._walking.step(current)
        kept = {part.key: part.trail.pop() for part in self._walking.parts if part.keeps}
        heard = torch.cat([sources, before], dim=1)[:, None, : self._columns].expand(-1, len(numbers.leak), -1)
        taken = before if self._dynamics.reset == "late_subtract" else before * numbers.leak
        own = {"threshold": -taken, "bias": torch.ones_like(before)}
        inputs = torch.cat([heard, *(own.get(one, torch.zeros_like(before))[:, :, None] for one in self._own)], dim=2)
        reached = self._inside(self.potential)
        if "refractory" in kept:
            reached = reached * (1 - kept["refractory"])[:, :, None]  # nothing moves a membrane that is held
        self._moved = reached * (numbers.leak[:, None] * self._moved + inputs)
        if not self._dynamics.spiking:
            self._eligible = self._moved
        else:
            adapts = "adaptation" in kept
            excess = self.potential - self._adapt(kept["adaptation"], before) if adapts else self.potential
            ratio = excess / numbers.threshold
            slope = SLOPES[self._dynamics.surrogate]((ratio - 1).abs() / numbers.width)
            moved = self._moved - self._raised
            moved[:, :, self._columns] -= ratio  # the threshold comes first
            self._eligible = (self._dampening * slope / numbers.threshold)[:, :, None] * moved
        self._filtered = self._kappa * self._filtered + self._eligible
        self._all = self._all + (self._eligible * within[:, :, None]).sum(dim=0)
        self.outputs = (self._before if self._dynamics.spiking else self.potential) * within
        self.spikes = self.spikes + self.outputs.sum(dim=0)
        return self.outputs

    def _adapt(self, adaptation: Tensor, before: Tensor) -> Tensor:
        """The adaptation, when its traces have followed."""
        neuron = self._numbers.neuron
        step = neuron["adaptation_step"].clamp(max=self._numbers.threshold)[:, None]
        raised = neuron["adaptation_leak"][:, None] * self._raised + step * self._eligible
        raised[:, :, self._columns + self._own.index("adaptation_step")] += before
        self._raised = self._inside(adaptation) * raised
        return adaptation

    def hear(self, signal: Tensor) -> None:
        """Learn from the signal `(batch, N)` of this step."""
        self._learned = self._learned + torch.einsum("bn,bnp->np", signal, self._filtered)

    def price(self, signal: Tensor) -> None:
        """Learn from a signal `(N,)` that is the same in every step, and is not filtered."""
        self._learned = self._learned + signal[:, None] * self._all

    def pairs(self, numbers: Numbers) -> Iterator[Pair]:
        """`numbers` with their gradients."""
        of_weight = self._learned[:, : self._columns]
        yield numbers.weight, torch.nn.functional.pad(of_weight, (0, numbers.weight.shape[1] - self._columns))
        for index, name in enumerate(self._own, start=self._columns):
            yield numbers.neuron[name], self._learned[:, index]

    def _inside(self, state: Tensor) -> Tensor | float:
        """1 where a state is not at a bound of its range, `(batch, N, 1)`."""
        if not isinstance(self._neurons.arithmetic, Integer):
            return 1.0
        low, high = signed_range(self._neurons.arithmetic.state_bits)
        return ((state > low) & (state < high)).to(state.dtype)[:, :, None]
