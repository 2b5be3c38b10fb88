"""Teachers: the kernel machine against one that goes through everything one by one, trained networks against what each
says alone, and what of them reaches a batch."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import torch
from toys import Toy, config

from quant.errors import ConfigError, DataError, ModelError
from quant.export import read_checkpoint
from quant.spikes import SpikeSet
from trainer import checkpoint, data, run
from trainer.augmentation import Augmentation, Events, events_of_samples
from trainer.config import TrainConfig, read, to_table
from trainer.data.batches import gather, shuffled
from trainer.distributed import share_of
from trainer.teachers import Kernel, Networks, kernel
from trainer.teachers.kernel import Fitted

HOW = Kernel(sharpness=4.0, parts=3, smoothing=0.0, narrowness=2.0, ridge=0.1)


def samples() -> SpikeSet:
    return Toy().load()["train"]


def asked() -> Events:
    return events_of_samples(Toy().load()["validation"], np.arange(24))


def pattern(dense: np.ndarray, parts: int) -> np.ndarray:
    """Of one sample `(steps, channels)`: each spike is shared between the two parts whose middles are nearest."""
    counts = np.zeros((parts, dense.shape[1]))
    for step, channel in zip(*np.nonzero(dense), strict=True):
        position = min(max((step + 0.5) / len(dense) * parts - 0.5, 0), parts - 1)
        for part in range(parts):
            counts[part, channel] += max(0.0, 1 - abs(position - part))
    return counts.ravel() / np.linalg.norm(counts)


def patterns(of: SpikeSet, parts: int) -> list[np.ndarray]:
    dense = of.dense(slice(0, len(of)))
    return [pattern(dense[:steps, index], parts) for index, steps in enumerate(of.steps)]


def test_it_is_kernel_ridge_regression_on_patterns_of_counts() -> None:
    known, others = patterns(samples(), 3), patterns(Toy().load()["validation"], 3)

    def near(one: np.ndarray, other: np.ndarray) -> float:
        return math.exp(-2.0 * float(((one - other) ** 2).sum()))

    rights = np.eye(3)[samples().label]
    kernel = np.array([[near(one, other) for other in known] for one in known]) + 0.1 * np.eye(24)
    factors = np.linalg.inv(kernel) @ (rights - rights.mean(axis=0))
    scores = np.array([[near(one, other) for other in known] for one in others]) @ factors + rights.mean(axis=0)
    expected = torch.from_numpy(4.0 * scores).softmax(dim=1).numpy()
    np.testing.assert_allclose(Fitted(samples(), 3, HOW)(asked()), expected, atol=1e-6)


def test_it_knows_its_samples_and_learns_from_them() -> None:
    said = Fitted(samples(), 3, HOW)(asked())
    assert (said.argmax(axis=1) == Toy().load()["validation"].label).mean() > 0.6
    own = Fitted(samples(), 3, HOW)(events_of_samples(samples(), np.arange(24)))
    assert (own.argmax(axis=1) == samples().label).all()


def test_neighbouring_channels_are_alike_to_it() -> None:
    def shift(smoothing: float) -> float:
        """How far its answers change if every event moves by one channel."""
        teacher, given = Fitted(samples(), 3, replace(HOW, smoothing=smoothing)), asked()
        moved = replace(given, channel=np.minimum(given.channel + 1, 11))
        return float(np.abs(teacher(moved) - teacher(given)).mean())

    assert shift(3.0) < 0.8 * shift(0.0)


def test_silence_is_judged_too() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    said = Fitted(samples(), 3, HOW)(Events(np.array([5]), nothing, nothing, nothing))
    np.testing.assert_allclose(said.sum(axis=1), 1.0)


def test_too_many_samples_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "memory_limit", lambda: 24 * 20**2)
    with pytest.raises(
        DataError, match=r"train\.teacher compares all training samples .* 20 at most on this machine, and there are 24"
    ):
        Fitted(samples(), 3, HOW)


def test_a_batch_carries_what_it_says_to_the_changed_samples() -> None:
    teacher, how = Fitted(samples(), 3, HOW), Augmentation(mix=1.0, drop_events=0.2)

    (batch,) = shuffled(samples(), 24, np.random.default_rng(1), how, teacher)
    whole = batch.targets
    assert whole is not None
    assert whole.shape == (24, 3)
    for rank in range(2):
        part = share_of(batch, rank, 2).targets
        assert part is not None
        assert torch.equal(part, whole[rank::2])
    dense = batch.inputs.numpy().transpose(1, 0, 2)
    sample, step, channel = np.nonzero(dense)
    # Two events that coincide are one spike of the batch, and two to the teacher: hence no equality here.
    again = teacher(Events(batch.steps.numpy(), sample, step, channel))
    assert np.abs(again - whole.numpy()).mean() < 0.1


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The checkpoints of a network trained in real numbers first, and of one trained in integers alone."""
    out = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.SOURCES, "toy", Toy)
        for name, epochs in (("reals", 2), ("integers", 0)):
            one = config(train=TrainConfig(epochs_float=epochs, epochs_quantized=2, batch=8))
            run.train(one, out / name, lambda line: None)
    return [out / name / "ckpt.pt" for name in ("reals", "integers")]


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(data.SOURCES, "toy", Toy)


