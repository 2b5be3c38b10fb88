"""ST-RSBP and Lee's rule against their equations, neuron by neuron in plain loops of float64."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from toys import numbers_of, spikes

from quant.neurons import Reset
from trainer.arithmetic import Real
from trainer.neurons import Dynamics, Numbers, Population, mask, walk
from trainer.rules import Did, Lee, StRsbp, strsbp
from trainer.rules.strsbp import _slopes, _solve

NEURONS = 9


def did_and_gradient(parts: tuple[str, ...], reset: Reset, *, recurrent: bool = False) -> tuple[Did, torch.Tensor]:
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
    found = StRsbp(period=6).backward(did, gradient)
    numbers = did.population.numbers
    inputs, theta, leak = numbers.inputs, numbers.threshold.numpy(), 0.875
    synapse_leak = 0.5 if "synapse" in parts else 0.0
    held = numbers.neuron["refractory"].int().tolist() if "refractory" in parts else [0] * NEURONS
    weight = numbers.weight.numpy()
    own = numbers.neuron["self_weight"].numpy() if "self_weight" in parts else np.zeros(NEURONS)
    d_weight, d_self, d_theta = np.zeros_like(weight), np.zeros(NEURONS), np.zeros(NEURONS)
    d_sources = torch.zeros_like(did.sources)
    assert len(set(did.ends.tolist())) > 3
    for b, end in enumerate(did.ends.tolist()):
        near = math.ceil(end / max(1, end // 8)) * max(1, end // 8)
        table = _slopes(near, leak, synapse_leak, round(np.mean(held))).T.double().numpy()
        sources, outputs = did.sources[:end, b].numpy(), did.states.outputs[:end, b].numpy()
        late = np.vstack([np.zeros(NEURONS), outputs[:-1]])
        given = np.hstack([sources, late]) if recurrent else sources
        psp = np.stack([filtered(train, leak, synapse_leak) for train in given.T], axis=1)
        own_psp = np.stack([filtered(train, leak, synapse_leak) for train in late.T], axis=1)
        times = [np.flatnonzero(train) for train in outputs.T]
        regular = [] if hidden else [t for t in range(end) if t % 6 == 5]
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
        error = np.array([np.mean([gradient[t, b, i] for t in taken[i]]) if taken[i] else 0.0 for i in range(NEURONS)])
        omega = np.eye(NEURONS)
        for i in range(NEURONS):
            if counts[i]:
                slopes = [sum(table[n][k] * counts[i] ** k for k in range(4)) for n in given_counts]
                of_own = sum(table[counts[i]][k] * counts[i] ** k for k in range(4))
                response = 1 - (weight[i] @ slopes + own[i] * of_own) / theta[i]
                omega[i, i] = max(response, 0.25)
            for q in range(NEURONS) if recurrent else ():
                train = np.zeros(end)
                train[[t + 1 for t in taken[q] if t + 1 < end]] = 1
                if i != q and taken[q]:
                    share = brought(filtered(train, leak, synapse_leak), i) / len(taken[q])
                    omega[i, q] = -weight[i, inputs + q] * share / theta[i]
        solution = np.linalg.solve(omega.T, error) / theta
        for i in range(NEURONS):
            d_weight[i] += solution[i] * np.array([brought(trace, i) for trace in psp.T])
            d_self[i] += solution[i] * brought(own_psp[:, i], i)
            potentials = did.states.potential[:end, b, i].numpy()
            d_theta[i] -= solution[i] * sum(potentials[t] for t in taken[i]) / theta[i]
            for t in range(end):
                impulse = filtered(np.arange(end) == t, leak, synapse_leak)
                d_sources[t, b] += torch.from_numpy(solution[i] * brought(impulse, i) * weight[i, :inputs])
    of_inputs = torch.einsum("tbi,tbj->ij", found.currents, did.sources)
    torch.testing.assert_close(of_inputs, torch.from_numpy(d_weight[:, :inputs]), rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(found.currents @ numbers.feed_forward, d_sources, rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(found.numbers["threshold"], torch.from_numpy(d_theta), rtol=1e-5, atol=1e-8)
    assert d_weight.any()
    assert d_theta.any()
    # To scale all weights and the threshold of a neuron changes nothing.
    scaled = (weight * d_weight).sum(axis=1) + own * d_self
    np.testing.assert_allclose(scaled, -theta * d_theta, rtol=1e-9)
    if recurrent:
        d_recurrent = torch.from_numpy(d_weight[:, inputs:])
        torch.testing.assert_close(found.numbers["weight"][:, inputs:], d_recurrent, rtol=1e-5, atol=1e-8)
        assert d_recurrent.any()
    if "self_weight" in parts:
        torch.testing.assert_close(found.numbers["self_weight"], torch.from_numpy(d_self), rtol=1e-5, atol=1e-8)
        assert d_self.any()


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


@pytest.mark.parametrize("parts", [(), ("inhibition",)])
@pytest.mark.parametrize(("normalize", "hidden"), [(False, True), (True, True), (True, False)])
def test_lee_is_the_traces_at_the_end(parts: tuple[str, ...], normalize: bool, hidden: bool) -> None:
    did, gradient = did_and_gradient(parts, "subtract")
    did = replace(did, hidden=hidden)
    found = Lee(normalize=normalize, balance=0.01).backward(did, gradient)
    numbers = did.population.numbers
    theta, leak = numbers.threshold.numpy(), numbers.leak.numpy()
    d_weight, d_theta, d_inhibition = np.zeros((NEURONS, numbers.inputs)), np.zeros(NEURONS), np.zeros(NEURONS)
    d_sources = torch.zeros_like(did.sources[0])
    for b, end in enumerate(did.ends.tolist()):
        error = gradient[end - 1, b].numpy() / theta
        fired = [i for i in range(NEURONS) if did.states.outputs[:, b, i].any()]
        reached = [j for j in range(numbers.inputs) if did.sources[:, b, j].any()]
        if normalize:
            mean = math.sqrt(np.mean([theta[i] ** -2 for i in fired or range(NEURONS)]))
            error *= 1 / mean * math.sqrt(NEURONS / max(1, len(reached)))
        if hidden:
            error *= [i in fired for i in range(NEURONS)]
        for i in range(NEURONS):
            for t in range(end):
                left = leak[i] ** (end - 1 - t)
                d_weight[i] += error[i] * left * did.sources[t, b].numpy()
                d_theta[i] -= error[i] * left * did.states.outputs[t, b, i].item()
                others = [j for j in range(NEURONS) if j != i and t > 0 and did.states.outputs[t - 1, b, j]]
                d_inhibition[i] -= error[i] * left * len(others)
            d_sources[b] += error[i] * numbers.feed_forward[i]
    counts = did.states.outputs.sum(dim=(0, 1)).numpy()
    d_theta -= 0.01 * (NEURONS * counts - counts.sum()) / theta / len(did.ends)
    of_inputs = torch.einsum("tbi,tbj->ij", found.currents, did.sources)
    torch.testing.assert_close(of_inputs, torch.from_numpy(d_weight), rtol=1e-5, atol=1e-9)
    torch.testing.assert_close(found.numbers["threshold"], torch.from_numpy(d_theta), rtol=1e-5, atol=1e-9)
    if parts:
        torch.testing.assert_close(found.numbers["inhibition"], torch.from_numpy(d_inhibition), rtol=1e-5, atol=1e-9)
        assert d_inhibition.any()
    back = (found.currents @ numbers.feed_forward)[did.ends - 1, torch.arange(len(did.ends))]
    torch.testing.assert_close(back, d_sources, rtol=1e-5, atol=1e-9)
    assert d_weight.any()
    assert d_theta.any()


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


def test_equations_without_a_solution_give_no_numbers() -> None:
    """Which training reports as it reports all that diverges."""
    found = _solve(torch.ones(2, 2), lambda x: x.flip(1), torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    assert not found.isfinite().any()
