"""Spike trains as text: hand-made folders, and lines that are not as expected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sounds import shared

from quant.errors import ConfigError, DataError
from trainer.data.binning import StepBins
from trainer.data.spikelists import SpikeLists, read_rows
from trainer.data.splits import Speakers, Utterances

SPLIT = Utterances(test=(3,), validation_utterances=(2,))


def write(path: Path, events: list[tuple[int, int]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(f"{channel}\t{step}" for channel, step in [(-1, -1), *events, (-1, -1)]) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw = np.random.default_rng(1)
    for name in ("left", "right"):
        for speaker in ("f1", "m2"):
            for take in (1, 2, 3):
                cells = draw.permutation(20 * 30)[:60]  # channels 0..19, steps 1..30, each once
                events = sorted((int(cell) % 20, int(cell) // 20 + 1) for cell in cells)
                write(tmp_path / name / f"{speaker}_u{take}_c{name}.dat", events)
    return tmp_path


def test_files_become_samples(folder: Path) -> None:
    options = SpikeLists(str(folder), SPLIT, class_names=("left", "right"), raw_channels=20)
    assert (options.channels, options.classes) == (20, ("left", "right"))
    parts = options.load()
    assert [len(samples) for samples in parts.values()] == [4, 4, 4]
    samples = parts["test"]
    assert samples.label.tolist() == [0, 0, 1, 1]
    for number, (name, speaker) in enumerate((n, s) for n in ("left", "right") for s in ("f1", "m2")):
        rows = read_rows(folder / name / f"{speaker}_u3_c{name}.dat")
        events = slice(samples.offset[number], samples.offset[number + 1])
        found = zip(samples.channel[events].tolist(), (samples.step[events] + 1).tolist(), strict=True)
        assert sorted(found) == [tuple(row) for row in rows.tolist()]
        assert len(rows) == 60
        assert samples.steps[number] == rows[:, 1].max()


def test_speakers_and_bins(folder: Path) -> None:
    split = Speakers(test=("m2",), validation=0.34)
    options = SpikeLists(str(folder), split, ("left", "right"), 20, bins=StepBins(pool_steps=2, pool=4, max_steps=10))
    parts = options.load()
    assert [len(samples) for samples in parts.values()] == [4, 2, 6]
    assert {samples.channels for samples in parts.values()} == {options.channels} == {5}
    assert all(len(samples.step) and samples.steps.max() == 10 for samples in parts.values())


def test_counting_from_zero(folder: Path) -> None:
    one, zero = (SpikeLists(str(folder), SPLIT, ("left",), 20, first_step=first).load()["test"] for first in (1, 0))
    np.testing.assert_array_equal(zero.step, one.step + 1)
    np.testing.assert_array_equal(zero.channel, one.channel)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("-1\t-1\n3\t4\n", "the first and the last line must be"),
        ("3\t4\n-1\t-1\n", "the first and the last line must be"),
        ("-1\t-1\n", "the first and the last line must be"),
        ("", "the first and the last line must be"),
        ("-1\t-1\n3\n-1\t-1\n", "line 2 is '3'; expected is channel<TAB>step"),
        ("-1\t-1\n3\t4.5\n-1\t-1\n", "line 2 is "),
        ("-1\t-1\n3\t99999999999999999999\n-1\t-1\n", "line 2 is "),
        ("-1\t-1\n3\t4\n20\t4\n-1\t-1\n", r"line 3 is out of range; channels are 0\.\.19 and steps count from 1"),
        ("-1\t-1\n3\t0\n-1\t-1\n", "line 2 is out of range"),
        ("-1\t-1\n-1\t-1\n-1\t-1\n", "line 2 is out of range"),
        ("-1\t-1\n3\t٤\n-1\t-1\n", "not a readable text file"),
    ],
)
def test_wrong_lines_are_refused(folder: Path, content: str, message: str) -> None:
    (folder / "left" / "f1_u1_cleft.dat").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=f"f1_u1_cleft.dat: {message}"):
        SpikeLists(str(folder), SPLIT, ("left",), 20).load()


def test_an_empty_sample_is_one_silent_step(folder: Path) -> None:
    write(folder / "left" / "f1_u3_cleft.dat", [])
    samples = SpikeLists(str(folder), SPLIT, ("left",), 20).load()["test"]
    assert samples.steps[0] == 1
    assert samples.offset.tolist() == [0, 0, 60]


@pytest.mark.parametrize("name", ["f1_u1_cright.dat", "f1_cleft.dat", "f-1_u1_cleft.dat"])
def test_wrong_names_are_refused(folder: Path, name: str) -> None:
    write(folder / "left" / name, [])
    with pytest.raises(DataError, match=f"{name}: not a name of class 'left'; expected is <class>/<speaker>_u"):
        SpikeLists(str(folder), SPLIT, ("left",), 20).load()


def test_absent_and_impossible_classes_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"up: no files \*.dat"):
        SpikeLists(str(folder), SPLIT, ("left", "up"), 20).load()
    with pytest.raises(ConfigError, match=r"data.class_names has '../left'"):
        SpikeLists(str(folder), SPLIT, ("../left",), 20)


def test_the_fixtures_are_the_recorded_spikes() -> None:
    options = SpikeLists(str(shared("format-fixtures/dat_spikes")), Utterances(test=(2,), validation_utterances=(1,)))
    found = [options._events(options._files(str(digit))[0][0]) for digit in range(10)]
    with np.load(shared("fsdd-spikes78/fsdd_lyon78_bsa_4ms.npz")) as recorded:
        for digit, (channel, step) in enumerate(found):
            wanted = (recorded["label"] == digit) & (recorded["speaker"] == "jackson") & (recorded["take"] == 1)
            spikes = np.unpackbits(recorded["spikes_packed"][wanted][0], axis=-1)
            assert spikes.sum() == len(channel) > 500
            assert spikes[channel, step].all()
