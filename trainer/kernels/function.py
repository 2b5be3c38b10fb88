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
        arrays: by the names in `struct Walk` of walk.cpp, contiguous, on one device.
    """

    def __call__(self, function: Pass, state_bits: int | None, dynamics: Dynamics, **arrays: Tensor | None) -> None: ...


def forward(
    run: RunWalk, currents: Tensor, ends: Tensor, numbers: Numbers, arithmetic: Arithmetic, dynamics: Dynamics
) -> States:
    """See `trainer.neurons.walk`."""
    kept = {part.key: torch.empty_like(currents) for part in acting(numbers, dynamics) if part.keeps}
    states = States(torch.empty_like(currents), torch.empty_like(currents), kept)
    run(
        "forward",
        _state_bits(arithmetic),
        dynamics,
        **_arrays(ends, numbers, states),
        self_weight=_self_weight(numbers),
        recurrent=None if numbers.recurrent is None else numbers.recurrent.T.contiguous(),
        drives=currents.contiguous(),
    )
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
    of_currents = torch.empty_like(states.outputs)
    of_numbers = {
        name: torch.zeros_like(states.outputs[0])
        for name in ("leak", "synapse_leak", "self_weight", "threshold", "width")
    }
    run(
        "backward",
        _state_bits(arithmetic),
        dynamics,
        **_arrays(ends, numbers, states),
        **{f"toward_{name}": value for name, value in of_numbers.items()},
        self_weight=_self_weight(numbers).clamp(-bound, bound),
        recurrent=None if recurrent is None else recurrent.contiguous(),
        toward_outputs=gradient.contiguous(),
        toward_drives=of_currents,
    )
    summed = {name: value.sum(dim=0) for name, value in of_numbers.items()}
    summed["width"] = summed["width"].sum().reshape(1)
    if recurrent is not None and dynamics.spiking:
        of_recurrent = of_currents[1:].flatten(0, 1).T @ states.outputs[:-1].flatten(0, 1)
        summed["weight"] = torch.nn.functional.pad(of_recurrent, (numbers.inputs, 0))
    return Gradients(of_currents, numbers=summed)


def _state_bits(arithmetic: Arithmetic) -> int | None:
    return arithmetic.state_bits if isinstance(arithmetic, Integer) else None


def _self_weight(numbers: Numbers) -> Tensor:
    return numbers.neuron.get("self_weight", torch.zeros_like(numbers.threshold)).contiguous()


def _arrays(ends: Tensor, numbers: Numbers, states: States) -> dict[str, Tensor | None]:
    """What both passes take."""
    synapse_leak = numbers.neuron.get("synapse_leak")
    return {
        "ends": ends.contiguous(),
        "leak": numbers.leak.contiguous(),
        "synapse_leak": None if synapse_leak is None else synapse_leak.contiguous(),
        "threshold": numbers.threshold.contiguous(),
        "width": numbers.width.expand(len(numbers.threshold)).contiguous(),
        "outputs": states.outputs,
        "potential": states.potential,
        "current": states.of_parts.get("synapse"),
    }
