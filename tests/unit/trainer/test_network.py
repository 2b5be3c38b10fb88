"""The network's parameters: where they start."""

from __future__ import annotations

import pytest
import torch
from toys import Toy, config, stimulus

from trainer.config import Graph, LayerConfig, NetworkConfig, PlasticityConfig, TrainConfig
from trainer.integers import integers
from trainer.network import GraphNetwork, Network


def test_a_network_needs_its_graph_alone() -> None:
    """Not the data or the course of training: it is the same as that of the whole configuration."""
    settings = config()
    graph = Graph("alone", 12, ("a", "b", "c"), settings.network)
    alone, whole = GraphNetwork(graph, TrainConfig(), PlasticityConfig()), Network(settings)
    for (name, one), (same, other) in zip(alone.named_parameters(), whole.named_parameters(), strict=True):
        assert name == same
        assert torch.equal(one, other)
    assert integers(alone).classes == ("a", "b", "c")


def test_leaks_start_alike_or_spread() -> None:
    layers = (LayerConfig(200, (0,)), LayerConfig(3, (1,)))
    alike = Network(config(network=NetworkConfig(layers, leak=0.9))).layers[0].leak_logit
    spread = Network(config(network=NetworkConfig(layers, leak=0.9, leak_spread=1.0))).layers[0].leak_logit
    assert alike.std() < 1e-6
    assert abs(spread.std().item() - 1) < 0.2
    assert abs((spread - alike).mean().item()) < 0.3


def test_numbers_start_as_the_configuration_says() -> None:
    begins = {"leak": 0.6, "synapse_leak": 0.3, "adaptation_leak": 0.7}
    begins |= {"threshold": 0.8, "adaptation_step": 0.4, "inhibition": 0.2, "self_weight": -0.3}
    layer = LayerConfig(5, (0,), self_weight=True, synapse=True, adaptation=True, inhibition=True)
    network = Network(config(network=NetworkConfig((layer, LayerConfig(3, (1,))), **begins)))
    neuron = network.layers[0].numbers(quantized=False).neuron
    assert neuron.keys() == begins.keys()
    for name, value in begins.items():
        torch.testing.assert_close(neuron[name], torch.full((5,), value))


@pytest.mark.parametrize("quantized", [False, True])
def test_sparse_recurrence_has_weights_from_some_others_alone(quantized: bool) -> None:
    """So many for each neuron, none from itself, the same after training, and in the exported integers."""
    layers = LayerConfig(12, (0,), sparse_recurrent=3), LayerConfig(3, (1,))
    network = Network(config(*layers, data=Toy(channels=11)))
    recurrent = network.layers[0].numbers(quantized=quantized).recurrent
    assert recurrent is not None
    missing = network.layers[0].mask[:, 11:] == 0
    assert (missing.sum(dim=1) == 12 - 3).all()
    assert missing.diagonal().all()
    assert not recurrent[missing].any()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1)
    inputs, steps = stimulus(2, 11)
    network(inputs, steps, quantized=quantized).logits.square().sum().backward()
    optimizer.step()
    after = network.layers[0].numbers(quantized=quantized).recurrent
    assert not after[missing].any()
    assert not torch.equal(after, recurrent)


def test_a_network_keeps_its_sparse_connections_whatever_seed_drew_it() -> None:
    """As `scsr bits` goes on from one real-valued phase with several seeds."""
    layers, data = (LayerConfig(12, (0,), sparse_recurrent=3), LayerConfig(3, (1,))), Toy(channels=11)
    first, second = (Network(config(*layers, data=data, train=TrainConfig(seed=seed))) for seed in (1, 2))
    assert not torch.equal(first.layers[0].mask, second.layers[0].mask)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.layers[0].connected_weight, second.layers[0].connected_weight)
