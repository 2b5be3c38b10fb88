"""The compiled kernels of walk.cpp as differentiable functions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from quant.formats import signed_range
from trainer.kernels import native
from trainer.neuron import Arithmetic, Dynamics, Integer, Numbers, States
from trainer.surrogates import SLOPES

# Sums of weight rows, one per event, beat a matrix product up to about this fraction of inputs that spike.
_SPARSE = 0.25

_LANES = 16  # columns that walk.cpp handles side by side
_POTENTIAL = 0
_RESETS = {"zero": 1, "subtract": 2}
_SURROGATES = {name: code for code, name in enumerate(SLOPES)}


def project(spikes: Tensor, weight: Tensor) -> Tensor:
    """See `trainer.kernels.project`."""
    if spikes.mean() > _SPARSE:
        return spikes @ weight.T
    return _Product.apply(spikes.contiguous(), weight)


def walk(drives: Tensor, ends: Tensor, numbers: Numbers, arithmetic: Arithmetic, dynamics: Dynamics) -> States:
    """See `trainer.neuron.walk`."""
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
    )
    return States(outputs, potential, current)


class _Product(Function):
    """Spikes times weights, both ways along the events alone; the gradient toward the spikes is a dense product."""

    @staticmethod
    def forward(ctx: Any, spikes: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(spikes, weight)
        out = spikes.new_empty(*spikes.shape[:-1], len(weight))
        transposed = weight.new_zeros(weight.shape[1], _stride(len(weight)))
        transposed[:, : len(weight)] = weight.T
        _run_product("product_forward", len(weight), x=spikes, transposed=transposed, out=out)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor]:
        spikes, weight = ctx.saved_tensors
        toward_out = gradients[0].contiguous()
        toward_spikes = toward_out @ weight if ctx.needs_input_grad[0] else None
        return toward_spikes, toward_weight(spikes, toward_out)


def toward_weight(spikes: Tensor, toward_out: Tensor) -> Tensor:
    """The gradient `(N, inputs)` toward weights, from that toward their products with `spikes`."""
    columns = toward_out.shape[-1]
    transposed = toward_out.new_empty(spikes.shape[-1], columns)
    _run_product("product_backward", columns, x=spikes, toward_out=toward_out, toward_transposed=transposed)
    return transposed.T


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
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        neurons = drives.shape[2]
        outputs, potential = torch.empty_like(drives), torch.empty_like(drives)
        current = None if synapse_leak is None else torch.empty_like(drives)
        own = torch.zeros(neurons) if self_weight is None else self_weight.contiguous()
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
        _run_walk("walk_forward", state_bits, dynamics, **arrays, self_weight=own, drives=drives, recurrent=columns)
        # Saved, not kept as attributes: an output that its own node held would never be freed.
        ctx.names = tuple(arrays)
        ctx.save_for_backward(*arrays.values(), own.clamp(-loop_bound, loop_bound), recurrent)
        ctx.state_bits, ctx.dynamics, ctx.learns_self = state_bits, dynamics, self_weight is not None
        ctx.mark_non_differentiable(potential, *(() if current is None else (current,)))
        return outputs, potential, current

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        *saved, seen_self_weight, recurrent = ctx.saved_tensors
        arrays = dict(zip(ctx.names, saved, strict=True))
        batch, neurons = arrays["outputs"].shape[1:]
        toward = {
            name: torch.zeros(batch, neurons)
            for name in ("toward_leak", "toward_synapse_leak", "toward_self_weight", "toward_threshold", "toward_width")
        }
        toward_drives = torch.empty_like(arrays["outputs"])
        _run_walk(
            "walk_backward",
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
            toward_recurrent = toward_weight(arrays["outputs"][:-1], toward_drives[1:])
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
        )


# The arrays are arguments of the two functions below for as long as the kernel runs: a structure holds addresses only.


def _run_walk(function: str, state_bits: int | None, dynamics: Dynamics, **arrays: Tensor | None) -> None:
    outputs = arrays["outputs"]
    assert outputs is not None
    steps, batch, neurons = outputs.shape
    low, high = (0, 0) if state_bits is None else signed_range(state_bits)
    argument = native.Walk(
        steps=steps,
        batch=batch,
        neurons=neurons,
        threads=torch.get_num_threads(),
        integer=state_bits is not None,
        output=_RESETS[dynamics.reset] if dynamics.spiking else _POTENTIAL,
        surrogate=_SURROGATES[dynamics.surrogate],
        low=low,
        high=high,
        **{name: native.pointer(array) for name, array in arrays.items()},
    )
    native.call(function, argument)


def _run_product(function: str, columns: int, **arrays: Tensor) -> None:
    inputs = arrays["x"].shape[-1]
    argument = native.Product(
        rows=arrays["x"].numel() // inputs,
        inputs=inputs,
        columns=columns,
        stride=_stride(columns),
        threads=torch.get_num_threads(),
        **{name: native.pointer(array) for name, array in arrays.items()},
    )
    native.call(function, argument)


def _stride(columns: int) -> int:
    """Numbers in a row of transposed weights."""
    return -(-columns // _LANES) * _LANES
