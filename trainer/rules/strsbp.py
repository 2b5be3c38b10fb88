"""ST-RSBP: backpropagation on the level of spike trains, through recurrent connections too.

Zhang and Li 2019, Spike-train level backpropagation for training deep recurrent spiking neural networks, NeurIPS.
With the reset to zero, the potentials of neuron i at its spikes add up to `a_i = sum_j w_ij e_ij`, where `e_ij` is what
the spikes of j bring to the spikes of i (S-PSP), and its number of spikes is about `o_i = a_i / theta_i`. The rule is
the derivative of these equations. Two facts make it fast:

- `e_ij` is linear in the train of j. Its derivative with respect to a spike of j in step t is `through_i[t]`, what is
  left of an input of step t when i spikes next: one walk back, and then one product of matrices, as in
  backpropagation through time, gives the gradients of all weights and of all sources.
- `e_ij` depends on `o_i` also through the times of the spikes of i: on average `P_n(o_i)`, a polynomial that depends on
  `n = o_j`, fitted to random trains once. A polynomial of counts is a few products of matrices, too.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quant.errors import ConfigError
from quant.formats import IntArray
from trainer.neurons import Numbers, mask
from trainer.rules.rule import Did, Gradients, Rule, check_counts, check_features
from trainer.schema import Range

if TYPE_CHECKING:
    from trainer.config import Config

_TRAINS = frozenset({"zero", "synapse", "self_weight", "refractory", "dense_recurrent", "sparse_recurrent"})
_DEGREE, _PAIRS, _POINTS = 4, 400, 24  # of the polynomials: random trains, counts at which they are fitted
_ROUNDS, _CLOSE = 30, 8  # of the iteration; its last change, in rounding errors
_SPARSE = 0.2  # fraction of recurrent weights up to which single ones are cheaper than a matrix


@dataclass(frozen=True, slots=True)
class StRsbp(Rule):
    """The derivative of spike counts.

    Unlike the authors' code, weights learn with the solution of the recurrent equations, as sources do, instead of its
    diagonal; every silent neuron of the last layer, not only that of the class, is taken to have spiked regularly; and
    silent hidden neurons take no part.

    Attributes:
        period: steps between the spikes that a silent neuron of the last layer is taken to have had.
        least: of a neuron's own response, `1 - da_i/do_i / theta_i`, by which its error is divided. At 0 the neuron
            would keep itself firing; the authors' code has 1e-4 and lets it be negative.
    """

    period: Annotated[int, Range(1, 1000)] = 10
    least: Annotated[float, Range(1e-4, 1.0)] = 0.25

    def check(self, config: Config) -> None:
        check_counts(config, "strsbp")
        check_features(config, "strsbp", _TRAINS)
        if config.plasticity.synapse_leak and any(layer.synapse for layer in config.network.layers):
            raise ConfigError("train.rule strsbp has no gradient for leaks: set plasticity.synapse_leak = false")

    def backward(self, did: Did, gradient: Tensor) -> Gradients:
        numbers, outputs = did.population.numbers, did.states.outputs
        counts = outputs.sum(dim=0)
        spikes = outputs
        if not did.hidden:
            spikes = torch.where(counts > 0, outputs, self._regular(gradient) * mask(gradient, did.ends))
        taken = spikes.sum(dim=0).clamp(min=1)
        error = (gradient * spikes).sum(dim=0) / taken
        through = _through(spikes, outputs, did.states.of_parts.get("refractory"), numbers)
        shares = spikes / taken
        own = _own(did, counts) + _around_loops(through, shares, numbers)
        response = torch.where(counts > 0, 1 - own / numbers.threshold, 1.0).clamp(min=self.least)
        solution = error / response
        if numbers.recurrent is not None:
            solution = _solve(response, _Mixing(through, shares, numbers), error)
        currents = through * (solution / numbers.threshold)
        found = {
            "threshold": -(solution * (did.states.potential * spikes).sum(dim=0)).sum(dim=0) / numbers.threshold**2
        }
        if numbers.recurrent is not None:
            recurrent = currents[1:].flatten(0, 1).T @ outputs[:-1].flatten(0, 1)
            found["weight"] = torch.nn.functional.pad(recurrent, (numbers.inputs, 0))
        if "self_weight" in numbers.neuron:
            found["self_weight"] = (currents[1:] * outputs[:-1]).sum(dim=(0, 1))
        return Gradients(currents, numbers=found)

    def _regular(self, like: Tensor) -> Tensor:
        steps = torch.arange(len(like), device=like.device)
        return (steps % self.period == self.period - 1).to(like.dtype)[:, None, None]


def _through(spikes: Tensor, resets: Tensor, held: Tensor | None, numbers: Numbers) -> Tensor:
    """`(T, batch, N)`: what an input current of 1 adds to the neuron's potentials at its spikes, up to the next reset.

    `resets` is 1 at spikes that there were; `held` where a refractory neuron's membrane is held at 0.
    """
    out, potential = torch.empty_like(spikes), torch.zeros_like(spikes[0])
    filtered, synapse = potential, numbers.neuron.get("synapse_leak")
    for step in range(len(spikes) - 1, -1, -1):
        potential = spikes[step] + potential * numbers.leak * (1 - resets[step])
        if held is not None:
            potential = potential * (1 - held[step])
        filtered = potential if synapse is None else potential + synapse * filtered
        out[step] = filtered
    return out


def _own(did: Did, counts: Tensor) -> Tensor:
    """`(batch, N)`: the sum over all inputs of `w_ij P'_n(o_i)`, n being the spikes of j."""
    assert did.sources is not None
    numbers = did.population.numbers
    slopes, begins = _tables(did)
    own = _looked_up(slopes, begins + counts.long())
    total = _product(_looked_up(slopes, begins + did.sources.sum(dim=0).long()), numbers.feed_forward)
    if numbers.recurrent is not None:
        total = total + _product(own, numbers.recurrent)
    if "self_weight" in numbers.neuron:
        total = total + own * numbers.neuron["self_weight"]
    return sum((one * counts**power for power, one in enumerate(total)), torch.zeros_like(counts))


def _around_loops(through: Tensor, shares: Tensor, numbers: Numbers) -> Tensor:
    """`(batch, N)`: what one more spike of a neuron brings to itself."""
    weight = numbers.neuron.get("self_weight", torch.zeros_like(numbers.threshold))
    if numbers.recurrent is not None:
        weight = weight + numbers.recurrent.diagonal()
    return weight * (through[1:] * shares[:-1]).sum(dim=0)


def _tables(did: Did) -> tuple[Tensor, Tensor]:
    """The slopes for the lengths of all samples, side by side, and `(batch, 1)` where those of each sample begin.

    Lengths are rounded up by an eighth at most, and leaks to thousandths, so that few tables are fitted.
    """
    mean = {name: one.mean().item() for name, one in did.population.numbers.neuron.items()}
    leaks = [1e-3 * round(1e3 * mean.get(name, 0.0)) for name in ("leak", "synapse_leak")]
    held = round(mean.get("refractory", 0.0))
    coarse = (did.ends // 8).clamp(min=1)
    lengths, which = torch.unique(-(-did.ends.clamp(min=1) // coarse) * coarse, return_inverse=True)
    slopes = torch.cat([_slopes(length, *leaks, held) for length in lengths.tolist()], dim=1)
    return slopes.to(did.currents), ((lengths + 1).cumsum(dim=0) - lengths - 1)[which, None]


def _looked_up(slopes: Tensor, places: Tensor) -> Tensor:
    """`(4, batch, channels)`: the coefficients at `places` `(batch, channels)`."""
    return slopes.index_select(1, places.flatten()).unflatten(1, places.shape)


def _product(coefficients: Tensor, weight: Tensor) -> Tensor:
    """`(4, batch, N)`, of all coefficients at once."""
    return (coefficients.flatten(0, 1) @ weight.T).unflatten(0, coefficients.shape[:2])


class _Mixing:
    """What the neurons of a recurrent layer bring to each other: `r_iq e_iq / (o_q theta_i)`, i not q, by sample.

    Args:
        through, shares: `(T, batch, N)`.
    """

    def __init__(self, through: Tensor, shares: Tensor, numbers: Numbers) -> None:
        assert numbers.recurrent is not None
        weight = numbers.recurrent / numbers.threshold[:, None]
        weight = weight * (1 - torch.eye(len(weight), dtype=weight.dtype, device=weight.device))
        self._to, self._from = weight.nonzero(as_tuple=True)
        self._size, self._sparse = len(weight), len(self._to) <= _SPARSE * weight.numel()
        if self._sparse:
            self._values = through.new_zeros(through.shape[1], len(self._to))
            for after, before in zip(through[1:], shares[:-1], strict=True):
                self._values.addcmul_(after.index_select(1, self._to), before.index_select(1, self._from))
            self._values *= weight[self._to, self._from]
        else:
            self._values = (through[1:].permute(1, 2, 0) @ shares[:-1].permute(1, 0, 2)) * weight

    def __call__(self, x: Tensor) -> Tensor:
        """The sum over i, of `(batch, N)` x_i times what q brings to i."""
        if self._sparse:
            return torch.zeros_like(x).index_add_(1, self._from, x.index_select(1, self._to) * self._values)
        return (x[:, None] @ self._values)[:, 0]

    def matrices(self, samples: Tensor) -> Tensor:
        """`(samples, from, to)`, of the samples that are chosen, bool `(batch,)`."""
        values = self._values[samples]
        if not self._sparse:
            return values.mT
        matrices = values.new_zeros(len(values), self._size, self._size)
        matrices[:, self._from, self._to] = values
        return matrices


def _solve(response: Tensor, mixing: _Mixing, error: Tensor) -> Tensor:
    """`(batch, N)` x with `response * x - mixing(x) = error`, by iteration; directly for samples where that fails."""
    x, close = error / response, _CLOSE * torch.finfo(error.dtype).eps
    for _ in range(_ROUNDS):
        before, x = x, (error + mixing(x)) / response
        largest = before.abs().amax(dim=1)
        settled = ((x - before).abs().amax(dim=1) <= close * largest) & (largest < torch.inf)
        if settled.all():
            return x
    left = ~settled
    matrices = torch.diag_embed(response[left]) - mixing.matrices(left)
    # One that has no inverse gives no numbers, which training reports with layer and update.
    x[left] = torch.linalg.solve_ex(matrices, error[left]).result
    return x


@functools.cache
def _slopes(steps: int, leak: float, synapse_leak: float, held: int) -> Tensor:
    """`(4, steps + 1)`: the coefficients of `P'_n` for n spikes of an input.

    `P_n` is the polynomial nearest to the mean of e over random trains with n spikes, given the spikes of the neuron,
    whose membrane is held at 0 in the `held` steps behind each.
    """
    draw = np.random.default_rng(1)
    points = _points(steps)
    own_points = _points(1 + (steps - 1) // (held + 1))
    after = np.stack([_trains(draw, n, steps, held) for n in own_points])
    at_zero = after.copy()
    for late in range(1, min(held, steps - 1) + 1):
        at_zero[:, :, late:] |= after[:, :, :-late]
    table = np.zeros((len(points) + 1, _DEGREE))
    degree = min(_DEGREE, len(own_points) - 1)
    for row, n in enumerate(points, start=1):
        before = _trains(draw, n, steps)
        current = potential = np.zeros(_PAIRS)
        lost = total = np.zeros((len(own_points), _PAIRS))  # what of the potential the resets have taken
        for step in range(steps):
            current = synapse_leak * current + before[:, step]
            potential = leak * potential + current
            lost = leak * lost
            total = total + after[:, :, step] * (potential - lost)
            lost = np.where(at_zero[:, :, step], potential, lost)
        fit = np.polynomial.Polynomial.fit(own_points, total.mean(axis=1), degree).convert().deriv()
        table[row, : len(fit.coef)] = fit.coef
    counts = np.arange(steps + 1)
    return torch.from_numpy(np.stack([np.interp(counts, [0, *points], column) for column in table.T])).float()


def _points(most: int) -> IntArray:
    """The numbers of spikes up to `most` at which polynomials are fitted."""
    return np.unique(np.geomspace(1, most, _POINTS).round().astype(int))


def _trains(draw: np.random.Generator, spikes: int, steps: int, apart: int = 0) -> npt.NDArray[np.bool_]:
    """`(pairs, steps)`: random trains of so many spikes with at least `apart` steps between two."""
    room = steps - apart * (spikes - 1)
    times = np.nonzero(draw.random((_PAIRS, room)).argsort(axis=1) < spikes)[1].reshape(_PAIRS, spikes)
    trains = np.zeros((_PAIRS, steps), dtype=bool)
    np.put_along_axis(trains, times + apart * np.arange(spikes), True, axis=1)
    return trains
