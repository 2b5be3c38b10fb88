"""Surrogate gradients and TSSL-BP through networks of two layers, against their equations in loops of float64."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from toys import Toy, assert_near, config, scramble, stimulus

from quant.neurons import Reset
from trainer import kernels
from trainer.config import LayerConfig, NetworkConfig, SurrogateConfig, TrainConfig
from trainer.network import Layer, Network
from trainer.rules import Rule, SurrogateGradient, Tssl

Floats = NDArray[np.float64]
WIDTH = 0.7
TRIANGLE = SurrogateConfig("triangle", WIDTH)


class Naive:
    """A layer's neurons on one sample, `(T, inputs)`, step by step: what they do, and what that passes back."""

    def __init__(self, layer: Layer, given: Floats, *, tssl: bool) -> None:
        numbers = layer.numbers(quantized=False)
        self.weight = numbers.weight.detach().double().numpy()
        neuron = {name: value.detach().double().numpy() for name, value in numbers.neuron.items()}
        self.leak, self.theta = neuron["leak"], neuron["threshold"]
        self.synapse_leak = neuron.get("synapse_leak", 0 * self.leak)
        self.self_weight = neuron.get("self_weight", 0 * self.leak)
        self.zero, self.tssl = layer.dynamics.reset == "zero", tssl
        self.inputs = given.shape[1]
        recurrent = numbers.recurrent is not None
        states = (len(given) + 1, len(self.leak))  # row t + 1: behind step t
        self.current, self.membrane, self.spikes = np.zeros(states), np.zeros(states), np.zeros(states)
        self.potential, self.slope = np.zeros(states), np.zeros(states)
        self.sources = np.hstack([given, np.zeros((len(given), len(self.leak) * recurrent))])
        trace = np.zeros(len(self.leak))
        for t in range(len(given)):
            before, was = self.membrane[t], self.spikes[t]
            self.sources[t, self.inputs :] = was[: self.sources.shape[1] - self.inputs]
            x = self.weight @ self.sources[t] + self.self_weight * was
            self.current[t + 1] = self.synapse_leak * self.current[t] + x
            u = self.leak * before + self.current[t + 1]
            s = (u >= self.theta).astype(float)
            slope = np.maximum(0, 1 - np.abs(u / self.theta - 1) / WIDTH)
            if tssl:
                earlier = np.minimum(8, self.theta / np.maximum(1e-6, u - before))
                slope = np.where(s > 0, earlier, slope * (trace < 0.25))
                trace = self.leak * trace + s
            self.potential[t + 1], self.spikes[t + 1], self.slope[t + 1] = u, s, slope
            self.membrane[t + 1] = u * (1 - s) if self.zero else u - self.theta * s

    def backward(self, gradient: Floats) -> tuple[dict[str, Floats], Floats]:
        """By what the neurons compute with, and by what they were given, from the gradient of their spikes."""
        names = ("leak", "threshold", "synapse_leak", "self_weight")
        found = {"weight": np.zeros_like(self.weight)} | {name: np.zeros_like(self.leak) for name in names}
        of_sources = np.zeros_like(self.sources)
        # The gradient around a neuron's own loop is bounded, so that it never grows.
        most = (1 - self.leak) * (1 - self.synapse_leak) * self.theta
        loop = np.clip(self.self_weight, -most, most)
        of_spikes, of_membrane, of_current = (np.zeros_like(self.leak) for _ in range(3))
        for t in reversed(range(len(gradient))):
            u, s, slope = self.potential[t + 1], self.spikes[t + 1], self.slope[t + 1] / self.theta
            of_spikes += gradient[t]
            if self.tssl:  # a spike's reset moves with it
                of_spikes -= (1 - self.leak) * (u if self.zero else self.theta) * of_membrane
            if not self.zero:
                found["threshold"] -= s * of_membrane
            found["threshold"] -= of_spikes * slope * u / self.theta
            of_potential = of_spikes * slope + of_membrane * (1 - s if self.zero else 1)
            found["leak"] += of_potential * self.membrane[t]
            of_current = of_potential + self.synapse_leak * of_current
            found["synapse_leak"] += of_current * self.current[t]
            found["self_weight"] += of_current * self.spikes[t]
            found["weight"] += np.outer(of_current, self.sources[t])
            of_sources[t] = of_current @ self.weight
            of_spikes = loop * of_current
            if of_sources.shape[1] > self.inputs:
                of_spikes = of_spikes + of_sources[t, self.inputs :]
            of_membrane = self.leak * of_potential
        return found, of_sources[:, : self.inputs]


@pytest.mark.parametrize("plain", [False, True], ids=["compiled", "plain"])
@pytest.mark.parametrize("rule", [SurrogateGradient(), Tssl()], ids=["surrogate", "tssl"])
@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("features", [(), ("self_weight",), ("self_weight", "synapse", "dense_recurrent")], ids=len)
def test_gradients_are_those_of_the_equations(features: tuple[str, ...], reset: Reset, rule: Rule, plain: bool) -> None:
    options = dict.fromkeys(features, True)
    first, last = LayerConfig(9, (0,), reset=reset, **options), LayerConfig(3, (1, 0), reset=reset, **options)
    network = Network(
        config(
            data=Toy(channels=11),
            network=NetworkConfig((first, last), threshold=0.5),
            train=TrainConfig(rule=rule, surrogate=TRIANGLE),
        )
    )
    scramble(network, 2, strength=0.5)
    inputs, steps = stimulus(2, 11)
    with kernels.plain_pytorch() if plain else nullcontext():
        trace = network(inputs, steps, quantized=False)
        gradient = torch.randn(trace.outputs[-1].shape, generator=torch.Generator().manual_seed(5))
        (trace.outputs[-1] * gradient).sum().backward()
    assert trace.outputs[1].sum() > 50
    assert trace.outputs[2].sum() > 10
    totals: list[dict[str, Floats]] = [{}, {}]
    for b, end in enumerate(steps.tolist()):
        x, *spikes = (one[:end, b].detach().double().numpy() for one in trace.outputs)
        below = Naive(network.layers[0], x, tssl=rule == Tssl())
        above = Naive(network.layers[1], np.hstack([spikes[0], x]), tssl=rule == Tssl())
        for naive, outputs in zip((below, above), spikes, strict=True):
            np.testing.assert_array_equal(naive.spikes[1:], outputs)
        of_last, of_sources = above.backward(gradient[:end, b].double().numpy())
        of_first, _ = below.backward(of_sources[:, :9])
        for total, found in zip(totals, (of_first, of_last), strict=True):
            for name, value in found.items():
                total[name] = total.get(name, 0) + value
    for layer, total in zip(network.layers, totals, strict=True):
        assert_near(layer.weight.grad, total["weight"], 1e-5)
        numbers = layer.numbers(quantized=False)
        for quantity in layer.quantities:
            parameter = layer.get_parameter(quantity.parameter)
            of_number = torch.from_numpy(total[quantity.name]).float()
            (expected,) = torch.autograd.grad(numbers.neuron[quantity.name], parameter, of_number)
            assert_near(parameter.grad, expected, 1e-5)
