"""A look at data before training: figures, warnings, and a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quant.spikes import SpikeSet, from_dense, to_bytes
from trainer import __main__ as command_line

CONFIG = """
name = "looked at"
data = { name = "spike_files", train = "t.npz", raw_channels = 6, class_names = ["one", "<two>"], split = "random" }
network = { layers = [{ neurons = 2, sources = [0] }] }
"""


def samples() -> SpikeSet:
    """40 samples of 3 to 6 steps; channel 5 never spikes, sample 0 neither."""
    draw = np.random.default_rng(1)
    steps = draw.integers(3, 7, 40)
    spikes = draw.random((6, 40, 6)) < 0.3
    spikes &= np.arange(6)[:, None, None] < steps[None, :, None]
    spikes[:, :, 5] = False
    spikes[:, 0] = False
    return from_dense(spikes, steps, np.arange(40) % 2)


@pytest.mark.drawn
def test_a_data_set_is_shown_as_text_and_as_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.npz").write_bytes(to_bytes(samples()))
    (tmp_path / "c.toml").write_text(CONFIG)
    out = tmp_path / "data.html"
    assert command_line.main(["inspect", "--config", str(tmp_path / "c.toml"), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert ["all", "32", "4", "4"] in [line.split() for line in said.splitlines()]
    assert "warning: 1 channels never spike in the train part (5)" in said
    assert "1 samples of the" in said
    given = samples()
    train = [line.split() for line in said.splitlines() if line.split()[:1] == ["train"]]
    assert train[0][1:] == [str(given.steps.min()), str(int(np.median(given.steps))), str(given.steps.max())]
    page = out.read_text()
    assert "&lt;two&gt;" in page
    assert "<two>" not in page
    assert "data:image/png;base64,iVBOR" in page
    assert command_line.main(["inspect", "--config", str(tmp_path / "c.toml"), "--out", str(out)]) == 2
    assert "give --force" in capsys.readouterr().err


def test_a_wrong_path_is_shown_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text(CONFIG)
    assert command_line.main(["inspect", "--config", str(tmp_path / "c.toml")]) == 2
    assert f"error: {tmp_path / 't.npz'}: no such file" in capsys.readouterr().err
