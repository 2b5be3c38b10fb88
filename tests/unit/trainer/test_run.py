"""A training run in its folder: repeatable, resumable, and careful with what is already there."""

from __future__ import annotations

import errno
import json
import os
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from marks import later
from toys import ON, Toy, config

from hwgen.core.build import make_build, write
from quant import export, golden, store
from quant import spikes as spike_files
from quant.errors import ConfigError, DivergenceError, ModelError, ScsrError
from quant.spikes import SpikeSet
from sim.verify import verify
from trainer import __main__ as command_line
from trainer import checkpoint, data, evaluation, kernels, loop, run
from trainer import config as configuration
from trainer.augmentation import Augmentation
from trainer.config import (
    ActivityConfig,
    Config,
    GrowthConfig,
    LayerConfig,
    NetworkConfig,
    PlasticityConfig,
    ScheduleConfig,
    SurrogateConfig,
    TrainConfig,
)
from trainer.data.batches import Batch, in_order
from trainer.data.patterns import Patterns
from trainer.data.source import for_hardware
from trainer.evaluation import evaluate
from trainer.losses import RelativeCount, SpikeCount, SquaredError, VanRossum
from trainer.network import Network
from trainer.rules import RULES, Eprop, Lee, Rule, StRsbp, SurrogateGradient
from trainer.synapses import Pcm
from trainer.teachers import Kernel


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
    """Everything that a resumed run must find again: random events, a teacher, an average, schedules, normalization."""
    train = TrainConfig(
        epochs_float=3,
        epochs_quantized=3,
        batch=8,
        average=0.9,
        augment=Augmentation(drop_events=0.2, time_warp=0.2, mix=0.5),
        teacher=Kernel(sharpness=3.0),
        surrogate=SurrogateConfig(width=1.0, width_end=0.3),
        schedule=ScheduleConfig("step", warmup=1, every=1),
        activity=ActivityConfig(strength=1.0),
    )
    hidden = LayerConfig(10, (0,), self_weight=True, normalize=True, fit_states=True)
    return config(hidden, LayerConfig(3, (1, 0), self_weight=True), train=train)


@pytest.mark.parametrize("epochs", [1, 3, 4, 6])
def test_an_interrupted_run_ends_in_the_same_bits(finished: Path, tmp_path: Path, epochs: int) -> None:
    with pytest.raises(Interrupted):
        run.train(dropping(), tmp_path, interrupt_after(epochs))
    assert len(content(tmp_path / "last.pt")["history"]) == epochs
    assert content(tmp_path / "ckpt.pt")["finished"] is False
    lines: list[str] = []
    run.train(dropping(), tmp_path, lines.append)
    assert "resuming" in lines[0]
    for name in ("ckpt.pt", "last.pt"):
        assert_same(content(tmp_path / name), content(finished / name))
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in (tmp_path, finished)]
    assert_same(metrics[0], metrics[1])


def test_devices_go_on_in_the_same_bits(tmp_path: Path) -> None:
    """Conductances, what waits to be written, time and noise: of phase-change memory, in either phase."""
    settings = config(train=TrainConfig(epochs_float=2, epochs_quantized=2, batch=8, synapse=Pcm("stochastic")))
    run.train(settings, tmp_path / "whole", quiet)
    for epochs in (1, 2):  # the second time, one of the phase of integers
        with pytest.raises(Interrupted):
            run.train(settings, tmp_path / "parts", interrupt_after(epochs))
    run.train(settings, tmp_path / "parts", quiet)
    assert_same(content(tmp_path / "parts" / "last.pt"), content(tmp_path / "whole" / "last.pt"))


