"""The compiled kernels against plain PyTorch: the same spikes to the bit, the same gradients up to rounding."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from toys import Toy, config, numbers_of, scramble, spikes, stimulus

from quant.neurons import Reset
from trainer import kernels
from trainer.arithmetic import Arithmetic, Integer, Real
from trainer.config import LayerConfig
from trainer.kernels import native, product
from trainer.network import Network
from trainer.neurons import PARTS, RESETS, Dynamics, Part, Population, States
from trainer.rules import SurrogateGradient, Tssl
from trainer.surrogates import SLOPES, Surrogate
from trainer.walk import walk

pytestmark = pytest.mark.skipif(shutil.which(native.COMPILER) is None, reason="no C++ compiler")


def test_there_are_kernels_where_there_is_a_compiler() -> None:
    """Without them the tests below would compare plain PyTorch with itself."""
    assert native.library() is not None


def answers(population: Population, *, plain: bool = False, threads: int = 1) -> tuple[States, dict[str, Tensor]]:
    """States and the gradients of a random function of the outputs, by a kernel where there is one, or without."""
    inputs, ends = (one.to(population.numbers.weight.device) for one in spikes())
    currents = (inputs @ population.numbers.feed_forward.T).detach()
    currents.requires_grad_()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with kernels.plain_pytorch() if plain else nullcontext():
            states = walk(currents, ends, population, SurrogateGradient())
            importance = torch.randn(states.outputs.shape, generator=torch.Generator().manual_seed(5)).to(currents)
            wanted = {"currents": currents, **population.numbers.learned}
            gradients = torch.autograd.grad((states.outputs * importance).sum(), wanted.values(), allow_unused=True)
    finally:
        torch.set_num_threads(before)
    return states, {
        name: torch.zeros_like(value) if gradient is None else gradient
        for (name, value), gradient in zip(wanted.items(), gradients, strict=True)
    }


def assert_alike(population: Population, *, exact: bool = True) -> tuple[States, dict[str, Tensor]]:
    """The same states to the bit and the same gradients up to rounding, which are returned."""
    plain, expected = answers(population, plain=True)
    found, gradients = answers(population)
    if exact:
        assert torch.equal(plain.outputs, found.outputs)
        assert torch.equal(plain.potential, found.potential)
        assert list(plain.of_parts) == list(found.of_parts)
        for key, state in plain.of_parts.items():
            assert torch.equal(state, found.of_parts[key]), key
    for name, gradient in expected.items():
        limit = 1e-4 * max(gradient.abs().max().item(), 1e-3)
        torch.testing.assert_close(gradients[name], gradient, rtol=1e-3, atol=limit)
    return plain, expected


ARITHMETICS: list[Arithmetic] = [Real(), Integer(8)]
SIDES = [("zero", True), ("subtract", True), ("zero", False)]


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=["real", "integer"])
@pytest.mark.parametrize("synapse", [False, True])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize(("reset", "spiking"), SIDES, ids=["zero", "subtract", "membrane"])
def test_a_walk_is_that_of_plain_pytorch(
    arithmetic: Arithmetic, synapse: bool, recurrent: bool, reset: Reset, spiking: bool
) -> None:
    integer = isinstance(arithmetic, Integer)
    parts = ("self_weight", "synapse") if synapse else ("self_weight",)
    # More than a block of four vectors, a vector and a part of one.
    numbers = numbers_of(101, integer=integer, parts=parts, recurrent=recurrent)
    population = Population(numbers, arithmetic, Dynamics(spiking, reset, "fast_sigmoid"))
    assert kernels.find(torch.zeros(1), population, SurrogateGradient()) is not None
    exact = integer or not recurrent  # the order of a recurrent sum matters to real numbers
    states, gradients = assert_alike(population, exact=exact)
    if spiking:
        assert states.outputs.sum() > 200
    if integer:
        assert (states.potential.abs() >= 127).any(), "no state reached its bounds"
    unused = {"weight"} if not recurrent else set()
    unused |= set() if spiking else {"threshold", "width", "self_weight", "weight"}
    for name, gradient in gradients.items():
        assert gradient.any() == (name not in unused), name


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=["real", "integer"])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize(
    "parts", [*((part,) for part in PARTS), PARTS], ids=lambda parts: f"{len(parts)}{parts[0].key}"
)
def test_no_kernel_ignores_a_part_or_a_reset(
    arithmetic: Arithmetic, recurrent: bool, reset: Reset, parts: tuple[type[Part], ...]
) -> None:
    """Whatever is registered: what runs with it gives what plain PyTorch gives, and each part makes a difference."""
    integer = isinstance(arithmetic, Integer)
    numbers = numbers_of(23, integer=integer, parts=tuple(part.key for part in parts), recurrent=recurrent)
    population = Population(numbers, arithmetic, Dynamics(True, reset, "triangle"))
    states, gradients = assert_alike(population, exact=integer or not recurrent)
    for part in parts:
        own = {quantity.name for quantity in part.quantities}
        assert all(gradients[one.name].any() == one.learns for one in part.quantities)
        less = replace(numbers, neuron={name: numbers.neuron[name] for name in numbers.neuron if name not in own})
        without, _ = answers(replace(population, numbers=less))
        assert not torch.equal(states.outputs, without.outputs), part.key
    assert states.outputs.sum() > 50


def test_what_no_kernel_implements_runs_in_plain_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    population = Population(numbers_of(5, integer=False), Real(), Dynamics(True, "zero", "triangle"))
    currents = torch.zeros(3, 2, 5)
    assert kernels.find(currents, population, SurrogateGradient()) is not None
    assert kernels.find(currents, population, Tssl()) is None
    assert kernels.find(currents, population) is not None, "the forward walk is that of all rules"
    assert kernels.find(currents.double(), population) is None
    for name in sorted(kernels.needs(population)):
        less = replace(kernels.KERNELS[0], implements=kernels.KERNELS[0].implements - {name})
        monkeypatch.setattr(kernels, "KERNELS", (less,))
        assert kernels.find(currents, population) is None, name
        monkeypatch.undo()


@pytest.mark.parametrize("changed", [{"surrogate": "new"}, {"reset": "new"}])
def test_a_new_reset_or_surrogate_runs_in_plain_pytorch(changed: dict[str, Any]) -> None:
    """Registered elsewhere and unknown to the kernels."""
    known = Population(numbers_of(5, integer=False), Real(), Dynamics(True, "zero", "triangle"))
    new = replace(known, dynamics=replace(known.dynamics, **changed))
    assert kernels.find(torch.zeros(1), known) is not None
    assert kernels.find(torch.zeros(1), new) is None


@pytest.mark.parametrize("kind", SLOPES)
def test_every_surrogate(kind: Surrogate) -> None:
    numbers = numbers_of(16, integer=False, parts=("self_weight",))
    states, gradients = assert_alike(Population(numbers, Real(), Dynamics(True, "zero", kind)))
    for name in ("currents", "leak", "threshold", "width"):
        assert gradients[name].any()
    assert states.outputs.sum() > 100


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_nothing(threads: int) -> None:
    numbers = numbers_of(37, integer=False, parts=("self_weight", "synapse"), recurrent=True)
    population = Population(numbers, Real(), Dynamics(True, "zero", "arctan"))
    states, alone = answers(population)
    again, several = answers(population, threads=threads)
    assert torch.equal(states.outputs, again.outputs)
    assert states.outputs.sum() > 100
    alone.pop("weight")  # a product of PyTorch's, which sums as its own threads share the work out
    for name, gradient in alone.items():
        assert torch.equal(gradient, several[name]), name


@pytest.mark.parametrize(("neurons", "inputs"), list(itertools.product((1, 16, 26, 64, 90, 200), (1, 7, 8, 78))))
def test_a_product_along_events(neurons: int, inputs: int) -> None:
    draw = torch.Generator().manual_seed(neurons)
    x = (torch.rand(30, 3, inputs, generator=draw) < 0.2).float().requires_grad_()
    weight = torch.randint(-8, 8, (neurons, inputs), generator=draw).float().requires_grad_()
    gradient = torch.randint(-3, 4, (30, 3, neurons), generator=draw).float()
    found, expected = product._Product.apply(x, weight), x @ weight.T
    assert torch.equal(found, expected)
    assert x.sum() > 5
    for one, other in zip(
        torch.autograd.grad(found, (x, weight), gradient),
        torch.autograd.grad(expected, (x, weight), gradient),
        strict=True,
    ):
        assert torch.equal(one, other)


def test_many_spikes_take_the_dense_product() -> None:
    x, weight = torch.ones(4, 2, 5), torch.arange(10.0).reshape(2, 5)
    assert torch.equal(product.project(x, weight), x @ weight.T)


def test_without_a_compiler_training_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A network gives the same integers, and says once why it is slower."""
    layers = (LayerConfig(20, (0,), self_weight=True), LayerConfig(3, (1, 0), self_weight=True, synapse=True))
    network = Network(config(*layers, data=Toy(channels=11)))
    scramble(network, 4, strength=0.5)
    inputs, steps = stimulus(1, 11)
    compiled = network(inputs, steps, quantized=True)
    try:
        native.library.cache_clear()
        monkeypatch.setattr(native, "COMPILER", "no-such-compiler")
        plain = network(inputs, steps, quantized=True)
        assert native.library() is None
    finally:
        native.library.cache_clear()
    for one, other in zip(compiled.outputs, plain.outputs, strict=True):
        assert torch.equal(one, other)
    assert compiled.outputs[-1].sum() > 0
    assert capsys.readouterr().err.count("no compiled kernels") == 1


