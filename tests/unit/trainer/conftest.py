"""Settings of the trainer's tests."""

from __future__ import annotations

import base64

import pytest
import torch
from matplotlib.figure import Figure

from quant import figures

# As in `python -m trainer`: the tensors of a time step are too small for a second thread.
torch.set_num_threads(1)

_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAG7buVgAAAABJRU5ErkJggg=="
)


@pytest.fixture(autouse=True)
def undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are composed, but drawn only for tests marked `drawn`: that takes longer than to train a toy."""

    def one_pixel(figure: Figure, kind: figures.Kind = "png") -> bytes:
        assert kind == "png"
        return _PIXEL

    if not request.node.get_closest_marker("drawn"):
        monkeypatch.setattr(figures, "to_bytes", one_pixel)
