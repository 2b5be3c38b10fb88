"""Cue accumulation: the label is the side with more cues, and every group of channels spikes when it should."""

from __future__ import annotations

import numpy as np
import pytest

from quant.errors import ConfigError
from trainer.config import Config, LayerConfig, NetworkConfig, TrainConfig
from trainer.data.cues import Cues
from trainer.losses import StepCrossEntropy

SHORT = Cues(cues=3, cue=40, interval=60, pause=30, signal=20, rate=0.5, train=50)


def dense(data: Cues) -> tuple[np.ndarray, np.ndarray]:
    """Spikes `(samples, steps, groups)`, summed over each group's channels, and the labels."""
    samples = data.load()["train"]
    spikes = np.zeros((len(samples), int(samples.steps.max()), data.channels), dtype=np.int64)
    owner = np.repeat(np.arange(len(samples)), np.diff(samples.offset))
    spikes[owner, samples.step, samples.channel] = 1
    return spikes.reshape(*spikes.shape[:2], 4, data.group).sum(axis=3), samples.label


def test_the_label_is_the_side_of_most_cues() -> None:
    spikes, label = dense(SHORT)
    counts = np.stack([spikes[:, at : at + 40, :2].sum(axis=1) for at in (0, 60, 120)], axis=1)
    assert ((counts == 0).sum(axis=2) == 1).all()  # each cue is on one side
    sides = counts.argmax(axis=2)
    np.testing.assert_array_equal(label, sides.sum(axis=1) > 1)
    assert 10 < label.sum() < 40
    assert (sides.min(axis=1) != sides.max(axis=1)).any()


def test_groups_spike_in_their_time() -> None:
    spikes, _ = dense(SHORT)
    assert spikes.shape == (50, 3 * 60 + 30 + 20, 4)
    assert not spikes[:, 40:60, :2].any()
    assert not spikes[:, 180:, :2].any()
    assert not spikes[:, :210, 2].any()
    assert abs(spikes[:, 210:, 2].mean() / 10 - 0.5) < 0.02
    assert abs(spikes[:, :, 3].mean() / 10 - 0.125) < 0.01


def test_the_seed_decides_and_a_tie_is_refused() -> None:
    one, again = Cues(train=2, validation=1, test=1).load(), Cues(train=2, validation=1, test=1).load()
    np.testing.assert_array_equal(one["test"].step, again["test"].step)
    assert one["train"].steps.tolist() == [2250, 2250]
    with pytest.raises(ConfigError, match=r"data.cues is 6; an even number can be a tie"):
        Cues(cues=6)
    with pytest.raises(ConfigError, match=r"data.cue is 100, data.interval 50"):
        Cues(interval=50)


def test_the_loss_of_steps_needs_potentials() -> None:
    layers = LayerConfig(5, (0,)), LayerConfig(2, (1,))
    train = TrainConfig(loss=StepCrossEntropy(150))
    Config("cues", Cues(), NetworkConfig(layers, readout="membrane_last"), train)
    with pytest.raises(ConfigError, match="one of potentials"):
        Config("cues", Cues(), NetworkConfig(layers), train)
