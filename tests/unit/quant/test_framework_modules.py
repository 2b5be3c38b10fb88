"""Modules of frameworks without a file, and their own spikes in float64: `make frameworks` installs and runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from framework_spikes import HIDDEN, INPUTS, OUTPUTS, SPIKES, linear, same, same_scores, stepped, traced

from quant import foreign
from quant.errors import ModelError
from quant.foreign import lower

pytestmark = pytest.mark.filterwarnings("ignore")  # of other packages

ROOT = Path(__file__).resolve().parents[3]


def spikes_of(net: torch.nn.Module, places: tuple[int, ...]) -> None:
    """A chain of modules gives the same spikes as the graph that is made of it."""
    net.double()
    same(traced(lower(*foreign.of_modules(net), "net").built()), stepped(list(net.children()), places))


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
            found.append(spikes.numpy())
    same(traced(model), [found])


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


@pytest.mark.parametrize("source", ["snntorch", "spikingjelly.activation_based.neuron"])
def test_modules_may_end_in_weights(source: str) -> None:
    package = pytest.importorskip(source)
    torch.manual_seed(10)
    neurons = package.Leaky(beta=0.8, init_hidden=True) if source == "snntorch" else package.LIFNode(decay_input=False)
    net = torch.nn.Sequential(linear(INPUTS, HIDDEN, bias=True), neurons, linear(HIDDEN, OUTPUTS, bias=True)).double()
    trace = traced(lower(*foreign.of_modules(net), "net").built())
    same_scores(trace, stepped(list(net.children()), (1, 2)))