@pytest.mark.parametrize("epochs", [1, 4])
def test_the_best_network_so_far_is_kept_and_can_be_taken_as_it_is(tmp_path: Path, epochs: int) -> None:
    """After an epoch of either phase: built from, shown, and made the product by `finish`."""
    with pytest.raises(Interrupted):
        run.train(dropping(), tmp_path, interrupt_after(epochs))
    assert "training goes on" in (tmp_path / "summary.html").read_text()
    assert (tmp_path / "curves.png").exists()
    so_far = store.digest(export.load(tmp_path / "ckpt.pt"))
    assert store.digest(export.load(tmp_path / "last.pt")) == so_far
    before = content(tmp_path / "last.pt")
    run.train(dropping(), tmp_path, quiet, finish=True)
    assert_same(content(tmp_path / "last.pt"), before)
    assert content(tmp_path / "ckpt.pt")["finished"]
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert list(metrics["best_epoch"]) == ["float", "quantized"][: 1 + (epochs > 3)]
    samples = dropping().data.load()["test"]
    model = export.load(tmp_path / "ckpt.pt")
    answers = np.concatenate([trace.classes for _, trace in golden.run_set(model, samples)])
    assert np.mean(answers == samples.label) == metrics["accuracy_quantized"]
    assert f"{metrics['accuracy_quantized']:.2%}" in (tmp_path / "summary.html").read_text()


