"""The course of training for TensorBoard: `tensorboard --logdir <folder of the run>`."""

from __future__ import annotations

from pathlib import Path

from torch.utils.tensorboard.writer import SummaryWriter

from trainer.loop import Epoch


class Board:
    """Scalars after every epoch; the epochs of both phases are counted on."""

    def __init__(self, folder: Path, done: int) -> None:
        """Append to what is in `folder`, after `done` epochs; what came later is taken back. Writes nothing yet."""
        self._folder, self._done = folder, done
        self._writer: SummaryWriter | None = None

    def add(self, epoch: Epoch) -> None:
        """Write one epoch's losses, accuracies and seconds."""
        self._done += 1
        if self._writer is None:
            self._writer = SummaryWriter(str(self._folder), purge_step=self._done if self._done > 1 else None)
        for name in ("loss", "accuracy"):
            for part in ("train", "validation"):
                if (value := getattr(epoch, f"{name}_{part}")) is not None:
                    self._writer.add_scalar(f"{name}/{part}", value, self._done)
        self._writer.add_scalar("seconds per epoch", epoch.seconds, self._done)
        self._writer.flush()

    def close(self) -> None:
        """Nothing more will come."""
        if self._writer is not None:
            self._writer.close()
