"""Both passes of a walk around a kernel that computes them over arrays made ready for it."""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor

from trainer.arithmetic import Arithmetic, Integer
from trainer.neurons import Dynamics, Numbers, States, acting, mask
from trainer.neurons.delay import shift_gradient
from trainer.neurons.self_weight import loop_bound
from trainer.rules import Gradients
from trainer.surrogates import SLOPES

Pass = Literal["forward", "backward"]

# What kernels know resets and surrogates by.
OUTPUTS: dict[str | None, int] = {None: 0, "zero": 1, "subtract": 2, "late_subtract": 3}
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
    arrays = {**_arrays(ends, numbers, dynamics, states), "currents": currents}
    if "delay" in arrays:
        states.outputs.zero_()
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
    arrays = _arrays(ends, numbers, dynamics, states)
    learned = arrays.keys() & {*numbers.learned, "self_weight"} - {"delay"}
    d_numbers = {name: torch.zeros_like(gradient[0]) for name in learned}
    d_currents = torch.empty_like(gradient)
    arrays |= {f"d_{name}": value for name, value in d_numbers.items()}
    d_outputs = gradient.clone() if "delay" in arrays and numbers.recurrent is not None else gradient.contiguous()
    arrays |= {"d_outputs": d_outputs, "d_currents": d_currents}
    arrays["self_weight"] = arrays["self_weight"].clamp(-loop_bound(numbers), loop_bound(numbers))
    if "adaptation_step" in arrays:
        arrays["adaptation_step"] = arrays["adaptation_step"].clamp(max=numbers.threshold)
    if numbers.recurrent is not None:
        arrays["recurrent"] = numbers.recurrent
    _run(run, "backward", arithmetic, dynamics, arrays)
    found = {name: value.sum(dim=0) for name, value in d_numbers.items()}
    if "delay" in arrays:
        earlier = torch.cat([torch.zeros_like(gradient[:1]), states.outputs[:-1]])
        found["delay"] = shift_gradient(d_outputs * mask(gradient, ends), states.outputs, earlier).sum(dim=(0, 1))
    found["width"] = found["width"].sum().reshape(1)
    if numbers.recurrent is not None and dynamics.spiking:
        d_recurrent = d_currents[1:].flatten(0, 1).T @ states.outputs[:-1].flatten(0, 1)
        found["weight"] = torch.nn.functional.pad(d_recurrent, (numbers.inputs, 0))
    return Gradients(d_currents, numbers=found)


def _arrays(ends: Tensor, numbers: Numbers, dynamics: Dynamics, states: States) -> dict[str, Tensor]:
    """What both passes take."""
    of_parts = [one.name for part in acting(numbers, dynamics) for one in part.quantities]
    return {
        "self_weight": torch.zeros_like(numbers.threshold),
        **{name: numbers.neuron[name] for name in ("leak", "threshold", *of_parts)},
        **({"delay": numbers.neuron["delay"].long()} if "delay" in of_parts else {}),
        "ends": ends,
        "width": numbers.width.expand(len(numbers.threshold)),
        "outputs": states.outputs,
        "potential": states.potential,
        **{f"{key}_state": state for key, state in states.of_parts.items()},
    }


def _run(run: RunWalk, which: Pass, arithmetic: Arithmetic, dynamics: Dynamics, arrays: dict[str, Tensor]) -> None:
    state_bits = arithmetic.state_bits if isinstance(arithmetic, Integer) else None
    run(which, state_bits, dynamics, **{name: array.contiguous() for name, array in arrays.items()})
