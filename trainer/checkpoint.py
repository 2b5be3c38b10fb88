"""Checkpoints: `last.pt` after every epoch, to resume from, and `ckpt.pt`, the best network. Plain data, no code."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import torch

from quant import export, store
from quant.errors import ConfigError, ModelError, reason
from quant.files import write_atomic
from trainer import config as configuration
from trainer.config import Config
from trainer.integers import integers
from trainer.network import Network

State = dict[str, Any]


def product(network: Network, float_state: State, *, finished: bool) -> dict[str, Any]:
    """The content of `ckpt.pt`: the best network of both phases, the configuration, and the integers."""
    model = integers(network)
    return {
        "format": export.FORMAT,
        "version": export.VERSION,
        "finished": finished,
        "config": configuration.to_table(network.config),
        "float": float_state,
        "quantized": network.state_dict(),
        "integers": {
            "model": json.dumps(store.describe(model)),
            "tensors": {name: torch.from_numpy(array) for name, array in store.named_tensors(model).items()},
        },
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint atomically."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomic(path, buffer.getvalue())


def config_of(content: dict[str, Any], path: Path) -> Config:
    """The configuration that a checkpoint was trained with."""
    try:
        return configuration.from_table(content["config"])
    except (KeyError, ConfigError) as error:
        raise ModelError(f"{path}: its configuration cannot be used ({error}); train again") from None


def restore(content: dict[str, Any], path: Path) -> tuple[Network, Network]:
    """The networks of the product `content`: the best of the float phase and the best of the quantized phase."""
    config = config_of(content, path)
    networks = Network(config), Network(config)
    for network, phase in zip(networks, ("float", "quantized"), strict=True):
        try:
            network.load_state_dict(content[phase])
        except Exception as error:  # a state that is none can make PyTorch raise anything
            raise ModelError(
                f"{path}: the entry {phase!r} does not fit its configuration ({reason(error)}); train again"
            ) from None
    return networks
