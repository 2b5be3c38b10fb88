"""Teachers: whose probabilities a network learns instead of labels. A new kind is a file and a line in `TEACHERS`.

Beyer et al. 2022, Knowledge distillation: a good teacher is patient and consistent; Hinton et al. 2015, Distilling the
knowledge in a neural network.
"""

from __future__ import annotations

from collections.abc import Mapping

from trainer.teachers.kernel import Kernel
from trainer.teachers.networks import Networks
from trainer.teachers.teacher import FloatArray, Judge, Teacher

TEACHERS: Mapping[str, type[Teacher]] = {"kernel": Kernel, "networks": Networks}

__all__ = ["TEACHERS", "FloatArray", "Judge", "Kernel", "Networks", "Teacher"]
