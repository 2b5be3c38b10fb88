"""bench.accuracy: the runs of every experiment; what is recorded of them, and when."""

from __future__ import annotations

import json
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import accuracy
from bench.experiments import SPEAKERS
from trainer import config as configuration


def test_runs_are_recorded_one_by_one_and_not_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those with other settings stay until all are there that replace them."""
    path, seen = tmp_path / "mfcc.json", list[int]()

    def perform(run: accuracy.Run, threads: int) -> dict[str, Any]:
        seen.append(len(json.loads(path.read_text())["runs"]) if path.exists() else 0)
        if run.seed == failing:
            raise OSError("the machine went away")
        return {"variant": run.variant, "fold": run.fold, "seed": run.seed, "settings": run.settings}

    monkeypatch.setattr(accuracy, "RESULTS", tmp_path)
    monkeypatch.setattr(accuracy, "ProcessPoolExecutor", ThreadPoolExecutor)
    monkeypatch.setattr(accuracy, "perform", perform)
    failing = 3
    with pytest.raises(OSError, match="went away"):
        accuracy.work("mfcc", {}, 1)
    assert [one["seed"] for one in json.loads(path.read_text())["runs"]] == [1, 2]
    failing = 0
    accuracy.work("mfcc", {}, 1)
    assert len(seen) == 4  # seed 3 again, and no other
    whole = json.loads(path.read_text())
    assert [one["seed"] for one in whole["runs"]] == [1, 2, 3]

    whole["runs"] = [{**one, "settings": "other"} for one in whole["runs"]]
    path.write_text(json.dumps(whole))
    failing = 3
    with pytest.raises(OSError, match="went away"):
        accuracy.work("mfcc", {}, 1)
    assert json.loads(path.read_text()) == whole


def test_what_is_recorded_follows_the_variants_of_today(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variant that has another name now is not trained again, and one that is no more is forgotten."""
    path = tmp_path / "mfcc.json"
    found = [
        {"variant": "old", "fold": one.fold, "seed": one.seed, "settings": one.settings}
        for one in accuracy.runs("mfcc", {})
    ]
    path.write_text(json.dumps({"runs": [*found, {**found[0], "settings": "no more"}]}))
    monkeypatch.setattr(accuracy, "RESULTS", tmp_path)
    accuracy.work("mfcc", {}, 1)
    assert json.loads(path.read_text())["runs"] == [{**one, "variant": ""} for one in found]


def test_a_seed_counts_when_it_has_all_folds() -> None:
    found = [{"seed": seed, "fold": fold, "a": seed} for seed in (1, 3) for fold in SPEAKERS]
    assert accuracy.by_seed([*found, {"seed": 2, "fold": SPEAKERS[0], "a": 2}], "a") == [1, 3]
    assert accuracy.by_seed(found[:1], "a") == []
    assert accuracy.by_seed([{"seed": 1, "fold": "official", "a": 5}], "a") == [5]
    assert [accuracy.spread(values) for values in ([], [2.0], [1.0, 3.0])] == ["", "2.0", "2.0 ± 1.4"]


def test_a_run_goes_on_in_its_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wherever its data lie now; a finished one is not repeated, whatever its variant is called now."""
    monkeypatch.chdir(Path(__file__).parents[2])
    monkeypatch.setattr(accuracy, "ROOT", tmp_path)
    monkeypatch.setattr(accuracy, "commit", lambda: "a commit")
    monkeypatch.setattr(accuracy, "_verified", lambda *_: {"accuracy_rtl": 0.5})
    trained = list[str]()
    monkeypatch.setattr(accuracy, "_call", lambda log, *words: trained.append(words[3].read_text()))
    first, moved = (accuracy.runs("lee", {"mnist": Path(place)})[0] for place in ("here", "there"))
    assert first.folder == moved.folder
    begun = first.folder / "run" / "last.pt"
    begun.parent.mkdir(parents=True)
    begun.touch()
    (first.folder / "commit.txt").write_text("where it began")
    found = accuracy.perform(moved, threads=1)
    assert begun.exists()
    assert found["commit"] == "where it began"
    assert [configuration.from_table(tomllib.loads(text)) for text in trained] == [
        configuration.from_table(moved.table)
    ]
    assert accuracy.perform(replace(first, variant="renamed"), threads=1) == {**found, "variant": "renamed"}
    assert len(trained) == 1


PLACES = dict.fromkeys(accuracy.DATA, Path("somewhere"))


@pytest.mark.parametrize("name", accuracy.EXPERIMENTS)
def test_every_run_of_an_experiment_can_be_configured_and_is_another(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    found = accuracy.runs(name, PLACES)
    for run in found:
        configuration.from_table(run.table)
    assert len({run.settings for run in found}) == len({run.folder for run in found}) == len(found)
