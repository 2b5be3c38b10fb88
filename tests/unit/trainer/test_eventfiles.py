"""People's own events: every kind of file gives the same spikes, and what is wrong is said with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from bench.hostile import AEDAT4
from quant.errors import ConfigError, DataError
from quant.spikes import SpikeSet, Split, to_bytes
from trainer.data.binning import TimeBins
from trainer.data.eventfiles import EventFiles
from trainer.data.splits import Official, Random, Speakers, Utterances
from trainer.events import pick

CLASSES = ("left", "right")
EVENTS, SIZE = 40, (6, 4)
COLUMNS = ("t", "x", "y", "p")


def events(seed: int) -> np.ndarray:
    """int64 `(40, 4)`: t in µs within 100 ms, x, y, p."""
    draw = np.random.default_rng(seed)
    columns = [np.sort(draw.integers(0, 100_000, EVENTS)), *(draw.integers(0, n, EVENTS) for n in (*SIZE, 2))]
    return np.stack(columns, axis=1)


def csv(path: Path, rows: np.ndarray) -> None:
    np.savetxt(path.with_suffix(".csv"), rows, "%d", delimiter=",")


def headed(path: Path, rows: np.ndarray) -> None:
    """Columns in another order, by their names."""
    np.savetxt(path.with_suffix(".csv"), rows[:, ::-1], "%d", delimiter=",", header="p,y,x,t", comments="")


def spaced(path: Path, rows: np.ndarray) -> None:
    path.with_suffix(".txt").write_text("# recorded\n" + "\n".join(" ".join(map(str, row)) for row in rows.tolist()))


def npy(path: Path, rows: np.ndarray) -> None:
    np.save(path.with_suffix(".npy"), rows)


def fields(path: Path, rows: np.ndarray) -> None:
    kinds = [("x", "<u2"), ("t", "<u8"), ("p", "?"), ("y", "i1")]
    array = np.zeros(len(rows), kinds)
    for place, name in enumerate(COLUMNS):
        array[name] = rows[:, place]
    np.save(path.with_suffix(".npy"), array)


def npz(path: Path, rows: np.ndarray) -> None:
    np.savez(path.with_suffix(".npz"), **{name: rows[:, place] for place, name in enumerate(COLUMNS)})


def one_in_npz(path: Path, rows: np.ndarray) -> None:
    np.savez(path.with_suffix(".npz"), rows.astype(np.float32))


def write_all(folder: Path, write: Callable[[Path, np.ndarray], None], names: tuple[str, ...] = ("a_1", "b_2")) -> None:
    for label, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, file in enumerate(names):
            write(folder / name / file, events(10 * label + number))


def options(path: Path, **more: object) -> EventFiles:
    given: dict = {"split": Utterances((2,), validation=0.5), "file_name": "(?P<speaker>.)_(?P<utterance>.)", **more}
    return EventFiles(str(path), CLASSES, SIZE, **given)


def train_part(folder: Path, write: Callable[[Path, np.ndarray], None], **more: object) -> SpikeSet:
    write_all(folder, write, ("a_1", "a_2", "a_3"))
    parts = options(folder, split=Utterances((2,), (3,)), **more).load()
    assert all(len(samples.step) for samples in parts.values())
    return parts["train"]


@pytest.mark.parametrize("write", [csv, headed, spaced, npy, fields, npz, one_in_npz])
def test_every_kind_of_file_gives_the_same_spikes(write: Callable[[Path, np.ndarray], None], tmp_path: Path) -> None:
    samples = train_part(tmp_path, write)
    assert samples.label.tolist() == [0, 1]
    assert samples.channels == 6 * 4 * 2
    for sample, seed in enumerate((0, 10)):
        t, x, y, p = events(seed).T
        expected = sorted(set(zip((t // 10_000).tolist(), ((p * 4 + y) * 6 + x).tolist(), strict=True)))
        own = slice(samples.offset[sample], samples.offset[sample + 1])
        assert list(zip(samples.step[own].tolist(), samples.channel[own].tolist(), strict=True)) == expected
        assert len(expected) > EVENTS // 2


def test_times_are_binned_exactly(tmp_path: Path) -> None:
    (tmp_path / "left").mkdir()
    steps = np.arange(70_000)
    for number in range(3):
        np.save(tmp_path / "left" / f"{number}.npy", np.stack([steps * 10_000, steps % 5], axis=1))
    chosen = EventFiles(
        str(tmp_path), ("left",), (5,), ("t", "channel"), bins=TimeBins(step_ms=10.0), split=Random(0.4, 0.4)
    )
    samples = chosen.load()["train"]
    np.testing.assert_array_equal(samples.step, steps)


def test_pixels_are_pooled_in_both_directions(tmp_path: Path) -> None:
    samples = train_part(tmp_path, csv, pool_pixels=4)
    assert samples.channels == 2 * 1 * 2
    _, x, _, p = events(0).T
    assert set(samples.channel[: samples.offset[1]].tolist()) == set((p * 2 + x // 4).tolist())


def test_polarities_of_minus_one_are_those_of_zero(tmp_path: Path) -> None:
    def signed(path: Path, rows: np.ndarray) -> None:
        csv(path, np.where(np.arange(4) == 3, 2 * rows - 1, rows))

    assert to_bytes(train_part(tmp_path / "a", signed)) == to_bytes(train_part(tmp_path / "b", csv))


def test_a_clock_that_was_running_starts_with_the_first_event(tmp_path: Path) -> None:
    def late(path: Path, rows: np.ndarray) -> None:
        npy(path, rows + np.array([1_700_000_000_000_000, 0, 0, 0]))

    samples = train_part(tmp_path, late, start="first_event")
    assert samples.step[0] == 0
    with pytest.raises(DataError, match=r"beyond 1048576 steps; set data\.bins\.max_steps"):
        options(tmp_path).load()


def test_aedat4(tmp_path: Path) -> None:
    pytest.importorskip("aedat")
    (tmp_path / "left").mkdir()
    for number in range(3):
        (tmp_path / "left" / f"{number}.aedat4").write_bytes(AEDAT4)
    chosen = EventFiles(str(tmp_path), ("left",), (16, 12), start="first_event", split=Random(0.4, 0.4))
    samples = chosen.load()["test"]
    number = np.arange(20)
    expected = sorted(zip(number * 1500 // 10_000, (number % 2 * 12 + number % 12) * 16 + number % 16, strict=True))
    assert list(zip(samples.step, samples.channel, strict=True)) == expected
    (tmp_path / "left" / "0.aedat4").write_bytes(AEDAT4[:700])
    with pytest.raises(DataError, match=r"0\.aedat4: damaged"):
        chosen.load()


def test_parts_are_folders(tmp_path: Path) -> None:
    for part, seeds in (("train", ("a_1", "b_1", "c_1")), ("test", ("d_1",))):
        write_all(tmp_path / part, csv, seeds)
    parts = EventFiles(str(tmp_path), CLASSES, SIZE, split=Official(validation=0.3)).load()
    assert [len(samples) for samples in parts.values()] == [4, 2, 2]
    (tmp_path / "notes").mkdir()
    assert len(options(tmp_path, split=Official(validation=0.3)).load()["test"]) == 2
    write_all(tmp_path / "val", csv, ("e_1",))
    with pytest.raises(DataError, match=r"/val: has classes, but is no part; parts are train, vali"):
        EventFiles(str(tmp_path), CLASSES, SIZE).load()


def test_without_parts_the_official_split_draws_them(tmp_path: Path) -> None:
    write_all(tmp_path, csv, tuple(f"a_{number}" for number in range(10)))
    parts = EventFiles(str(tmp_path), CLASSES, SIZE).load()
    assert [len(samples) for samples in parts.values()] == [16, 2, 2]


def test_speakers(tmp_path: Path) -> None:
    write_all(tmp_path, csv, ("a_1", "b_1", "c_1"))
    parts = options(tmp_path, split=Speakers(("b",), ("a",))).load()
    assert [len(samples) for samples in parts.values()] == [2, 2, 2]
    with pytest.raises(DataError, match=r"a_1\.csv: the name is not as data\.file_name says"):
        options(tmp_path, file_name="(?P<speaker>.)").load()


def table(path: Path, *, by_sample: bool) -> tuple[str, ...]:
    """One file of six recordings; the events of all mixed where a column says whose they are."""
    lines = []
    for number in range(6):
        for row in events(number).tolist():
            own = [f"take{number}"] if by_sample else []
            lines.append([*map(str, row), CLASSES[number % 2], *own])
    if by_sample:
        lines = [lines[i] for i in np.random.default_rng(1).permutation(len(lines))]
    path.write_text("\n".join(",".join(line) for line in lines) + "\n")
    return (*COLUMNS, "label", *(["sample"] if by_sample else []))


@pytest.mark.parametrize("by_sample", [False, True])
def test_one_table(tmp_path: Path, by_sample: bool) -> None:
    columns = table(tmp_path / "all.csv", by_sample=by_sample)
    parts = EventFiles(str(tmp_path / "all.csv"), CLASSES, SIZE, columns, split=Random(0.34, 0.4)).load()
    assert [len(samples) for samples in parts.values()] == [2, 2, 2]
    found = {to_bytes(one) for one in each(parts)}
    for number in range(6):
        (tmp_path / CLASSES[number % 2]).mkdir(exist_ok=True)
        csv(tmp_path / CLASSES[number % 2] / str(number), events(number))
    assert found == {
        to_bytes(one) for one in each(EventFiles(str(tmp_path), CLASSES, SIZE, split=Random(0.34, 0.4)).load())
    }


def each(parts: Mapping[Split, SpikeSet]) -> Iterator[SpikeSet]:
    """Every sample by itself."""
    return (pick(samples, np.array([number])) for samples in parts.values() for number in range(len(samples)))


@pytest.mark.parametrize(
    ("columns", "rows", "message"),
    [
        (("t", "channel", "label", "utterance"), "1,2,left,nan\n", "recording 0 has several values of utterance"),
        (
            ("t", "channel", "label", "utterance"),
            "1,2,left,1.5\n",
            "event 0 has utterance = 1.5; an utterance",
        ),
        (("t", "channel", "sample", "label"), "1,2,a,left\n2,2,a,right\n", "recording 0 has several values of label"),
        (("t", "channel", "sample", "label", "part"), "1,2,a,left,test\n2,2,a,left,train\n", "several values of part"),
        (
            ("t", "channel", "label", "part"),
            "1,2,left,Test\n",
            "recording 0 has the part 'Test'; parts are train",
        ),
        (("t", "channel", "label"), "1,2,up\n", "recording 0 has the label 'up'; data.class_names are left, right"),
        (("t", "channel", "label"), "", "no events"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(
    columns: tuple[str, ...], rows: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "all.csv").write_text(rows)
    with pytest.raises(DataError, match=message):
        EventFiles(str(tmp_path / "all.csv"), CLASSES, (4,), columns).load()


def test_long_names_stay_apart(tmp_path: Path) -> None:
    rows = [f"{t},1,{CLASSES[t % 2]},{80 * 'n'}{t}" for t in range(20)]
    (tmp_path / "all.csv").write_text("\n".join(rows) + "\n")
    columns = ("t", "channel", "label", "sample")
    parts = EventFiles(str(tmp_path / "all.csv"), CLASSES, (4,), columns).load()
    assert sum(map(len, parts.values())) == 20


def test_a_header_that_contradicts_the_columns_is_refused(tmp_path: Path) -> None:
    write_all(tmp_path, csv, ("b",))
    (tmp_path / "left" / "a.csv").write_text("x,time,y,p\n3,100,1,1\n")
    with pytest.raises(DataError, match=r"its header has 'x' as column 1, data\.columns as column 2"):
        EventFiles(str(tmp_path), CLASSES, SIZE).load()


BROKEN: dict[str, tuple[str, str]] = {
    "word": ("1,2,3,1\n1,2,x,1\n", r"a\.csv: not lines of numbers \(could not convert string 'x' to float64 at row 1"),
    "few": ("1,2,3\n", r"a\.csv: 3 columns, '1,2,3'; data\.columns names 4"),
    "ragged": ("1,2,3,1\n1,2\n", "not lines of numbers"),
    "x": ("1,2,3,1\n1,6,3,1\n", r"event 1 has x = 6; allowed is 0\.\.5 by data\.size"),
    "y": ("1,2,-1,1\n", r"event 0 has y = -1; allowed is 0\.\.3"),
    "half": ("1,2.5,1,1\n", r"event 0 has x = 2\.5"),
    "p": ("1,2,3,2\n", "event 0 has p = 2; a polarity is 0 or 1"),
    "t": ("-5,2,3,1\n", "event 0 has t = -5; times are 0 or later"),
    "nan": ("nan,2,3,1\n", "event 0 has t = nan"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_in_a_file_is_said_with_its_place(case: str, tmp_path: Path) -> None:
    content, message = BROKEN[case]
    write_all(tmp_path, csv, ("b",))
    (tmp_path / "left" / "a.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        EventFiles(str(tmp_path), CLASSES, SIZE).load()


def test_a_file_without_events_is_a_silent_recording(tmp_path: Path) -> None:
    write_all(tmp_path, csv, ("b", "c"))
    (tmp_path / "left" / "a.csv").write_text("t,x,y,p\n")
    parts = EventFiles(str(tmp_path), CLASSES, SIZE, split=Random(0.3, 0.5)).load()
    assert sum((np.diff(samples.offset) == 0).sum() for samples in parts.values()) == 1


def test_absent_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=rf"^{tmp_path}/events: no such folder or file; data\.path names it$"):
        EventFiles("events", CLASSES, SIZE).load()
    (tmp_path / "events" / "links").mkdir(parents=True)
    with pytest.raises(DataError, match=rf"^{tmp_path}/events/left: no such folder; .* there are links$"):
        EventFiles("events", CLASSES, SIZE).load()
    (tmp_path / "events" / "left").mkdir()
    with pytest.raises(DataError, match=r"no file that ends in \.csv, "):
        EventFiles("events", CLASSES, SIZE).load()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": ("t", "x", "y", "q")}, "data.columns has 'q'; allowed are t, x, y, p"),
        ({"columns": ("t", "y", "p")}, "must have t, and either x and y, or x or channel"),
        ({"columns": ("t", "x", "y", "t")}, "has 't' twice"),
        ({"columns": ("t", "channel")}, r"data\.size is \[6, 4\]; with channel it is \[channels\]"),
        ({"class_names": ("../left",)}, "a class is named as its folder is"),
        ({"class_names": ("..", "left")}, "a class is named as its folder is"),
        ({"class_names": ("left", "right", "left")}, "has a name twice"),
        ({"file_name": "("}, "no regular expression"),
    ],
)
def test_impossible_options_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EventFiles(**{"path": "x", "class_names": CLASSES, "size": SIZE, **changes})
