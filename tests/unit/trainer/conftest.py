"""Settings of the trainer's tests."""

from __future__ import annotations

import torch

# As in `python -m trainer`: the tensors of a time step are too small for a second thread.
torch.set_num_threads(1)
