"""Rules: what each takes for the gradient of the same walk, and that a rule is one class."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from test_kernels import answers
from toys import Toy, config, numbers_of, scramble, spikes, stimulus

from quant.neurons import Reset
from trainer import kernels
from trainer.arithmetic import Integer, Real
from trainer.config import Config, LayerConfig, PlasticityConfig, TrainConfig
from trainer.kernels import native
from trainer.network import Network
from trainer.neurons import Dynamics, Population, walk
from trainer.rules import RULES, Did, Gradients, Rule, SurrogateGradient, Tssl
from trainer.rules.surrogate import surrogate_fire
from trainer.schema import parse, unparse


@pytest.mark.parametrize("arithmetic", [Real(), Integer(8)], ids=["real", "integer"])
def test_the_surrogate_rule_is_backpropagation_through_the_walk(arithmetic: Real | Integer) -> None:
    """Of the plain walk with surrogate spikes, by autograd."""
    numbers = numbers_of(9, integer=isinstance(arithmetic, Integer), parts=("self_weight", "synapse"), recurrent=True)
    population = Population(numbers, arithmetic, Dynamics(True, "subtract", "arctan"))
    states, found = answers(population, plain=True)
    inputs, ends = spikes()
    currents = (inputs @ numbers.feed_forward.T).detach().requires_grad_()
    outputs = walk(currents, ends, population, surrogate_fire(population)).outputs
    assert torch.equal(outputs, states.outputs)
    importance = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(5))
    expected = torch.autograd.grad((outputs * importance).sum(), (currents, *numbers.learned.values()))
    for name, gradient in zip(("currents", *numbers.learned), expected, strict=True):
        assert torch.equal(found[name], gradient), name
        assert gradient.any()


@pytest.mark.parametrize("quantized", [False, True])
@pytest.mark.parametrize("name", RULES)
def test_all_rules_share_the_forward_walk(name: str, quantized: bool) -> None:
    inputs, steps = stimulus(2, 11)
    reset: Reset = "subtract" if name in ("lee", "eprop") else "zero"
    layers = LayerConfig(10, (0,), reset=reset), LayerConfig(3, (1, 0), reset=reset)
    traces = []
    for rule in (RULES[name](), SurrogateGradient()):
        train, learned = TrainConfig(rule=rule), PlasticityConfig(leak=False)
        network = Network(config(*layers, data=Toy(channels=11), train=train, plasticity=learned))
        scramble(network, 2, strength=0.5)
        traces.append(network(inputs, steps, quantized=quantized))
    assert torch.equal(traces[0].outputs[-1], traces[1].outputs[-1])
    assert traces[0].outputs[1].sum() > 50


@dataclass(frozen=True, slots=True)
class CountRule(Rule):
    """A rule of spike counts, in one class: the gradient is the same in every step, past the product too."""

    strength: float = 2.0

    def check(self, config: Config) -> None:
        """Everything."""

    def backward(self, did: Did, gradient: torch.Tensor) -> Gradients:
        assert did.sources is not None
        of_counts = self.strength * gradient.mean(dim=0)
        weight = of_counts.T @ did.sources.sum(dim=0)
        of_sources = (of_counts @ did.population.numbers.feed_forward).expand_as(did.sources)
        return Gradients(sources=of_sources, numbers={"weight": weight, "threshold": -of_counts.sum(dim=0)})


def test_a_rule_is_one_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named in the configuration, and its gradients alone reach the parameters, by the compiled walk."""
    monkeypatch.setitem(RULES, "count", CountRule)  # type: ignore[attr-defined]
    train = parse(TrainConfig, {"rule": {"name": "count", "strength": 3.0}})
    assert unparse(train)["rule"] == {"name": "count", "strength": 3.0}
    settings = config(data=Toy(channels=11), train=train)
    network = Network(settings)
    scramble(network, 2, strength=0.5)
    inputs, steps = stimulus(2, 11)
    trace = network(inputs, steps, quantized=False)
    trace.outputs[-1].sum(dim=(0, 1))[0].backward()
    first, last = network.layers
    own = torch.zeros_like(trace.outputs[-1][0])
    own[:, 0] = 3.0
    torch.testing.assert_close(last.weight.grad[:, :10], own.T @ trace.outputs[1].sum(dim=0))
    below = 3.0 * own @ last.weight[:, :10]
    torch.testing.assert_close(first.weight.grad, below.T @ trace.inputs.sum(dim=0))
    assert first.weight.grad.any()
    assert first.leak_logit.grad is None
    assert not first.self_weight.grad
    compiled = kernels.find(trace.inputs, Population(first.numbers(quantized=False), Real(), first.dynamics))
    assert (compiled is not None) == (native.library() is not None)


def test_a_name_alone_stands_for_a_rule() -> None:
    """As configurations and checkpoints of earlier days have it."""
    for name, rule in RULES.items():
        assert parse(TrainConfig, {"rule": name}).rule == rule()
    assert parse(TrainConfig, {"rule": {"name": "tssl"}}).rule == Tssl()
    assert TrainConfig().rule == SurrogateGradient()
