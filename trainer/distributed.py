"""Training in several processes, one share of every batch each: the processes that `torchrun` starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed
from torch.autograd import Function

from quant.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Team:
    """The processes that train together, and which of them this one is. The first of them, alone, writes files."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0


ALONE = Team()


@contextmanager
def joined(device: torch.device) -> Iterator[Team]:
    """The team of this process for the time of the block: that of `torchrun`, which says so in the environment."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield ALONE
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Team(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


def device_of(name: str) -> torch.device:
    """The device called `name`; under `torchrun`, "cuda" is the GPU of this process's number.

    Raises:
        ConfigError: if there is no such device.
    """
    try:
        device = torch.device(name)
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"--device {name}: not to be had here ({reason}); cpu always is") from None
    return device


def total(values: Tensor) -> Tensor:
    """The sum of `values` over all processes, differentiable."""
    return _Sum.apply(values) if distributed.is_initialized() else values


def of_first(values: Tensor) -> Tensor:
    """The first process's `values`: what all must decide alike must not hang on a last bit of their own."""
    if distributed.is_initialized():
        distributed.broadcast(values, 0)
    return values


class _Sum(Function):
    """Every process's values act on the losses of all processes: the gradients add up, too."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return _Sum.backward(ctx, values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        summed = gradients[0].clone()
        distributed.all_reduce(summed)
        return summed
