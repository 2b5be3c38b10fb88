"""Both passes of a walk around a kernel that computes them over arrays made ready for it."""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor

from trainer.arithmetic import Arithmetic, Integer
from trainer.neurons import Dynamics, Numbers, States, acting
from trainer.neurons.self_weight import loop_bound
from trainer.rules import Gradients
from trainer.surrogates import SLOPES

Pass = Literal["forward", "backward"]

# What kernels know resets and surrogates by.
OUTPUTS: dict[str | None, int] = {None: 0, "zero": 1, "subtract": 2}
SURROGATES = {name: code for code, name in enumerate(SLOPES)}


class RunWalk(Protocol):
    """One pass of a walk, forward or backward, over arrays made ready for it.

    Args:
        state_bits: of the integer states; None in real numbers.
        arrays: by the names in `struct Walk` of walk.cpp, contiguous, on one device; those that may be null there
            are left out where there is nothing.
    """

    def __call__(self, function: Pass, state_bits: int | None, dynamics: Dynamics, **arrays: Tensor) -> None: ...


def forward(
    run: RunWalk, currents: Tensor, ends: Tensor, numbers: Numbers, arithmetic: Arithmetic, dynamics: Dynamics
) -> States:
    """See `trainer.neurons.walk`."""
    kept = {part.key: torch.empty_like(currents) for part in acting(numbers, dynamics) if part.keeps}
    states = States(torch.empty_like(currents), torch.empty_like(currents), kept)
    arrays = _arrays(ends, numbers, states, self_weight=_self_weight(numbers), currents=currents)
    if numbers.recurrent is not None:
        arrays["recurrent"] = numbers.recurrent.T
    _run(run, "forward", arithmetic, dynamics, arrays)
    return states


def backward(
    run: RunWalk,
    ends: Tensor,
    numbers: Numbers,
    arithmetic: Arithmetic,
    dynamics: Dynamics,
    states: States,
    gradient: Tensor,
) -> Gradients:
    """The surrogate's gradient, given that of the outputs."""
    bound, recurrent = loop_bound(numbers), numbers.recurrent
    d_currents = torch.empty_like(states.outputs)
    d_numbers = {name: torch.zeros_like(states.outputs[0]) for name in {*numbers.neuron, "self_weight", "width"}}
    arrays = _arrays(ends, numbers, states, self_weight=_self_weight(numbers).clamp(-bound, bound))
    arrays |= {f"d_{name}": value for name, value in d_numbers.items()}
    arrays |= {"d_outputs": gradient, "d_currents": d_currents}
    if recurrent is not None:
        arrays["recurrent"] = recurrent
    _run(run, "backward", arithmetic, dynamics, arrays)
    found = {name: value.sum(dim=0) for name, value in d_numbers.items()}
    found["width"] = found["width"].sum().reshape(1)
    if recurrent is not None and dynamics.spiking:
        d_recurrent = d_currents[1:].flatten(0, 1).T @ states.outputs[:-1].flatten(0, 1)
        found["weight"] = torch.nn.functional.pad(d_recurrent, (numbers.inputs, 0))
    return Gradients(d_currents, numbers=found)


def _self_weight(numbers: Numbers) -> Tensor:
    return numbers.neuron.get("self_weight", torch.zeros_like(numbers.threshold))


def _arrays(ends: Tensor, numbers: Numbers, states: States, **others: Tensor) -> dict[str, Tensor]:
    """What both passes take, and `others`."""
    return {
        **numbers.neuron,
        "ends": ends,
        "width": numbers.width.expand(len(numbers.threshold)),
        "outputs": states.outputs,
        "potential": states.potential,
        **{f"{key}_state": state for key, state in states.of_parts.items()},
        **others,
    }


def _run(run: RunWalk, which: Pass, arithmetic: Arithmetic, dynamics: Dynamics, arrays: dict[str, Tensor]) -> None:
    state_bits = arithmetic.state_bits if isinstance(arithmetic, Integer) else None
    run(which, state_bits, dynamics, **{name: array.contiguous() for name, array in arrays.items()})
