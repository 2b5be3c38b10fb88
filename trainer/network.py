"""The network: layers of self-recurrent, skip-connected spiking neurons with learned intrinsic parameters.

ScSr-SNN and BIP: Zhang & Li, "Skip-connected self-recurrent spiking neural networks with joint intrinsic parameter and
synaptic weight training", 2020. Here both are trained by backpropagation through time with a
surrogate derivative.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from trainer.config import Config
from trainer.neuron import Arithmetic, Dynamics, Integer, Numbers, Real, walk
from trainer.quantizers import LayerQuantizer


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a network did on a batch.

    Attributes:
        outputs: one float32 `(T, batch, N)` per source: the input spikes, then each layer's spikes (the potentials of
            a layer that does not spike); 0 after a sample's end.
        scores: float64 `(batch, classes)`; in quantized mode the integers of the hardware.
        logits: float32 `(batch, classes)`, the scores as the loss sees them.
    """

    outputs: tuple[Tensor, ...]
    scores: Tensor
    logits: Tensor


class Layer(nn.Module):
    """The learned parameters of layer `index` (1-based), in real numbers, and its quantizer."""

    def __init__(self, config: Config, index: int, draw: torch.Generator) -> None:
        super().__init__()
        layer, start, learned = config.network.layers[index - 1], config.network, config.plasticity
        fan_in = config.fan_in(index)
        spiking = config.spikes(index)
        self._sources = layer.sources
        self._inputs = sum(config.source_sizes(index))
        self._dynamics = Dynamics(spiking, layer.reset, config.train.surrogate_width)
        self._integer = Integer(layer.state_bits)
        weight = torch.randn(layer.neurons, fan_in, generator=draw) * (start.weight_gain / math.sqrt(fan_in))
        self.weight = nn.Parameter(weight)
        self.self_weight = nn.Parameter(torch.zeros(layer.neurons)) if layer.self_recurrent else None
        # Logit and logarithm keep a leak inside (0, 1) and a threshold positive whatever the optimizer does.
        self.leak_logit = _constant(layer.neurons, _logit(start.leak), learned.leak)
        self.threshold_log = _constant(layer.neurons, math.log(start.threshold), learned.threshold)
        self.synapse_leak_logit = (
            _constant(layer.neurons, _logit(start.synapse_leak), learned.synapse_leak) if layer.synapse else None
        )
        self.quantizer = LayerQuantizer(layer, common_scale=not spiking)

    def numbers(self, *, quantized: bool) -> Numbers:
        """What the layer computes with, differentiable with respect to the parameters."""
        real = Numbers(
            weight=self.weight,
            inputs=self._inputs,
            self_weight=self.self_weight,
            leak=self.leak_logit.sigmoid(),
            synapse_leak=None if self.synapse_leak_logit is None else self.synapse_leak_logit.sigmoid(),
            threshold=self.threshold_log.exp(),
            unit=torch.ones(1),
        )
        return self.quantizer(real) if quantized else real

    def arithmetic(self, *, quantized: bool) -> Arithmetic:
        """How the layer's states are rounded and bounded."""
        return self._integer if quantized else Real()

    def forward(self, outputs: list[Tensor], numbers: Numbers, *, quantized: bool) -> Tensor:
        """The layer's output `(T, batch, N)` for the outputs of the input and of all earlier layers.

        The input current of all steps is one product: no state is involved, only the walk needs a loop.
        """
        drives = torch.cat([outputs[source] for source in self._sources], dim=2) @ numbers.feed_forward.T
        return walk(drives, numbers, self.arithmetic(quantized=quantized), self._dynamics)


class Network(nn.Module):
    """The network that a configuration describes, initialised from its seed."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(config.train.seed)
        self.config = config
        self.stack = nn.ModuleList(Layer(config, index, draw) for index in range(1, len(config.network.layers) + 1))
        self.logit_gain_log = nn.Parameter(torch.tensor(math.log(config.network.logit_gain)))

    @property
    def layers(self) -> list[Layer]:
        """Layer `l` of the specification is `layers[l - 1]`."""
        return cast(list[Layer], list(self.stack))

    def forward(self, inputs: Tensor, steps: Tensor, *, quantized: bool) -> Trace:
        """Run a batch.

        Args:
            inputs: float32 `(T, batch, channels)`, 0 or 1.
            steps: int64 `(batch,)`, steps of each sample, `1 .. T`; what lies beyond does not count.
            quantized: compute in the hardware's integers instead of in real numbers.
        """
        alive = (torch.arange(len(inputs))[:, None] < steps)[:, :, None].to(inputs.dtype)
        outputs = [inputs * alive]
        for layer in self.layers:
            numbers = layer.numbers(quantized=quantized)
            outputs.append(layer(outputs, numbers, quantized=quantized) * alive)
        scores = self.layers[-1].arithmetic(quantized=quantized).total(outputs[-1])
        return Trace(tuple(outputs), scores, self._logits(scores, steps, numbers.unit))

    def fit_scales(self) -> None:
        """Set every neuron's scale from its weights: how the quantized phase begins."""
        for layer in self.layers:
            layer.quantizer.fit(layer.numbers(quantized=False))

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
        mean = (scores / steps[:, None]).float()
        if self.config.network.readout == "membrane_sum":
            mean = mean * unit
        return mean * self.logit_gain_log.exp()


def _constant(size: int, value: float, learned: bool) -> nn.Parameter:
    return nn.Parameter(torch.full((size,), value), requires_grad=learned)


def _logit(fraction: float) -> float:
    return math.log(fraction / (1 - fraction))
