"""ST-RSBP and Lee's rule against their equations, neuron by neuron in plain loops of float64."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor
from toys import Toy, assert_near, config, numbers_of, scramble, spikes, stimulus

from quant.neurons import Reset
from trainer.arithmetic import Real
from trainer.config import LayerConfig, PlasticityConfig, TrainConfig
from trainer.network import Network
from trainer.neurons import Dynamics, Numbers, Population, mask, walk
from trainer.rules import Did, Lee, StRsbp, strsbp
from trainer.rules.strsbp import _Mixing, _slopes, _solve

NEURONS = 9


def did_and_gradient(parts: tuple[str, ...], reset: Reset, *, recurrent: bool = False) -> tuple[Did, Tensor]:
    """A layer of neurons, silent ones among them, in float64, all with one leak; and a gradient of its outputs."""
    numbers = numbers_of(NEURONS, integer=False, parts=parts, recurrent=recurrent)
    neuron = {name: value.detach().double() for name, value in numbers.neuron.items()}
    neuron["leak"] = torch.full_like(neuron["leak"], 0.875)
    if "synapse_leak" in neuron:
        neuron["synapse_leak"] = torch.full_like(neuron["leak"], 0.5)
    weight = numbers.weight.detach().double().clone()
    weight[:, numbers.inputs :] *= 0.3 / (1 + 2 * ("synapse_leak" in neuron))
    weight[0] -= 2
    numbers = Numbers(weight, numbers.inputs, neuron, numbers.unit, numbers.width.detach().double())
    population = Population(numbers, Real(), Dynamics(True, reset, "triangle"))
    inputs, ends = spikes()
    sources = inputs.double() * mask(inputs, ends)
    currents = sources @ numbers.feed_forward.T
    states = walk(currents, ends, population)
    counts = states.outputs.sum(dim=0)
    assert (counts > 3).any()
    assert (counts == 0).any()
    gradient = torch.randn(states.outputs.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    return Did(sources, currents, ends, population, states), gradient


def filtered(train: np.ndarray, leak: float, synapse_leak: float) -> np.ndarray:
    """The potential that a train makes through a weight of 1, without resets."""
    current = potential = 0.0
    out = []
    for spike in train:
        current = synapse_leak * current + spike
        potential = leak * potential + current
        out.append(potential)
    return np.array(out)


@dataclass(frozen=True, slots=True)
class Found:
    """Gradients of a layer: `(N, inputs [+ N])`, `(N,)` each, and of its sources `(T, batch, inputs)`."""

    weight: np.ndarray
    threshold: np.ndarray
    sources: Tensor
    self_weight: np.ndarray
    inhibition: np.ndarray

    @classmethod
    def zero(cls, did: Did) -> Found:
        numbers = did.population.numbers
        neurons = len(numbers.weight)
        each = (np.zeros(neurons) for _ in range(2))
        return cls(np.zeros(numbers.weight.shape), np.zeros(neurons), torch.zeros_like(did.sources), *each)


def naive_strsbp(did: Did, gradient: Tensor, period: int) -> Found:
    """By `e_ij` of every pair of neurons, and the whole of `Omega`."""
    found, numbers = Found.zero(did), did.population.numbers
    values = {name: value.detach().double().numpy() for name, value in numbers.neuron.items()}
    theta, weight = values["threshold"], numbers.weight.detach().double().numpy()
    inputs, neurons, recurrent = numbers.inputs, len(theta), numbers.recurrent is not None
    leak, synapse_leak = values["leak"][0], values.get("synapse_leak", [0.0])[0]
    held = values.get("refractory", np.zeros(neurons)).astype(int)
    own = values.get("self_weight", np.zeros(neurons))
    for b, end in enumerate(did.ends.tolist()):
        near = math.ceil(end / max(1, end // 8)) * max(1, end // 8)
        table = _slopes(near, leak, synapse_leak, round(np.mean(held))).T.double().numpy()
        sources, outputs = (one[:end, b].detach().double().numpy() for one in (did.sources, did.states.outputs))
        late = np.vstack([np.zeros(neurons), outputs[:-1]])
        given = np.hstack([sources, late]) if recurrent else sources
        psp = np.stack([filtered(train, leak, synapse_leak) for train in given.T], axis=1)
        own_psp = np.stack([filtered(train, leak, synapse_leak) for train in late.T], axis=1)
        times = [np.flatnonzero(train) for train in outputs.T]
        regular = [] if did.hidden else [t for t in range(end) if t % period == period - 1]
        taken = [list(t) if len(t) else regular for t in times]
        kept = [held[i] if len(t) else None for i, t in enumerate(times)]  # what was no spike reset nothing

        def brought(trace: np.ndarray, i: int, taken: list[list[int]] = taken, kept: list[int | None] = kept) -> float:
            total, before = 0.0, None
            for t in taken[i]:
                total += trace[t] - (0.0 if before is None else leak ** (t - before) * trace[before])
                before = None if kept[i] is None else t + kept[i]
            return total

        counts = outputs.sum(axis=0).astype(int)
        given_counts = given.sum(axis=0).astype(int)
        if recurrent:
            given_counts[inputs:] = counts
        error = np.array([np.mean([gradient[t, b, i] for t in taken[i]]) if taken[i] else 0.0 for i in range(neurons)])
        omega = np.eye(neurons)
        for i in range(neurons):
            if counts[i]:
                slopes = [sum(table[n][k] * counts[i] ** k for k in range(4)) for n in given_counts]
                of_own = sum(table[counts[i]][k] * counts[i] ** k for k in range(4))
                around = own[i] * (of_own + brought(own_psp[:, i], i) / counts[i])
                if recurrent:
                    around += weight[i, inputs + i] * brought(own_psp[:, i], i) / counts[i]
                omega[i, i] = max(1 - (weight[i] @ slopes + around) / theta[i], 0.25)
            for q in range(neurons) if recurrent else ():
                train = np.zeros(end)
                train[[t + 1 for t in taken[q] if t + 1 < end]] = 1
                if i != q and taken[q]:
                    share = brought(filtered(train, leak, synapse_leak), i) / len(taken[q])
                    omega[i, q] = -weight[i, inputs + q] * share / theta[i]
        solution = np.linalg.solve(omega.T, error) / theta
        for i in range(neurons):
            found.weight[i] += solution[i] * np.array([brought(trace, i) for trace in psp.T])
            found.self_weight[i] += solution[i] * brought(own_psp[:, i], i)
            potentials = did.states.potential[:end, b, i].detach().double().numpy()
            found.threshold[i] -= solution[i] * sum(potentials[t] for t in taken[i]) / theta[i]
            for t in range(end):
                impulse = filtered(np.arange(end) == t, leak, synapse_leak)
                found.sources[t, b] += torch.from_numpy(solution[i] * brought(impulse, i) * weight[i, :inputs])
    return found


@pytest.mark.parametrize(
    ("recurrent", "hidden", "by_weight"),
    [(False, False, False), (True, False, False), (True, True, False), (True, False, True), (True, True, True)],
)
@pytest.mark.parametrize("parts", [(), ("self_weight",), ("synapse",), ("self_weight", "synapse", "refractory")])
def test_strsbp_is_the_derivative_of_the_equations_of_counts(
    parts: tuple[str, ...], recurrent: bool, hidden: bool, by_weight: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strsbp, "_SPARSE", float(by_weight))  # recurrent weights one by one, or as a matrix
    did, gradient = did_and_gradient(parts, "zero", recurrent=recurrent)
    did = replace(did, hidden=hidden)
    assert len(set(did.ends.tolist())) > 3
    found, naive = StRsbp(period=6).backward(did, gradient), naive_strsbp(did, gradient, 6)
    numbers = did.population.numbers
    assert found.currents is not None
    of_inputs = torch.einsum("tbi,tbj->ij", found.currents, did.sources)
    assert_near(of_inputs, naive.weight[:, : numbers.inputs], 1e-9)
    assert_near(found.currents @ numbers.feed_forward, naive.sources, 1e-9)
    assert_near(found.numbers["threshold"], naive.threshold, 1e-9)
    if recurrent:
        of_weight = found.numbers["weight"]
        assert of_weight is not None
        assert_near(of_weight[:, numbers.inputs :], naive.weight[:, numbers.inputs :], 1e-9)
    own = 0.0
    if "self_weight" in parts:
        assert_near(found.numbers["self_weight"], naive.self_weight, 1e-9)
        own = numbers.neuron["self_weight"].numpy() * naive.self_weight
    # To scale all weights and the threshold of a neuron changes nothing.
    scaled = (numbers.weight.numpy() * naive.weight).sum(axis=1) + own
    np.testing.assert_allclose(scaled, -numbers.threshold.numpy() * naive.threshold, rtol=1e-9)


@pytest.mark.parametrize("held", [0, 2])
def test_the_response_of_a_count_is_that_of_random_trains(held: int) -> None:
    """How the mean S-PSP grows with the number of spikes, measured once more, for one number of the input's."""
    draw, steps, leak, synapse_leak, n = np.random.default_rng(7), 40, 0.9, 0.5, 8
    means = []
    for m in (2, 9):
        totals: list[float] = []
        while len(totals) < 1000:
            times = np.flatnonzero(draw.random(steps).argsort() < m)
            if np.diff(times).min() <= held:
                continue  # a refractory neuron has no such train
            trace = filtered((draw.random(steps).argsort() < n).astype(float), leak, synapse_leak)
            ends = [t + held for t in times[:-1]]
            lost = sum(leak ** (t - end) * trace[end] for end, t in zip(ends, times[1:], strict=True))
            totals.append(trace[times].sum() - lost)
        means.append(np.mean(totals))
    slopes = _slopes(steps, leak, synapse_leak, held)[:, n].tolist()
    grown = sum(slope * (9 ** (k + 1) - 2 ** (k + 1)) / (k + 1) for k, slope in enumerate(slopes))
    assert grown == pytest.approx(means[1] - means[0], rel=0.05)


