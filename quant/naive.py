"""The golden model again, in plain Python loops over single neurons: slow, obvious, and the judge of the fast one."""

from __future__ import annotations

from quant.model import IntLayer, IntModel


class _Layer:
    def __init__(self, layer: IntLayer, *, spiking: bool) -> None:
        self.layer = layer
        self.spiking = spiking
        self.v = [0] * layer.neurons
        self.c = [0] * layer.neurons
        self.s = [0] * layer.neurons
        self.u = [0] * layer.neurons

    def step(self, sources: list[list[int]]) -> None:
        before = list(self.s)
        for i in range(self.layer.neurons):
            self._update(i, sources, before)

    def _update(self, i: int, sources: list[list[int]], before: list[int]) -> None:
        layer = self.layer
        x = 0
        for k, weight in layer.weight.items():
            for j, spike in enumerate(sources[k]):
                x += int(weight[i, j]) * spike
        if layer.recurrent is not None:
            for j, spike in enumerate(before):
                x += int(layer.recurrent[i, j]) * spike
        if layer.self_weight is not None:
            x += int(layer.self_weight[i]) * before[i]
        if layer.synapse_leak is not None:
            self.c[i] = _clamp(_decay(self.c[i], int(layer.synapse_leak[i]), layer.leak_bits) + x, layer.state_bits)
        else:
            self.c[i] = x
        u = _clamp(_decay(self.v[i], int(layer.leak[i]), layer.leak_bits) + self.c[i], layer.state_bits)
        theta = int(layer.threshold[i])
        self.u[i] = u
        self.s[i] = 1 if self.spiking and u >= theta else 0
        self.v[i] = u
        if self.s[i]:
            self.v[i] = 0 if layer.reset == "zero" else u - theta


def run(model: IntModel, sample: list[list[int]]) -> tuple[list[list[list[int]]], list[int], int]:
    """Run one sample.

    Args:
        model: the network.
        sample: the input spikes, 0 or 1, as `[step][channel]`.

    Returns:
        Spikes as `[step][layer - 1][neuron]`, the scores, and the class.
    """
    layers = [_Layer(layer, spiking=model.spikes(index)) for index, layer in enumerate(model.layers, start=1)]
    scores = [0] * model.layers[-1].neurons
    history = []
    for channels in sample:
        sources = [channels]
        for layer in layers:
            layer.step(sources)
            sources.append(layer.s)
        history.append([list(layer.s) for layer in layers])
        last = layers[-1]
        for i, value in enumerate(last.s if last.spiking else last.u):
            scores[i] = _clamp(scores[i] + value, 32)
    return history, scores, scores.index(max(scores))


def _decay(z: int, d: int, bits: int) -> int:
    kept = abs(z) * d >> bits
    return kept if z >= 0 else -kept


def _clamp(value: int, bits: int) -> int:
    limit = 1 << (bits - 1)
    return max(-limit, min(limit - 1, value))