def test_nothing_is_finished_before_an_epoch(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no epoch is complete, so there is nothing to finish"):
        run.train(config(), tmp_path, quiet, finish=True)


def test_the_product_is_complete(finished: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    assert metrics["weight_bits"] == [4, 4]
    assert len(metrics["history"]) == 6
    assert 0 <= metrics["accuracy_quantized"] <= 1
    assert (finished / "curves.png").read_bytes().startswith(b"\x89PNG")
    pictures = ["confusion.png", "curves.png", "intrinsic.png", "raster.png"]
    files = sorted(["ckpt.pt", "last.pt", "metrics.json", "summary.html", "tensorboard", *pictures])
    assert sorted(path.name for path in finished.iterdir()) == files
    page = (finished / "summary.html").read_text()
    for name in pictures:
        assert (finished / name).read_bytes().startswith(b"\x89PNG")
        assert f'src="{name}"' in page
    assert f"{metrics['accuracy_quantized']:.2%}" in page
    assert metrics["state_bits"][0] < 16 == metrics["state_bits"][1]


def test_tensorboard_has_every_epoch(finished: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(finished / "tensorboard"))
    events.Reload()
    history = json.loads((finished / "metrics.json").read_text())["history"]
    losses = events.Scalars("loss/train")
    assert [one.step for one in losses] == [1, 2, 3, 4, 5, 6]
    assert [one.value for one in losses] == pytest.approx([epoch["loss_train"] for epoch in history])


def test_narrow_states_change_no_answer(finished: Path) -> None:
    """States fitted to the training data hold the same numbers there; the model file carries their width."""
    settings = dropping()
    _, narrow = checkpoint.restore(export.read_checkpoint(finished / "ckpt.pt"), finished / "ckpt.pt")
    wide = Network(settings)
    wide.load_state_dict(narrow.state_dict())
    for layer in wide.layers:
        layer.quantizer.state_width.fill_(16)
    samples = settings.data.load()["train"]
    first, second = (evaluate(network, samples, quantized=True) for network in (narrow, wide))
    np.testing.assert_array_equal(first.predictions, second.predictions)
    assert first.layers[0].rate == second.layers[0].rate > 0
    assert first.saturated == second.saturated == 0
    assert first.layers[0].largest < 2 ** (narrow.layers[0].quantizer.state_bits - 2)
    model = export.from_checkpoint(finished / "ckpt.pt")
    assert model.layers[0].integers.state_bits == narrow.layers[0].quantizer.state_bits < 16


@pytest.mark.parametrize(("threshold", "said"), [(50.0, 1), (0.5, 0)])
def test_neurons_that_never_spike_are_said(threshold: float, said: int, tmp_path: Path) -> None:
    layers = LayerConfig(10, (0,)), LayerConfig(3, (1, 0))
    network = NetworkConfig(layers, threshold=threshold, readout="membrane_sum")
    lines: list[str] = []
    run.train(config(network=network, train=TrainConfig(epochs_float=1, epochs_quantized=1)), tmp_path, lines.append)
    assert sum(line.startswith("note: 10 of 10 neurons of layer 1 never spiked") for line in lines) == said


def test_states_at_their_bounds_are_counted_and_said(tmp_path: Path) -> None:
    settings = config(
        LayerConfig(3, (0,), state_bits=4, weight_bits=4), train=TrainConfig(epochs_float=1, epochs_quantized=1)
    )
    lines: list[str] = []
    run.train(settings, tmp_path, lines.append)
    found = json.loads((tmp_path / "metrics.json").read_text())["saturated"]["test"]
    assert found > 0
    assert any(line.startswith(f"warning: {found} states stood at a bound") for line in lines)
    assert f"{found} states stood at a bound" in (tmp_path / "summary.html").read_text()


def test_patience_ends_a_phase_early(tmp_path: Path) -> None:
    settings = config(
        train=TrainConfig(epochs_float=50, epochs_quantized=50, batch=8, patience=2, rate_float=0.0, rate_quantized=0.0)
    )
    run.train(settings, tmp_path, quiet)
    history = json.loads((tmp_path / "metrics.json").read_text())["history"]
    assert [epoch["phase"] for epoch in history] == ["float"] * 3 + ["quantized"] * 3


def test_the_average_is_what_is_validated_and_kept() -> None:
    settings = config(train=TrainConfig(epochs_float=3, epochs_quantized=1, batch=8, rate_float=0.05, average=0.95))
    progress, data = loop.start(settings), settings.data.load()
    loop.train(progress, data, lambda batches, _: batches, lambda _: None)
    kept, moved = (one.state_dict()["stack.0.weight"] for one in (progress.candidate, progress.network))
    assert not torch.equal(kept, moved)
    found = evaluate(progress.candidate, data["validation"], quantized=True)
    assert found.loss == progress.history[-1].loss_validation
    assert torch.equal(progress.best["quantized"]["stack.0.weight"], kept)


@pytest.mark.parametrize("threads", [1, 2])
def test_numbers_that_have_faded_are_zero_while_an_epoch_lasts(threads: int) -> None:
    if not torch.set_flush_denormal(False):
        pytest.skip("this processor always computes with subnormal numbers")
    if threads > 1 and kernels.native.library() is None:
        pytest.skip("there are no compiled kernels")
    faded, seen = torch.full((1 << 20,), 1e-40), list[int]()

    def left() -> int:
        """How many of a million subnormal numbers, which all threads multiply, are there afterwards."""
        return int((faded * 1.0).view(torch.int32).count_nonzero())

    def watch(batches: Iterable[Batch], _: int) -> Iterable[Batch]:
        seen.append(left())
        return batches

    torch.set_num_threads(threads)
    try:
        assert left() == len(faded)
        loop.train(loop.start(config()), Toy().load(), watch, lambda _: None)
        assert left() == len(faded)
    finally:
        torch.set_num_threads(1)
    assert seen
    assert set(seen) == {0}


def test_the_training_loss_is_the_mean_over_samples(tmp_path: Path) -> None:
    """At rate 0 every epoch sees the same network, however the samples fall into batches, one of them short."""
    still = TrainConfig(epochs_float=4, epochs_quantized=1, batch=23, rate_float=0.0, rate_quantized=0.0)
    run.train(config(train=still), tmp_path, quiet)
    history = json.loads((tmp_path / "metrics.json").read_text())["history"]
    settings = config(train=still)
    expected = evaluate(Network(settings), settings.data.load()["train"], quantized=False)
    for epoch in history[:4]:
        assert epoch["loss_train"] == pytest.approx(expected.loss, rel=1e-5)
        assert epoch["accuracy_train"] == pytest.approx(expected.accuracy)


@pytest.mark.drawn
def test_names_are_no_formulas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Toy, "classes", ("$\\frac{$", "<b>", "$x$"))
    run.train(config(train=TrainConfig(epochs_float=1, epochs_quantized=1)), tmp_path, quiet)
    assert (tmp_path / "confusion.png").exists()
    assert "<b>" not in (tmp_path / "summary.html").read_text()


@pytest.mark.parametrize("precision", ["full", "mixed"])
def test_mixed_precision_learns(tmp_path: Path, precision: Any) -> None:
    """On the CPU the dense products alone are in half the bits; what follows is the same."""
    train = TrainConfig(epochs_float=8, epochs_quantized=1, batch=8, rate_float=0.02, precision=precision)
    with kernels.plain_pytorch():
        run.train(config(train=train), tmp_path, quiet)
    history = json.loads((tmp_path / "metrics.json").read_text())["history"]
    assert history[7]["loss_train"] < 0.8 * history[0]["loss_train"]


def test_a_full_disk_costs_one_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last complete epoch stays what it was, and the run goes on from it when there is room again."""
    write, calls = os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 7:  # after two epochs with ckpt.pt, and once the page
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*last\.pt"):
        run.train(config(), tmp_path, quiet)
    assert len(content(tmp_path / "last.pt")["history"]) == 2
    assert not list(tmp_path.glob(".*partial"))
    run.train(config(), tmp_path, quiet)
    assert len(content(tmp_path / "last.pt")["history"]) == 6


@pytest.mark.parametrize("rule", ["surrogate", "tssl"])
@pytest.mark.parametrize("loss", [SpikeCount(), VanRossum()])
@pytest.mark.parametrize("bits", [1, *later(2, 8), 3])
def test_other_rules_losses_and_widths_learn(tmp_path: Path, rule: Any, loss: Any, bits: int) -> None:
    train = TrainConfig(epochs_float=8, epochs_quantized=4, batch=8, rate_float=0.03, rule=RULES[rule](), loss=loss)
    layers = LayerConfig(12, (0,), self_weight=True, weight_bits=bits), LayerConfig(3, (1, 0), weight_bits=bits)
    run.train(config(*layers, train=train), tmp_path, quiet)
    history = json.loads((tmp_path / "metrics.json").read_text())["history"]
    assert min(epoch["loss_train"] for epoch in history[:8]) < 0.9 * history[0]["loss_train"]
    model = export.from_checkpoint(tmp_path / "ckpt.pt")
    assert {layer.integers.weight_bits for layer in model.layers} == {bits}


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (ScheduleConfig("constant"), [1.0, 1.0, 1.0, 1.0]),
        (ScheduleConfig("step", every=2, factor=0.1), [1.0, 1.0, 0.1, 0.1]),
        (ScheduleConfig("constant", warmup=2), [1 / 3, 2 / 3, 1.0, 1.0]),
        (ScheduleConfig("cosine"), [1.0, 0.8535533905932737, 0.5, 0.14644660940672627]),
    ],
)
def test_schedules(schedule: ScheduleConfig, expected: list[float]) -> None:
    assert [schedule.fraction(epoch, 4) for epoch in range(1, 5)] == pytest.approx(expected)


PLAIN = NetworkConfig(config().network.layers, threshold=0.5)
EVERYTHING = tuple(replace(layer, dense_recurrent=True, fit_states=True, **ON) for layer in PLAIN.layers)
LATE = tuple(replace(layer, reset="late_subtract") for layer in EVERYTHING)


SPARSE = LayerConfig(24, (0,), sparse_recurrent=4), LayerConfig(3, (1,))
SUBTRACTING = LayerConfig(16, (0,), reset="subtract"), LayerConfig(3, (1,), reset="subtract")
ADAPTIVE = (
    LayerConfig(24, (0,), reset="late_subtract", adaptation=True, dense_recurrent=True),
    LayerConfig(3, (1,), reset="subtract"),
)


@pytest.mark.parametrize(
    ("network", "options"),
    [
        (PLAIN, {}),
        pytest.param(replace(PLAIN, layers=EVERYTHING), {}, marks=pytest.mark.check),
        pytest.param(replace(PLAIN, layers=LATE, readout="membrane_max"), {}, marks=pytest.mark.check),
        (replace(PLAIN, layers=LATE, readout="membrane_last"), {}),
        (replace(PLAIN, layers=SPARSE), {"rule": StRsbp(period=4), "loss": SpikeCount(right=0.8, margin=0.05)}),
        (replace(PLAIN, layers=SUBTRACTING), {"rule": Lee(balance=1e-4), "loss": RelativeCount()}),
        (replace(PLAIN, layers=ADAPTIVE), {"rule": Eprop(feedback="random"), "surrogate": SurrogateConfig("triangle")}),
    ],
    ids=["plain", "parts", "max", "last", "strsbp", "lee", "eprop"],
)
def test_training_learns_and_the_integer_model_has_the_accuracy_reported(
    tmp_path: Path, network: NetworkConfig, options: dict[str, Any]
) -> None:
    train = TrainConfig(epochs_float=25, epochs_quantized=10, batch=8, rate_float=0.02, **options)
    learned = PlasticityConfig(leak=False, synapse_leak=False) if options else PlasticityConfig()
    settings = config(network=network, train=train, plasticity=learned)
    run.train(settings, tmp_path, quiet)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["history"][24]["loss_train"] < 0.5 * metrics["history"][0]["loss_train"]
    assert metrics["accuracy_quantized"] > 0.6
    model, samples = export.from_checkpoint(tmp_path / "ckpt.pt"), settings.data.load()["test"]
    traces = [(samples.label[chosen], trace) for chosen, trace in golden.run_set(model, samples)]
    assert sum(int(trace.spikes[1].sum()) for _, trace in traces) > 50
    right = sum(int((label == trace.classes).sum()) for label, trace in traces)
    assert right / len(samples) == metrics["accuracy_quantized"]
    if options:  # of the others, tests/rtl has enough
        write(make_build(model), tmp_path / "core")
        assert verify(tmp_path / "core", samples)["accuracy_rtl"] == metrics["accuracy_quantized"]


@pytest.mark.drawn
@pytest.mark.parametrize("rule", [SurrogateGradient(), *later(Eprop())], ids=["surrogate", "eprop"])
def test_a_regression_learns_and_the_integer_model_has_the_error_reported(tmp_path: Path, rule: Rule) -> None:
    """The potentials of the golden model in every step, in units of the last layer's scale, against the traces."""
    patterns = Patterns(patterns=2, steps=80, channels=20, rate=0.2)
    layers = LayerConfig(24, (0,), reset="late_subtract", dense_recurrent=True), LayerConfig(1, (1,), weight_bits=8)
    train = TrainConfig(rule=rule, loss=SquaredError(), epochs_float=30, epochs_quantized=10, batch=1, rate_float=0.02)
    lines: list[str] = []
    settings = Config("regression", patterns, NetworkConfig(layers, readout="membrane_last", threshold=0.5), train)
    run.train(settings, tmp_path, lines.append)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    losses = [epoch["loss_validation"] for epoch in metrics["history"]]
    assert min(losses[:30]) < 0.5 * losses[0]
    assert metrics["best_epoch"]["quantized"] == 1 + min(range(10), key=losses[30:].__getitem__)
    assert metrics["history"][0]["accuracy_train"] is None
    assert "validation: error" in lines[0]
    assert f"test error: {metrics['error_float']:.4f} float" in lines[-2]
    assert (tmp_path / "traces.png").exists()
    assert "error" in (tmp_path / "summary.html").read_text()
    content = export.read_checkpoint(tmp_path / "ckpt.pt")
    _, quantized = checkpoint.restore(content, tmp_path / "ckpt.pt")
    unit = quantized.layers[-1].numbers(quantized=True).unit.item()
    model, samples = export.from_checkpoint(tmp_path / "ckpt.pt"), patterns.load()["test"]
    ((chosen, trace),) = golden.run_set(model, samples)
    assert int(trace.spikes[1].sum()) > 50
    wanted = patterns.traces()[samples.label[chosen]].transpose(1, 0, 2)
    error = np.square(trace.scores_by_step * unit - wanted).mean()
    assert error == pytest.approx(metrics["error_quantized"], rel=1e-5)
    write(make_build(model, packets="step"), tmp_path / "core")
    assert verify(tmp_path / "core", for_hardware(patterns, samples))["equal"]


def test_a_restored_checkpoint_gives_the_integers_it_carries(finished: Path) -> None:
    path = finished / "ckpt.pt"
    _, quantized = checkpoint.restore(export.read_checkpoint(path), path)
    assert store.digest(checkpoint.integers(quantized)) == store.digest(export.from_checkpoint(path))


def test_a_finished_run_is_left_alone(finished: Path) -> None:
    files = [path for path in finished.rglob("*") if path.is_file()]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    lines: list[str] = []
    run.train(dropping(), finished, lines.append)
    assert "finished" in lines[0]
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files} == before
    assert sorted(path for path in finished.rglob("*") if path.is_file()) == sorted(files)


