"""The course of training for TensorBoard: `tensorboard --logdir <folder of the run>`."""

from __future__ import annotations

from pathlib import Path

from torch.utils.tensorboard.writer import SummaryWriter

from trainer.loop import Epoch


class Board:
    """Scalars after every epoch; the epochs of both phases are counted on."""

    def __init__(self, folder: Path, done: int) -> None:
        """Append to what is in `folder`, after `done` epochs; what came later is taken back."""
        self._writer = SummaryWriter(str(folder), purge_step=done + 1 if done else None)
        self._done = done

    def add(self, epoch: Epoch) -> None:
        """Write one epoch's losses, accuracies and seconds."""
        self._done += 1
        for name in ("loss", "accuracy"):
            values = {part: getattr(epoch, f"{name}_{part}") for part in ("train", "validation")}
            for part, value in values.items():
                self._writer.add_scalar(f"{name}/{part}", value, self._done)
        self._writer.add_scalar("seconds per epoch", epoch.seconds, self._done)
        self._writer.flush()

    def close(self) -> None:
        """Nothing more will come."""
        self._writer.close()