def naive_lee(did: Did, gradient: Tensor, *, normalize: bool, balance: float = 0.0) -> Found:
    """By the traces at the end of every sample; the gradient of the sources is at their last steps."""
    found, numbers = Found.zero(did), did.population.numbers
    weight, theta, leak = (
        one.detach().double().numpy() for one in (numbers.feed_forward, numbers.threshold, numbers.leak)
    )
    neurons = len(theta)
    sources, outputs = (one.detach().double().numpy() for one in (did.sources, did.states.outputs))
    for b, end in enumerate(did.ends.tolist()):
        error = gradient[end - 1, b].double().numpy() / theta
        fired = [i for i in range(neurons) if outputs[:end, b, i].any()]
        reached = [j for j in range(numbers.inputs) if sources[:end, b, j].any()]
        if normalize:
            mean = math.sqrt(np.mean([theta[i] ** -2 for i in fired or range(neurons)]))
            error *= 1 / mean * math.sqrt(neurons / max(1, len(reached)))
        if did.hidden:
            error *= [i in fired for i in range(neurons)]
        for i in range(neurons):
            for t in range(end):
                left = leak[i] ** (end - 1 - t)
                found.weight[i] += error[i] * left * sources[t, b]
                found.threshold[i] -= error[i] * left * outputs[t, b, i]
                others = [j for j in range(neurons) if j != i and t > 0 and outputs[t - 1, b, j]]
                found.inhibition[i] -= error[i] * left * len(others)
            found.sources[end - 1, b] += torch.from_numpy(error[i] * weight[i])
    counts = outputs.sum(axis=(0, 1))
    found.threshold[:] -= balance * (neurons * counts - counts.sum()) / theta / len(did.ends)
    return found


