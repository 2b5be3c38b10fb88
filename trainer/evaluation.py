"""What a network makes of a set of samples: its answers, and what its neurons did for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from quant.formats import IntArray, signed_range
from quant.spikes import SpikeSet
from trainer.data.batches import Batch, in_order
from trainer.data.source import Traced
from trainer.losses import Answer
from trainer.network import Network, Trace
from trainer.neurons import mask

_BATCH, _CELLS = 256, 2**28  # at once, at most: samples; input channels times steps, unless training takes more


@dataclass(frozen=True, slots=True)
class Quality:
    """How good answers are: their accuracy, as a fraction of 1, or the error of a regression."""

    name: Literal["accuracy", "error"]
    value: float

    @property
    def merit(self) -> float:
        """The more, the better."""
        return self.value if self.name == "accuracy" else -self.value

    def __str__(self) -> str:
        return f"{self.value:.2%}" if self.name == "accuracy" else f"{self.value:.4g}"


def quality(loss: float, accuracy: float | None) -> Quality:
    """A regression has no accuracy; its loss is its error."""
    return Quality("error", loss) if accuracy is None else Quality("accuracy", accuracy)


@dataclass(frozen=True, slots=True, eq=False)
class LayerActivity:
    """What one layer did on all samples.

    Attributes:
        rate: mean spikes per neuron and step; nan of a layer that does not spike.
        silent: number of neurons that never spiked.
        largest: largest magnitude of a state, in the units the network computed in.
        saturated: number of states that stood at a bound of their range; 0 in real numbers.
    """

    rate: float
    silent: int
    largest: float
    saturated: int


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Answers to all samples.

    Attributes:
        loss: mean per sample.
        labels, predictions: int64 `(S,)`; a prediction is the lowest index among the largest scores.
        layers: what each layer did.
        regression: whether labels are rows of traces, and predictions mean nothing.
    """

    loss: float
    labels: IntArray
    predictions: IntArray
    layers: tuple[LayerActivity, ...]
    regression: bool = False

    @property
    def accuracy(self) -> float | None:
        """Fraction of 1; a regression has none."""
        return None if self.regression else float((self.labels == self.predictions).mean())

    @property
    def quality(self) -> Quality:
        return quality(self.loss, self.accuracy)

    @property
    def saturated(self) -> int:
        """States of all layers that stood at a bound of their range."""
        return sum(layer.saturated for layer in self.layers)

    def confusion(self, classes: int) -> IntArray:
        """int64 `(classes, classes)`: samples of class (row) that were taken for class (column)."""
        return np.bincount(self.labels * classes + self.predictions, minlength=classes**2).reshape(classes, classes)


@torch.no_grad()
def evaluate(network: Network, samples: SpikeSet, *, quantized: bool) -> Evaluation:
    """Run all samples; the network is left in evaluation mode."""
    network.eval()
    loss, predictions = 0.0, []
    counts = [_Counts() for _ in network.layers]
    most = max(network.config.train.batch, _CELLS // (int(samples.steps.max()) * samples.channels))
    for batch in in_order(samples, min(_BATCH, most)):
        batch = batch.to(network.device)
        trace = network(batch.inputs, batch.steps, quantized=quantized)
        loss += network.config.train.loss(answer_of(network, trace, batch)).double().sum().item()
        predictions.append(trace.scores.argmax(dim=1).cpu())
        for index, count in enumerate(counts):
            count.add(network, trace, index, quantized=quantized)
    steps = int(samples.steps.sum())
    return Evaluation(
        loss / len(samples),
        samples.label.astype(np.int64),
        torch.cat(predictions).numpy(),
        tuple(count.activity(steps, network.graph.spikes(index)) for index, count in enumerate(counts, start=1)),
        isinstance(network.config.data, Traced),
    )


def answer_of(network: Network, trace: Trace, batch: Batch) -> Answer:
    """What the network says about a batch, as losses see it."""
    outputs, steps, data = trace.outputs[-1] * trace.unit, batch.steps.clamp(min=1), network.config.data
    wanted = None
    if isinstance(data, Traced):
        rows = torch.from_numpy(data.traces()[batch.labels.cpu().numpy(), : len(outputs)]).transpose(0, 1)
        wanted = rows.to(outputs.device) * mask(outputs, batch.steps)
    gain = network.logit_gain_log.exp()
    return Answer(trace.logits, outputs, steps, batch.labels, batch.targets, wanted, gain)


class _Counts:
    """Adds up what one layer does, batch by batch."""

    def __init__(self) -> None:
        self.spikes = torch.zeros(())
        self.largest, self.saturated = 0.0, 0

    def add(self, network: Network, trace: Trace, index: int, *, quantized: bool) -> None:
        states = trace.states[index]
        self.spikes = self.spikes + states.outputs.sum(dim=(0, 1), dtype=torch.float64).cpu()
        low, high = signed_range(network.layers[index].quantizer.state_bits)
        for values in (states.potential, *states.of_parts.values()):
            least, most = (one.item() for one in values.aminmax())
            self.largest = max(self.largest, -least, most)
            if quantized and (least <= low or most >= high):
                self.saturated += int(((values <= low) | (values >= high)).sum())

    def activity(self, steps: int, spiking: bool) -> LayerActivity:
        if not spiking:
            return LayerActivity(float("nan"), 0, self.largest, self.saturated)
        rate = self.spikes.sum().item() / (steps * len(self.spikes))
        return LayerActivity(rate, int((self.spikes == 0).sum()), self.largest, self.saturated)
