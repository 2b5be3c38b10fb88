"""Files that frameworks write themselves, and their own spikes in float64: `make frameworks` installs and runs them."""

from __future__ import annotations

import importlib.util
import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from framework_spikes import (
    HIDDEN,
    INPUTS,
    OUTPUTS,
    at_once,
    differ_where_several,
    linear,
    same,
    same_scores,
    stepped,
    traced,
)
from test_foreign_writing import models

from quant import foreign, golden, store
from quant.errors import ModelError
from quant.foreign import Assumed, lower, read

nir = pytest.importorskip("nir")
SPYX = Path(__file__).resolve().parents[2] / "spyx_spikes.py"
pytestmark = pytest.mark.filterwarnings("ignore")  # of other packages

ROOT = Path(__file__).resolve().parents[3]


def ours(tmp_path: Path, graph: Any, said: Assumed) -> golden.Trace:
    """What a graph does that has gone through a file."""
    nir.write(tmp_path / "net.nir", graph, compression=None)  # nir 1.0.8 cannot compress scalars
    return traced(lower(read(tmp_path / "net.nir"), said, "net").built())


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
    same(ours(tmp_path, graph, said), stepped(list(net), (1, 3)))


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
    same(ours(tmp_path, graph, Assumed("spikingjelly")), stepped(list(net.double()), (1, 3)))


def norse_steps(cells: list[Any]) -> list[Callable[[torch.Tensor], torch.Tensor]]:
    """Linear modules as they are, cells of Norse with their states, in float64."""
    from norse.torch.functional.iaf import IAFFeedForwardState
    from norse.torch.module.iaf import IAFCell

    def step(cell: Any) -> Callable[[torch.Tensor], torch.Tensor]:
        for one in cell.modules():
            if hasattr(one, "p"):
                one.p = type(one.p)(*(x.double() if isinstance(x, torch.Tensor) else x for x in one.p))
        state = [IAFFeedForwardState(torch.zeros(())) if isinstance(cell, IAFCell) else None]

        def run(x: torch.Tensor) -> torch.Tensor:
            spikes: torch.Tensor
            spikes, state[0] = cell(x, state[0])
            return spikes

        return run

    return [cell.double() if isinstance(cell, torch.nn.Linear) else step(cell) for cell in cells]


@pytest.mark.parametrize("kind", ["LIF", "CubaLIF", "IF"])
def test_norse(tmp_path: Path, kind: str) -> None:
    """Norse reads a file, and we do."""
    pytest.importorskip("nirtorch")
    reader = pytest.importorskip("norse.torch.utils.import_nir")
    draw = np.random.default_rng(2)

    def between(size: int, low: float, high: float) -> np.ndarray:
        return draw.uniform(low, high, size).astype(np.float32)

    def neurons(size: int) -> nir.NIRNode:
        zero, one = np.zeros(size, dtype=np.float32), np.ones(size, dtype=np.float32)
        if kind == "IF":
            return nir.IF(r=one, v_threshold=between(size, 1, 3))
        said = {"v_leak": zero, "v_reset": zero, "v_threshold": between(size, 0.2, 0.4)}
        if kind == "LIF":
            return nir.LIF(tau=between(size, 2e-3, 9e-3), r=one, **said)
        taus = {"tau_mem": between(size, 2e-3, 9e-3), "tau_syn": between(size, 2e-3, 4e-3)}
        return nir.CubaLIF(**taus, **said, r=between(size, 1, 2), w_in=between(size, 1, 2))

    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array([INPUTS])})}
    for place, (into, size) in enumerate(((INPUTS, HIDDEN), (HIDDEN, OUTPUTS))):
        nodes[f"w{place}"] = nir.Linear(weight=draw.normal(0.2, 1.2, (size, into)).astype(np.float32))
        nodes[f"n{place}"] = neurons(size)
    cells = [reader._import_norse_module(node, ignore_warnings=True) for key, node in nodes.items() if key != "input"]
    nodes["output"] = nir.Output({"output": np.array([OUTPUTS])})
    graph = nir.NIRGraph(nodes, list(itertools.pairwise(nodes)))
    same(ours(tmp_path, graph, Assumed("norse")), stepped(norse_steps(cells), (1, 3)))


