"""Data sets of the package tonic: one of its own, of a tiny file, where it is installed."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from quant.errors import ConfigError, DataError, ToolError
from trainer.data.binning import TimeBins
from trainer.data.tonicsets import Tonic

CLASSES = tuple(f"word{number}" for number in range(20))
SAMPLES = 10


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Heidelberg digits as tonic keeps them: ten samples each of classes 3 and 4."""
    tonic = pytest.importorskip("tonic")
    monkeypatch.setattr(tonic.datasets.SHD, "_check_exists", lambda self: True)
    for part in ("train", "test"):
        (tmp_path / "SHD").mkdir(exist_ok=True)
        with h5py.File(tmp_path / "SHD" / f"shd_{part}.h5", "w") as file:
            file["labels"] = np.arange(2 * SAMPLES) % 2 + 3
            file["extra/keys"], file["extra/speaker"] = np.array(CLASSES, "S"), np.zeros(2 * SAMPLES)
            for name, kind in (("times", np.float16), ("units", np.int32)):
                lists = file.create_dataset(f"spikes/{name}", (2 * SAMPLES,), h5py.vlen_dtype(kind))
                for sample in range(2 * SAMPLES):
                    lists[sample] = np.array([0.25, 0.5] if name == "times" else [sample, 699], kind)
    return tmp_path


def options(path: Path, **more: object) -> Tonic:
    given: dict = {"dataset": "SHD", "columns": ("t", "x"), "size": (700,), "bins": TimeBins(step_ms=10.0), **more}
    return Tonic(str(path), CLASSES, **given)


def test_events_of_tonic_become_spikes(folder: Path) -> None:
    parts = options(folder).load()
    assert [len(samples) for samples in parts.values()] == [18, 2, 20]
    test = parts["test"]
    assert test.label.tolist() == [3, 4] * SAMPLES
    assert test.step.tolist() == [25, 50] * 2 * SAMPLES
    assert test.channel.tolist() == [channel for sample in range(2 * SAMPLES) for channel in (sample, 699)]


def test_parts_that_tonic_names_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tonic = pytest.importorskip("tonic")

    class Words(tonic.Dataset):
        def __init__(self, save_to: str, split: str = "train") -> None:
            super().__init__(save_to)
            self.split = split

        def __len__(self) -> int:
            return {"train": 12, "valid": 4, "test": 6}[self.split]

        def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
            return np.array([(1000, index)], [("t", int), ("x", int)]), index % 2

    monkeypatch.setattr(tonic.datasets, "Words", Words, raising=False)
    parts = options(tmp_path, dataset="Words").load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 12, "validation": 4, "test": 6}


def test_what_tonic_lacks_is_said(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.dataset is 'os'; tonic has .*NMNIST"):
        options(folder, dataset="os").load()
    with pytest.raises(DataError, match=r"tonic's SHD, train sample 0 has no 'y'; data\.columns may have t, x, p"):
        options(folder, columns=("t", "x", "y"), size=(700, 1)).load()
    (folder / "SHD" / "shd_test.h5").write_bytes(b"no")
    with pytest.raises(DataError, match="tonic's SHD in "):
        options(folder).load()


def test_without_tonic_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tonic", None)
    with pytest.raises(ToolError, match="`pip install tonic` installs it"):
        options(tmp_path).load()
