"""Products of spikes with weights, along the events alone where few inputs spike (walk.cpp)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from trainer.kernels import native

# Sums of weight rows, one per event, beat a matrix product up to about this fraction of inputs that spike.
_SPARSE = 0.25

_PARTS, _LARGEST_SUMS = 8, 1 << 23
_LANES = 16  # columns that walk.cpp handles side by side


def project(spikes: Tensor, weight: Tensor) -> Tensor:
    """See `trainer.kernels.project`."""
    if spikes.mean() > _SPARSE:
        return (spikes @ weight.T).float()  # half the bits under autocast
    return _Product.apply(spikes.contiguous(), weight)


def weight_gradient(spikes: Tensor, gradient: Tensor) -> Tensor:
    """The gradient of weights `(N, inputs)`, given that of their products, `(..., N)`, with spikes `(..., inputs)`."""
    if spikes.mean() > _SPARSE:
        return gradient.flatten(0, -2).T @ spikes.flatten(0, -2)
    columns, inputs = gradient.shape[-1], spikes.shape[-1]
    # A sum for each of a number of parts that depends on nothing but the weights' size, however many threads run.
    parts = max(1, min(_PARTS, _LARGEST_SUMS // (columns * inputs)))
    sums = gradient.new_zeros(parts, inputs, columns)
    _run("product_backward", columns, parts, x=spikes, d_out=gradient, d_transposed=sums)
    return sums.sum(dim=0).T


def padded(rows: Tensor) -> Tensor:
    """The same rows, filled up with zeros to whole vectors."""
    return torch.nn.functional.pad(rows, (0, -rows.shape[1] % _LANES)).contiguous()


class _Product(Function):
    """Spikes times weights, both ways along the events alone; the gradient of the spikes is a dense product."""

    @staticmethod
    def forward(ctx: Any, spikes: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(spikes, weight)
        out = spikes.new_empty(*spikes.shape[:-1], len(weight))
        _run("product_forward", len(weight), x=spikes, transposed=padded(weight.T), out=out)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor]:
        spikes, weight = ctx.saved_tensors
        d_out = gradients[0].contiguous()
        d_spikes = d_out @ weight if ctx.needs_input_grad[0] else None
        return d_spikes, weight_gradient(spikes, d_out)


# The arrays are arguments of this function for as long as the kernel runs: a structure holds addresses only.


def _run(function: str, columns: int, parts: int = 1, **arrays: Tensor) -> None:
    inputs = arrays["x"].shape[-1]
    argument = native.Product(
        rows=arrays["x"].numel() // inputs,
        inputs=inputs,
        columns=columns,
        stride=arrays["transposed"].shape[1] if "transposed" in arrays else columns,
        parts=parts,
        threads=torch.get_num_threads(),
        **{name: native.pointer(array) for name, array in arrays.items()},
    )
    native.call(function, argument)