@pytest.mark.parametrize("kind", ["LIFBox", "LIF", "IAF"])
def test_files_of_norse(tmp_path: Path, kind: str) -> None:
    """What Norse writes it reads as something else."""
    norse = pytest.importorskip("norse.torch")
    pytest.importorskip("nirtorch")
    from norse.torch.functional.lif_box import LIFBoxParameters
    from norse.torch.utils.export_nir import to_nir

    torch.manual_seed(3)

    def neurons(size: int) -> Any:
        numbers = {"v_th": torch.rand(size) * 0.3 + 0.5}
        if kind != "IAF":
            numbers |= {"tau_mem_inv": 1 / (torch.rand(size) * 7e-3 + 2e-3), "v_leak": torch.zeros(size)}
        if kind == "LIF":
            numbers["tau_syn_inv"] = 1 / (torch.rand(size) * 3e-3 + 1.5e-3)
        parameters = {"LIFBox": LIFBoxParameters, "LIF": norse.LIFParameters, "IAF": norse.IAFParameters}
        return getattr(norse, f"{kind}Cell")(parameters[kind](**numbers))

    cells = [linear(INPUTS, HIDDEN, bias=True, gain=8), neurons(HIDDEN)]
    cells += [linear(HIDDEN, OUTPUTS, bias=False, gain=8), neurons(OUTPUTS)]
    graph = to_nir(norse.SequentialState(*cells), torch.zeros(1, INPUTS))
    same(ours(tmp_path, graph, Assumed("norse-export")), stepped(norse_steps(cells), (1, 3)))


def sinabs_net(fires: str, *, scalar: bool = False, potentials: bool = False) -> tuple[list[Any], Any]:
    """Layers of sinabs, and the graph that its exporter makes of them."""
    layers = pytest.importorskip("sinabs.layers")
    pytest.importorskip("nirtorch")
    import sinabs.activation
    from sinabs.nir import to_nir

    torch.manual_seed(7)

    def numbers(size: int, low: float, high: float) -> torch.Tensor:
        return torch.tensor(low) if scalar else torch.rand(size) * (high - low) + low

    def neurons(size: int) -> Any:
        spike_fn, threshold = getattr(sinabs.activation, fires), numbers(size, 0.8, 1.3)
        return layers.LIF(numbers(size, 1.5, 9.5), spike_threshold=threshold, spike_fn=spike_fn, norm_input=False)

    net = [linear(INPUTS, HIDDEN, bias=True), neurons(HIDDEN), linear(HIDDEN, OUTPUTS, bias=False)]
    net.append(layers.ExpLeak(numbers(OUTPUTS, 1.5, 9.5)) if potentials else neurons(OUTPUTS))
    graph = to_nir(torch.nn.Sequential(*net), torch.zeros(1, 1, INPUTS))
    for layer in (net[1], net[3]):
        layer.reset_states()
    return [layer.double() for layer in net], graph


@pytest.mark.parametrize("scalar", [False, True])
def test_sinabs(tmp_path: Path, scalar: bool) -> None:
    net, graph = sinabs_net("SingleSpike", scalar=scalar)
    same(ours(tmp_path, graph, Assumed("sinabs", single_spikes=True)), at_once(net, (1, 3)))


def test_potentials_of_sinabs(tmp_path: Path) -> None:
    net, graph = sinabs_net("SingleSpike", potentials=True)
    same_scores(ours(tmp_path, graph, Assumed("sinabs", single_spikes=True)), at_once(net, (1, 3)))


def test_neurons_of_sinabs_that_fire_several_times_in_a_step_differ(tmp_path: Path) -> None:
    net, graph = sinabs_net("MultiSpike")
    differ_where_several(ours(tmp_path, graph, Assumed("sinabs", single_spikes=True)), at_once(net, (1, 3)))
    with pytest.raises(ModelError, match="may fire several times in a step"):
        ours(tmp_path, graph, Assumed("sinabs"))


