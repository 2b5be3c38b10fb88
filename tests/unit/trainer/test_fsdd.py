"""FSDD: from a checkout's folder, from an archive, and what happens when either is not as expected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from sounds import babble, shared

from quant.errors import DataError
from trainer.data.binning import StepBins
from trainer.data.fsdd import Fsdd, read_recordings
from trainer.data.splits import Official, Speakers
from trainer.events import pick
from trainer.frontend.ear import Ear
from trainer.schema import portable

NAMES = [(digit, speaker, take) for digit in (0, 7) for speaker in ("ann", "bob") for take in (0, 4, 5, 12)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "fsdd" / "recordings").mkdir(parents=True)
    for number, (digit, speaker, take) in enumerate(NAMES):
        sound = babble(number, 0.26 + 0.01 * number)
        path = tmp_path / "fsdd" / "recordings" / f"{digit}_{speaker}_{take}.wav"
        soundfile.write(path, sound.samples, sound.rate_hz, subtype="PCM_16")
    return tmp_path / "fsdd"


def archive(checkout: Path, **changes: np.ndarray) -> Path:
    """The checkout's recordings as one file."""
    found = read_recordings(checkout)
    arrays = {
        "audio": np.concatenate([sound.samples for sound in found.sounds]),
        "length": np.array([len(sound.samples) for sound in found.sounds], dtype=np.int32),
        "label": found.label.astype(np.uint8),
        "speaker": found.speaker,
        "take": found.take.astype(np.uint8),
        "rate": np.int64(8000),
    }
    path = checkout.parent / "fsdd.npz"
    np.savez(path, **(arrays | changes))
    return path


def test_folder_and_archive_give_the_same_spikes(checkout: Path, tmp_path: Path) -> None:
    split = {"split": Speakers(test=("bob",), validation=0.5)}
    first = Fsdd(str(checkout), Ear(cache=str(tmp_path / "a")), **split).load()
    second = Fsdd(str(archive(checkout)), Ear(cache=str(tmp_path / "b")), **split).load()
    assert portable(Ear(cache="a")) == portable(Ear(cache="b")) != portable(Ear(cache="b", gain=1.0))
    assert {part: len(samples) for part, samples in first.items()} == {"train": 4, "validation": 4, "test": 8}
    for part, samples in first.items():
        assert len(samples.step) > 100
        np.testing.assert_array_equal(samples.channel, second[part].channel)
        np.testing.assert_array_equal(samples.step, second[part].step)
        np.testing.assert_array_equal(samples.label, second[part].label)


def test_the_first_takes_test(checkout: Path, tmp_path: Path) -> None:
    options = Fsdd(str(checkout), Ear(cache=str(tmp_path)), StepBins(pool=3, max_steps=40))
    assert options.channels == 26
    assert options.classes == tuple("0123456789")
    found = read_recordings(checkout)
    assert sorted(zip(found.label.tolist(), found.speaker.tolist(), found.take.tolist(), strict=True)) == NAMES
    parts = Fsdd(str(checkout), options.ear, options.bins, Official(validation=0.25)).load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 6, "validation": 2, "test": 8}
    assert len(parts["test"].step) > 100
    assert parts["test"].channels == 26
    assert parts["test"].steps.max() == 40
    heard = options.ear.hear(found.sounds)
    wanted = [min(steps, 40) for steps, take in zip(heard.steps.tolist(), found.take, strict=True) if take < 5]
    assert parts["test"].steps.tolist() == wanted
    with pytest.raises(DataError, match="the validation part of the 16 samples is empty"):
        options.load()  # a tenth of four recordings per digit


def test_other_speeds_are_for_training_alone(checkout: Path, tmp_path: Path) -> None:
    split = Speakers(test=("bob",), validation=0.5)
    ear = Ear(cache=str(tmp_path / "cache"))
    plain = Fsdd(str(checkout), ear, split=split).load()
    more = Fsdd(str(checkout), ear, split=split, speeds=(0.8, 1.25)).load()
    for part in ("validation", "test"):
        np.testing.assert_array_equal(more[part].channel, plain[part].channel)
    count = len(plain["train"])
    assert len(more["train"]) == 3 * count
    same, slow, fast = (pick(more["train"], np.arange(k * count, (k + 1) * count)) for k in range(3))
    np.testing.assert_array_equal(same.step, plain["train"].step)
    for other, speed in ((slow, 0.8), (fast, 1.25)):
        np.testing.assert_array_equal(other.label, same.label)
        np.testing.assert_allclose(other.steps, same.steps / speed, atol=1.5)
    # Channel 0 is the highest frequency.
    assert len(same.channel) > 100
    assert fast.channel.mean() < same.channel.mean() < slow.channel.mean()


@pytest.mark.parametrize(
    ("name", "message"),
    [("seven_ann_1.wav", "not named <digit>_<speaker>_<take>.wav"), ("7_ann_2.wav", "not a readable recording")],
)
def test_a_wrong_file_in_the_folder_is_refused(checkout: Path, name: str, message: str) -> None:
    (checkout / "recordings" / name).write_bytes(b"RIFF but no more")
    with pytest.raises(DataError, match=f"{name}: {message}"):
        read_recordings(checkout)


def test_a_stereo_recording_is_refused(checkout: Path) -> None:
    soundfile.write(checkout / "recordings" / "1_ann_1.wav", np.zeros((900, 2)), 8000)
    with pytest.raises(DataError, match="of 2 channels"):
        read_recordings(checkout)


def test_missing_recordings_name_the_first_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"recordings/0_george_0.wav: no such file; expected is recordings/<digit>"):
        Fsdd(str(tmp_path)).load()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"length": np.array([5], dtype=np.int32)}, "must have equal lengths"),
        ({"label": np.full(16, 10)}, r"label must be 0\.\.9"),
        ({"take": np.full(16, "one")}, "take is <U3 of shape"),
        ({"rate": np.int64(0)}, "rate 1 or more"),
        ({"audio": np.zeros(100, dtype=np.int16)}, "audio must be int16 and hold as many samples"),
        ({"speaker": np.array(["ann", None], dtype=object)}, "not a readable .npz file of plain arrays"),
    ],
)
def test_a_wrong_archive_is_refused(checkout: Path, changes: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_recordings(archive(checkout, **changes))


def test_a_damaged_archive_is_refused(checkout: Path) -> None:
    path = archive(checkout)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"not a readable .npz file"):
        read_recordings(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match=r"not a readable .npz file"):
        read_recordings(path)
    np.savez(path, audio=np.zeros(3, dtype=np.int16))
    with pytest.raises(DataError, match="array 'length' is missing; there should be audio, length"):
        read_recordings(path)


def test_the_whole_data_set_is_read() -> None:
    found = read_recordings(shared("fsdd/fsdd_v1.0.10_8k_int16.npz"))
    assert len(found.sounds) == 3000
    assert (np.bincount(found.label) == 300).all()
    assert sum(len(sound.samples) for sound in found.sounds) == 10_498_424
    assert (found.take < 5).sum() == 300