def test_a_broken_compiler_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(1, "c++")

    monkeypatch.setattr(native, "_CACHE", tmp_path / "kernels")
    monkeypatch.setattr(native, "_compile", fail)
    try:
        native.library.cache_clear()
        assert native.library() is None
    finally:
        native.library.cache_clear()
    assert not list(tmp_path.rglob("*.so"))


ON_ITS_OWN = tuple(part.key for part in PARTS if not part.lateral)  # a program on a GPU sees some neurons only


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=["real", "integer"])
@pytest.mark.parametrize("parts", [(), *((key,) for key in ON_ITS_OWN), ON_ITS_OWN])
@pytest.mark.parametrize(("reset", "spiking"), [*((reset, True) for reset in RESETS), ("zero", False)])
def test_the_gpu_kernel_in_its_interpreter(
    arithmetic: Arithmetic, parts: tuple[str, ...], reset: Reset, spiking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Triton runs its kernels on the CPU for this: what it would compile for a GPU is not tested here."""
    pytest.importorskip("triton", reason="triton is not installed")
    if os.environ.get("TRITON_INTERPRET") != "1":
        pytest.skip("needs TRITON_INTERPRET=1 (`make triton`)")
    monkeypatch.setattr(kernels, "KERNELS", (replace(kernels.KERNELS[1], device="cpu"),))
    numbers = numbers_of(37, integer=isinstance(arithmetic, Integer), parts=parts)
    population = Population(numbers, arithmetic, Dynamics(spiking, reset, "fast_sigmoid"))
    assert kernels.find(torch.zeros(1), population, SurrogateGradient()) is not None
    states, _ = assert_alike(population)
    assert not spiking or states.outputs.sum() > 200


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=["real", "integer"])
@pytest.mark.parametrize("parts", [(), *((key,) for key in ON_ITS_OWN), ON_ITS_OWN])
@pytest.mark.parametrize(("reset", "spiking"), [*((reset, True) for reset in RESETS), ("zero", False)])
def test_the_kernel_on_a_gpu(arithmetic: Arithmetic, parts: tuple[str, ...], reset: Reset, spiking: bool) -> None:
    """In integers to the bit; real numbers may be rounded once where plain PyTorch rounds twice."""
    integer = isinstance(arithmetic, Integer)
    numbers = numbers_of(37, integer=integer, parts=parts)
    learned = {name: value.detach().cuda().requires_grad_() for name, value in numbers.learned.items()}
    population = Population(numbers.holding(learned), arithmetic, Dynamics(spiking, reset, "fast_sigmoid"))
    assert kernels.find(torch.zeros(1, device="cuda"), population, SurrogateGradient()) is not None
    states, _ = assert_alike(population, exact=integer)
    assert not spiking or states.outputs.sum() > 200


def test_a_gradient_may_lie_in_any_order_in_memory() -> None:
    """As it comes from a loss that has moved dimensions."""
    population = Population(numbers_of(9, integer=False), Real(), Dynamics(True, "zero", "arctan"))
    inputs, ends = spikes()
    currents = (inputs @ population.numbers.feed_forward.T).detach().requires_grad_()
    outputs = walk(currents, ends, population, SurrogateGradient()).outputs
    gradient = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(5))
    scattered = gradient.movedim(2, 0).contiguous().movedim(0, 2)
    assert not scattered.is_contiguous()
    expected, found = (
        torch.autograd.grad(outputs, currents, one, retain_graph=True)[0] for one in (gradient, scattered)
    )
    assert torch.equal(found, expected)
    assert found.any()
