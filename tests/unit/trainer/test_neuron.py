"""The walk through time: gradients, masking, and the independence of batches and steps."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from toys import ON, Toy, config, numbers_of, scramble, spikes, stimulus

from quant.neurons import Reset
from trainer.arithmetic import Integer, Real
from trainer.config import LayerConfig, NetworkConfig, PlasticityConfig
from trainer.network import Network
from trainer.neurons import PARTS, RESETS, Dynamics, Numbers, Population, walk
from trainer.neurons.part import loop
from trainer.readouts import READOUTS
from trainer.rules import SurrogateGradient, Tssl
from trainer.rules.surrogate import _Fire
from trainer.surrogates import SLOPES, Surrogate
from trainer.walk import walk as learning_walk

FULL = (
    LayerConfig(9, (0,), dense_recurrent=True, **ON),
    LayerConfig(3, (1, 0), reset="subtract", **ON),
)


def full_network(seed: int = 19, plasticity: PlasticityConfig | None = None) -> Network:
    """A network with every feature, and with activity."""
    network = Network(config(*FULL, data=Toy(channels=11), plasticity=plasticity))
    scramble(network, seed, strength=0.5)
    return network


@pytest.mark.parametrize("integer", [False, True])
@pytest.mark.parametrize("parts", [(), *((part.key,) for part in PARTS), tuple(part.key for part in PARTS)])
@pytest.mark.parametrize(("reset", "spiking"), [*((reset, True) for reset in RESETS), ("zero", False)])
def test_the_walk_is_the_equation_step_by_step(
    integer: bool, parts: tuple[str, ...], reset: Reset, spiking: bool
) -> None:
    """Against the equations of docs/semantics.md, one neuron and one step at a time, with every part that exists."""
    numbers = numbers_of(9, integer=integer, parts=parts, recurrent=True)
    inputs, _ = spikes()
    exact = {name: value.detach().double() for name, value in numbers.learned.items()}
    arithmetic = Integer(8) if integer else Real()
    currents = inputs[:, :1].double() @ numbers.feed_forward.T.double()
    population = Population(numbers.holding(exact), arithmetic, Dynamics(spiking, reset, "fast_sigmoid"))
    with torch.no_grad():
        found = walk(currents, torch.tensor([len(inputs)]), population).outputs[:, 0]
    expected = reference(inputs[:, 0], numbers, reset, 8 if integer else None, spiking=spiking)
    torch.testing.assert_close(found, expected, rtol=0 if integer else 1e-9, atol=0 if integer else 1e-9)
    assert expected.abs().sum() > 10


def reference(inputs: Tensor, numbers: Numbers, reset: str, state_bits: int | None, *, spiking: bool) -> Tensor:
    """Plain loops over steps and neurons, in real numbers or in states of `state_bits` bits."""

    def decay(state: float, leak: float) -> float:
        return state * leak if state_bits is None else math.trunc(state * leak)

    def saturate(value: float) -> float:
        return value if state_bits is None else min(max(value, -(1 << (state_bits - 1))), (1 << (state_bits - 1)) - 1)

    neurons = len(numbers.threshold)
    v, c, h, s, o = ([0.0] * neurons for _ in range(5))
    past: list[list[float]] = []
    history = []
    for step in inputs.tolist():
        was, seen, row = list(s), list(o), []
        for i in range(neurons):
            p = {name: values[i].item() for name, values in numbers.neuron.items()}
            theta = p["threshold"]
            x = sum(w * z for w, z in zip(numbers.weight[i].tolist(), [*step, *seen], strict=True))
            x += p.get("self_weight", 0.0) * was[i] + p.get("bias", 0.0)
            x -= p.get("inhibition", 0.0) * (sum(seen) - seen[i]) if spiking else 0.0
            c[i] = saturate(decay(c[i], p["synapse_leak"]) + x) if "synapse_leak" in p else x
            late = theta * was[i] if reset == "late_subtract" else 0.0
            u = saturate(decay(v[i], p["leak"]) - late + c[i])
            recent = past[max(0, len(past) - int(p.get("refractory", 0))) :]
            u = 0.0 if spiking and any(row[i] for row in recent) else u
            if "adaptation_leak" in p:
                h[i] = saturate(decay(h[i], p["adaptation_leak"]) + p["adaptation_step"] * was[i])
            s[i] = float(spiking and u >= theta + h[i])
            v[i] = u if not s[i] or reset == "late_subtract" else 0.0 if reset == "zero" else u - theta
            row.append(u)
        past.append(list(s))
        for i in range(neurons):
            delay = int(numbers.neuron["delay"][i]) if "delay" in numbers.neuron else 0
            o[i] = past[-1 - delay][i] if delay < len(past) else 0.0
        history.append(list(o) if spiking else row)
    return torch.tensor(history, dtype=torch.float64)


def test_a_sample_does_not_see_its_batch() -> None:
    """Alone or beside longer samples, with or without events beyond its end: the same spikes, the same score."""
    network = full_network()
    inputs, steps = stimulus(4, 11)
    with torch.no_grad():
        together = network(inputs, steps, quantized=True)
        for index, count in enumerate(steps.tolist()):
            alone = network(inputs[:count, index : index + 1], steps[index : index + 1], quantized=True)
            assert torch.equal(alone.scores[0], together.scores[index])
            for single, batch in zip(alone.outputs, together.outputs, strict=True):
                assert torch.equal(single[:, 0], batch[:count, index])
                assert not batch[count:, index].any()
    assert (steps < len(inputs)).any()
    assert together.scores.sum() > 0


@pytest.mark.parametrize("quantized", [False, True])
@pytest.mark.parametrize("readout", READOUTS)
def test_gradients_reach_every_parameter(quantized: bool, readout: str) -> None:
    network = Network(config(data=Toy(channels=11), network=NetworkConfig(FULL, readout=readout)))  # type: ignore[arg-type]
    scramble(network, 19, strength=0.5)
    inputs, steps = stimulus(2, 11, longest=28)
    trace = network(inputs, steps, quantized=quantized)
    assert trace.outputs[1].sum() > 30
    torch.nn.functional.cross_entropy(trace.logits, torch.tensor([0, 1, 2, 0, 1])).backward()
    for name, parameter in network.named_parameters():
        last = name.startswith("stack.1")
        of_spikes = any(part in name for part in ("threshold", "self_weight", "inhibition", "adaptation", "delay"))
        silent = not READOUTS[readout].spiking and last and of_spikes
        unused = ("quantizer" in name and not quantized) or "width" in name or "refractory" in name
        gradient = torch.zeros(1) if parameter.grad is None else parameter.grad
        assert gradient.isfinite().all(), name
        assert bool(gradient.any()) != (silent or unused), name


@pytest.mark.parametrize("frozen", ["leak", "threshold", "synapse_leak"])
def test_a_frozen_parameter_keeps_its_value(frozen: str) -> None:
    network = full_network(plasticity=PlasticityConfig(**{frozen: False}))
    inputs, steps = stimulus(2, 11)
    network(inputs, steps, quantized=True).logits.square().sum().backward()
    for layer in network.layers:
        parameters = {
            "leak": layer.leak_logit,
            "threshold": layer.threshold_log,
            "synapse_leak": layer.synapse_leak_logit,
        }
        for name, parameter in parameters.items():
            assert (parameter.grad is None) == (name == frozen)
            assert any(parameter is one for one in network.intrinsic()) == (name != frozen)


# Smooth spikes `width * H(x / width)` whose derivatives toward x are the slopes, within reach of each.
SMOOTH = {
    "fast_sigmoid": lambda x, w: w * x / (w + x.abs()),
    "arctan": lambda x, w: 2 * w / math.pi * torch.atan(math.pi * x / (2 * w)),
    "triangle": lambda x, w: torch.where(x.abs() < w, x - x * x.abs() / (2 * w), x.sign() * w / 2),
    "rectangle": lambda x, w: torch.where(x.abs() < w, x, x.sign() * w),
}


@pytest.mark.parametrize("kind", SLOPES)
def test_the_gradients_of_a_spike(kind: Surrogate) -> None:
    """Those of a smooth step of the relative distance, toward potential and threshold; of the width, within reach."""
    draw = torch.Generator().manual_seed(1)
    potential = torch.randn(50, 4, generator=draw, dtype=torch.float64).requires_grad_()
    threshold = (torch.rand(4, generator=draw, dtype=torch.float64) + 0.3).requires_grad_()
    width = torch.full((1,), 0.7, dtype=torch.float64)
    weight = torch.randn(50, 4, generator=draw, dtype=torch.float64)
    spikes = _Fire.apply(potential, threshold, width, SLOPES[kind])
    found = torch.autograd.grad((spikes * weight).sum(), (potential, threshold))
    smooth = SMOOTH[kind]((potential - threshold) / threshold, 0.7)
    expected = torch.autograd.grad((smooth * weight).sum(), (potential, threshold))
    torch.testing.assert_close(found, expected)
    assert spikes.sum() > 20
    assert found[0].abs().sum() > 1


def test_a_wider_surrogate_spreads_the_step() -> None:
    """The width's gradient: that of `H(x / width)`, times the width, so that its slope stays 1 at the threshold."""
    potential = torch.tensor([[0.4], [1.2], [1.7]])
    width = torch.full((1,), 0.5, requires_grad=True)
    _Fire.apply(potential, torch.ones(1), width, SLOPES["fast_sigmoid"]).sum().backward()
    z = ((potential - 1) / 0.5).double()
    assert width.grad is not None
    torch.testing.assert_close(width.grad.double(), -(z / (1 + z.abs()) ** 2).sum().reshape(1))


