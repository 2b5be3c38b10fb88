"""Both passes of a walk by the compiled kernel on the CPU (walk.cpp)."""

from __future__ import annotations

import torch
from torch import Tensor

from quant.formats import signed_range
from trainer.kernels import native
from trainer.kernels.function import SURROGATES, Pass, output_code
from trainer.kernels.product import padded
from trainer.neurons import Dynamics


def run_walk(function: Pass, state_bits: int | None, dynamics: Dynamics, **arrays: Tensor) -> None:
    """See `trainer.kernels.function.RunWalk`."""
    outputs = arrays["outputs"]
    steps, batch, neurons = outputs.shape
    low, high = (0, 0) if state_bits is None else signed_range(state_bits)
    if "recurrent" in arrays:
        arrays["recurrent"] = padded(arrays["recurrent"])
    argument = native.Walk(
        steps=steps,
        batch=batch,
        neurons=neurons,
        recurrent_stride=arrays["recurrent"].shape[1] if "recurrent" in arrays else neurons,
        threads=torch.get_num_threads(),
        integer=state_bits is not None,
        output=output_code(dynamics),
        surrogate=SURROGATES[dynamics.surrogate],
        low=low,
        high=high,
        **{name: native.pointer(array) for name, array in arrays.items()},
    )
    native.call(f"walk_{function}", argument)
