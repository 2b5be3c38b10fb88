"""The network: layers of self-recurrent, skip-connected spiking neurons with learned intrinsic parameters.

ScSr-SNN and BIP: Zhang & Li, "Skip-connected self-recurrent spiking neural networks with joint intrinsic parameter and
synaptic weight training", 2020. Here both are trained by the same rule (trainer/rules).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from trainer.arithmetic import Arithmetic, Integer, Real
from trainer.config import Config, Graph, LayerConfig, PlasticityConfig, TrainConfig
from trainer.kernels import project
from trainer.neurons import LEAK, THRESHOLD, Dynamics, Numbers, Population, Quantity, States, logit, mask
from trainer.normalization import CurrentNorm
from trainer.quantizers import LayerQuantizer
from trainer.readouts import READOUTS
from trainer.rules import Broadcast
from trainer.walk import walk


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a network did on a batch.

    Attributes:
        inputs: float32 `(T, batch, channels)`, the input spikes.
        states: what each layer did.
        scores: float64 `(batch, classes)`; in quantized mode the integers of the hardware.
        logits: float32 `(batch, classes)`, the scores as the loss sees them.
        unit: `(1,)`, what 1 of the last layer's potentials stands for in real terms; 1 of spikes.
        first: the time step with which `inputs` and `states` begin.
    """

    inputs: Tensor
    states: tuple[States, ...]
    scores: Tensor
    logits: Tensor
    unit: Tensor
    first: int = 0

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """`(T, batch, N)` per source: the input spikes, then each layer's spikes or potentials."""
        return self.inputs, *(state.outputs for state in self.states)


class Layer(nn.Module):
    """The learned parameters of layer `index` (1-based), in real numbers, and its quantizer."""

    def __init__(
        self, graph: Graph, index: int, train: TrainConfig, learned: PlasticityConfig, draw: torch.Generator
    ) -> None:
        super().__init__()
        layer, start, surrogate = graph.network.layers[index - 1], graph.network, train.surrogate
        fan_in, spiking = graph.fan_in(index), graph.spikes(index)
        self.layer = layer
        self._inputs = sum(graph.source_sizes(index))
        self.dynamics = Dynamics(spiking, layer.reset, surrogate.kind)
        self._rule, self._hidden = train.rule, index < len(graph.network.layers)
        mask = _connections(layer, self._inputs, draw) if layer.sparse_recurrent else torch.ones(1, fan_in)
        gain = start.weight_gain / math.sqrt(mask[0].sum())
        self.weight = nn.Parameter(torch.randn(layer.neurons, fan_in, generator=draw) * gain)
        self.mask: Tensor | None
        self.register_buffer("mask", mask if layer.sparse_recurrent else None)
        leaks = logit(start.leak) + start.leak_spread * torch.randn(layer.neurons, generator=draw)
        thresholds = torch.full((layer.neurons,), math.log(start.threshold))
        quantities: dict[Quantity, Tensor] = {LEAK: leaks, THRESHOLD: thresholds}
        for part in layer.parts:
            quantities |= dict(zip(part.quantities, part.start(layer, start, draw), strict=True))
        for quantity, value in quantities.items():
            learns = quantity.learns and getattr(learned, quantity.name, True)
            self.register_parameter(quantity.parameter, nn.Parameter(value, requires_grad=learns))
        self.quantities = tuple(quantities)
        width = torch.full((1,), math.log(surrogate.width))
        self.width_log = nn.Parameter(width, requires_grad=surrogate.learned and spiking)
        self.normalization = CurrentNorm(layer.neurons) if layer.normalize else None
        self.quantizer = LayerQuantizer(layer, common_scale=not spiking)

    def numbers(self, *, quantized: bool) -> Numbers:
        """What the layer computes with, differentiable with respect to the parameters."""
        return self.quantizer(self.folded_numbers()) if quantized else self._real(self.connected_weight)

    def folded_numbers(self) -> Numbers:
        """The real numbers that are quantized: the weights carry the normalization, if there is one."""
        return self._real(self.folded_weight())

    def fit_scales(self) -> None:
        """Set every neuron's scale from the weights that will be quantized."""
        self.quantizer.fit(self.folded_numbers())

    def take(self, weight: Tensor, neuron: Mapping[str, Tensor]) -> None:
        """Begin with these real numbers: `(N, fan_in)`, and by name `(N,)` each; parts without one keep theirs."""
        self.weight.copy_(weight)
        for one in self.quantities:
            if one.name in neuron:
                self.get_parameter(one.parameter).copy_(one.raw(neuron[one.name], self.layer))

    def folded_weight(self) -> Tensor:
        """All weights, float `(N, columns)`; those from the sources carry the normalization of the current, if any."""
        weight = self.connected_weight
        if self.normalization is None:
            return weight
        factor = torch.ones_like(weight)
        factor[:, : self._inputs] = self.normalization.factor()[:, None]
        return weight * factor

    @property
    def connected_weight(self) -> Tensor:
        """All weights, float `(N, columns)`; 0 where neurons of a sparsely recurrent layer are not connected."""
        return self.weight if self.mask is None else self.weight * self.mask

    def _real(self, weight: Tensor) -> Numbers:
        return Numbers(
            weight=weight,
            inputs=self._inputs,
            neuron={one.name: one.real(self.get_parameter(one.parameter), self.layer) for one in self.quantities},
            unit=torch.ones(1, device=self.weight.device),
            width=self.width_log.exp(),
        )

    def arithmetic(self, *, quantized: bool) -> Arithmetic:
        """How the layer's states are rounded and bounded."""
        return Integer(self.quantizer.state_bits) if quantized else Real()

    def forward(self, outputs: Sequence[Tensor], ends: Tensor, numbers: Numbers, *, quantized: bool) -> States:
        """What the layer does, given the outputs of the input and of all earlier layers.

        Args:
            outputs: of each, float `(T, batch, N)`.
            ends: int64 `(batch,)`, the steps of each sample.
            numbers: the layer's, real or as integers.
            quantized: whether states are rounded and bounded, as in hardware.

        The input current of all steps is one product: no state is involved, only the walk needs a loop.
        """
        each = [outputs[source] for source in self.layer.sources]
        sources = each[0] if len(each) == 1 else torch.cat(each, dim=2)
        if self._rule.broadcast:
            sources = sources.detach()
        currents = project(sources, numbers.feed_forward)
        if self.normalization is not None and not quantized:
            currents = self.normalization(currents, ends)
        if self._rule.broadcast and not self._hidden:
            currents = self._broadcast(currents, outputs, numbers)
        population = Population(numbers, self.arithmetic(quantized=quantized), self.dynamics)
        return walk(currents, ends, population, self._rule, sources, hidden=self._hidden)

    def _broadcast(self, currents: Tensor, outputs: Sequence[Tensor], numbers: Numbers) -> Tensor:
        """The last layer's currents, whose gradient all hidden layers hear."""
        weights = self.from_hidden(numbers, [one.shape[2] for one in outputs])
        return Broadcast.apply(self._rule, numbers.unit.detach(), weights, currents, *outputs[1:])

    def from_hidden(self, numbers: Numbers, sizes: Sequence[int]) -> list[Tensor]:
        """The real weights from each hidden layer, 0 where there are none; `sizes`: of the input and those layers."""
        real = numbers.feed_forward.detach() * numbers.unit.detach()[:, None]
        each = real.split([sizes[source] for source in self.layer.sources], dim=1)
        known = dict(zip(self.layer.sources, each, strict=True))
        return [known.get(index, real.new_zeros(len(real), size)) for index, size in enumerate(sizes) if index]


