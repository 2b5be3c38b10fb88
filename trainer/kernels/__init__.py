"""The two costly operations of training, each with the fastest implementation that the machine offers.

`project` takes spikes to input currents, `walk` takes input currents through the neurons' time. Both are defined in
plain PyTorch; `cpu.py` (compiled C++) repeats them on the processor and `gpu.py` (Triton) on a GPU.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainer import neuron
from trainer.kernels import cpu, native
from trainer.neuron import Arithmetic, Dynamics, Numbers, States


def project(spikes: Tensor, weight: Tensor) -> Tensor:
    """Input currents `(T, batch, N)` of spikes `(T, batch, inputs)`, 0 or 1, through weights `(N, inputs)`."""
    if _compiled(spikes):
        return cpu.project(spikes, weight)
    return (spikes @ weight.T).float()  # half the bits under autocast


def walk(drives: Tensor, ends: Tensor, numbers: Numbers, arithmetic: Arithmetic, dynamics: Dynamics) -> States:
    """The same as `neuron.walk`, on the device of `drives`."""
    if dynamics.rule == "surrogate" and _compiled(drives):
        return cpu.walk(drives, ends, numbers, arithmetic, dynamics)
    return neuron.walk(drives, ends, numbers, arithmetic, dynamics)


def _compiled(values: Tensor) -> bool:
    return values.device.type == "cpu" and values.dtype == torch.float32 and native.library() is not None
