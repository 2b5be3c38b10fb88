"""N-TIDIGITS: a hand-made file in its layout, and files that are not."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from sounds import shared

from quant.errors import DataError
from trainer.data.binning import TimeBins
from trainer.data.ntidigits import CLASSES, NTidigits
from trainer.data.splits import Official, Speakers, Utterances

DIGITS = ("o", "1", "z", "12")


def put(file: h5py.File, part: str, name: str, time_s: np.ndarray, channel: np.ndarray) -> None:
    file[f"{part}_timestamps/{name}"] = time_s
    file[f"{part}_addresses/{name}"] = channel


@pytest.fixture
def path(tmp_path: Path) -> Path:
    draw = np.random.default_rng(1)
    with h5py.File(tmp_path / "n-tidigits.hdf5", "w") as file:
        for part, speakers in {"train": ("man-ae", "woman-bh"), "test": ("man-kj",)}.items():
            names = [f"{speaker}-{take}-{digit}" for speaker in speakers for take in "ab" for digit in DIGITS]
            for name in names:
                put(file, part, name, np.sort(draw.uniform(0, 0.6, 50)), draw.integers(0, 64, 50))
            file[f"{part}_labels"] = np.array(names, dtype="S")
    return tmp_path / "n-tidigits.hdf5"


def test_single_digits_are_read(path: Path) -> None:
    options = NTidigits(str(path), TimeBins(step_ms=2.0), Official(validation=0.5))
    assert (options.channels, options.classes) == (64, CLASSES)
    parts = options.load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 6, "validation": 6, "test": 6}
    assert set(parts["test"].label.tolist()) == {CLASSES.index(digit) for digit in ("o", "1", "z")}
    with h5py.File(path) as file:
        for number, name in enumerate(("man-kj-a-o", "man-kj-a-1", "man-kj-a-z")):
            times, channels = file[f"test_timestamps/{name}"][()], file[f"test_addresses/{name}"][()]
            wanted = {(int(t * 1000 // 2), int(c)) for t, c in zip(times, channels, strict=True)}
            events = slice(parts["test"].offset[number], parts["test"].offset[number + 1])
            found = zip(parts["test"].step[events].tolist(), parts["test"].channel[events].tolist(), strict=True)
            assert len(wanted) > 30
            assert set(found) == wanted


def test_speakers_and_takes(path: Path) -> None:
    parts = NTidigits(str(path), split=Speakers(test=("woman-bh",), validation_speakers=("man-kj",))).load()
    assert [len(samples) for samples in parts.values()] == [6, 6, 6]
    parts = NTidigits(str(path), split=Utterances(test=(2,), validation=0.34)).load()
    assert [len(samples) for samples in parts.values()] == [6, 3, 9]


@pytest.mark.parametrize("name", ["../../labels", "man-ae-c-1", "man-ae-a-", "/etc"])
def test_a_name_of_another_form_is_refused(path: Path, name: str) -> None:
    with h5py.File(path, "r+") as file:
        del file["test_labels"]
        file["test_labels"] = np.array([name], dtype="S")
    with pytest.raises(DataError, match=f"test_labels has '{name}'; expected are names such as 'man-ae-a-1'"):
        NTidigits(str(path)).load()


@pytest.mark.parametrize(
    ("time_s", "channel", "message"),
    [
        (np.array([0.1, 0.2]), np.array([1]), "has 2 timestamps and 1 addresses"),
        (np.array([0.1]), np.array([64]), "an event on channel 64; there are 64"),
        (np.array([-0.1]), np.array([6]), "an event at time -0.1"),
        (np.array([0.1]), np.array([0.5]), "has dtype float64; expected is kind 'iu'"),
        (np.array([[0.1]]), np.array([1]), "must be an array of one axis"),
    ],
)
def test_impossible_events_are_refused(path: Path, time_s: np.ndarray, channel: np.ndarray, message: str) -> None:
    with h5py.File(path, "r+") as file:
        del file["train_timestamps/man-ae-a-1"], file["train_addresses/man-ae-a-1"]
        put(file, "train", "man-ae-a-1", time_s, channel)
    with pytest.raises(DataError, match=message):
        NTidigits(str(path)).load()


def test_missing_and_damaged_files(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["train_addresses"]
    with pytest.raises(DataError, match=r"n-tidigits.hdf5: train_addresses/man-ae-a-o is missing"):
        NTidigits(str(path)).load()
    path.write_bytes(b"no HDF5")
    with pytest.raises(DataError, match="not a readable HDF5 file"):
        NTidigits(str(path)).load()
    path.unlink()
    with pytest.raises(DataError, match=r"no such file; expected is the file n-tidigits.hdf5"):
        NTidigits(str(path)).load()


def test_the_fixture() -> None:
    options = NTidigits(str(shared("format-fixtures/n-tidigits.hdf5")), split=Official(validation=0.5))
    parts = options.load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 20, "validation": 20, "test": 20}
    assert all(len(samples.step) > 5000 for samples in parts.values())
