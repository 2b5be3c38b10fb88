"""Networks as a teacher: what they say in the mean, sample by sample, and that a training run learns from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from toys import Toy, config, scramble

from quant.errors import ConfigError, ModelError
from trainer import checkpoint, data, loop, run
from trainer import config as configuration
from trainer.augmentation import events_of_samples
from trainer.config import Config, TrainConfig
from trainer.data.batches import gather
from trainer.ensemble import Ensemble
from trainer.network import Network
from trainer.teacher import TeacherConfig

SAMPLES = Toy().load()["train"]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(data.SOURCES, "toy", Toy)


def saved(path: Path, seed: int, of: Config | None = None) -> Network:
    """A random network, and its checkpoint in `path`."""
    network = Network(of or config()).eval()
    scramble(network, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.write(path, checkpoint.product(network, network.state_dict(), finished=True))
    return network


@torch.no_grad()
def said(network: Network, sample: int, sharpness: float, *, quantized: bool = True) -> torch.Tensor:
    alone = gather(SAMPLES, np.array([sample]))
    return (sharpness * network(alone.inputs, alone.steps, quantized=quantized).logits).softmax(dim=1)[0].double()


def test_it_says_what_its_networks_say_in_the_mean(tmp_path: Path) -> None:
    files = [tmp_path / "one.pt", tmp_path / "two.pt"]
    networks = [saved(file, seed) for seed, file in enumerate(files)]
    found = Ensemble(files, config().graph, 0.5, CPU)(events_of_samples(SAMPLES, np.arange(24)))
    expected = np.array([sum(said(one, sample, 0.5) for one in networks).numpy() / 2 for sample in range(24)])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert not np.allclose(found, found[0], rtol=0.1)


def test_a_run_learns_from_the_networks_that_its_file_names(tmp_path: Path) -> None:
    teacher = saved(tmp_path / "first" / "ckpt.pt", 3)
    (tmp_path / "c.toml").write_text("""
name = "toy"
data = "toy"
[network]
layers = [{ neurons = 3, sources = [0] }]
[train]
batch = 8
epochs_float = 1
epochs_quantized = 1
rate_float = 0.0
rate_quantized = 0.0
teacher = { sharpness = 2.0, networks = ["first/ckpt.pt"] }
""")
    chosen = configuration.read(tmp_path / "c.toml")
    run.train(chosen, tmp_path / "run", lambda text: None)

    student = loop.start(chosen).network.eval()
    pairs = [(said(teacher, one, 2.0), said(student, one, 1.0, quantized=False)) for one in range(24)]
    expected = float(torch.stack([-(target * answer.log()).sum() for target, answer in pairs]).mean())
    assert run.restored(tmp_path / "run").history[0].loss_train == pytest.approx(expected, rel=1e-4)


def test_a_run_goes_on_wherever_its_teacher_lies(tmp_path: Path) -> None:
    first, second = (
        configuration.located(config(train=TrainConfig(teacher=TeacherConfig(1.0, ("ckpt.pt",)))), tmp_path / place)
        for place in ("here", "there")
    )
    assert first.train.teacher.networks == (str(tmp_path / "here" / "ckpt.pt"),)
    assert configuration.difference(first, second) is None


@pytest.mark.parametrize(
    ("toy", "problem"),
    [
        (Toy(channels=9), r"networks\[2\] \(.*two\.pt\) has 9 channels, data has 12; take a network"),
        (Toy(labels=2), r"networks\[2\] \(.*two\.pt\) has 2 classes, data has 3; take a network"),
    ],
    ids=["channels", "classes"],
)
def test_a_network_of_another_shape_is_refused(tmp_path: Path, toy: Toy, problem: str) -> None:
    layers = config().network.layers
    saved(tmp_path / "one.pt", 1)
    saved(tmp_path / "two.pt", 2, config(*layers[:-1], type(layers[-1])(toy.labels, (1, 0)), data=toy))
    with pytest.raises(ConfigError, match=problem):
        Ensemble([tmp_path / "one.pt", tmp_path / "two.pt"], config().graph, 1.0, CPU)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.pt").write_bytes(b"no checkpoint")
    with pytest.raises(ModelError, match=r"one\.pt"):
        Ensemble([tmp_path / "one.pt"], config().graph, 1.0, CPU)