def rockpool_net(*kinds: str, single: bool = True) -> tuple[list[Any], Any]:
    """Layers of Rockpool, and the graph that its exporter makes of them; what they compute is float64 then."""
    pytest.importorskip("nirtorch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "jax", None)  # Rockpool takes it where it is; see `spyx`
        modules = pytest.importorskip("rockpool.nn.modules")
    from rockpool.nn.combinators import Sequential

    torch.manual_seed(8)

    def neurons(kind: str, size: int) -> Any:
        if kind == "ExpSynTorch":
            made = modules.ExpSynTorch(size, tau=torch.rand(size) * 8e-3 + 2e-3)
            made.tau.requires_grad_(False)  # the exporter passes it on as it is, and nir.write takes no gradients
            return made
        numbers = {"tau_mem": torch.rand(size) * 8e-3 + 2e-3, "threshold": torch.rand(size) * 0.5 + 0.8}
        if kind == "LIFTorch":
            numbers["tau_syn"] = torch.rand(size, 1) * 4e-3 + 1e-3
        if single:
            numbers["max_spikes_per_dt"] = torch.tensor(1.0)
        return getattr(modules, kind)(size, **numbers)

    net = [modules.LinearTorch((INPUTS, HIDDEN), has_bias=True), neurons(kinds[0], HIDDEN)]
    net += [modules.LinearTorch((HIDDEN, OUTPUTS)), neurons(kinds[1], OUTPUTS)]
    for layer in (net[0], net[2]):
        layer.weight.data *= 3
    graph = modules.to_nir(Sequential(*net))
    for layer in net:
        layer.reset_state()
        for name, value in (*layer.named_parameters(), *layer.named_buffers()):
            if name not in ("spikes", "w_rec"):  # their product must be float32
                value.data = value.data.double()
    return net, graph


@pytest.mark.parametrize("kinds", [("LIFTorch", "LIFTorch"), ("LIFNeuronTorch", "LIFTorch")])
def test_rockpool(tmp_path: Path, kinds: tuple[str, str]) -> None:
    net, graph = rockpool_net(*kinds)
    same(ours(tmp_path, graph, Assumed("rockpool", dt=1e-3, single_spikes=True)), at_once(net, (1, 3)))


def test_potentials_of_rockpool(tmp_path: Path) -> None:
    net, graph = rockpool_net("LIFTorch", "ExpSynTorch")
    same_scores(ours(tmp_path, graph, Assumed("rockpool", dt=1e-3, single_spikes=True)), at_once(net, (1, 3)))


def test_neurons_of_rockpool_that_fire_several_times_in_a_step_differ(tmp_path: Path) -> None:
    net, graph = rockpool_net("LIFTorch", "LIFTorch", single=False)
    said = Assumed("rockpool", dt=1e-3, single_spikes=True)
    differ_where_several(ours(tmp_path, graph, said), at_once(net, (1, 3)))


@pytest.fixture(scope="session")
def spyx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a process of its own has left graphs and spikes: with JAX in this one, no test could fork."""
    for name in ("jax", "spyx"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp("spyx")
    subprocess.run([sys.executable, "-W", "ignore", SPYX, folder], check=True, capture_output=True, text=True)
    return folder


@pytest.mark.parametrize("kind", ["LIF", "CuBaLIF", "IF"])
def test_spyx(spyx: Path, kind: str) -> None:
    model = lower(read(spyx / f"{kind}.nir"), Assumed("spyx"), "net").built()
    same(traced(model), list(np.load(spyx / f"{kind}.npz").values()))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("RIF", "input passes through recurrent weights, as the exporter writes it"),
        ("RLIF", "input passes through recurrent weights, as the exporter writes it"),
        ("RCuBaLIF", "input passes through recurrent weights, as the exporter writes it"),
        ("PSU_LIF", "spyx has no such neurons, or computes them as hardware does not"),
    ],
)
def test_what_spyx_writes_otherwise_than_it_computes_is_refused(spyx: Path, kind: str, expected: str) -> None:
    with pytest.raises(ModelError, match=expected):
        lower(read(spyx / f"{kind}.nir"), Assumed("spyx"), "net").built()


def test_nir_reads_what_we_write(tmp_path: Path) -> None:
    model = models(1)[0]
    (tmp_path / "a.nir").write_bytes(foreign.to_bytes(model))
    graph = nir.read(tmp_path / "a.nir")
    assert {"input", "output", "layer_1"} <= set(graph.nodes)
    nir.write(tmp_path / "b.nir", graph)
    again = foreign.integers(read(tmp_path / "b.nir"))
    assert again is not None
    assert store.digest(again) == store.digest(model)
