"""One layer's walk through time as a differentiable function: the fastest walk forward, the rule's gradient back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from trainer import kernels
from trainer.arithmetic import Arithmetic
from trainer.neurons import Dynamics, Numbers, States, acting
from trainer.rules import Did, Rule


def walk(
    currents: Tensor,
    ends: Tensor,
    numbers: Numbers,
    arithmetic: Arithmetic,
    dynamics: Dynamics,
    rule: Rule,
    sources: Tensor | None = None,
) -> States:
    """The same as `neurons.walk`; outputs alone have a gradient, the rule's. `sources`: see `Did`."""
    layer = _Layer(ends, numbers, arithmetic, dynamics, rule)
    outputs, potential, *kept = _Walk.apply(layer, sources, currents, *numbers.learned.values())
    return States(outputs, potential, layer.of_parts(kept))


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    ends: Tensor
    numbers: Numbers
    arithmetic: Arithmetic
    dynamics: Dynamics
    rule: Rule

    def holding(self, learned: tuple[Tensor, ...]) -> Numbers:
        return self.numbers.holding(dict(zip(self.numbers.learned, learned, strict=True)))

    def of_parts(self, kept: list[Tensor]) -> dict[str, Tensor]:
        keys = [part.key for part in acting(self.numbers, self.dynamics) if part.keeps]
        return dict(zip(keys, kept, strict=True))


class _Walk(Function):
    """Tensors that a layer learns are arguments, so that their gradients are results."""

    @staticmethod
    def forward(
        ctx: Any, layer: _Layer, sources: Tensor | None, currents: Tensor, *learned: Tensor
    ) -> tuple[Tensor, ...]:
        numbers = layer.holding(learned)
        given = layer.ends, numbers, layer.arithmetic, layer.dynamics
        with torch.autocast(currents.device.type, enabled=False):  # a replay would not see it
            states = kernels.walk(currents, *given)
        ctx.layer, ctx.kernel = layer, kernels.find(currents, numbers, layer.dynamics, layer.rule)
        kept = list(states.of_parts.values())
        # Saved, not kept as attributes: an output that its own node held would never be freed.
        needed = None if ctx.kernel else currents
        ctx.save_for_backward(sources, needed, states.outputs, states.potential, *kept, *learned)
        ctx.kept = len(kept)
        ctx.mark_non_differentiable(states.potential, *kept)
        ctx.set_materialize_grads(False)  # zeros for these would be as large as the states
        return states.outputs, states.potential, *kept

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        layer: _Layer = ctx.layer
        if gradients[0] is None:
            return (None,) * (3 + len(layer.numbers.learned))
        sources, currents, outputs, potential, *rest = ctx.saved_tensors
        states = States(outputs, potential, layer.of_parts(rest[: ctx.kept]))
        given = layer.ends, layer.holding(rest[ctx.kept :]), layer.arithmetic, layer.dynamics, states
        if ctx.kernel:
            found = ctx.kernel.backward(*given, gradients[0])
        else:
            found = layer.rule.backward(Did(sources, currents, *given), gradients[0])
        return None, found.sources, found.currents, *(found.numbers.get(name) for name in layer.numbers.learned)
