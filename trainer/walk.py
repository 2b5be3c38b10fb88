"""One layer's walk through time as a differentiable function: the fastest walk forward, the rule's gradient back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from trainer import kernels
from trainer.neurons import Population, States
from trainer.rules import Did, Rule


def walk(
    currents: Tensor,
    ends: Tensor,
    population: Population,
    rule: Rule,
    sources: Tensor | None = None,
    *,
    hidden: bool = False,
) -> States:
    """The same as `neurons.walk`; outputs alone have a gradient, the rule's. `sources`, `hidden`: see `Did`."""
    learned = population.numbers.learned.values()
    outputs, potential, *kept = _Walk.apply(population, rule, hidden, ends, sources, currents, *learned)
    return population.states(outputs, potential, kept)


class _Walk(Function):
    """Tensors that a layer learns are arguments, so that their gradients are results."""

    @staticmethod
    def forward(
        ctx: Any,
        population: Population,
        rule: Rule,
        hidden: bool,
        ends: Tensor,
        sources: Tensor | None,
        currents: Tensor,
        *learned: Tensor,
    ) -> tuple[Tensor, ...]:
        ctx.population, ctx.rule, ctx.kernel = population, rule, kernels.find(currents, population, rule)
        with torch.autocast(currents.device.type, enabled=False):  # a replay would not see it
            states = kernels.walk(currents, ends, population.holding(learned))
        kept = list(states.of_parts.values())
        # Saved, not kept as attributes: an output that its own node held would never be freed.
        needed = None if ctx.kernel else currents
        ctx.save_for_backward(ends, sources, needed, states.outputs, states.potential, *kept, *learned)
        ctx.kept, ctx.hidden = len(kept), hidden
        ctx.mark_non_differentiable(states.potential, *kept)
        ctx.set_materialize_grads(False)  # zeros for these would be as large as the states
        return states.outputs, states.potential, *kept

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        names = ctx.population.numbers.learned
        if gradients[0] is None:
            return (None,) * (6 + len(names))
        ends, sources, currents, outputs, potential, *rest = ctx.saved_tensors
        population = ctx.population.holding(rest[ctx.kept :])
        states = population.states(outputs, potential, rest[: ctx.kept])
        if ctx.kernel:
            found = ctx.kernel.backward(ends, population, states, gradients[0])
        else:
            found = ctx.rule.backward(Did(sources, currents, ends, population, states, ctx.hidden), gradients[0])
        return None, None, None, None, found.sources, found.currents, *(found.numbers.get(name) for name in names)
