"""The kernels of walk.cpp: products of spikes as a differentiable function, and both passes of a walk."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from quant.formats import signed_range
from trainer.kernels import native
from trainer.kernels.function import SURROGATES, Pass, output_code
from trainer.neurons import Dynamics

# Sums of weight rows, one per event, beat a matrix product up to about this fraction of inputs that spike.
_SPARSE = 0.25

_PARTS, _LARGEST_SUMS = 8, 1 << 23
_LANES = 16  # columns that walk.cpp handles side by side


def project(spikes: Tensor, weight: Tensor) -> Tensor:
    """See `trainer.kernels.project`."""
    if spikes.mean() > _SPARSE:
        return (spikes @ weight.T).float()  # half the bits under autocast
    return _Product.apply(spikes.contiguous(), weight)


class _Product(Function):
    """Spikes times weights, both ways along the events alone; the gradient of the spikes is a dense product."""

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
        d_out = gradients[0].contiguous()
        d_spikes = d_out @ weight if ctx.needs_input_grad[0] else None
        # A sum for each of a number of parts that depends on nothing but the weights' size, however many threads run.
        parts = max(1, min(_PARTS, _LARGEST_SUMS // weight.numel()))
        sums = weight.new_zeros(parts, weight.shape[1], len(weight))
        _run_product("product_backward", len(weight), parts, x=spikes, d_out=d_out, d_transposed=sums)
        return d_spikes, sums.sum(dim=0).T


# The arrays are arguments of the two functions below for as long as the kernel runs: a structure holds addresses only.


def run_walk(function: Pass, state_bits: int | None, dynamics: Dynamics, **arrays: Tensor) -> None:
    """See `trainer.kernels.function.RunWalk`."""
    outputs = arrays["outputs"]
    steps, batch, neurons = outputs.shape
    low, high = (0, 0) if state_bits is None else signed_range(state_bits)
    argument = native.Walk(
        steps=steps,
        batch=batch,
        neurons=neurons,
        threads=torch.get_num_threads(),
        integer=state_bits is not None,
        output=output_code(dynamics),
        surrogate=SURROGATES[dynamics.surrogate],
        low=low,
        high=high,
        **{name: native.pointer(array) for name, array in arrays.items()},
    )
    native.call(f"walk_{function}", argument)


def _run_product(function: str, columns: int, parts: int = 1, **arrays: Tensor) -> None:
    inputs = arrays["x"].shape[-1]
    argument = native.Product(
        rows=arrays["x"].numel() // inputs,
        inputs=inputs,
        columns=columns,
        stride=_stride(columns),
        parts=parts,
        threads=torch.get_num_threads(),
        **{name: native.pointer(array) for name, array in arrays.items()},
    )
    native.call(function, argument)


def _stride(columns: int) -> int:
    """Numbers in a row of transposed weights."""
    return -(-columns // _LANES) * _LANES
