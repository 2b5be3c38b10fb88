"""A walk as one differentiable function, around the two passes that a kernel computes."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.autograd import Function

from trainer.neuron import Arithmetic, Dynamics, Integer, Numbers, States
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


def walk(
    drives: Tensor, ends: Tensor, numbers: Numbers, arithmetic: Arithmetic, dynamics: Dynamics, run: RunWalk
) -> States:
    """See `trainer.neuron.walk`; `run` computes both passes."""
    outputs, potential, current = _Walk.apply(
        drives.contiguous(),
        numbers.leak,
        numbers.synapse_leak,
        numbers.self_weight,
        numbers.recurrent,
        numbers.threshold,
        numbers.width,
        numbers.loop_bound,
        ends,
        arithmetic.state_bits if isinstance(arithmetic, Integer) else None,
        dynamics,
        run,
    )
    return States(outputs, potential, current)


class _Walk(Function):
    """The walk of one layer."""

    @staticmethod
    def forward(
        ctx: Any,
        drives: Tensor,
        leak: Tensor,
        synapse_leak: Tensor | None,
        self_weight: Tensor | None,
        recurrent: Tensor | None,
        threshold: Tensor,
        width: Tensor,
        loop_bound: Tensor,
        ends: Tensor,
        state_bits: int | None,
        dynamics: Dynamics,
        run: RunWalk,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        neurons = drives.shape[2]
        outputs, potential = torch.empty_like(drives), torch.empty_like(drives)
        current = None if synapse_leak is None else torch.empty_like(drives)
        own = torch.zeros_like(threshold) if self_weight is None else self_weight.contiguous()
        arrays = {
            "ends": ends.contiguous(),
            "leak": leak.contiguous(),
            "synapse_leak": None if synapse_leak is None else synapse_leak.contiguous(),
            "threshold": threshold.contiguous(),
            "width": width.expand(neurons).contiguous(),
            "outputs": outputs,
            "potential": potential,
            "current": current,
        }
        columns = None if recurrent is None else recurrent.T.contiguous()
        run("forward", state_bits, dynamics, **arrays, self_weight=own, drives=drives, recurrent=columns)
        # Saved, not kept as attributes: an output that its own node held would never be freed.
        ctx.names = tuple(arrays)
        ctx.save_for_backward(*arrays.values(), own.clamp(-loop_bound, loop_bound), recurrent)
        ctx.state_bits, ctx.dynamics, ctx.run, ctx.learns_self = state_bits, dynamics, run, self_weight is not None
        ctx.mark_non_differentiable(potential, *(() if current is None else (current,)))
        return outputs, potential, current

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        *saved, seen_self_weight, recurrent = ctx.saved_tensors
        arrays = dict(zip(ctx.names, saved, strict=True))
        batch, neurons = arrays["outputs"].shape[1:]
        toward_drives = torch.empty_like(arrays["outputs"])
        toward = {
            name: toward_drives.new_zeros(batch, neurons)
            for name in ("toward_leak", "toward_synapse_leak", "toward_self_weight", "toward_threshold", "toward_width")
        }
        ctx.run(
            "backward",
            ctx.state_bits,
            ctx.dynamics,
            **arrays,
            **toward,
            self_weight=seen_self_weight,
            recurrent=None if recurrent is None else recurrent.contiguous(),
            toward_outputs=gradients[0].contiguous(),
            toward_drives=toward_drives,
        )
        if recurrent is None:
            toward_recurrent = None
        elif ctx.dynamics.spiking:
            toward_recurrent = toward_drives[1:].flatten(0, 1).T @ arrays["outputs"][:-1].flatten(0, 1)
        else:
            toward_recurrent = torch.zeros_like(recurrent)
        summed = {name: value.sum(dim=0) for name, value in toward.items()}
        return (
            toward_drives,
            summed["toward_leak"],
            None if arrays["synapse_leak"] is None else summed["toward_synapse_leak"],
            summed["toward_self_weight"] if ctx.learns_self else None,
            toward_recurrent,
            summed["toward_threshold"],
            summed["toward_width"].sum().reshape(1),
            None,
            None,
            None,
            None,
            None,
        )
