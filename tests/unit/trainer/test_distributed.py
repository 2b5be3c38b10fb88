"""Training in two processes: what one process with the same batches gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from toys import Toy, config

from quant.errors import ConfigError
from trainer import loop
from trainer.augmentation import Augmentation
from trainer.data.batches import shuffled
from trainer.distributed import device_of, share_of
from trainer.network import Network

CONFIG = """
name = "digits"
data = {name = "digits", train = 200, validation = 50, test = 50}
[[network.layers]]
neurons = 40
sources = [0]
%s
[[network.layers]]
neurons = 10
sources = [1, 0]
%s
[train]
epochs_float = 3
epochs_quantized = 2
batch = 33
rate_float = 5e-3
augment = {drop_events = 0.2}
activity = {strength = 1.0}
growth = {strength = 1e-3, limit = 2.0}
%s
[network]
threshold = 0.7
readout = "%s"
[plasticity]
leak = %s
adaptation_leak = false
"""


@pytest.mark.check
@pytest.mark.parametrize(
    ("options", "readout"),
    [
        ("", "spike_count"),
        ('rule = "tssl"', "membrane_sum"),  # no gradient reaches the last layer's threshold
        ('rule = {name = "lee", balance = 0.1}', "spike_count"),
        ('rule = {name = "eprop", online = true}\nloss = "step_cross_entropy"', "membrane_last"),
    ],
)
def test_two_processes_train_as_one_does(tmp_path: Path, options: str, readout: str) -> None:
    """The batch is shared out, statistics and gradients are those of the whole: only sums are taken in another order.

    Batches of 33 samples are not shared out evenly; normalization and the price of activity see all of them.
    """
    path = tmp_path / "config.toml"
    plain = options.startswith("rule = {")
    features = ['reset = "subtract"'] * 2 if plain else ["self_weight = true\nnormalize = true", "self_weight = true"]
    path.write_text(CONFIG % (*features, options, readout, str(not plain).lower()))
    found = {}
    for processes in (1, 2):
        out = tmp_path / str(processes)
        launch = [] if processes == 1 else ["torch.distributed.run", "--nproc-per-node", "2", "-m"]
        command = [sys.executable, "-m", *launch, "trainer", "train", "--config", str(path), "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[3])
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("test accuracy") == 1
        metrics = json.loads((out / "metrics.json").read_text())
        product = torch.load(out / "ckpt.pt", weights_only=True)
        found[processes] = metrics["history"], product["float"]
    (alone, weights), (together, same) = found[1], found[2]
    assert len(alone) == len(together) == 5
    for one, other in zip(alone, together, strict=True):
        for key in ("loss_train", "loss_validation", "accuracy_train", "accuracy_validation"):
            assert other[key] == pytest.approx(one[key], rel=2e-3), (one["phase"], one["epoch"], key)
    assert alone[2]["loss_train"] < alone[0]["loss_train"]
    for name, value in weights.items():
        torch.testing.assert_close(same[name], value, rtol=1e-2, atol=1e-3)


def test_the_shares_of_a_batch_are_the_batch() -> None:
    samples = Toy().load()["train"]

    whole = list(shuffled(samples, 5, np.random.default_rng(1), Augmentation(drop_events=0.1)))
    assert sum(batch.inputs.sum() for batch in whole) > 100
    for batch in whole:
        parts = [share_of(batch, rank, 3) for rank in range(3)]
        assert sum(part.weights.sum() for part in parts).item() == pytest.approx(1)
        assert sum((part.inputs.sum(dim=(0, 2)) * part.weights).sum() for part in parts).item() == pytest.approx(
            (batch.inputs.sum(dim=(0, 2)) * batch.weights).sum().item()
        )
        assert sorted(label for part in parts for label in part.labels[part.weights > 0].tolist()) == sorted(
            batch.labels.tolist()
        )


def test_a_process_without_a_sample_takes_part() -> None:
    """24 samples in batches of 23 leave one sample for a batch: the second process gets one of no steps and weight."""
    samples = Toy().load()["train"]
    batches = list(shuffled(samples, 23, np.random.default_rng(1), Augmentation()))
    empty = share_of(min(batches, key=lambda batch: len(batch.steps)), 1, 2)
    assert empty.weights.tolist() == [0.0]
    assert empty.steps.tolist() == [0]
    assert not empty.inputs.any()
    network = Network(config(data=Toy()))
    trace = network(empty.inputs, empty.steps, quantized=False)
    loss, price = loop.batch_loss(network, trace, empty)
    assert loss.item() == price.item() == 0


def test_a_device_that_is_not_here() -> None:
    assert device_of("cpu").type == "cpu"
    for name in ("abacus", "meta", "hpu"):
        with pytest.raises(ConfigError, match=f"--device {name} is not available on this machine"):
            device_of(name)
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="--device cuda is not available on this machine"):
            device_of("cuda")