@pytest.mark.usefixtures("toys")
def test_networks_say_the_mean_of_their_probabilities(trained: list[Path]) -> None:
    teacher = Networks(tuple(map(str, trained)), sharpness=0.5)
    said = teacher.prepared(samples(), config(), torch.device("cpu"))(asked())
    reals, _ = checkpoint.restore(read_checkpoint(trained[0]), trained[0])
    _, integers = checkpoint.restore(read_checkpoint(trained[1]), trained[1])
    one = gather(Toy().load()["validation"], np.arange(24))
    alone = [
        (0.5 * network.eval()(one.inputs, one.steps, quantized=quantized).logits).softmax(dim=1).detach().numpy()
        for network, quantized in ((reals, False), (integers, True))
    ]
    assert np.abs(alone[0] - alone[1]).max() > 0.01
    np.testing.assert_allclose(said, (alone[0] + alone[1]) / 2, atol=1e-6)


@pytest.mark.usefixtures("toys")
def test_a_network_learns_from_networks(trained: list[Path], tmp_path: Path) -> None:
    """Whose files are named from the folder of the configuration on."""
    table = to_table(config(train=TrainConfig(epochs_float=1, epochs_quantized=1, batch=8)))
    table["train"]["teacher"] = {"name": "networks", "files": ["reals/ckpt.pt"]}
    file = trained[0].parents[1] / "student.toml"
    file.write_text(tomli_w.dumps(table))
    chosen = read(file)
    assert chosen.train.teacher == Networks((str(trained[0]),))
    run.train(chosen, tmp_path / "soft", lambda line: None)
    run.train(
        config(train=TrainConfig(epochs_float=1, epochs_quantized=1, batch=8)), tmp_path / "hard", lambda line: None
    )
    soft, hard = (json.loads((tmp_path / name / "metrics.json").read_text())["history"][0] for name in ("soft", "hard"))
    assert soft["loss_train"] != hard["loss_train"]


@pytest.mark.usefixtures("toys")
def test_networks_of_other_data_and_missing_ones_are_refused(trained: list[Path], tmp_path: Path) -> None:
    cpu, others = torch.device("cpu"), config(data=Toy(channels=13))
    with pytest.raises(
        ConfigError, match=r"train\.teacher\.files: .*ckpt\.pt has the channels 12, data has 13; take a"
    ):
        Networks((str(trained[0]),)).prepared(samples(), others, cpu)
    with pytest.raises(ConfigError, match=r"train\.teacher\.files is empty; name the checkpoints"):
        Networks(())
    with pytest.raises(ModelError, match=r"none\.pt: no such file"):
        Networks((str(tmp_path / "none.pt"),)).prepared(samples(), config(), cpu)


@dataclass(frozen=True, slots=True)
class Divided(Toy):
    split: str = "one"


def test_a_teacher_that_may_know_the_test_part_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(data.SOURCES, "divided", Divided)
    train = TrainConfig(epochs_float=0, epochs_quantized=1, batch=8)
    run.train(config(data=Divided(), train=train), tmp_path, lambda _: None)
    teacher, cpu = Networks((str(tmp_path / "ckpt.pt"),)), torch.device("cpu")
    teacher.prepared(samples(), config(data=Divided()), cpu)
    teacher.prepared(samples(), config(), cpu)
    with pytest.raises(ConfigError, match=r"ckpt\.pt was trained with another data\.split; it may know the samples"):
        teacher.prepared(samples(), config(data=Divided(split="two")), cpu)
