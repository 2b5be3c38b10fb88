"""The compiled kernels against plain PyTorch: the same spikes to the bit, the same gradients up to rounding."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from toys import Toy, config, scramble, stimulus

from trainer import kernels, neuron
from trainer.config import LayerConfig
from trainer.kernels import cpu, function, native
from trainer.network import Network
from trainer.neuron import Arithmetic, Dynamics, Integer, Numbers, Real, States
from trainer.surrogates import SLOPES

STEPS, BATCH, INPUTS = 40, 7, 21

Walk = Callable[[Tensor, Tensor, Numbers, Arithmetic, Dynamics], States]

pytestmark = pytest.mark.skipif(native.library() is None, reason="no C++ compiler")


def numbers_of(neurons: int, *, integer: bool, synapse: bool, recurrent: bool, self_recurrent: bool) -> Numbers:
    """Random numbers of a lively layer, all of them learned."""
    draw = torch.Generator().manual_seed(neurons)
    scale = 40.0 if integer else 1.0

    def learned(values: Tensor) -> Tensor:
        return (values.round() if integer else values).requires_grad_()

    weight = torch.randn(neurons, INPUTS + (neurons if recurrent else 0), generator=draw) * 0.4
    leak = (torch.rand(neurons, generator=draw) * 256).floor() / 256
    synapse_leak = (torch.rand(neurons, generator=draw) * 256).floor() / 256
    return Numbers(
        weight=learned(weight * scale),
        inputs=INPUTS,
        self_weight=learned(torch.randn(neurons, generator=draw) * scale) if self_recurrent else None,
        leak=leak.requires_grad_(),
        synapse_leak=synapse_leak.requires_grad_() if synapse else None,
        threshold=learned((torch.rand(neurons, generator=draw) + 0.5) * scale),
        unit=torch.ones(1),
        width=torch.full((1,), 0.6).requires_grad_(),
    )


def compiled_walk(drives: Tensor, ends: Tensor, numbers: Numbers, arithmetic: Arithmetic, dynamics: Dynamics) -> States:
    return function.walk(drives, ends, numbers, arithmetic, dynamics, cpu.run_walk)


def spikes() -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(9)
    inputs = (torch.rand(STEPS, BATCH, INPUTS, generator=draw) < 0.2).float()
    return inputs, torch.randint(1, STEPS + 1, (BATCH,), generator=draw)


def answers(
    walk: Walk, numbers: Numbers, arithmetic: Arithmetic, dynamics: Dynamics, threads: int = 1
) -> tuple[States, dict[str, Tensor]]:
    """States and the gradients of a random function of the outputs."""
    inputs, ends = spikes()
    learned = {
        name: value
        for name in ("weight", "self_weight", "leak", "synapse_leak", "threshold", "width")
        if (value := getattr(numbers, name)) is not None
    }
    drives = (inputs @ numbers.feed_forward.T).detach()
    drives.requires_grad_()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        states = walk(drives, ends, numbers, arithmetic, dynamics)
        importance = torch.randn(states.outputs.shape, generator=torch.Generator().manual_seed(5))
        wanted = [drives, *learned.values()]
        gradients = torch.autograd.grad((states.outputs * importance).sum(), wanted, allow_unused=True)
    finally:
        torch.set_num_threads(before)
    return states, {
        name: torch.zeros_like(value) if gradient is None else gradient
        for name, value, gradient in zip(["drives", *learned], wanted, gradients, strict=True)
    }


@pytest.mark.parametrize("integer", [False, True])
@pytest.mark.parametrize("synapse", [False, True])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize(
    ("spiking", "reset"), [(True, "zero"), (True, "subtract"), (False, "zero")], ids=["zero", "subtract", "membrane"]
)
def test_a_walk_is_that_of_plain_pytorch(
    integer: bool, synapse: bool, recurrent: bool, spiking: bool, reset: neuron.Reset
) -> None:
    numbers = numbers_of(37, integer=integer, synapse=synapse, recurrent=recurrent, self_recurrent=True)
    arithmetic: Arithmetic = Integer(8) if integer else Real()
    dynamics = Dynamics(spiking, reset, "fast_sigmoid")
    plain, plain_gradients = answers(neuron.walk, numbers, arithmetic, dynamics)
    compiled, compiled_gradients = answers(compiled_walk, numbers, arithmetic, dynamics)
    if integer or not recurrent:  # the order of a recurrent sum matters to real numbers
        assert torch.equal(plain.outputs, compiled.outputs)
        assert torch.equal(plain.potential, compiled.potential)
        assert (plain.current is None) == (compiled.current is None)
        if plain.current is not None and compiled.current is not None:
            assert torch.equal(plain.current, compiled.current)
    if spiking:
        assert plain.outputs.sum() > 200
    if integer:
        assert (plain.potential.abs() >= 127).any(), "no state reached its bounds"
    for name, expected in plain_gradients.items():
        largest = expected.abs().max().item()
        limit = 1e-4 * max(largest, 1e-3)
        torch.testing.assert_close(compiled_gradients[name], expected, rtol=1e-3, atol=limit)
        unused = {"weight"} if not recurrent else set()
        unused |= set() if spiking else {"threshold", "width", "self_weight", "weight"}
        assert (largest > 0) == (name not in unused), name


@pytest.mark.parametrize("kind", SLOPES)
def test_every_surrogate(kind: str) -> None:
    numbers = numbers_of(16, integer=False, synapse=False, recurrent=False, self_recurrent=True)
    dynamics = Dynamics(True, "zero", kind)  # type: ignore[arg-type]
    _, plain = answers(neuron.walk, numbers, Real(), dynamics)
    states, compiled = answers(compiled_walk, numbers, Real(), dynamics)
    for name in ("drives", "leak", "threshold", "width"):
        torch.testing.assert_close(compiled[name], plain[name], rtol=1e-3, atol=1e-3)
        assert plain[name].any()
    assert states.outputs.sum() > 100


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_nothing(threads: int) -> None:
    numbers = numbers_of(37, integer=False, synapse=True, recurrent=True, self_recurrent=True)
    dynamics = Dynamics(True, "zero", "arctan")
    states, alone = answers(compiled_walk, numbers, Real(), dynamics)
    again, several = answers(compiled_walk, numbers, Real(), dynamics, threads)
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
    toward = torch.randint(-3, 4, (30, 3, neurons), generator=draw).float()
    found, expected = cpu._Product.apply(x, weight), x @ weight.T
    assert torch.equal(found, expected)
    assert x.sum() > 5
    for one, other in zip(
        torch.autograd.grad(found, (x, weight), toward), torch.autograd.grad(expected, (x, weight), toward), strict=True
    ):
        assert torch.equal(one, other)


def test_many_spikes_take_the_dense_product() -> None:
    x, weight = torch.ones(4, 2, 5), torch.arange(10.0).reshape(2, 5)
    assert torch.equal(cpu.project(x, weight), x @ weight.T)


def test_without_a_compiler_training_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A network gives the same integers, and says once why it is slower."""
    layers = (LayerConfig(20, (0,), self_recurrent=True), LayerConfig(3, (1, 0), self_recurrent=True, synapse=True))
    network = Network(config(*layers, data=Toy(channels=11)))
    scramble(network, 4, strength=0.5)
    inputs, steps = stimulus(1, 11)
    compiled = network(inputs, steps, quantized=True)
    try:
        native.library.cache_clear()
        monkeypatch.setattr(native, "_COMPILER", "no-such-compiler")
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


