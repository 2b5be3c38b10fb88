"""Pattern generation: the same frozen spikes every time, and targets that are what they claim to be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.config import Config, LayerConfig, NetworkConfig, TrainConfig
from trainer.data.batches import gather
from trainer.data.patterns import Patterns
from trainer.evaluation import answer_of
from trainer.losses import SquaredError
from trainer.network import Network


def test_the_seed_decides_spikes_and_targets() -> None:
    one, again, other = Patterns(), Patterns(), Patterns(seed=2)
    for first, second in ((one.load()["train"].channel, again.load()["test"].channel), (one.traces(), again.traces())):
        np.testing.assert_array_equal(first, second)
    assert len(one.load()["train"].channel) != len(other.load()["train"].channel)
    assert not np.array_equal(one.traces(), other.traces())


def test_spikes_have_the_rate_and_every_sample_a_target_of_its_own() -> None:
    samples = Patterns().load()["train"]
    assert samples.label.tolist() == [0, 1, 2]
    assert samples.steps.tolist() == [1000, 1000, 1000]
    assert abs(len(samples.step) / (3 * 1000 * 100) - 0.05) < 0.002


def test_targets_are_four_sines_of_largest_magnitude_1() -> None:
    traces = Patterns().traces()
    assert traces.shape == (3, 1000, 1)
    assert traces.dtype == np.float32
    np.testing.assert_allclose(np.abs(traces).max(axis=1), 1)
    power = np.abs(np.fft.rfft(traces[:, :, 0])) > 1e-2
    assert (np.flatnonzero(power.any(axis=0)) == [1, 2, 3, 5]).all()


@pytest.mark.parametrize("chosen", [[1], [2, 0]], ids=["one", "two"])
def test_every_sample_of_a_batch_is_compared_with_its_own_target(chosen: list[int]) -> None:
    data = Patterns(steps=30)
    layers = LayerConfig(5, (0,)), LayerConfig(1, (1,))
    train = TrainConfig(loss=SquaredError())
    network = Network(Config("patterns", data, NetworkConfig(layers, readout="membrane_last"), train))
    batch = gather(data.load()["train"], np.array(chosen))
    answer = answer_of(network, network(batch.inputs, batch.steps, quantized=False), batch)
    assert answer.traces is not None
    assert answer.traces.shape == answer.outputs.shape
    for sample, row in enumerate(chosen):
        assert torch.equal(answer.traces[:, sample], torch.from_numpy(data.traces()[row]))
