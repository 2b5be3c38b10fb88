"""The two costly operations of training, each with the fastest implementation that the machine offers.

`project` takes spikes to input currents, `walk` takes input currents through the neurons' time. Both are defined in
plain PyTorch; `product.py` and `cpu.py` (compiled C++) repeat them on the processor, `gpu.py` (Triton) the walk on a
GPU. A kernel is registered in `KERNELS` by what it implements; for neurons with anything else, plain PyTorch runs.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer import neurons
from trainer.kernels import cpu, function, native, product
from trainer.kernels.function import Pass, RunWalk
from trainer.neurons import Dynamics, Population, States
from trainer.rules import Gradients, Rule, SurrogateGradient


@dataclass(frozen=True, slots=True)
class Kernel:
    """A compiled walk.

    Attributes:
        device: where it runs.
        implements: what neurons may have: names of numbers, resets and surrogates; "recurrent".
        rules: those whose gradient it computes; its forward walk serves every rule.
        available: whether this machine can run it.
        run: both passes.
    """

    device: str
    implements: frozenset[str]
    rules: frozenset[type[Rule]]
    available: Callable[[], bool]
    run: RunWalk

    def forward(self, currents: Tensor, ends: Tensor, population: Population) -> States:
        """See `trainer.neurons.walk`."""
        return function.forward(self.run, currents, ends, population)

    def backward(self, ends: Tensor, population: Population, states: States, gradient: Tensor) -> Gradients:
        """See `trainer.rules.Rule`."""
        return function.backward(self.run, ends, population, states, gradient)


def _run_on_gpu(function: Pass, state_bits: int | None, dynamics: Dynamics, **arrays: Tensor) -> None:
    from trainer.kernels import gpu

    gpu.run_walk(function, state_bits, dynamics, **arrays)


_NUMBERS = {*function.NUMBERS, "bias"} - {"width"}
_NEURONS = frozenset({*_NUMBERS, *function.RESETS, *function.SURROGATES})
_SURROGATE = frozenset({SurrogateGradient})

KERNELS = (
    Kernel(
        "cpu", _NEURONS | {"recurrent", "inhibition"}, _SURROGATE, lambda: native.library() is not None, cpu.run_walk
    ),
    # What comes from all of a layer's neurons, dense recurrence and inhibition, has no kernel on a GPU.
    Kernel("cuda", _NEURONS, _SURROGATE, lambda: importlib.util.find_spec("triton") is not None, _run_on_gpu),
)


def project(spikes: Tensor, weight: Tensor) -> Tensor:
    """Input currents `(T, batch, N)` of spikes `(T, batch, inputs)`, 0 or 1, through weights `(N, inputs)`."""
    if not _plain and spikes.device.type == "cpu" and spikes.dtype == torch.float32 and native.library() is not None:
        return product.project(spikes, weight)
    return (spikes @ weight.T).to(spikes.dtype)  # half the bits under autocast


def walk(currents: Tensor, ends: Tensor, population: Population) -> States:
    """The same as `neurons.walk`, without a gradient, as fast as the machine can."""
    kernel = find(currents, population)
    return (neurons.walk if kernel is None else kernel.forward)(currents, ends, population)


def flush_subnormals(flush: bool) -> None:
    """Whether numbers below 1.2e-38 count as 0, on every thread; PyTorch's own switch is that of the calling one."""
    torch.set_flush_denormal(flush)
    native.share_environment()


def find(currents: Tensor, population: Population, rule: Rule | None = None) -> Kernel | None:
    """The kernel for these neurons on the device of `currents`, and for the gradient of `rule`, or None."""
    if _plain or currents.dtype != torch.float32:
        return None
    needed = needs(population)
    for kernel in KERNELS:
        computes = kernel.device == currents.device.type and needed <= kernel.implements
        if computes and (rule is None or type(rule) in kernel.rules) and kernel.available():
            return kernel
    return None


def needs(population: Population) -> frozenset[str]:
    """What a kernel must implement for these neurons."""
    dynamics = population.dynamics
    names = {"leak", *(one.name for part in population.parts for one in part.quantities)}
    if dynamics.spiking:
        names |= {"threshold", dynamics.reset, dynamics.surrogate}
    return frozenset(names if population.numbers.recurrent is None else names | {"recurrent"})


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