def test_a_folder_of_another_configuration_is_refused(finished: Path, tmp_path: Path) -> None:
    other = replace(dropping(), name="other")
    with pytest.raises(ConfigError, match="another configuration"):
        run.train(other, finished, quiet)
    with pytest.raises(Interrupted):
        run.train(dropping(), tmp_path, interrupt_after(1))
    with pytest.raises(ConfigError, match="another configuration"):
        run.train(other, tmp_path, quiet)


def test_the_key_that_differs_is_named(finished: Path) -> None:
    other = replace(dropping(), train=replace(dropping().train, batch=9))
    with pytest.raises(ConfigError, match=r"another configuration, train\.batch differs; give another --out"):
        run.train(other, finished, quiet)
    layers = (replace(dropping().network.layers[0], neurons=11), *dropping().network.layers[1:])
    other = replace(dropping(), network=replace(dropping().network, layers=layers))
    with pytest.raises(ConfigError, match=r"network\.layers\[1\]\.neurons differs"):
        run.train(other, finished, quiet)


def test_the_place_of_the_data_is_no_part_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same file by another spelling, and a run whose folder was moved, are the same configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    toml = TOML.replace('{name = "toy"}', '{name = "mnist", path = "../images"}').replace("neurons = 3", "neurons = 10")
    (tmp_path / "here" / "c.toml").write_text(toml)
    first, second = configuration.read(Path("here/c.toml")), configuration.read(Path("here/../here/c.toml"))
    assert first.data.path == second.data.path == str(tmp_path / "images")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "c.toml").write_text(toml.replace("../images", "elsewhere/images"))
    moved = configuration.read(Path("there/c.toml"))
    assert moved.data.path == str(tmp_path / "there" / "elsewhere" / "images")
    assert configuration.difference(first, moved) is None
    assert configuration.portable_table(first) == configuration.portable_table(moved)
    (tmp_path / "there" / "c.toml").write_text(toml.replace("images", "others"))
    assert configuration.difference(first, configuration.read(Path("there/c.toml"))) == "data.path"


