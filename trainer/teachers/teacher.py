"""What a teacher is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import torch

from quant.spikes import SpikeSet
from trainer.augmentation import Events

if TYPE_CHECKING:
    from trainer.config import Config

FloatArray = npt.NDArray[np.float64]

Judge = Callable[[Events], FloatArray]
"""From a batch of samples, as augmentation leaves them, to the probabilities of the classes, `(batch, classes)`."""


class Teacher(Protocol):
    """A teacher with its options filled in: a frozen dataclass."""

    @property
    def sharpness(self) -> float:
        """What its scores are multiplied by before the softmax that the network is to imitate; 0: no teacher."""

    def prepared(self, samples: SpikeSet, config: Config, device: torch.device) -> Judge:
        """Ready to judge; the same for the same training samples, for the network that `config` describes.

        Raises:
            ConfigError, DataError: if it cannot teach that network, or not on this machine.
        """
