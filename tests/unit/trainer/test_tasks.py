"""Several tasks, one after another: each starts where the last one ended, and all are asked about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import tomli_w
import torch
from toys import Toy, config

from quant import export, golden
from quant.errors import ConfigError
from quant.spikes import SpikeSet, Split
from trainer import __main__ as command_line
from trainer import config as configuration
from trainer import data, run, tasks
from trainer.config import Config, LayerConfig, TrainConfig
from trainer.synapses import Metaplastic


@dataclass(frozen=True, slots=True)
class Turned(Toy):
    """The toy data with its channels in the opposite order: another task of the same shape."""

    def load(self) -> Mapping[Split, SpikeSet]:
        toy = Toy.load(self)
        return {split: turned(samples) for split, samples in toy.items()}


def turned(samples: SpikeSet) -> SpikeSet:
    order = [
        event
        for first, stop in zip(samples.offset, samples.offset[1:], strict=False)
        for event in sorted(range(first, stop), key=lambda e: (samples.step[e], -samples.channel[e]))
    ]
    return replace(samples, step=samples.step[order], channel=samples.channels - 1 - samples.channel[order])


@pytest.fixture(autouse=True)
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(data.SOURCES, "toy", Toy)
    monkeypatch.setitem(data.SOURCES, "turned", Turned)


def two_tasks(m: float = 1.35) -> Config:
    layers = LayerConfig(24, (0,), weight_bits=1), LayerConfig(3, (1,), weight_bits=1)
    train = TrainConfig(
        epochs_float=0, epochs_quantized=6, batch=8, rate_quantized=0.02, synapse=Metaplastic(m), tasks=(Turned(),)
    )
    return config(*layers, train=train)


def test_tasks_are_learned_in_turn_and_the_hardware_of_each_is_exact(tmp_path: Path) -> None:
    settings = two_tasks()
    tasks.train(settings, tmp_path, lambda _: None)
    found = json.loads((tmp_path / tasks.RESULTS).read_text())
    assert found["task_known_at_test"] is False
    assert [len(epochs) for epochs in found["validation_after_epoch"]] == [6, 6]
    assert all(len(epoch) == 2 for epochs in found["validation_after_epoch"] for epoch in epochs)
    for number, after in enumerate(found["test_after_task"], start=1):
        model = export.from_checkpoint(tmp_path / f"task-{number}" / "ckpt.pt")
        for source, accuracy in zip((Toy(), Turned()), after, strict=True):
            samples = source.load()["test"]
            traces = [(samples.label[chosen], trace) for chosen, trace in golden.run_set(model, samples)]
            assert sum(int(trace.spikes[1].sum()) for _, trace in traces) > 100
            assert sum(int((label == trace.classes).sum()) for label, trace in traces) / len(samples) == accuracy
    more = replace(settings.train, tasks=(Turned(), Toy()))
    with pytest.raises(ConfigError, match=r"sequence\.json: the sequence began with other tasks; give another --out"):
        tasks.train(replace(settings, train=more), tmp_path, lambda _: None)
    assert found["test_after_task"][0][0] > 0.6
    assert found["test_after_task"][1][1] > 0.6
    assert (tmp_path / tasks.PICTURE).read_bytes().startswith(b"\x89PNG")


def test_an_interrupted_sequence_ends_in_the_same_bits(tmp_path: Path) -> None:
    settings = two_tasks()
    tasks.train(settings, tmp_path / "whole", lambda _: None)

    def stop(line: str) -> None:
        if "epoch   3" in line and "task 2" in "".join(seen):
            raise KeyboardInterrupt
        seen.append(line)

    seen: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        tasks.train(settings, tmp_path / "parts", stop)
    tasks.train(settings, tmp_path / "parts", lambda _: None)
    whole, parts = (
        torch.load(tmp_path / name / "task-2" / "ckpt.pt", weights_only=True) for name in ("whole", "parts")
    )
    assert all(torch.equal(value, parts["quantized"][name]) for name, value in whole["quantized"].items())
    assert (tmp_path / "whole" / tasks.RESULTS).read_text() == (tmp_path / "parts" / tasks.RESULTS).read_text()


def test_states_fitted_to_one_task_may_be_wider_in_the_next(tmp_path: Path) -> None:
    settings = two_tasks()
    layers = tuple(replace(layer, fit_states=True) for layer in settings.network.layers)
    tasks.train(replace(settings, network=replace(settings.network, layers=layers)), tmp_path, lambda _: None)
    product, progress = (
        torch.load(tmp_path / name, weights_only=True) for name in ("task-1/ckpt.pt", "task-2/last.pt")
    )
    assert product["quantized"]["stack.0.quantizer.state_width"] < 16
    assert progress["network"]["stack.0.quantizer.state_width"] == 16


def test_a_sequence_can_be_ended_early(tmp_path: Path) -> None:
    settings = two_tasks()

    def stop(line: str) -> None:
        if "epoch   3" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tasks.train(settings, tmp_path, stop)
    tasks.train(settings, tmp_path, lambda _: None, finish=True)
    assert len(json.loads((tmp_path / tasks.RESULTS).read_text())["test_after_task"]) == 1


def test_bad_sequences_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = two_tasks()
    with pytest.raises(ConfigError, match=r"train.tasks\[1\] has 13 channels, data has 12"):
        replace(settings, train=replace(settings.train, tasks=(Toy(channels=13),)))
    with pytest.raises(ConfigError, match=r"train.tasks\[1\] has 4 classes, data has 3"):
        replace(settings, train=replace(settings.train, tasks=(Toy(labels=4),)))
    with pytest.raises(ConfigError, match=r"train.epochs_float is 1; .* set it to 0"):
        replace(settings, train=replace(settings.train, epochs_float=1))
    with pytest.raises(ConfigError, match=r"train.tasks: only `python -m trainer train`"):
        run.train(settings, tmp_path)
    (tmp_path / tasks.RESULTS).write_text("mine")
    with pytest.raises(ConfigError, match=r"tasks.json exists, but no task-1"):
        tasks.train(settings, tmp_path, lambda _: None)
    assert (tmp_path / tasks.RESULTS).read_text() == "mine"


def test_several_processes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would all write the same folders."""
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    with pytest.raises(ConfigError, match=r"train.tasks: .* start it without torchrun"):
        tasks.train(two_tasks(), tmp_path, lambda _: None)


@pytest.mark.drawn
def test_the_command_trains_all_tasks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "two.toml"
    path.write_text(tomli_w.dumps(configuration.to_table(two_tasks())))
    assert configuration.read(path) == two_tasks()
    assert command_line.main(["train", "--config", str(path), "--out", str(tmp_path / "out")]) == 0
    assert "test accuracy on each task" in capsys.readouterr().out
    assert (tmp_path / "out" / tasks.PICTURE).exists()
