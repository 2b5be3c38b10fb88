"""SHD and SSC: hand-made files in their layout, and files that are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from sounds import shared

from quant.errors import DataError
from trainer.data import binning, heidelberg
from trainer.data.binning import TimeBins
from trainer.data.heidelberg import Shd, Ssc
from trainer.data.splits import Official, Speakers


def write(path: Path, labels: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """A file with random events, which are also returned; sample `n` is of speaker `n % 3`."""
    draw = np.random.default_rng(seed)
    events = []
    with h5py.File(path, "w") as file:
        times = file.create_dataset("spikes/times", len(labels), h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", len(labels), h5py.vlen_dtype(np.uint16))
        for number in range(len(labels)):
            count = draw.integers(20, 60)
            times[number] = np.sort(draw.uniform(0, 0.8, count)).astype(np.float16)
            units[number] = draw.integers(0, 700, count).astype(np.uint16)
            events.append((times[number], units[number]))
        file["labels"] = labels.astype(np.uint16)
        file["extra/speaker"] = (np.arange(len(labels)) % 3).astype(np.uint16)
    return events


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(("shd_train", "shd_test", "ssc_train", "ssc_valid", "ssc_test")):
        write(tmp_path / f"{name}.h5", np.arange(40) % 20, number)
    return tmp_path


def test_events_become_spikes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binning, "_AT_A_TIME", 3)
    events = write(tmp_path / "some.h5", np.arange(10), 1)
    samples = heidelberg.read(tmp_path / "some.h5", tuple("0123456789"), TimeBins(step_ms=5.0, pool=7))
    assert samples.channels == 100
    np.testing.assert_array_equal(samples.label, np.arange(10))
    for number, (times, units) in enumerate(events):
        spikes = slice(samples.offset[number], samples.offset[number + 1])
        wanted = {(int(float(t) * 1000 // 5), int(u) // 7) for t, u in zip(times, units, strict=True)}
        assert len(wanted) > 15
        found = zip(samples.step[spikes].tolist(), samples.channel[spikes].tolist(), strict=True)
        assert set(found) == wanted
        assert samples.steps[number] == max(wanted)[0] + 1


def test_the_parts_of_shd(folder: Path) -> None:
    options = Shd(str(folder), TimeBins(pool=5), Official(validation=0.5))
    assert options.channels == 140
    assert options.classes[:2] + options.classes[-2:] == ("zero", "one", "acht", "neun")
    parts = options.load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 20, "validation": 20, "test": 40}
    assert all(len(samples.step) > 300 for samples in parts.values())
    parts = Shd(str(folder), split=Speakers(test=("2",), validation_speakers=("0",))).load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 26, "validation": 28, "test": 26}


def test_the_parts_of_ssc(folder: Path) -> None:
    options = Ssc(str(folder))
    assert (options.channels, len(options.classes)) == (700, 35)
    parts = options.load()
    for part, name in (("train", "train"), ("validation", "valid"), ("test", "test")):
        whole = heidelberg.read(folder / f"ssc_{name}.h5", options.classes, TimeBins())
        assert len(whole.step) > 300
        np.testing.assert_array_equal(parts[part].channel, whole.channel)


def put(name: str, data: object, **options: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, data=data, **options)

    return change


def remove(name: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]

    return change


def lengthen(file: h5py.File) -> None:
    file["spikes/units"][5] = np.zeros(3, dtype=np.uint16)


def link(file: h5py.File) -> None:
    del file["labels"]
    file["labels"] = h5py.ExternalLink("shd_test.h5", "labels")


def late(file: h5py.File) -> None:
    file["spikes/times"][7] = np.full(len(file["spikes/units"][7]), np.inf, dtype=np.float16)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (remove("labels"), "labels is missing"),
        (remove("spikes"), "spikes/times is missing"),
        (remove("extra/speaker"), "extra/speaker is missing"),
        (link, "labels is missing"),
        (put("labels", np.zeros(40)), "labels has dtype float64; expected is kind 'iu'"),
        (put("labels", np.zeros((40, 1), dtype=int)), "labels must be an array of one axis"),
        (put("labels", np.zeros(39, dtype=int)), "must have equal lengths"),
        (put("labels", np.full(40, 20)), "sample 0 has label 20"),
        (put("spikes/times", np.zeros(40, dtype=np.float16)), "spikes/times has dtype float16; .* in lists"),
        (put("extra/speaker", np.zeros(7, dtype=int)), "extra/speaker has 7 entries for 40 samples"),
        (lengthen, "sample 5 has 44 spikes/times and 3 spikes/units"),
        (late, ": sample 7 has an event at time inf"),
    ],
)
def test_a_wrong_file_is_refused(folder: Path, change: Callable[[h5py.File], None], message: str) -> None:
    with h5py.File(folder / "shd_train.h5", "r+") as file:
        change(file)
    with pytest.raises(DataError, match=f"shd_train.h5.*{message}"):
        Shd(str(folder)).load()


def test_a_damaged_file_is_refused(folder: Path) -> None:
    path = folder / "shd_test.h5"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match="not a readable HDF5 file"):
        Shd(str(folder)).load()


def test_an_absent_file_is_named(folder: Path) -> None:
    (folder / "ssc_valid.h5").unlink()
    with pytest.raises(
        DataError, match=r"ssc_valid.h5: no such file; expected is a folder with ssc_train.h5, ssc_valid"
    ):
        Ssc(str(folder)).load()


def test_the_fixtures() -> None:
    parts = Shd(str(shared("format-fixtures/shd_train.h5").parent), TimeBins(step_ms=4.0)).load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 70, "validation": 10, "test": 40}
    assert all(len(samples.step) > 5000 for samples in parts.values())
