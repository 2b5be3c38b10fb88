"""TI46: names, parts and SPHERE files, hand-made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sounds import babble, shared

from quant.errors import DataError
from trainer.data.splits import Official, Speakers, Utterances
from trainer.data.ti46 import Ti46Alpha, Ti46Digits, find
from trainer.frontend.ear import Ear


def sphere(path: Path, samples: np.ndarray, coding: str = "pcm") -> None:
    """A NIST SPHERE file: a header of 1024 bytes, then the samples."""
    lines = [
        "NIST_1A",
        "   1024",
        "channel_count -i 1",
        "sample_rate -i 12500",
        "sample_n_bytes -i 2",
        f"sample_count -i {len(samples)}",
        "sample_byte_format -s2 01",
        "sample_sig_bits -i 16",
        f"sample_coding -s{len(coding)} {coding}",
        "end_head",
        "",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\n".join(lines).encode().ljust(1024) + samples.astype("<i2").tobytes())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    words = {"ti_alpha": ("0a", "0z"), "ti20": ("00", "09", "en")}
    takes = {"train": ("set0", "set3"), "test": ("s1t0", "s8t1")}
    for subset, codes in words.items():
        for part, names in takes.items():
            for number, (word, speaker, take) in enumerate(
                (w, s, t) for w in codes for s in ("f1", "m2") for t in names
            ):
                sound = babble(number, 0.3, 12_500)
                sphere(tmp_path / subset / part / speaker / f"{word}{speaker}{take}.wav", sound.samples)
    return tmp_path


@pytest.mark.parametrize(("kind", "classes", "labels"), [(Ti46Alpha, 26, [0, 25]), (Ti46Digits, 10, [0, 9])])
def test_the_parts_of_the_tree(tree: Path, kind: type, classes: int, labels: list[int]) -> None:
    options = kind(str(tree), Ear(cache=str(tree)), split=Official(validation=0.5))
    assert (options.channels, len(options.classes)) == (78, classes)
    parts = options.load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 4, "validation": 4, "test": 8}
    for samples in parts.values():
        assert len(samples.step) > 100
        assert sorted(set(samples.label.tolist())) == labels


def test_names_tell_speaker_and_take(tree: Path) -> None:
    found = find(tree, "ti20", Ti46Digits("").classes)
    assert {(entry.part, entry.speaker, entry.take) for entry in found} == {
        (part, speaker, take)
        for speaker in ("f1", "m2")
        for part, take in (("train", 0), ("train", 3), ("test", 10), ("test", 81))
    }
    ear = Ear(cache=str(tree))
    parts = Ti46Digits(str(tree), ear, split=Speakers(test=("m2",), validation=0.5)).load()
    assert len(parts["test"]) == 8
    parts = Ti46Digits(str(tree), ear, split=Utterances(test=(81,), validation_utterances=(10,))).load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 8, "validation": 4, "test": 4}


@pytest.mark.parametrize(
    "name",
    ["ti20/train/f1/00f1s1t0.wav", "ti20/test/f1/00f1set0.wav", "ti20/train/f1/00m2set0.wav", "ti20/train/f1/x.wav"],
)
def test_a_name_that_does_not_belong_there_is_refused(tree: Path, name: str) -> None:
    sphere(tree / name, babble(0).samples)
    with pytest.raises(DataError, match=f"{name}: not a name of the (train|test) part"):
        Ti46Digits(str(tree)).load()


def test_shorten_is_refused(tree: Path) -> None:
    sphere(tree / "ti20/train/f1/01f1set0.wav", babble(0).samples, "pcm,embedded-shorten-v2.00")
    with pytest.raises(DataError, match=r"01f1set0.wav: compressed by Shorten; expand it"):
        Ti46Digits(str(tree)).load()


def test_other_files_are_refused(tree: Path) -> None:
    path = tree / "ti20/train/f1/01f1set0.wav"
    path.write_bytes(b"RIFF")
    with pytest.raises(DataError, match="not a NIST SPHERE file"):
        Ti46Digits(str(tree)).load()
    path.write_bytes(b"NIST_1A\n   1024\nnothing")
    with pytest.raises(DataError, match="not a readable recording"):
        Ti46Digits(str(tree)).load()


def test_an_absent_part_names_a_file(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"ti_alpha/train/f1/0af1set0.wav: no such file; expected is the tree of LDC93S9"
    ):
        Ti46Alpha(str(tmp_path)).load()


def test_the_fixtures(tmp_path: Path) -> None:
    options = Ti46Digits(str(shared("format-fixtures/ti46")), Ear(cache=str(tmp_path)), split=Official(validation=0.5))
    parts = options.load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 20, "validation": 20, "test": 20}
    assert all(len(samples.step) > 10_000 for samples in parts.values())