@pytest.mark.parametrize("name", ["metrics.json", "curves.png"])
def test_files_of_unknown_origin_are_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match="give another --out"):
        run.train(config(), tmp_path, quiet)
    assert (tmp_path / name).read_text() == "mine"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(ScsrError, match="is a file"):
        run.train(config(), tmp_path / "run", quiet)


@pytest.mark.parametrize("damage", ["truncated", "foreign", "incomplete", "empty best", "no optimizer"])
def test_progress_that_cannot_be_used_is_refused(finished: Path, tmp_path: Path, damage: str) -> None:
    good = content(finished / "last.pt")
    path = tmp_path / "last.pt"
    if damage == "truncated":
        path.write_bytes((finished / "last.pt").read_bytes()[:-500])
    elif damage == "foreign":
        torch.save([1, 2, 3], path)
    elif damage == "empty best":
        torch.save({**good, "best": {}}, path)
    elif damage == "no optimizer":
        torch.save({**good, "optimizer": None}, path)
    else:
        torch.save({key: value for key, value in good.items() if key != "optimizer"}, path)
    before = path.read_bytes()
    with pytest.raises(ModelError, match=r"last\.pt"):
        run.train(dropping(), tmp_path, quiet)
    assert [one.name for one in tmp_path.iterdir()] == ["last.pt"]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("way", "where"),
    [
        ("forward", "layer 1 has a potential that is not finite from time step 0 on"),
        ("back", "the gradient of layer 1's weight is not finite"),
    ],
)
def test_numbers_that_are_not_finite_stop_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, where: str
) -> None:
    settings = config(network=NetworkConfig((LayerConfig(3, (0,)),), readout="membrane_sum"))
    fresh = loop.start

    def broken(chosen: Config, **options: Any) -> loop.Progress:
        progress = fresh(chosen, **options)
        weight = progress.network.layers[0].weight
        if way == "forward":
            weight.data.fill_(float("inf"))
        else:
            weight.register_hook(lambda gradient: gradient / 0)
        return progress

    monkeypatch.setattr(loop, "start", broken)
    with pytest.raises(DivergenceError, match=f"float phase, epoch 1, update 1: {where}; lower train.rate_float"):
        run.train(settings, tmp_path, quiet)
    assert not list(tmp_path.iterdir())