class GraphNetwork(nn.Module):
    """A network of that graph, initialised from a seed.

    Args:
        graph: layers and read-out.
        train: seed, rule and surrogate count here.
        learned: which intrinsic parameters learn.
    """

    def __init__(self, graph: Graph, train: TrainConfig, learned: PlasticityConfig) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(train.seed)
        self.graph, self._rule, self._readout = graph, train.rule, READOUTS[graph.network.readout]
        layers = range(1, len(graph.network.layers) + 1)
        self.stack = nn.ModuleList(Layer(graph, index, train, learned, draw) for index in layers)
        self.logit_gain_log = nn.Parameter(torch.tensor(math.log(graph.network.logit_gain)))

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
        outputs, states = [inputs * mask(inputs, steps)], []
        for layer in self.layers:
            numbers = layer.numbers(quantized=quantized)
            states.append(layer(outputs, steps, numbers, quantized=quantized))
            outputs.append(states[-1].outputs)
        scores = self._readout.scores(outputs[-1], steps, self.layers[-1].arithmetic(quantized=quantized))
        unit = torch.ones_like(numbers.unit[:1]) if self._readout.spiking else numbers.unit
        return Trace(outputs[0], tuple(states), scores, self._logits(scores, steps, unit), unit)

    def fit_scales(self) -> None:
        """Set every neuron's scale from its weights: how the quantized phase begins."""
        for layer in self.layers:
            layer.fit_scales()

    def weights(self) -> Iterator[nn.Parameter]:
        """The learned synaptic parameters: weights and self-weights."""
        yield from (layer.weight for layer in self.layers)
        for layer in self.layers:
            yield from (layer.get_parameter(one.parameter) for one in layer.quantities if one.synaptic)

    def intrinsic(self) -> Iterator[nn.Parameter]:
        """All other learned parameters: leaks, thresholds, scales and the gain of the logits."""
        synaptic = {id(weight) for weight in self.weights()}
        yield from (one for one in self.parameters() if one.requires_grad and id(one) not in synaptic)

    def _logits(self, scores: Tensor, steps: Tensor, unit: Tensor) -> Tensor:
        """The score, per step if it is a sum, times a learned gain; potentials are taken back to real units first."""
        one = (scores / steps[:, None].clamp(min=1) if self._readout.sums else scores).float()
        return one * unit * self.logit_gain_log.exp()


class Network(GraphNetwork):
    """The network that a configuration describes, with it."""

    def __init__(self, config: Config) -> None:
        super().__init__(config.graph, config.train, config.plasticity)
        self.config = config


def _connections(layer: LayerConfig, inputs: int, draw: torch.Generator) -> Tensor:
    """`(N, inputs + N)`, 1 where there is a weight: from all inputs, and from some of the layer's other neurons."""
    order = torch.rand(layer.neurons, layer.neurons, generator=draw).fill_diagonal_(2).argsort(dim=1)
    mask = torch.ones(layer.neurons, inputs + layer.neurons)
    return mask.scatter_(1, inputs + order[:, layer.sparse_recurrent :], 0.0)
