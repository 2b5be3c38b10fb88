"""The network's parameters: where they start."""

from __future__ import annotations

from toys import config

from trainer.config import LayerConfig, NetworkConfig
from trainer.network import Network


def test_leaks_start_alike_or_spread() -> None:
    layers = (LayerConfig(200, (0,)), LayerConfig(3, (1,)))
    alike = Network(config(network=NetworkConfig(layers, leak=0.9))).layers[0].leak_logit
    spread = Network(config(network=NetworkConfig(layers, leak=0.9, leak_spread=1.0))).layers[0].leak_logit
    assert alike.std() < 1e-6
    assert abs(spread.std().item() - 1) < 0.2
    assert abs((spread - alike).mean().item()) < 0.3