def test_a_price_that_is_not_finite_is_named() -> None:
    train = TrainConfig(epochs_float=1, growth=GrowthConfig(1e-3))
    progress = loop.start(replace(config(train=train), network=replace(config().network, weight_gain=9.0)))
    with pytest.raises(DivergenceError, match=r"the price of large weights is not finite; raise train\.growth\.limit"):
        loop.train(progress, Toy().load(), lambda batches, _: batches, lambda _: None)


@pytest.mark.parametrize("training", [1, 12])
def test_large_samples_are_evaluated_few_at_once(training: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(replace(config(), train=TrainConfig(batch=training)))
    samples, sizes = Toy().load()["test"], list[int]()
    whole = evaluation.evaluate(network, samples, quantized=True)
    monkeypatch.setattr(evaluation, "_CELLS", 5 * int(samples.steps.max()) * samples.channels)

    def watched(given: SpikeSet, size: int) -> Iterator[Batch]:
        sizes.append(size)
        return in_order(given, size)

    monkeypatch.setattr(evaluation, "in_order", watched)
    parts = evaluation.evaluate(network, samples, quantized=True)
    assert sizes == [max(5, training)]
    assert whole.predictions.tolist() == parts.predictions.tolist()
    assert [one.rate for one in whole.layers] == [one.rate for one in parts.layers]
    assert whole.layers[0].rate > 0


def test_a_gradient_whose_square_is_beyond_float32_is_clipped_like_any_other() -> None:
    network = loop.start(config()).network
    for scale in (2.0, 1e25):
        for one in network.parameters():
            one.grad = torch.full_like(one, scale)
        count = sum(one.numel() for one in network.parameters())
        assert loop.clip_gradient(network, 1.0).item() == pytest.approx(scale * count**0.5)
        for one in network.parameters():
            assert one.grad is not None
            torch.testing.assert_close(one.grad, torch.full_like(one, count**-0.5))


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


REGRESSION = """
name = "regression"
data = { name = "patterns", steps = 30 }
train = { loss = "squared_error", optimizer = "sgd", epochs_float = 2, epochs_quantized = 1, rate_float = 0.001 }
[network]
readout = "membrane_last"
layers = [{ neurons = 1, sources = [0] }]
"""


def test_the_commands_of_a_regression(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text(REGRESSION)
    toml, out = str(tmp_path / "c.toml"), tmp_path / "run"
    assert command_line.main(["inspect", "--config", toml]) == 0
    assert "samples per pattern" in capsys.readouterr().out
    assert command_line.main(["train", "--config", toml, "--out", str(out)]) == 0
    capsys.readouterr()
    assert command_line.main(["evaluate", "--model", str(out / "ckpt.pt"), "--split", "test"]) == 0
    found, metrics = json.loads(capsys.readouterr().out), json.loads((out / "metrics.json").read_text())
    assert found["error_quantized"] == metrics["error_quantized"] > 0
    assert metrics["rates"] == [None]
    spikes = ["spikes", "--config", toml, "--split", "test", "--out", str(out / "test.npz")]
    assert command_line.main(spikes) == 0
    assert spike_files.read(out / "test.npz").label.tolist() == [-1, -1, -1]
    assert isinstance(loop.start(configuration.read(tmp_path / "c.toml")).optimizer, torch.optim.SGD)


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "toy.toml").write_text(TOML)
    toml, out = str(tmp_path / "toy.toml"), tmp_path / "run"
    assert command_line.main(["train", "--config", toml, "--out", str(out)]) == 0
    (tmp_path / "tune.toml").write_text('data = {name = "toy"}\nnetwork = {layers = [{weight_bits = 4}]}\n')
    spikes = ["spikes", "--config", str(tmp_path / "tune.toml"), "--split", "test", "--out", str(out / "test.npz")]
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


def test_without_a_phase_of_real_numbers_nothing_is_said_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "toy.toml").write_text(TOML.replace("epochs_float = 2", "epochs_float = 0"))
    toml, out = str(tmp_path / "toy.toml"), tmp_path / "run"
    assert command_line.main(["train", "--config", toml, "--out", str(out)]) == 0
    metrics = json.loads((out / "metrics.json").read_text())
    assert {key for key in metrics if key.startswith("accuracy")} == {"accuracy_quantized"}
    assert metrics["validation"].keys() == {"accuracy_quantized"}
    assert f"test accuracy: {metrics['accuracy_quantized']:.4f} quantized" in capsys.readouterr().out
    page = (out / "summary.html").read_text()
    assert f"<td>test accuracy</td><td></td><td>{metrics['accuracy_quantized']:.2%}</td>" in page
    assert command_line.main(["evaluate", "--model", str(out / "ckpt.pt"), "--split", "test"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"split", "samples", "accuracy_quantized"}
    assert found["accuracy_quantized"] == metrics["accuracy_quantized"]


@pytest.mark.parametrize("before", [[], ["--debug"]])
def test_an_interrupt_says_how_to_go_on(
    before: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        (tmp_path / "a run").mkdir(exist_ok=True)
        (tmp_path / "a run" / "last.pt").write_bytes(b"progress")
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "train", interrupted)
    (tmp_path / "toy.toml").write_text(TOML)
    words = ["train", "--config", str(tmp_path / "toy.toml"), "--out", str(tmp_path / "a run")]
    assert command_line.main([*before, *words]) == 130
    again = shlex.join(["python", "-m", "trainer", *words])
    assert capsys.readouterr().err == f"to go on:        {again}\nto end it there: {again} --finish\ninterrupted\n"


def test_a_folder_is_no_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["train", "--config", str(tmp_path), "--out", str(tmp_path / "run")]) == 2
    assert "is a folder; name the configuration in it (.toml)" in capsys.readouterr().err


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("none"), RuntimeError("can't allocate memory")])
def test_a_lack_of_memory_is_one_line(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def large(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(run, "train", large)
    (tmp_path / "toy.toml").write_text(TOML)
    assert command_line.main(["train", "--config", str(tmp_path / "toy.toml"), "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert said == f"error: not enough memory for a batch ({error}); lower train.batch, {said.partition('batch, ')[2]}"
    assert said.count("\n") == 1