def test_the_loop_of_a_neuron_never_amplifies_the_gradient() -> None:
    spikes, weight = torch.ones(2, 3), torch.tensor([5.0, -5.0, 0.01]).requires_grad_()
    spikes.requires_grad_()
    loop(spikes, weight, torch.full((3,), 0.1)).sum().backward()
    assert spikes.grad is not None
    assert weight.grad is not None
    torch.testing.assert_close(spikes.grad, torch.tensor([0.1, -0.1, 0.01]).expand(2, 3))
    assert weight.grad.tolist() == [2.0, 2.0, 2.0]


def test_time_based_gradients_pass_at_spikes_alone() -> None:
    """TSSL-BP: where a neuron fires, the inverse of its rise; after a spike of its own, nothing between spikes."""
    currents = torch.tensor([2.0, 0.1, 0.1, 1.5]).reshape(4, 1, 1).requires_grad_()
    one = torch.ones(1)
    numbers = Numbers(torch.zeros(1, 1), 1, {"leak": 0.9 * one, "threshold": one}, one, 0.5 * one)
    population = Population(numbers, Real(), Dynamics(True, "zero", "fast_sigmoid"))
    given = currents, torch.tensor([4]), population, Tssl()
    outputs = learning_walk(*given).outputs
    assert outputs.flatten().tolist() == [1.0, 0.0, 0.0, 1.0]
    only_last = torch.autograd.grad(outputs[3].sum(), currents)[0].flatten()
    # In the last step the membrane rises from 0.19 to 0.171 + 1.5. Earlier currents reach it through the leak; the
    # first one's spike moves the reset, whose response -(1 - leak) * u moves the last potential.
    rise = 0.171 + 1.5 - 0.19
    torch.testing.assert_close(only_last[1:], torch.tensor([0.9**2, 0.9, 1.0]) / rise)
    torch.testing.assert_close(only_last[0], torch.tensor(-(0.1 * 2.0) * 0.9**3 / rise / 2.0))
    between = torch.autograd.grad(learning_walk(*given).outputs[1].sum(), currents)[0]
    assert not between.any()


