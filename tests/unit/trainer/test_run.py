"""A training run in its folder: repeatable, resumable, and careful with what is already there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from toys import Toy, config

from quant import export, golden, store
from quant.errors import ConfigError, DivergenceError, ModelError
from trainer import __main__ as command_line
from trainer import checkpoint, data, loop, run
from trainer.augmentation import Augmentation
from trainer.config import Config, LayerConfig, NetworkConfig, TrainConfig


@pytest.fixture(autouse=True)
def toy_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let configurations name the toy data."""
    monkeypatch.setitem(data.SOURCES, "toy", Toy)


class Interrupted(Exception):
    """Stands for a power cut."""


def interrupt_after(epochs: int) -> Callable[[str], None]:
    """A reporter that raises when the given number of epochs has been reported."""
    seen: list[str] = []

    def report(line: str) -> None:
        seen.append(line)
        if sum(" epoch " in one and "validation" in one for one in seen) == epochs:
            raise Interrupted

    return report


def quiet(_: str) -> None:
    """A reporter that says nothing."""


def content(path: Path) -> dict[str, Any]:
    found = torch.load(path, weights_only=True)
    assert isinstance(found, dict)
    return found


def assert_same(first: Any, second: Any) -> None:
    """Equal to the last bit, tensors included; times may differ."""
    assert type(first) is type(second)
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    elif isinstance(first, dict):
        assert list(first) == list(second)
        for key in first:
            if key != "seconds":
                assert_same(first[key], second[key])
    elif isinstance(first, list | tuple):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    else:
        assert first == second


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an uninterrupted run."""
    out = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.SOURCES, "toy", Toy)
        run.train(dropping(), out, quiet)
    return out


def dropping() -> Config:
    """With events dropped at random, so that the random numbers of an epoch matter."""
    return config(train=TrainConfig(epochs_float=3, epochs_quantized=3, batch=8, augment=Augmentation(drop_events=0.2)))


@pytest.mark.parametrize("epochs", [1, 3, 4, 6])
def test_an_interrupted_run_ends_in_the_same_bits(finished: Path, tmp_path: Path, epochs: int) -> None:
    with pytest.raises(Interrupted):
        run.train(dropping(), tmp_path, interrupt_after(epochs))
    assert not (tmp_path / "ckpt.pt").exists()
    assert len(content(tmp_path / "last.pt")["history"]) == epochs
    lines: list[str] = []
    run.train(dropping(), tmp_path, lines.append)
    assert "resuming" in lines[0]
    for name in ("ckpt.pt", "last.pt"):
        assert_same(content(tmp_path / name), content(finished / name))
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in (tmp_path, finished)]
    assert_same(metrics[0], metrics[1])


def test_the_product_is_complete(finished: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    assert metrics["weight_bits"] == [4, 4]
    assert len(metrics["history"]) == 6
    assert 0 <= metrics["accuracy_quantized"] <= 1
    assert (finished / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in finished.iterdir()) == ["ckpt.pt", "curves.png", "last.pt", "metrics.json"]


def test_training_learns_and_the_integer_model_has_the_accuracy_reported(tmp_path: Path) -> None:
    settings = config(train=TrainConfig(epochs_float=25, epochs_quantized=10, batch=8, rate_float=0.02))
    run.train(settings, tmp_path, quiet)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["history"][24]["loss_train"] < 0.5 * metrics["history"][0]["loss_train"]
    assert metrics["accuracy_quantized"] > 0.6
    model, samples = export.from_checkpoint(tmp_path / "ckpt.pt"), settings.data.load()["test"]
    traces = [(samples.label[chosen], trace) for chosen, trace in golden.run_set(model, samples)]
    assert sum(int(trace.spikes[1].sum()) for _, trace in traces) > 100
    right = sum(int((label == trace.classes).sum()) for label, trace in traces)
    assert right / len(samples) == metrics["accuracy_quantized"]


def test_a_restored_checkpoint_gives_the_integers_it_carries(finished: Path) -> None:
    path = finished / "ckpt.pt"
    _, quantized = checkpoint.restore(export.read_checkpoint(path), path)
    assert store.digest(checkpoint.integers(quantized)) == store.digest(export.from_checkpoint(path))


def test_a_finished_run_is_left_alone(finished: Path) -> None:
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in finished.iterdir()}
    lines: list[str] = []
    run.train(dropping(), finished, lines.append)
    assert "finished" in lines[0]
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in finished.iterdir()} == before


def test_a_folder_of_another_configuration_is_refused(finished: Path, tmp_path: Path) -> None:
    other = replace(dropping(), name="other")
    with pytest.raises(ConfigError, match="another configuration"):
        run.train(other, finished, quiet)
    with pytest.raises(Interrupted):
        run.train(dropping(), tmp_path, interrupt_after(1))
    with pytest.raises(ConfigError, match="another configuration"):
        run.train(other, tmp_path, quiet)


@pytest.mark.parametrize("name", ["metrics.json", "curves.png"])
def test_files_of_unknown_origin_are_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match="give another --out"):
        run.train(config(), tmp_path, quiet)
    assert (tmp_path / name).read_text() == "mine"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(ConfigError, match="is a file"):
        run.train(config(), tmp_path / "run", quiet)


@pytest.mark.parametrize("damage", ["truncated", "foreign", "incomplete"])
def test_progress_that_cannot_be_used_is_refused(finished: Path, tmp_path: Path, damage: str) -> None:
    good = content(finished / "last.pt")
    path = tmp_path / "last.pt"
    if damage == "truncated":
        path.write_bytes((finished / "last.pt").read_bytes()[:-500])
    elif damage == "foreign":
        torch.save([1, 2, 3], path)
    else:
        torch.save({key: value for key, value in good.items() if key != "optimizer"}, path)
    before = path.read_bytes()
    with pytest.raises(ModelError, match=r"last\.pt"):
        run.train(dropping(), tmp_path, quiet)
    assert [one.name for one in tmp_path.iterdir()] == ["last.pt"]
    assert path.read_bytes() == before


def test_a_loss_that_is_no_number_stops_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config(network=NetworkConfig((LayerConfig(3, (0,)),), readout="membrane_sum"))
    fresh = loop.start

    def broken(chosen: Config, **options: Any) -> loop.Progress:
        progress = fresh(chosen, **options)
        with torch.no_grad():
            progress.network.layers[0].weight.fill_(float("inf"))
        return progress

    monkeypatch.setattr(loop, "start", broken)
    expected = (
        r"float phase, epoch 1, update 1: layer 1 has a potential that is no number from time step 0 on; "
        r"lower train\.rate_float"
    )
    with pytest.raises(DivergenceError, match=expected):
        run.train(settings, tmp_path, quiet)
    assert not list(tmp_path.iterdir())


def test_frozen_parameters_are_where_they_started(tmp_path: Path) -> None:
    settings = replace(config(), plasticity=replace(config().plasticity, leak=False))
    run.train(settings, tmp_path, quiet)
    state = content(tmp_path / "ckpt.pt")["quantized"]
    start = loop.start(settings).network.state_dict()
    assert torch.equal(state["stack.0.leak_logit"], start["stack.0.leak_logit"])
    assert not torch.equal(state["stack.0.threshold_log"], start["stack.0.threshold_log"])


TOML = """
name = "toy"
data = {name = "toy"}
train = {epochs_float = 2, epochs_quantized = 1, batch = 8}
[network]
threshold = 0.5
layers = [{neurons = 3, sources = [0]}]
"""


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "toy.toml").write_text(TOML)
    toml, out = str(tmp_path / "toy.toml"), tmp_path / "run"
    assert command_line.main(["train", "--config", toml, "--out", str(out)]) == 0
    spikes = ["spikes", "--config", toml, "--split", "test", "--out", str(out / "test.npz")]
    assert command_line.main(spikes) == 0
    assert "24 samples" in capsys.readouterr().out
    result = ["evaluate", "--model", str(out / "ckpt.pt"), "--split", "test", "--out", str(out / "test.json")]
    assert command_line.main(result) == 0
    metrics = json.loads((out / "metrics.json").read_text())
    found = json.loads((out / "test.json").read_text())
    for key in ("accuracy_float", "accuracy_quantized"):
        assert found[key] == metrics[key]
    (out / "test.npz").write_bytes(b"mine")
    assert command_line.main(spikes) == 2
    assert (out / "test.npz").read_bytes() == b"mine"
    assert command_line.main([*spikes, "--force"]) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
