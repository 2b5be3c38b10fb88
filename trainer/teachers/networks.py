"""Networks that were trained before, as a teacher: several together are right more often than each alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import torch

from quant import export
from quant.errors import ConfigError, brief
from quant.spikes import SpikeSet
from trainer.augmentation import Events
from trainer.data.batches import dense
from trainer.schema import FilePath, Range
from trainer.teachers.teacher import FloatArray, Judge

if TYPE_CHECKING:
    from trainer.config import Config
    from trainer.data.source import Source
    from trainer.network import Network


@dataclass(frozen=True, slots=True)
class Networks:
    """The mean of the probabilities that trained networks give.

    Attributes:
        files: their checkpoints (`ckpt.pt`), of networks with the same channels and classes.
        sharpness: their logits are multiplied by this before the softmax; 0: no teacher.
    """

    files: tuple[FilePath, ...]
    sharpness: Annotated[float, Range(0.0, 1000.0)] = 1.0

    def __post_init__(self) -> None:
        if not self.files:
            raise ConfigError("train.teacher.files is empty; name the checkpoints (ckpt.pt) that teach")

    def prepared(self, samples: SpikeSet, config: Config, device: torch.device) -> Judge:
        """The networks, read from their files."""
        networks = [_read(Path(file), config).to(device) for file in self.files]

        @torch.no_grad()
        def judge(events: Events) -> FloatArray:
            inputs, steps = dense(events, config.data.channels).to(device), torch.from_numpy(events.steps).to(device)
            logits = torch.stack(
                [one(inputs, steps, quantized=not one.config.train.epochs_float).logits for one in networks]
            )
            return (self.sharpness * logits).softmax(dim=2).mean(dim=0).double().cpu().numpy()

        return judge


def _named(data: Source) -> tuple[type, str]:
    return type(data), Path(getattr(data, "path", "")).name


def _read(path: Path, config: Config) -> Network:
    """The network in a checkpoint, at its best: in real numbers, if it was trained in them.

    Raises:
        ConfigError: if it answers other questions than the network that learns.
        ModelError: if the file is no checkpoint.
    """
    from trainer import checkpoint  # which imports the configuration, and so the teachers

    in_reals, in_integers = checkpoint.restore(export.read_checkpoint(path), path)
    network = in_reals if in_reals.config.train.epochs_float else in_integers
    for what, its, ours in (
        ("channels", network.config.data.channels, config.data.channels),
        ("classes", list(network.config.data.classes), list(config.data.classes)),
    ):
        if its != ours:
            raise ConfigError(
                f"train.teacher.files: {path} has the {what} {brief(its)}, data has {brief(ours)}; take a network that "
                "was trained on the same data"
            )
    heard, data = network.config.data, config.data
    if _named(heard) == _named(data) and getattr(heard, "split", None) != getattr(data, "split", None):
        raise ConfigError(
            f"train.teacher.files: {path} was trained with another data.split; it may know the samples that are to "
            "validate and test here: take a network with the same one"
        )
    return network.eval()