def test_the_derivatives_between_spikes_are_exact() -> None:
    """Without spikes nothing is a surrogate: numerical differentiation must agree."""
    draw = torch.Generator().manual_seed(1)

    def output(currents: Tensor, leak: Tensor, synapse_leak: Tensor) -> Tensor:
        one = torch.ones(3, dtype=torch.float64)
        neuron = {"leak": leak, "synapse_leak": synapse_leak, "threshold": one}
        numbers = Numbers(torch.zeros(3, 2, dtype=torch.float64), 2, neuron, one, one[:1])
        population = Population(numbers, Real(), Dynamics(False, "zero", "fast_sigmoid"))
        return learning_walk(currents, torch.tensor([6, 6]), population, SurrogateGradient()).outputs

    arguments = [torch.rand(size, generator=draw, dtype=torch.float64) for size in ((6, 2, 3), (3,), (3,))]
    assert torch.autograd.gradcheck(output, [argument.requires_grad_() for argument in arguments])


@pytest.mark.parametrize("reset", RESETS)
def test_the_derivatives_of_parts_and_resets(reset: Reset) -> None:
    """With smooth spikes the whole walk is smooth, and numerical differentiation must agree for every number."""
    apart = ("delay", "refractory", "inhibition")  # whole steps, and spikes that pass no gradient
    given = numbers_of(
        4, integer=False, parts=tuple(part.key for part in PARTS if part.key not in apart), recurrent=True
    )
    names = list(given.learned)
    inputs, _ = spikes()
    currents = inputs[:6, :2].double() @ given.feed_forward.T.double()

    def output(*learned: Tensor) -> Tensor:
        numbers = given.holding(dict(zip(names, learned, strict=True)))

        def smooth(excess: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
            spikes = torch.sigmoid(excess - numbers.threshold)
            return spikes, spikes

        population = Population(numbers, Real(), Dynamics(True, reset, "arctan"))
        return walk(currents, torch.tensor([6, 4]), population, smooth).outputs

    # Weights of a neuron's own spikes are small, within the bounds beyond which their gradient is not the derivative.
    small = {"self_weight": 0.01, "adaptation_step": 0.1}
    learned = [given.learned[name].detach().double() * small.get(name, 1.0) for name in names]
    assert torch.autograd.gradcheck(output, [one.requires_grad_() for one in learned])


def test_the_gradient_of_an_inhibition_is_exact_where_no_spike_changes() -> None:
    given = numbers_of(6, integer=False, parts=("inhibition", "synapse"))
    inputs, _ = spikes()
    currents = (inputs[:20, :2] @ given.feed_forward.T).detach().double()
    exact = {name: value.detach().double() for name, value in given.learned.items()}

    def potential(inhibition: Tensor) -> Tensor:
        numbers = given.holding({**exact, "inhibition": inhibition})
        states = walk(currents, torch.tensor([20, 15]), Population(numbers, Real(), Dynamics(True, "zero", "arctan")))
        assert states.outputs.sum() > 10
        return states.potential

    assert torch.autograd.gradcheck(potential, [exact["inhibition"].requires_grad_()])


def test_a_delay_learns_what_one_step_more_changes() -> None:
    """Its gradient is exactly that, where the loss is linear in the outputs and no spike leaves at the end."""
    numbers = numbers_of(6, integer=False, parts=("self_weight", "delay"))
    inputs, _ = spikes()
    steps = torch.tensor([40, 33])
    currents = inputs[:, :2] @ numbers.feed_forward.T
    currents[25:] = -5.0  # silence, so that no spike leaves at the end
    importance = torch.randn(40, 2, 6, generator=torch.Generator().manual_seed(2))
    delay = numbers.neuron["delay"].detach().requires_grad_()

    def loss(delay: Tensor) -> Tensor:
        given = replace(numbers, neuron={**numbers.neuron, "delay": delay})
        population = Population(given, Real(), Dynamics(True, "zero", "arctan"))
        states = learning_walk(currents.detach(), steps, population, SurrogateGradient())
        assert states.outputs.sum() > 20
        return (states.outputs * importance).sum(dim=(0, 1))

    found = torch.autograd.grad(loss(delay).sum(), delay)[0]
    torch.testing.assert_close(found, loss(delay.detach() + 1) - loss(delay.detach()))
    assert found.count_nonzero() > 3


def test_integers_round_toward_zero_and_pass_the_gradient() -> None:
    value = torch.tensor([2.75, -2.75, 0.5, -0.5, 3.0, -3.0], requires_grad=True)
    rounded = Integer(8).round(value)
    assert rounded.tolist() == [2.0, -2.0, 0.0, 0.0, 3.0, -3.0]
    rounded.sum().backward()
    assert value.grad is not None
    assert value.grad.tolist() == [1.0] * 6


def test_fine_integers_have_the_gradients_of_real_numbers() -> None:
    """With wide weights and leaks the quantized network is nearly the real one, and so must its gradients be."""
    layers = (
        LayerConfig(30, (0,), self_weight=True, weight_bits=8, leak_bits=8, state_bits=16),
        LayerConfig(3, (1, 0), self_weight=True, weight_bits=8, leak_bits=8, state_bits=16),
    )
    network = Network(config(*layers, data=Toy(channels=20)))
    network.fit_scales()
    inputs, steps = stimulus(5, 20, batch=16)
    gradients = []
    for quantized in (False, True):
        network.zero_grad()
        network(inputs, steps, quantized=quantized).logits[:, 0].sum().backward()
        gradients.append(network.layers[0].weight.grad)
    similarity = torch.nn.functional.cosine_similarity(gradients[0].flatten(), gradients[1].flatten(), dim=0)
    assert similarity > 0.8
