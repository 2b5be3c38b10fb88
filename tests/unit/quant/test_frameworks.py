"""Files that frameworks write themselves, and their own spikes in float64: `make frameworks` installs and runs them."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_foreign_writing import models

from quant import foreign, golden, store
from quant.errors import ModelError
from quant.foreign import Assumed, lower, read

nir = pytest.importorskip("nir")
pytestmark = pytest.mark.filterwarnings("ignore")  # of other packages

ROOT = Path(__file__).resolve().parents[3]
STEPS, SAMPLES, INPUTS, HIDDEN, OUTPUTS = 50, 8, 20, 30, 10
SPIKES = np.random.default_rng(1).random((STEPS, SAMPLES, INPUTS)) < 0.3
Outputs = list[list[np.ndarray]]


def same(tmp_path: Path, graph: Any, said: Assumed, theirs: Outputs) -> None:
    """Every spike of every layer; and there were some."""
    nir.write(tmp_path / "net.nir", graph)
    model = lower(read(tmp_path / "net.nir"), said, "net").built()
    ours = golden.run(model, SPIKES, np.full(SAMPLES, STEPS)).spikes[1:]
    for a, steps in zip(ours, theirs, strict=True):
        b = np.stack(steps).astype(bool)
        assert b.sum() > 100
        np.testing.assert_array_equal(a, b)


def stepped(layers: list[Callable[[torch.Tensor], Any]], spiking: tuple[int, ...]) -> Outputs:
    """What the layers at these places put out in every step, fed in float64."""
    found: Outputs = [[] for _ in spiking]
    with torch.no_grad():
        for given in torch.from_numpy(SPIKES).double():
            value: Any = given
            for place, layer in enumerate(layers):
                value = layer(value)
                value = (value[0] if isinstance(value, tuple) else value).double()
                if place in spiking:
                    found[spiking.index(place)].append(value.numpy())
    return found


def linear(inputs: int, outputs: int, *, bias: bool, gain: float = 4.0) -> torch.nn.Linear:
    made = torch.nn.Linear(inputs, outputs, bias=bias)
    with torch.no_grad():
        made.weight *= gain
    return made


@pytest.mark.parametrize("kind", ["Leaky", "Synaptic", "RLeaky"])
@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_snntorch(tmp_path: Path, kind: str, reset: str) -> None:
    snntorch = pytest.importorskip("snntorch")
    pytest.importorskip("nirtorch")
    from snntorch.export_nir import export_to_nir

    torch.manual_seed(1)

    def neurons(name: str, size: int) -> Any:
        numbers = {"beta": torch.rand(size) * 0.3 + 0.65, "threshold": torch.rand(size) * 0.5 + 0.8}
        if name == "Synaptic":
            numbers["alpha"] = torch.rand(size) * 0.5
        if name == "RLeaky":
            numbers |= {"V": torch.rand(size) - 0.5, "all_to_all": False}
        delayed = name == "Leaky" or reset == "subtract"
        return getattr(snntorch, name)(**numbers, reset_mechanism=reset, reset_delay=delayed, init_hidden=True)

    layers = [linear(INPUTS, HIDDEN, bias=True), neurons(kind, HIDDEN)]
    layers += [linear(HIDDEN, OUTPUTS, bias=False), neurons("Leaky", OUTPUTS)]
    net = torch.nn.Sequential(*layers)
    graph = export_to_nir(net, torch.zeros(INPUTS))
    net.double()
    for layer in (layers[1], layers[3]):
        getattr(layer, "reset_mem", layer.reset_hidden)()
    said = Assumed("snntorch", reset="zero" if reset == "zero" else "late_subtract")
    same(tmp_path, graph, said, stepped(list(net), (1, 3)))


@pytest.mark.parametrize("decay_input", [True, False])
def test_spikingjelly(tmp_path: Path, decay_input: bool) -> None:
    pytest.importorskip("spikingjelly")
    pytest.importorskip("nirtorch")
    from spikingjelly.activation_based import functional, layer, neuron
    from spikingjelly.activation_based.nir_exchange import export_to_nir

    torch.manual_seed(2)
    gain = 12.0 if decay_input else 5.0
    layers = [
        layer.Linear(INPUTS, HIDDEN),
        neuron.LIFNode(tau=2.5, decay_input=decay_input, v_reset=0.0),
        layer.Linear(HIDDEN, OUTPUTS, bias=False),
        neuron.LIFNode(tau=4.0, decay_input=decay_input, v_reset=0.0),
    ]
    with torch.no_grad():
        layers[0].weight *= gain
        layers[2].weight *= gain
    net = torch.nn.Sequential(*layers)
    graph = export_to_nir(net, torch.zeros(1, INPUTS))
    functional.reset_net(net)
    same(tmp_path, graph, Assumed("spikingjelly"), stepped(list(net.double()), (1, 3)))


def test_norse(tmp_path: Path) -> None:
    """Norse reads a file, and we do."""
    lif_box = pytest.importorskip("norse.torch.functional.lif_box")
    from norse.torch.module.lif_box import LIFBoxCell

    torch.manual_seed(3)
    draw = np.random.default_rng(2)
    weights = [draw.normal(0.2, 1.2, shape).astype(np.float32) for shape in ((HIDDEN, INPUTS), (OUTPUTS, HIDDEN))]
    taus = [draw.uniform(2e-3, 9e-3, size).astype(np.float32) for size in (HIDDEN, OUTPUTS)]
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array([INPUTS])})}
    layers: list[Callable[[torch.Tensor], Any]] = []
    for place, (weight, tau) in enumerate(zip(weights, taus, strict=True)):
        one = np.ones(len(tau), dtype=np.float32)
        nodes[f"w{place}"] = nir.Linear(weight=weight)
        nodes[f"n{place}"] = nir.LIF(tau=tau, r=one, v_leak=0 * one, v_threshold=0.3 * one, v_reset=0 * one)
        parameters = lif_box.LIFBoxParameters(
            tau_mem_inv=1 / torch.from_numpy(tau).double(), v_th=torch.from_numpy(0.3 * one).double()
        )
        cell, state = LIFBoxCell(parameters), [None]

        def neurons(x: torch.Tensor, cell: Any = cell, state: list[Any] = state) -> torch.Tensor:
            spikes: torch.Tensor
            spikes, state[0] = cell(x, state[0])
            return spikes

        into = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False).double()
        into.weight.data = torch.from_numpy(weight).double()
        layers += [into, neurons]
    nodes["output"] = nir.Output({"output": np.array([OUTPUTS])})
    names = list(nodes)
    graph = nir.NIRGraph(nodes, list(itertools.pairwise(names)))
    same(tmp_path, graph, Assumed("norse"), stepped(layers, (1, 3)))


def spikes_of(net: torch.nn.Module, places: tuple[int, ...]) -> None:
    """A chain of modules gives the same spikes as the graph that is made of it."""
    net.double()
    model = lower(*foreign.of_modules(net), "net").built()
    ours = golden.run(model, SPIKES, np.full(SAMPLES, STEPS)).spikes[1:]
    for a, steps in zip(ours, stepped(list(net.children()), places), strict=True):
        b = np.stack(steps).astype(bool)
        assert b.sum() > 100
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("kind", ["Leaky", "Synaptic", "RLeaky"])
def test_modules_of_snntorch(kind: str, reset: str) -> None:
    snntorch = pytest.importorskip("snntorch")
    torch.manual_seed(4)
    more: dict[str, Any] = {"alpha": 0.5} if kind == "Synaptic" else {}
    if kind == "RLeaky":
        more = {"V": torch.rand(HIDDEN) - 0.5, "all_to_all": False}
    said = {"reset_mechanism": reset, "reset_delay": reset == "subtract", "init_hidden": True}
    neurons = getattr(snntorch, kind)(beta=0.8, **more, **said)
    net = torch.nn.Sequential(
        linear(INPUTS, HIDDEN, bias=True), neurons, linear(HIDDEN, OUTPUTS, bias=True), snntorch.Leaky(beta=0.7, **said)
    )
    spikes_of(net, (1, 3))


@pytest.mark.parametrize("kind", ["RLeaky", "RSynaptic"])
def test_recurrent_modules_of_snntorch_have_a_bias(kind: str) -> None:
    """In single precision: their own spikes are float32 whatever they are fed."""
    snntorch = pytest.importorskip("snntorch")
    torch.manual_seed(6)
    more = {"alpha": 0.5} if kind == "RSynaptic" else {}
    neurons = getattr(snntorch, kind)(
        beta=0.8, linear_features=HIDDEN, reset_mechanism="subtract", init_hidden=kind == "RLeaky", **more
    )
    net = torch.nn.Sequential(linear(INPUTS, HIDDEN, bias=True), neurons)
    model = lower(*foreign.of_modules(net), "net").built()
    spikes, syn, mem = neurons.init_rsynaptic() if kind == "RSynaptic" else (None, None, None)
    found = []
    with torch.no_grad():
        for given in torch.from_numpy(SPIKES).float():
            if kind == "RSynaptic":
                spikes, syn, mem = neurons(net[0](given), spikes, syn, mem)
            else:
                spikes = neurons(net[0](given))
            found.append(spikes.numpy().astype(bool))
    ours = golden.run(model, SPIKES, np.full(SAMPLES, STEPS)).spikes[1]
    assert np.stack(found).sum() > 100
    np.testing.assert_array_equal(ours, np.stack(found))


@pytest.mark.parametrize("v_reset", [0.0, None])
@pytest.mark.parametrize("kind", ["LIFNode", "IFNode"])
def test_modules_of_spikingjelly(kind: str, v_reset: float | None) -> None:
    neuron = pytest.importorskip("spikingjelly.activation_based.neuron")
    torch.manual_seed(5)
    said = {"v_reset": v_reset, **({"tau": 2.5, "decay_input": False} if kind == "LIFNode" else {})}
    layers = [linear(INPUTS, HIDDEN, bias=True), getattr(neuron, kind)(**said)]
    layers += [linear(HIDDEN, OUTPUTS, bias=True), getattr(neuron, kind)(**said)]
    spikes_of(torch.nn.Sequential(*layers), (1, 3))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"reset_mechanism": "subtract", "reset_delay": False}, "1: subtracts twice above twice its threshold"),
        ({"alpha": 0.5, "reset_mechanism": "zero"}, "1: with a filter or recurrence, a reset to zero comes late"),
        ({"reset_mechanism": "zero"}, "the network has the resets ['late_subtract', 'zero']"),
    ],
)
def test_modules_that_cannot_be_built_say_why(said: dict[str, Any], expected: str) -> None:
    snntorch = pytest.importorskip("snntorch")
    kind = snntorch.Synaptic if "alpha" in said else snntorch.Leaky
    net = torch.nn.Sequential(linear(INPUTS, 5, bias=True), kind(beta=0.8, **said), snntorch.Leaky(beta=0.5))
    with pytest.raises(ModelError) as caught:
        foreign.of_modules(net)
    assert expected in str(caught.value)


def test_nir_reads_what_we_write(tmp_path: Path) -> None:
    model = models(1)[0]
    (tmp_path / "a.nir").write_bytes(foreign.to_bytes(model))
    graph = nir.read(tmp_path / "a.nir")
    assert {"input", "output", "layer_1"} <= set(graph.nodes)
    nir.write(tmp_path / "b.nir", graph)
    again = foreign.integers(read(tmp_path / "b.nir"))
    assert again is not None
    assert store.digest(again) == store.digest(model)


@pytest.mark.check
def test_the_example_takes_snntorch_to_hardware(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("snntorch")
    spec = importlib.util.spec_from_file_location("from_snntorch", ROOT / "examples" / "from_snntorch.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.main(ROOT / "configs" / "digits.toml", tmp_path, epochs=1)
    said = capsys.readouterr().out
    assert said.count("in simulated hardware, every spike as in the integers") == 3
