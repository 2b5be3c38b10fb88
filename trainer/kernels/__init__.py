"""The two costly operations of training, each with the fastest implementation that the machine offers.

`project` takes spikes to input currents, `walk` takes input currents through the neurons' time. Both are defined in
plain PyTorch; `cpu.py` (compiled C++) repeats them on the processor, `gpu.py` (Triton) the walk on a GPU.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from trainer import neuron
from trainer.kernels import cpu, function, native
from trainer.neuron import Arithmetic, Dynamics, Numbers, States


def project(spikes: Tensor, weight: Tensor) -> Tensor:
    """Input currents `(T, batch, N)` of spikes `(T, batch, inputs)`, 0 or 1, through weights `(N, inputs)`."""
    if _compiled(spikes):
        return cpu.project(spikes, weight)
    return (spikes @ weight.T).float()  # half the bits under autocast


def walk(drives: Tensor, ends: Tensor, numbers: Numbers, arithmetic: Arithmetic, dynamics: Dynamics) -> States:
    """The same as `neuron.walk`, on the device of `drives`."""
    if dynamics.rule == "surrogate":
        if _compiled(drives):
            return function.walk(drives, ends, numbers, arithmetic, dynamics, cpu.run_walk)
        # A neuron's recurrent inputs come from everywhere: dense recurrence has no kernel on a GPU.
        if drives.is_cuda and numbers.recurrent is None and importlib.util.find_spec("triton"):
            from trainer.kernels import gpu

            return function.walk(drives, ends, numbers, arithmetic, dynamics, gpu.run_walk)
    return neuron.walk(drives, ends, numbers, arithmetic, dynamics)


@contextmanager
def plain_pytorch() -> Iterator[None]:
    """No kernels inside the block: to compare with, or to look into every step."""
    global _plain
    before, _plain = _plain, True
    try:
        yield
    finally:
        _plain = before


_plain = False


def _compiled(values: Tensor) -> bool:
    on_cpu = values.device.type == "cpu" and values.dtype == torch.float32
    return on_cpu and not _plain and native.library() is not None
