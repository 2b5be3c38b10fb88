"""The network: layers of self-recurrent, skip-connected spiking neurons with learned intrinsic parameters.

ScSr-SNN and BIP: Zhang & Li, "Skip-connected self-recurrent spiking neural networks with joint intrinsic parameter and
synaptic weight training", 2020. Here both are trained by backpropagation through time with a
surrogate derivative.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from trainer.config import Config
from trainer.kernels import project, walk
from trainer.neuron import Arithmetic, Dynamics, Integer, Numbers, Real, States, alive
from trainer.normalization import CurrentNorm
from trainer.quantizers import LayerQuantizer


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a network did on a batch.

    Attributes:
        inputs: float32 `(T, batch, channels)`, the input spikes.
        states: what each layer did.
        scores: float64 `(batch, classes)`; in quantized mode the integers of the hardware.
        logits: float32 `(batch, classes)`, the scores as the loss sees them.
    """

    inputs: Tensor
    states: tuple[States, ...]
    scores: Tensor
    logits: Tensor

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """`(T, batch, N)` per source: the input spikes, then each layer's spikes or potentials."""
        return self.inputs, *(state.outputs for state in self.states)


class Layer(nn.Module):
    """The learned parameters of layer `index` (1-based), in real numbers, and its quantizer."""

    def __init__(self, config: Config, index: int, draw: torch.Generator) -> None:
        super().__init__()
        layer, start, learned = config.network.layers[index - 1], config.network, config.plasticity
        fan_in = config.fan_in(index)
        spiking = config.spikes(index)
        self._sources = layer.sources
        self._inputs = sum(config.source_sizes(index))
        surrogate = config.train.surrogate
        self._dynamics = Dynamics(spiking, layer.reset, surrogate.kind, config.train.rule)
        weight = torch.randn(layer.neurons, fan_in, generator=draw) * (start.weight_gain / math.sqrt(fan_in))
        self.weight = nn.Parameter(weight)
        self.self_weight = nn.Parameter(torch.zeros(layer.neurons)) if layer.self_recurrent else None
        # Logit and logarithm keep a leak inside (0, 1) and a threshold positive whatever the optimizer does.
        leaks = _logit(start.leak) + start.leak_spread * torch.randn(layer.neurons, generator=draw)
        self.leak_logit = nn.Parameter(leaks, requires_grad=learned.leak)
        thresholds = torch.full((layer.neurons,), math.log(start.threshold))
        self.threshold_log = nn.Parameter(thresholds, requires_grad=learned.threshold)
        filters = torch.full((layer.neurons,), _logit(start.synapse_leak))
        self.synapse_leak_logit = nn.Parameter(filters, requires_grad=learned.synapse_leak) if layer.synapse else None
        width = torch.full((1,), math.log(surrogate.width))
        self.width_log = nn.Parameter(width, requires_grad=surrogate.learned and spiking)
        self.normalization = CurrentNorm(layer.neurons) if layer.normalize else None
        self.quantizer = LayerQuantizer(layer, common_scale=not spiking)

    def numbers(self, *, quantized: bool) -> Numbers:
        """What the layer computes with, differentiable with respect to the parameters."""
        return self.quantizer(self._real(self.folded_weight())) if quantized else self._real(self.weight)

    def fit_scales(self) -> None:
        """Set every neuron's scale from the weights that will be quantized."""
        self.quantizer.fit(self._real(self.folded_weight()))

    def folded_weight(self) -> Tensor:
        """All weights; those from the sources carry the normalization of the current, if there is one."""
        if self.normalization is None:
            return self.weight
        factor = torch.ones_like(self.weight)
        factor[:, : self._inputs] = self.normalization.factor()[:, None]
        return self.weight * factor

    def _real(self, weight: Tensor) -> Numbers:
        return Numbers(
            weight=weight,
            inputs=self._inputs,
            self_weight=self.self_weight,
            leak=self.leak_logit.sigmoid(),
            synapse_leak=None if self.synapse_leak_logit is None else self.synapse_leak_logit.sigmoid(),
            threshold=self.threshold_log.exp(),
            unit=torch.ones(1, device=self.weight.device),
            width=self.width_log.exp(),
        )

    def arithmetic(self, *, quantized: bool) -> Arithmetic:
        """How the layer's states are rounded and bounded."""
        return Integer(self.quantizer.state_bits) if quantized else Real()

    def forward(self, outputs: Sequence[Tensor], ends: Tensor, numbers: Numbers, *, quantized: bool) -> States:
        """What the layer does, given the outputs of the input and of all earlier layers.

        The input current of all steps is one product: no state is involved, only the walk needs a loop.
        """
        sources = [outputs[source] for source in self._sources]
        drives = project(sources[0] if len(sources) == 1 else torch.cat(sources, dim=2), numbers.feed_forward)
        if self.normalization is not None and not quantized:
            drives = self.normalization(drives, ends)
        return walk(drives, ends, numbers, self.arithmetic(quantized=quantized), self._dynamics)


class Network(nn.Module):
    """The network that a configuration describes, initialised from its seed."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(config.train.seed)
        self.config = config
        self.stack = nn.ModuleList(Layer(config, index, draw) for index in range(1, len(config.network.layers) + 1))
        self.logit_gain_log = nn.Parameter(torch.tensor(math.log(config.network.logit_gain)))

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.logit_gain_log.device

    @property
    def layers(self) -> list[Layer]:
        """Layer `l` of the specification is `layers[l - 1]`."""
        return cast(list[Layer], list(self.stack))

    def forward(self, inputs: Tensor, steps: Tensor, *, quantized: bool) -> Trace:
        """Run a batch.

        Args:
            inputs: float32 `(T, batch, channels)`, 0 or 1.
            steps: int64 `(batch,)`, steps of each sample, `0 .. T`; what lies beyond does not count.
            quantized: compute in the hardware's integers instead of in real numbers.
        """
        outputs, states = [inputs * alive(inputs, steps)], []
        for layer in self.layers:
            numbers = layer.numbers(quantized=quantized)
            states.append(layer(outputs, steps, numbers, quantized=quantized))
            outputs.append(states[-1].outputs)
        scores = self.layers[-1].arithmetic(quantized=quantized).total(outputs[-1])
        return Trace(outputs[0], tuple(states), scores, self._logits(scores, steps, numbers.unit))

    def fit_scales(self) -> None:
        """Set every neuron's scale from its weights: how the quantized phase begins."""
        for layer in self.layers:
            layer.fit_scales()

    def weights(self) -> Iterator[nn.Parameter]:
        """The learned synaptic parameters: weights and self-recurrent weights."""
        yield from (layer.weight for layer in self.layers)
        yield from (layer.self_weight for layer in self.layers if layer.self_weight is not None)

    def intrinsic(self) -> Iterator[nn.Parameter]:
        """All other learned parameters: leaks, thresholds, scales and the gain of the logits."""
        synaptic = {id(weight) for weight in self.weights()}
        yield from (one for one in self.parameters() if one.requires_grad and id(one) not in synaptic)

    def _logits(self, scores: Tensor, steps: Tensor, unit: Tensor) -> Tensor:
        """Mean score per step times a learned gain; potentials are taken back to real units first."""
        mean = (scores / steps[:, None].clamp(min=1)).float()
        if self.config.network.readout == "membrane_sum":
            mean = mean * unit
        return mean * self.logit_gain_log.exp()


def _logit(fraction: float) -> float:
    return math.log(fraction / (1 - fraction))
