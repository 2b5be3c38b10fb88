"""The golden model again, in plain Python loops over single neurons: slow, obvious, and the judge of the fast one."""

from __future__ import annotations

from quant.model import IntModel, Layer
from quant.readouts import READOUTS


class _Layer:
    def __init__(self, layer: Layer, index: int, *, spiking: bool) -> None:
        self.layer, self.index, self.spiking = layer, index, spiking
        self.neuron = layer.spread()
        self.states = [self.neuron.naive_rest() for _ in range(layer.neurons)]
        self.u = [0] * layer.neurons
        self.o = [0] * layer.neurons

    def step(self, sources: list[list[int]]) -> None:
        before = list(self.o)
        for i in range(self.layer.neurons):
            x = 0
            for projection in self.layer.projections:
                read = before if projection.source == self.index else sources[projection.source]
                x += projection.naive_current(i, read)
            self.states[i], self.u[i], self.o[i] = self.neuron.naive_step(
                i, self.states[i], x, self.layer.integers, spiking=self.spiking
            )
        for i, state in enumerate(self.states):
            state["others"] = sum(self.o) - self.o[i]


def run(model: IntModel, sample: list[list[int]]) -> tuple[list[list[list[int]]], list[list[int]], int]:
    """Run one sample.

    Args:
        model: the network.
        sample: the input spikes, 0 or 1, as `[step][channel]`.

    Returns:
        Spikes as `[step][layer - 1][neuron]`, the scores so far behind each step, and the class.
    """
    layers = [_Layer(layer, index, spiking=model.spikes(index)) for index, layer in enumerate(model.layers, start=1)]
    readout, last = READOUTS[model.readout], layers[-1]
    scores = [0] * model.layers[-1].neurons
    history: list[list[list[int]]] = []
    by_step: list[list[int]] = []
    for channels in sample:
        sources = [channels]
        for layer in layers:
            layer.step(sources)
            sources.append(layer.o)
        for i, value in enumerate(last.o if last.spiking else last.u):
            scores[i] = readout.naive_score(scores[i], value, first=not history)
        history.append([list(layer.o) for layer in layers])
        by_step.append(list(scores))
    return history, by_step, scores.index(max(scores))
