"""E-prop against its equations in plain loops of float64, and against autograd with detached spikes."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor
from toys import Toy, assert_near, config, numbers_of, scramble, spikes, stimulus

from quant.errors import ConfigError
from quant.neurons import Reset
from quant.readouts import Readout
from trainer import kernels, loop
from trainer.arithmetic import Real
from trainer.config import Config, LayerConfig, NetworkConfig, SurrogateConfig, TrainConfig
from trainer.data.batches import Batch, gather
from trainer.data.patterns import Patterns
from trainer.losses import CrossEntropy, Loss, SquaredError
from trainer.network import Network, Trace
from trainer.neurons import Dynamics, Numbers, Population, mask, walk
from trainer.rules import Did, Eprop, Rule, SurrogateGradient

TRIANGLE = SurrogateConfig("triangle", 1.0)
PATTERNS = Patterns(patterns=3, steps=40, channels=11, rate=0.2)


def network_of(
    rule: Rule, *, regression: bool, adaptive: bool, recurrent: bool, deep: bool = False, refractory: int = 0
) -> Network:
    """A random network: one leak in the last layer, and adaptation in steps of which some are above a threshold."""
    features = {"adaptation": adaptive, "dense_recurrent": recurrent}
    hidden = [LayerConfig(9, (0,), reset="late_subtract", refractory=refractory, **features)]
    if deep:
        hidden.append(LayerConfig(7, (1, 0), reset="subtract"))
    last = LayerConfig(1 if regression else 3, (len(hidden), *([] if deep else [0])))
    loss: Loss = SquaredError() if regression else CrossEntropy()
    train = TrainConfig(rule=rule, surrogate=TRIANGLE, loss=loss)
    readout: Readout = "membrane_last" if regression else "membrane_sum"
    data = PATTERNS if regression else Toy(channels=11)
    network = Network(Config("toy", data, NetworkConfig((*hidden, last), readout=readout), train))
    scramble(network, 3, strength=0.5)
    with torch.no_grad():
        network.layers[-1].leak_logit.fill_(1.5)
        if adaptive:
            first = network.layers[0]
            first.adaptation_step_log[:3] = first.threshold_log[:3] + 0.5
    return network


def answered(network: Network, *, quantized: bool = False, plain: bool = False) -> tuple[Trace, Batch]:
    """What the network did on some samples; its parameters have their gradients."""
    samples = network.config.data.load()["train"]
    batch = gather(samples, np.arange(min(6, len(samples))))
    with kernels.plain_pytorch() if plain else nullcontext():
        trace = network(batch.inputs, batch.steps, quantized=quantized)
        loop.batch_loss(network, trace, batch)[0].backward()
    assert trace.outputs[1].sum() > 20
    return trace, batch


@dataclass
class Naive:
    """The gradients of a network with one hidden layer by the equations of e-prop, step by step."""

    first: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, network: Network, trace: Trace, batch: Batch, gamma: float, feedback: np.ndarray | None) -> Naive:
        hidden, out = (layer.numbers(quantized=False) for layer in network.layers)
        values = {name: value.detach().double().numpy() for name, value in hidden.neuron.items()}
        a, theta, zeros = values["leak"], values["threshold"], np.zeros_like(values["leak"])
        rho, beta = values.get("adaptation_leak", zeros), values.get("adaptation_step", zeros)
        weight, w_out = (one.weight.detach().double().numpy() for one in (hidden, out))
        bounded, kappa = np.minimum(beta, theta), out.leak[0].item()  # a gradient takes steps of at most a threshold
        steps_held = values.get("refractory", zeros)
        recurrent = hidden.recurrent is not None
        given = w_out[:, : len(theta)] if feedback is None else feedback
        naive = cls(np.zeros_like(weight), np.zeros_like(w_out))
        for b, steps in enumerate(batch.steps.tolist()):
            x, z = (trace.outputs[layer][:, b].detach().double().numpy() for layer in (0, 1))
            y = np.zeros((steps, len(w_out)))
            for t in range(steps):
                y[t] = kappa * y[t - 1] * (t > 0) + w_out @ np.concatenate([z[t], x[t]])
            errors = cls.errors(network, y, batch, b)
            v, h, before, left = zeros.copy(), zeros.copy(), zeros, zeros
            eps_v, eps_a, filtered = (np.zeros_like(weight) for _ in range(3))
            out_filtered = np.zeros(w_out.shape[1])
            for t in range(steps):
                sources = np.concatenate([x[t], before]) if recurrent else x[t]
                left = np.where(before > 0, steps_held, np.maximum(left - 1, 0))
                free = left == 0
                v = free * (a * v + weight @ sources - before * theta)
                h = rho * h + beta * before
                psi = gamma / theta * np.maximum(0, 1 - np.abs(v - (theta + h)) / theta)
                eps_v = free[:, None] * (a[:, None] * eps_v + sources)
                trace_e = psi[:, None] * (eps_v - bounded[:, None] * eps_a)
                eps_a = psi[:, None] * eps_v + (rho - psi * bounded)[:, None] * eps_a
                filtered = kappa * filtered + trace_e
                out_filtered = kappa * out_filtered + np.concatenate([z[t], x[t]])
                naive.first += (errors[t] @ given)[:, None] * filtered
                naive.last += np.outer(errors[t], out_filtered)
                before = z[t]
        return naive

    @staticmethod
    def errors(network: Network, y: np.ndarray, batch: Batch, b: int) -> np.ndarray:
        """Of every step, `(T, classes)`: what the loss says of the potentials."""
        samples, label = len(batch.steps), int(batch.labels[b])
        if isinstance(network.config.data, Patterns):
            return 2 * (y - network.config.data.traces()[label].astype(float)) / (len(y) * samples)
        gain = math.exp(network.logit_gain_log.item())
        odds = np.exp(y.mean(axis=0) * gain)
        wrong = odds / odds.sum() - (np.arange(y.shape[1]) == label)
        return np.tile(wrong * gain / (len(y) * samples), (len(y), 1))


@pytest.mark.parametrize("plain", [False, True], ids=["compiled", "plain"])
@pytest.mark.parametrize("feedback", ["symmetric", "random"])
@pytest.mark.parametrize("recurrent", [False, True], ids=["forward", "recurrent"])
@pytest.mark.parametrize("adaptive", [False, True], ids=["lif", "alif"])
@pytest.mark.parametrize("refractory", [0, 2], ids=["free", "refractory"])
@pytest.mark.parametrize("regression", [False, True], ids=["classes", "regression"])
def test_gradients_are_those_of_the_equations(
    regression: bool, refractory: int, adaptive: bool, recurrent: bool, feedback: str, plain: bool
) -> None:
    rule = Eprop(feedback=feedback, dampening=0.4)  # type: ignore[arg-type]
    network = network_of(rule, regression=regression, adaptive=adaptive, recurrent=recurrent, refractory=refractory)
    trace, batch = answered(network, plain=plain)
    assert not refractory or trace.states[0].of_parts["refractory"].sum() > 30
    outputs = len(network.layers[-1].weight)
    fixed = rule.hear(1, torch.zeros(outputs, 9), torch.eye(outputs)).numpy() if feedback == "random" else None
    naive = Naive.of(network, trace, batch, 0.4, fixed)
    assert_near(network.layers[0].weight.grad, naive.first, 1e-5)
    assert_near(network.layers[1].weight.grad, naive.last, 1e-5)


class _Spike(torch.autograd.Function):
    """With the damped triangle as its derivative for the membrane."""

    @staticmethod
    def forward(ctx, excess: Tensor, theta: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(excess, theta)
        return (excess >= theta).to(excess)

    @staticmethod
    def backward(ctx, *gradients: Tensor) -> tuple[Tensor, None]:  # type: ignore[no-untyped-def]
        excess, theta = ctx.saved_tensors
        return gradients[0] * 0.3 / theta * (1 - (excess - theta).abs() / theta).clamp(min=0), None


@pytest.mark.parametrize("adaptive", [False, True], ids=["lif", "alif"])
@pytest.mark.parametrize("recurrent", [False, True], ids=["forward", "recurrent"])
@pytest.mark.parametrize("reset", ["subtract", "late_subtract"])
def test_a_layer_learns_as_automatic_differentiation_with_detached_spikes_says(
    reset: Reset, recurrent: bool, adaptive: bool
) -> None:
    """The recurrent spikes and those of the reset are given; the neuron's adaptation is not."""
    given = numbers_of(9, integer=False, parts=("adaptation",) if adaptive else (), recurrent=recurrent)
    neuron = {name: value.detach().double() for name, value in given.neuron.items()}
    if adaptive:
        neuron["adaptation_step"] = torch.minimum(neuron["adaptation_step"], neuron["threshold"])
    numbers = Numbers(
        given.weight.detach().double(), given.inputs, neuron, given.unit, torch.ones(1, dtype=torch.float64)
    )
    population = Population(numbers, Real(), Dynamics(True, reset, "triangle"))
    inputs, ends = spikes()
    sources = inputs.double() * mask(inputs, ends)
    currents = sources @ numbers.feed_forward.T
    states = walk(currents, ends, population)
    gradient = torch.randn(states.outputs.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    found = Eprop().backward(Did(sources, currents, ends, population, states), gradient)

    learned = {name: value.clone().requires_grad_() for name, value in numbers.learned.items()}
    theta, leak = numbers.threshold, learned["leak"]
    v = h = z = torch.zeros_like(currents[0])
    trail = []
    for x in sources:
        everything = torch.cat([x, z.detach()], dim=1) if recurrent else x
        late = reset == "late_subtract"
        v = leak * v - z.detach() * theta if late else leak * (v - z.detach() * theta)
        v = v + everything @ learned["weight"].T
        if adaptive:
            h = learned["adaptation_leak"] * h + learned["adaptation_step"] * z
        z = _Spike.apply(v - h, theta)
        trail.append(z)
    outputs = torch.stack(trail) * mask(currents, ends)
    assert torch.equal(outputs, states.outputs)
    assert outputs.sum() > 50
    names = [name for name in learned if name not in ("threshold", "width")]
    expected = dict(zip(names, torch.autograd.grad(outputs, [learned[n] for n in names], gradient), strict=True))
    assert found.currents is not None
    of_inputs = found.currents.flatten(0, 1).T @ sources.flatten(0, 1)
    assert_near(of_inputs, expected["weight"][:, : numbers.inputs], 1e-6)
    if recurrent:
        weight = found.numbers["weight"]
        assert weight is not None
        assert_near(weight[:, numbers.inputs :], expected["weight"][:, numbers.inputs :], 1e-6)
    for name in names[1:]:
        assert_near(found.numbers[name], expected[name], 1e-6)
    threshold = found.numbers["threshold"]
    assert threshold is not None
    assert threshold.any()


@pytest.mark.parametrize("quantized", [False, True])
def test_without_recurrence_or_dampening_it_is_backpropagation(quantized: bool) -> None:
    """In a network of one hidden layer with symmetric feedback, in both phases."""
    networks = [
        network_of(rule, regression=True, adaptive=True, recurrent=False)
        for rule in (Eprop(dampening=1.0), SurrogateGradient())
    ]
    for network in networks:
        answered(network, quantized=quantized)
    for found, expected in zip(networks[0].named_parameters(), networks[1].named_parameters(), strict=True):
        if expected[1].grad is not None and expected[1].grad.any():
            assert_near(found[1].grad, expected[1].grad, 1e-4)
    assert networks[0].layers[0].weight.grad is not None
    assert networks[0].layers[0].threshold_log.grad is not None


def test_nothing_flows_back_between_hidden_layers() -> None:
    """Each hears the last layer by a matrix of its own."""
    rule = Eprop(feedback="random")
    network = network_of(rule, regression=True, adaptive=False, recurrent=False, deep=True)
    trace = network(*stimulus(2, 11), quantized=False)
    weights = [layer.weight for layer in network.layers]
    assert trace.outputs[2].sum() > 30
    below, own, _ = torch.autograd.grad(trace.outputs[2].sum(), weights, retain_graph=True, allow_unused=True)
    assert below is None
    assert own.any()
    leak = network.layers[2].numbers(quantized=False).leak.item()
    ends = stimulus(2, 11)[1]
    left = (ends - torch.arange(14)[:, None]).clamp(min=0)
    error = ((1 - leak**left) / (1 - leak))[:, :, None]  # of the sum of potentials, at the currents
    found = torch.autograd.grad(trace.outputs[3].sum(), weights, retain_graph=True)
    for index, neurons in ((1, 9), (2, 7)):
        heard = rule.hear(index, torch.zeros(1, neurons), error)
        expected = torch.autograd.grad(trace.outputs[index], weights[index - 1], heard, retain_graph=True)
        assert_near(found[index - 1], expected[0], 1e-5)


def test_what_it_cannot_train_is_refused() -> None:
    with pytest.raises(ConfigError, match=r'layers\[1\].reset is "zero"; .* needs "subtract" or "late_subtract"'):
        config(LayerConfig(10, (0,)), LayerConfig(3, (1,)), train=TrainConfig(rule=Eprop()))
    layers = [LayerConfig(10, (max(0, index - 1),), reset="subtract") for index in (1, 2)]
    last = LayerConfig(3, (2,), reset="subtract")
    with pytest.raises(ConfigError, match=r"network.layers\[1\] does not feed the last layer"):
        config(*layers, last, train=TrainConfig(rule=Eprop()))
    config(*layers, last, train=TrainConfig(rule=Eprop(feedback="random")))