@pytest.mark.parametrize("parts", [(), ("inhibition",)])
@pytest.mark.parametrize(("normalize", "hidden"), [(False, True), (True, True), (True, False)])
def test_lee_is_the_traces_at_the_end(parts: tuple[str, ...], normalize: bool, hidden: bool) -> None:
    did, gradient = did_and_gradient(parts, "subtract")
    did = replace(did, hidden=hidden)
    found = Lee(normalize=normalize, balance=0.01).backward(did, gradient)
    naive = naive_lee(did, gradient, normalize=normalize, balance=0.01)
    assert found.currents is not None
    assert_near(torch.einsum("tbi,tbj->ij", found.currents, did.sources), naive.weight, 1e-6)
    assert_near(found.numbers["threshold"], naive.threshold, 1e-6)
    if parts:
        assert_near(found.numbers["inhibition"], naive.inhibition, 1e-6)
    back, ends = found.currents @ did.population.numbers.feed_forward, (did.ends - 1, torch.arange(len(did.ends)))
    assert_near(back[ends], naive.sources[ends], 1e-6)


@pytest.mark.parametrize("rule", [StRsbp(period=6), Lee()], ids=["strsbp", "lee"])
def test_two_layers_learn_as_their_equations_one_after_the_other_say(rule: StRsbp | Lee) -> None:
    """The last one's gradient of its sources is the first one's gradient of its spikes; with a skip from the input."""
    lee = isinstance(rule, Lee)
    reset: Reset = "subtract" if lee else "zero"
    first, last = LayerConfig(9, (0,), reset=reset, dense_recurrent=not lee), LayerConfig(3, (1, 0), reset=reset)
    learned, train = PlasticityConfig(leak=False), TrainConfig(rule=rule)
    settings = config(first, last, data=Toy(channels=11), train=train, plasticity=learned)
    network = Network(settings)
    scramble(network, 2, strength=0.5)
    with torch.no_grad():
        for layer in network.layers:
            layer.leak_logit.fill_(math.log(7))  # a leak of 7/8
    inputs, ends = stimulus(2, 11)
    trace = network(inputs, ends, quantized=False)
    gradient = torch.randn(trace.outputs[-1].shape, generator=torch.Generator().manual_seed(5))
    (trace.outputs[-1] * gradient).sum().backward()
    assert trace.outputs[1].sum() > 50
    assert trace.outputs[2].sum() > 10
    sources = trace.outputs[0], torch.cat([trace.outputs[1], trace.outputs[0]], dim=2)
    for index in (1, 0):
        layer = network.layers[index]
        population = Population(layer.numbers(quantized=False), Real(), layer.dynamics)
        states, hidden = trace.states[index], index == 0
        did = Did(sources[index].double(), states.potential, ends, population, states, hidden)
        naive = naive_lee(did, gradient, normalize=True) if lee else naive_strsbp(did, gradient, 6)
        assert_near(layer.weight.grad, naive.weight, 1e-5)
        threshold = torch.from_numpy(naive.threshold).float() * layer.threshold_log.exp()
        assert_near(layer.threshold_log.grad, threshold.detach(), 1e-5)
        gradient = naive.sources[:, :, :9]