def test_only_the_surrogate_rule_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = numbers_of(5, integer=False, synapse=False, recurrent=False, self_recurrent=False)
    inputs, ends = spikes()
    drives = (inputs @ numbers.feed_forward.T).detach()
    dynamics = Dynamics(True, "zero", "triangle")
    called: list[str] = []
    monkeypatch.setattr(neuron, "walk", lambda *_: called.append("plain"))
    monkeypatch.setattr(function, "walk", lambda *_: called.append("compiled"))
    kernels.walk(drives, ends, numbers, Real(), dynamics)
    kernels.walk(drives, ends, numbers, Real(), replace(dynamics, rule="tssl"))
    assert called == ["compiled", "plain"]


@pytest.mark.parametrize("integer", [False, True])
@pytest.mark.parametrize("synapse", [False, True])
@pytest.mark.parametrize(("spiking", "reset"), [(True, "zero"), (True, "subtract"), (False, "zero")])
def test_the_gpu_kernel_in_its_interpreter(integer: bool, synapse: bool, spiking: bool, reset: neuron.Reset) -> None:
    """Triton runs its kernels on the CPU for this: what it would compile for a GPU is not tested here."""
    pytest.importorskip("triton", reason="triton is not installed")
    if os.environ.get("TRITON_INTERPRET") != "1":
        pytest.skip("needs TRITON_INTERPRET=1 (`make triton`)")
    from trainer.kernels import gpu

    numbers = numbers_of(37, integer=integer, synapse=synapse, recurrent=False, self_recurrent=True)
    arithmetic: Arithmetic = Integer(8) if integer else Real()
    dynamics = Dynamics(spiking, reset, "fast_sigmoid")
    plain, expected = answers(neuron.walk, numbers, arithmetic, dynamics)

    def gpu_walk(*arguments: Any) -> States:
        return function.walk(*arguments, gpu.run_walk)

    found, gradients = answers(gpu_walk, numbers, arithmetic, dynamics)
    assert torch.equal(plain.outputs, found.outputs)
    assert torch.equal(plain.potential, found.potential)
    assert not spiking or plain.outputs.sum() > 200
    for name, gradient in expected.items():
        torch.testing.assert_close(gradients[name], gradient, rtol=1e-3, atol=1e-3)
