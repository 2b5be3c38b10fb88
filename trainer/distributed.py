"""Training in the processes that `torchrun` starts; each of them computes a share of every batch.

A process computes its part of the batch's loss, with the statistics of the whole batch (`total`); the gradients are
added up before a step (`add_gradients`), so that all processes keep the same network. In a single process, the
functions change nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.autograd import Function

from quant.errors import ConfigError, reason
from trainer.data.batches import Batch

MAX_THREADS = 1024


@contextmanager
def joined(device: torch.device) -> Iterator[bool]:
    """Join the processes of `torchrun`, if it started this one, for the time of the block.

    Gives whether this process leads: the first one, alone, writes files.
    """
    if not distributed.is_torchelastic_launched():
        yield True
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield distributed.get_rank() == 0
    finally:
        distributed.destroy_process_group()


def processes() -> int:
    """Number of processes that train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def use_threads(threads: int) -> None:
    """Compute with so many threads of the CPU; one repeats exactly.

    Raises:
        ConfigError: if there cannot be as many.
    """
    if not 1 <= threads <= MAX_THREADS:
        raise ConfigError(f"--threads is {threads}; allowed is 1..{MAX_THREADS}")
    torch.set_num_threads(threads)


def device_of(name: str) -> torch.device:
    """The device called `name`; under `torchrun`, "cuda" is the GPU of this process's number.

    Raises:
        ConfigError: if there is no such device.
    """
    try:
        device = torch.device(name)
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, ImportError) as error:
        raise ConfigError(f"--device {name} is not available on this machine ({reason(error)}); use cpu") from None
    return device


def share(batch: Batch) -> Batch:
    """This process's share of a batch."""
    return share_of(batch, distributed.get_rank(), processes()) if distributed.is_initialized() else batch


def share_of(batch: Batch, rank: int, size: int) -> Batch:
    """Every `size`-th sample of a batch from `rank` on; if there is none, one sample of no steps and no weight."""
    chosen = slice(rank, None, size)
    steps, weights = batch.steps[chosen], batch.weights[chosen]
    if not len(steps):
        chosen = slice(1)
        steps, weights = torch.zeros_like(batch.steps[chosen]), torch.zeros_like(batch.weights[chosen])
    longest = int(steps.max())
    inputs = batch.inputs[:longest, chosen] if longest else torch.zeros_like(batch.inputs[:1, chosen])
    targets = None if batch.targets is None else batch.targets[chosen]
    return Batch(inputs.contiguous(), steps, batch.labels[chosen], weights, targets)


def total(values: Tensor) -> Tensor:
    """The sum of `values` over all processes; its gradient is the sum over the losses of all processes."""
    return _Sum.apply(values) if distributed.is_initialized() else values


class _Sum(Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        summed = values.clone()
        distributed.all_reduce(summed)
        return summed

    backward = forward


def add_gradients(network: nn.Module) -> None:
    """Replace every gradient by its sum over all processes."""
    if distributed.is_initialized():
        for parameter in network.parameters():
            if parameter.grad is not None:
                distributed.all_reduce(parameter.grad)


def of_first(values: Tensor) -> Tensor:
    """The first process's `values`, for decisions that all must make alike although their last bits may differ."""
    if distributed.is_initialized():
        distributed.broadcast(values, 0)
    return values
