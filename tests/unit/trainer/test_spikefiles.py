"""Spike files as a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quant import spikes
from quant.errors import DataError, SpikeFileError
from quant.spikes import SpikeSet, from_dense
from trainer.data.binning import StepBins
from trainer.data.spikefiles import SpikeFiles
from trainer.data.splits import Official, Random

NAMES = ("no", "yes")


def some(count: int, seed: int) -> SpikeSet:
    dense = np.random.default_rng(seed).random((12, count, 6)) < 0.2
    return from_dense(dense, np.full(count, 12), np.arange(count) % 2)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    for seed, (name, count) in enumerate({"train": 20, "validation": 6, "test": 10}.items()):
        (tmp_path / f"{name}.npz").write_bytes(spikes.to_bytes(some(count, seed)))
    return {name: str(tmp_path / f"{name}.npz") for name in ("train", "validation", "test")}


def test_the_files_are_the_parts(files: dict[str, str]) -> None:
    options = SpikeFiles(**files, raw_channels=6, class_names=NAMES)
    assert (options.channels, options.classes) == (6, NAMES)
    for part, samples in options.load().items():
        wanted = spikes.read(Path(files[part]))
        assert len(wanted.step) > 50
        for name in ("steps", "label", "offset", "step", "channel"):
            np.testing.assert_array_equal(getattr(samples, name), getattr(wanted, name))


def test_validation_out_of_the_training_file(files: dict[str, str]) -> None:
    del files["validation"]
    parts = SpikeFiles(**files, raw_channels=6, class_names=NAMES, split=Official(validation=0.2)).load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 16, "validation": 4, "test": 10}
    parts = SpikeFiles(**files, raw_channels=6, class_names=NAMES, split=Random(test=0.2)).load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 22, "validation": 2, "test": 6}


def test_bins(files: dict[str, str]) -> None:
    options = SpikeFiles(**files, raw_channels=6, class_names=NAMES, bins=StepBins(pool_steps=3, pool=2))
    assert options.channels == 3
    for samples in options.load().values():
        assert samples.channels == 3
        assert len(samples.step) > 20
        assert (samples.steps == 4).all()


def test_what_does_not_fit_is_refused(files: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train.npz has 6 channels; data.raw_channels is 7"):
        SpikeFiles(**files, raw_channels=7, class_names=NAMES).load()
    with pytest.raises(DataError, match=r"train.npz: sample 1 has label 1; classes are 0\.\.0"):
        SpikeFiles(**files, raw_channels=6, class_names=("no",)).load()
    Path(files["test"]).write_bytes(b"damaged")
    with pytest.raises(SpikeFileError, match=r"test.npz: not a readable .npz file"):
        SpikeFiles(**files, raw_channels=6, class_names=NAMES).load()
    Path(files["test"]).unlink()
    with pytest.raises(SpikeFileError, match=r"test.npz: no such file"):
        SpikeFiles(**files, raw_channels=6, class_names=NAMES).load()
