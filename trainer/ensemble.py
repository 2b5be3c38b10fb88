"""Networks as a teacher: in the mean, several trained ones are right more often than each (Hinton et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from quant import export
from quant.errors import ConfigError
from trainer import checkpoint
from trainer.augmentation import Events
from trainer.config import Graph
from trainer.data.batches import dense
from trainer.network import Network
from trainer.teacher import FloatArray


class Ensemble:
    """The mean of what networks say, as they are built: with integers.

    Args:
        files: checkpoints; each network has the channels and the classes of `graph`.
        sharpness: factor of the logits before the softmax.

    Raises:
        ConfigError: if a network has another shape.
        ModelError: if a file is no checkpoint.
    """

    def __init__(self, files: Sequence[Path], graph: Graph, sharpness: float, device: torch.device) -> None:
        self._channels, self._sharpness = graph.inputs, sharpness
        self._networks = [_network(file, number, graph).to(device) for number, file in enumerate(files, start=1)]

    @torch.no_grad()
    def __call__(self, events: Events) -> FloatArray:
        """See `trainer.teacher.Teacher`."""
        batch = dense(events, np.zeros(len(events.steps), dtype=np.int64), self._channels)
        batch = batch.to(self._networks[0].device)
        said = [network(batch.inputs, batch.steps, quantized=True).logits for network in self._networks]
        mean = torch.stack([(self._sharpness * one).softmax(dim=1) for one in said]).mean(dim=0)
        return np.asarray(mean.double().cpu().numpy())


def _network(file: Path, number: int, graph: Graph) -> Network:
    network = checkpoint.restore(export.read_checkpoint(file), file)[1]
    found, where = network.graph, f"train.teacher.networks[{number}] ({file})"
    for what, one, wanted in (
        ("channels", found.inputs, graph.inputs),
        ("classes", len(found.classes), len(graph.classes)),
    ):
        if one != wanted:
            raise ConfigError(f"{where} has {one} {what}, data has {wanted}; take a network that learned the same data")
    return network.eval()
