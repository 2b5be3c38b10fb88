"""Searching settings: a study that others may join, and spaces that are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from toys import Toy, config

from quant.errors import ConfigError, DataError
from trainer import config as configuration
from trainer import data, sweep
from trainer.__main__ import main
from trainer.config import TrainConfig

optuna = pytest.importorskip("optuna", reason="optuna is not installed (`pip install -e '.[sweep]'`)")

SPACE = {
    "train.rate_float": {"low": 1e-3, "high": 1e-1, "log": True},
    "network.layers.1.neurons": {"low": 4, "high": 12, "step": 4},
    "train.surrogate.kind": {"choices": ["arctan", "triangle"]},
}


@pytest.fixture(autouse=True)
def toy_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(data.SOURCES, "toy", Toy)


def run(folder: Path, trials: int, said: list[str]) -> None:
    sweep.run(config(), SPACE, folder, trials=trials, storage=f"sqlite:///{folder / 'study.db'}", report=said.append)


@pytest.mark.drawn
def test_a_study_goes_on_where_others_left_it(tmp_path: Path) -> None:
    said: list[str] = []
    run(tmp_path, 2, said)
    run(tmp_path, 2, said)
    rows = json.loads((tmp_path / sweep.TRIALS).read_text())
    assert [row["trial"] for row in rows] == [0, 1, 2, 3]
    assert all(row["network.layers.1.neurons"] in (4, 8, 12) for row in rows)
    done = [row["accuracy_validation"] for row in rows if row["state"] == "complete"]
    assert done
    best = configuration.read(tmp_path / sweep.BEST)
    winner = max((row for row in rows if row["state"] == "complete"), key=lambda row: row["accuracy_validation"])
    assert winner["accuracy_validation"] == max(done) > 0
    assert best.train.rate_float in {row["train.rate_float"] for row in rows}
    assert best.name == "toy"
    assert (tmp_path / sweep.PICTURE).read_bytes().startswith(b"\x89PNG")
    assert sum(line.startswith("trial ") for line in said) == 4
    assert said[-1].startswith(f"best of {len(done)} trials")


def test_a_grid_visits_every_choice_once(tmp_path: Path) -> None:
    space = {"train.batch": {"choices": [8, 16]}, "network.layers.1.neurons": {"low": 4, "high": 8, "step": 4}}
    storage, said = f"sqlite:///{tmp_path / 'study.db'}", []
    for trials in (3, 9, 9):
        sweep.run(config(), space, tmp_path, trials=trials, storage=storage, report=said.append, grid=True)
    assert [line for line in said if "visited" in line] == [
        f"{count} of the 4 combinations visited" for count in (3, 4, 4)
    ]
    rows = json.loads((tmp_path / sweep.TRIALS).read_text())
    seen = sorted((row["train.batch"], row["network.layers.1.neurons"]) for row in rows)
    assert seen == [(8, 4), (8, 8), (16, 4), (16, 8)]
    assert all(row["accuracy_validation"] > 0 for row in rows)
    endless = {"train.rate_float": {"low": 1e-3, "high": 1e-1}}
    with pytest.raises(ConfigError, match="for --sampler grid give one, or choices"):
        sweep.run(config(), endless, tmp_path, trials=1, storage="sqlite://", report=lambda _: None, grid=True)
    large = {"train.batch": {"low": 1, "high": 60_000}, "network.layers.1.neurons": {"low": 1, "high": 100_000}}
    with pytest.raises(ConfigError, match="60,000 combinations or more; the limit is 10,000"):
        sweep.run(config(), large, tmp_path, trials=1, storage="sqlite://", report=lambda _: None, grid=True)
    together = {key: {"choices": list(range(1, 301))} for key in ("train.batch", "network.layers.1.neurons")}
    with pytest.raises(ConfigError, match="90,000 combinations or more"):
        sweep.run(config(), together, tmp_path, trials=1, storage="sqlite://", report=lambda _: None, grid=True)


def test_results_of_something_else_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / sweep.BEST).write_text("mine")
    with pytest.raises(ConfigError, match=r"best.toml exists, and the study has no trial yet"):
        sweep.run(config(), SPACE, tmp_path, trials=1, storage="sqlite://", report=print)
    assert (tmp_path / sweep.BEST).read_text() == "mine"


def test_a_corner_that_cannot_be_ends_its_trial_only(tmp_path: Path) -> None:
    space = {"network.layers.2.neurons": {"choices": [3, 4]}}
    said: list[str] = []
    sweep.run(config(), space, tmp_path, trials=12, storage="sqlite://", report=said.append)
    assert any("needs one neuron for each of the 3 classes" in line for line in said)
    assert any("accuracy" in line for line in said), said


def test_a_pruned_trial_is_no_answer_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pruned(*given: Any) -> float:
        trial = given[3]
        trial.report(0.9, 1)
        if trial.number == 0:
            raise optuna.TrialPruned
        if trial.number == 2:
            raise KeyboardInterrupt
        if trial.number == 3:
            raise DataError("no such sample")
        return 0.25

    monkeypatch.setattr(sweep, "_value", pruned)
    said: list[str] = []
    run(tmp_path, 1, said)
    assert said[0].startswith("trial 0: pruned")
    assert said[-1] == "no trial has finished yet"
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, 5, said)
    assert said[-1].startswith("best of 1 trials: accuracy 0.2500")
    run(tmp_path, 1, said)
    assert "trial 3: no such sample" in said
    states = [row["state"] for row in json.loads((tmp_path / sweep.TRIALS).read_text())]
    assert [states[0], states[1], states[3]] == ["pruned", "complete", "pruned"]


def test_the_test_part_is_never_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = Toy.load

    def without_test(self: Toy) -> dict[str, object]:
        return {split: samples for split, samples in load(self).items() if split != "test"}

    monkeypatch.setattr(Toy, "load", without_test)
    run(tmp_path, 1, [])
    assert (tmp_path / sweep.BEST).exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no setting to try"),
        ("x = ", "not TOML"),
        ("x = 3", "must be a table with low and high"),
        ("x = { low = 1, high = 2, size = 3 }", "must be a table with low and high"),
        ("x = { choices = [] }", "choices must be a list"),
        ("x = { choices = [1], low = 2 }", "stand alone"),
        ("x = { low = 2, high = 1 }", "low must be less than high"),
        ("x = { low = 0, high = 1, log = true }", "with log, low positive"),
        ('x = { low = "a", high = 1 }', "must be numbers"),
        ("x = { low = 1, high = 2, log = 1 }", "log true or false"),
        ("x = { low = 1, high = inf }", "must be numbers"),
        ("x = { low = 1.0, high = 2.0, step = nan }", "must be numbers"),
        ("x = { low = 0, high = 9223372036854775807 }", "must be numbers up to 9,007,199,254,740,992"),
        (f"x = {{ low = 0, high = 1{400 * '0'} }}", "must be numbers"),
        ("x = { low = 0.0, high = 1.0, step = 1e-320 }", "is too small from 0 to 1"),
        ("x = { low = 1, high = 2, step = 0.5 }", "it must be one"),
        ("x = { choices = [1979-05-27] }", "numbers, texts or booleans"),
    ],
)
def test_spaces_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        sweep.read_space(path)


def test_a_study_of_something_else_is_left_alone(tmp_path: Path) -> None:
    run(tmp_path, 1, [])
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    for changed in (config(train=TrainConfig(batch=4)), config()):
        space = SPACE if changed.train.batch == 4 else {"train.batch": {"choices": [4, 8]}}
        with pytest.raises(ConfigError, match="started from another configuration or space"):
            sweep.run(changed, space, tmp_path, trials=1, storage=storage, report=print)


@pytest.mark.parametrize(
    "setting", ["train.pace", "network.layers.7.neurons", "network.layers.0.neurons", "train", "", "name.1"]
)
def test_settings_that_are_none(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ConfigError, match="is no setting of the configuration"):
        sweep.run(config(), {setting: {"choices": [1]}}, tmp_path, trials=1, storage="sqlite://", report=print)
    assert not list(tmp_path.iterdir())


def test_a_storage_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--storage nonsense: cannot be used"):
        sweep.run(config(), SPACE, tmp_path, trials=1, storage="nonsense", report=print)


def test_a_folder_that_no_database_can_lie_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text(tomli_w.dumps(configuration.to_table(config())))
    (tmp_path / "s.toml").write_text('"train.batch" = { choices = [4, 8] }')
    files = ["--config", str(tmp_path / "c.toml"), "--space", str(tmp_path / "s.toml")]
    assert main(["sweep", *files, "--out", str(tmp_path / "why?")]) == 2
    assert "cannot lie in a folder with a ?" in capsys.readouterr().err
    assert not (tmp_path / "why?").exists()


def test_several_tasks_are_refused(tmp_path: Path) -> None:
    several = config(train=TrainConfig(epochs_float=0, epochs_quantized=1, tasks=(Toy(),)))
    with pytest.raises(ConfigError, match=r"train.tasks: a sweep looks at one accuracy"):
        sweep.run(several, SPACE, tmp_path, trials=1, storage="sqlite://", report=print)