@pytest.mark.parametrize("normalize", [False, True])
def test_lee_learns_integers_as_the_real_numbers_they_stand_for(normalize: bool) -> None:
    did, gradient = did_and_gradient((), "subtract")
    real, unit = did.population.numbers, torch.linspace(0.25, 4.0, NEURONS, dtype=torch.float64)
    neuron = {**real.neuron, "threshold": real.threshold / unit}
    integers = replace(real, weight=real.weight / unit[:, None], neuron=neuron, unit=unit)
    rule = Lee(normalize=normalize, balance=0.01)
    of_real = rule.backward(did, gradient)
    of_integers = rule.backward(replace(did, population=replace(did.population, numbers=integers)), gradient)
    torch.testing.assert_close(of_integers.currents, of_real.currents * unit)
    torch.testing.assert_close(of_integers.numbers["threshold"], of_real.numbers["threshold"] * unit)
    torch.testing.assert_close(of_integers.currents @ integers.feed_forward, of_real.currents @ real.feed_forward)
    assert of_real.currents.any()


def pairs(*weights: float) -> _Mixing:
    """Samples of two neurons that each bring the other that much of its spikes."""
    numbers = numbers_of(2, integer=False, recurrent=True)
    weight = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    numbers = replace(numbers, weight=weight, inputs=0, neuron={**numbers.neuron, "threshold": torch.ones(2)})
    brought = torch.tensor(weights)[:, None].expand(2, -1, 2)
    return _Mixing(brought, torch.ones_like(brought), numbers)


@pytest.mark.parametrize("by_weight", [False, True])
def test_equations_are_solved_also_where_the_iteration_does_not_end(
    by_weight: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`x = error + w x`: with |w| < 1 it ends, beyond it grows."""
    monkeypatch.setattr(strsbp, "_SPARSE", float(by_weight))
    found = _solve(torch.ones(3, 2), pairs(0.5, 3.0, -4.0), torch.ones(3, 2))
    torch.testing.assert_close(found[:, 0], 1 / (1 - torch.tensor([0.5, 3.0, -4.0])))


def test_equations_without_a_solution_give_no_numbers() -> None:
    """Which training reports as it reports all that diverges."""
    found = _solve(torch.ones(1, 2), pairs(1.0), torch.tensor([[1.0, 0.0]]))
    assert not found.isfinite().any()
