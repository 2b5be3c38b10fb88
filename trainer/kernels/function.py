"""Both passes of a walk around a kernel that computes them over arrays made ready for it."""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor

from trainer.arithmetic import Integer
from trainer.kernels.product import weight_gradient
from trainer.neurons import Dynamics, Population, States
from trainer.neurons.self_weight import loop_bound
from trainer.rules import Gradients

Pass = Literal["forward", "backward"]

# The rows of the matrix of numbers that kernels take; a bias is part of the currents, inhibition an array of its own.
NUMBERS = (
    *("leak", "threshold", "width", "self_weight"),
    *("synapse_leak", "adaptation_leak", "adaptation_step", "refractory", "delay"),
)

# The resets and surrogates that kernels know, and their codes there.
RESETS = {"zero": 1, "subtract": 2, "late_subtract": 3}
SURROGATES = {"fast_sigmoid": 0, "arctan": 1, "triangle": 2, "rectangle": 3}


def output_code(dynamics: Dynamics) -> int:
    """What kernels know a reset by; 0 of neurons that put out potentials."""
    return RESETS[dynamics.reset] if dynamics.spiking else 0


class RunWalk(Protocol):
    """One pass of a walk, forward or backward, over arrays made ready for it.

    Args:
        state_bits: of the integer states; None in real numbers.
        arrays: by the names in `struct Walk` of walk.cpp, contiguous, on one device; those that may be null there
            are left out where there is nothing.
    """

    def __call__(self, function: Pass, state_bits: int | None, dynamics: Dynamics, **arrays: Tensor) -> None: ...


def forward(run: RunWalk, currents: Tensor, ends: Tensor, population: Population) -> States:
    """See `trainer.neurons.walk`."""
    kept = [torch.empty_like(currents) for part in population.parts if part.keeps]
    states = population.states(torch.empty_like(currents), torch.empty_like(currents), kept)
    neuron, recurrent = population.numbers.neuron, population.numbers.recurrent
    given = currents + neuron["bias"] if "bias" in neuron else currents
    arrays = {**_arrays(ends, population, states), "currents": given}
    if "delay" in arrays:
        states.outputs.zero_()
    if recurrent is not None:
        arrays["recurrent"] = recurrent.T
    _run(run, "forward", population, arrays)
    return states


def backward(run: RunWalk, ends: Tensor, population: Population, states: States, gradient: Tensor) -> Gradients:
    """The surrogate's gradient, given that of the outputs."""
    numbers, gradient = population.numbers, gradient.contiguous()  # arrays like it are written in place
    arrays = _arrays(ends, population, states)
    rows, bound = dict(zip(NUMBERS, arrays["numbers"], strict=True)), loop_bound(numbers)
    rows["self_weight"].clamp_(-bound, bound)
    rows["adaptation_step"].clamp_(max=numbers.threshold)
    d_numbers, d_currents = gradient.new_zeros(len(NUMBERS), *gradient.shape[1:]), torch.empty_like(gradient)
    d_outputs = gradient.clone() if "delay" in arrays and numbers.recurrent is not None else gradient.contiguous()
    arrays |= {"d_outputs": d_outputs, "d_currents": d_currents, "d_numbers": d_numbers}
    if numbers.recurrent is not None:
        arrays["recurrent"] = numbers.recurrent
    _run(run, "backward", population, arrays)
    found = dict(zip(NUMBERS, d_numbers.sum(dim=1), strict=True))
    found["width"] = found["width"].sum().reshape(1)
    if "bias" in numbers.neuron:
        found["bias"] = d_currents.sum(dim=(0, 1))
    if "inhibition" in arrays:
        seen = states.outputs[:-1]
        found["inhibition"] = -(d_currents[1:] * (seen.sum(dim=2, keepdim=True) - seen)).sum(dim=(0, 1))
    if numbers.recurrent is not None and population.dynamics.spiking:
        d_recurrent = weight_gradient(states.outputs[:-1], d_currents[1:])
        found["weight"] = torch.nn.functional.pad(d_recurrent, (numbers.inputs, 0))
    return Gradients(d_currents, numbers=found)


def _arrays(ends: Tensor, population: Population, states: States) -> dict[str, Tensor]:
    """What both passes take."""
    numbers = population.numbers
    acting = {"leak", "threshold", "width", *(one.name for part in population.parts for one in part.quantities)}
    rows = numbers.threshold.new_zeros(len(NUMBERS), len(numbers.threshold))
    for row, name in zip(rows, NUMBERS, strict=True):
        if name in acting:
            row.copy_(numbers.learned[name])
    return {
        "ends": ends,
        "numbers": rows,
        "outputs": states.outputs,
        "potential": states.potential,
        **({"delay": numbers.neuron["delay"].long()} if "delay" in acting else {}),
        **({"inhibition": numbers.neuron["inhibition"]} if "inhibition" in acting else {}),
        **{f"{key}_state": state for key, state in states.of_parts.items()},
    }


def _run(run: RunWalk, which: Pass, population: Population, arrays: dict[str, Tensor]) -> None:
    arithmetic = population.arithmetic
    state_bits = arithmetic.state_bits if isinstance(arithmetic, Integer) else None
    run(which, state_bits, population.dynamics, **{name: array.contiguous() for name, array in arrays.items()})
