"""From sound to spikes: the whole front end, its batches and its cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sounds import babble, shared, tone

from quant import spikes
from quant.errors import ConfigError, DataError
from quant.spikes import SpikeSet
from trainer.frontend import ear
from trainer.frontend.ear import Ear, Sound, hear_batch

SOUNDS = [babble(number, seconds) for number, seconds in enumerate((0.3, 0.42, 0.25, 0.36, 0.31))]


def assert_equal(left: SpikeSet, right: SpikeSet) -> None:
    assert len(left.step) > 0
    assert left.channels == right.channels
    for name in ("steps", "label", "offset", "step", "channel"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))


def test_a_recording_gives_the_same_spikes_in_any_company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = Ear(cache=str(tmp_path))
    together = hear_batch(SOUNDS, options)
    monkeypatch.setattr(ear, "_BATCH", 2)
    monkeypatch.setattr(ear.os, "cpu_count", lambda: 1)
    assert_equal(options.hear(SOUNDS), together)
    for number, sound in enumerate(SOUNDS):
        alone = hear_batch([sound], options)
        events = slice(together.offset[number], together.offset[number + 1])
        assert len(alone.step) > 20
        assert alone.steps[0] == together.steps[number]
        np.testing.assert_array_equal(alone.step, together.step[events])
        np.testing.assert_array_equal(alone.channel, together.channel[events])


def test_several_processes_give_the_same_spikes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear, "_BATCH", 2)
    monkeypatch.setattr(ear.os, "cpu_count", lambda: 2)
    options = Ear(cache=str(tmp_path))
    assert_equal(options.hear(SOUNDS), hear_batch(SOUNDS, options))


def test_frames_are_held_for_several_steps() -> None:
    held, once = (hear_batch(SOUNDS, Ear(decimation=100, steps_per_frame=steps)) for steps in (4, 1))
    np.testing.assert_array_equal(once.steps, [len(s.samples) * 25 // 16 // 100 for s in SOUNDS])
    np.testing.assert_array_equal(held.steps, once.steps * 4)
    assert len(held.step) > 2 * len(once.step) > 0


def test_loudness_does_not_matter_and_the_rate_is_converted() -> None:
    (sound, *_) = SOUNDS
    louder = Sound(sound.samples * 2, sound.rate_hz)
    assert_equal(hear_batch([louder], Ear()), hear_batch([sound], Ear()))
    low, high = (hear_batch([Sound(tone(700.0, rate), rate)], Ear()) for rate in (8000, 16_000))
    assert low.steps == high.steps == 50
    np.testing.assert_allclose(np.median(low.channel), np.median(high.channel), atol=1)


def test_silence_gives_no_spikes() -> None:
    assert not len(hear_batch([Sound(np.zeros(2000, dtype=np.int16), 8000)], Ear()).step)


def test_a_recording_without_a_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="recording 1 has 20 samples at 8000 Hz; a frame takes 50 at 12500 Hz"):
        Ear(cache=str(tmp_path)).hear([SOUNDS[0], Sound(np.ones(20, dtype=np.int16), 8000)])


def test_an_ear_of_no_channels_is_refused() -> None:
    with pytest.raises(ConfigError, match="raise rate_hz"):
        Ear(ear_q=1.0, step=9.0)


@pytest.mark.parametrize("apart", [250, pytest.param(1, marks=pytest.mark.slow)])
def test_the_recorded_data_set(tmp_path: Path, apart: int) -> None:
    path, recorded = shared("fsdd/fsdd_v1.0.10_8k_int16.npz"), shared("fsdd-spikes78/fsdd_lyon78_bsa_4ms.npz")
    with np.load(path) as sound, np.load(recorded) as wanted:
        recordings = np.split(sound["audio"], np.cumsum(sound["length"])[:-1])
        spikes = np.unpackbits(wanted["spikes_packed"][::apart], axis=-1)
    sounds = [Sound(samples, 8000) for samples in recordings[::apart]]
    heard = Ear(cache=str(tmp_path)).hear(sounds).dense(slice(0, len(sounds)))
    assert heard.sum() > 5000
    np.testing.assert_array_equal(heard, spikes.transpose(2, 0, 1)[: len(heard)])
    assert not spikes[:, :, len(heard) :].any()


def test_spikes_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = Ear(cache=str(tmp_path / "cache"))
    first = options.hear(SOUNDS[:2])
    (file,) = (tmp_path / "cache").iterdir()
    assert_equal(spikes.read(file), first)
    monkeypatch.setattr(ear, "_hear_all", lambda *_: pytest.fail("computed anew"))
    assert_equal(options.hear(SOUNDS[:2]), first)


def test_the_digest_covers_sound_options_and_version(monkeypatch: pytest.MonkeyPatch) -> None:
    options = Ear()
    known = {options.digest(SOUNDS)}
    changed = [replace(options, gain=1999.0), replace(options, steps_per_frame=2), replace(options, windowed=True)]
    known |= {other.digest(SOUNDS) for other in changed}
    known.add(options.digest(SOUNDS[::-1]))
    known.add(options.digest([Sound(SOUNDS[0].samples, 8001), *SOUNDS[1:]]))
    known.add(options.digest([Sound(np.concatenate([s.samples for s in SOUNDS]), 8000)]))
    assert options.digest(SOUNDS) == replace(options, cache="elsewhere").digest(SOUNDS)
    monkeypatch.setattr(ear, "VERSION", 0)
    known.add(options.digest(SOUNDS))
    assert len(known) == 8
