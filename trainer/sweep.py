"""Searching a space of configurations with Optuna: one study, which any number of machines may join by its URL.

The space is a TOML file: for each setting, by its path in the configuration, the values to try.

    "train.rate_float" = { low = 1e-4, high = 1e-2, log = true }
    "network.layers.1.neurons" = { low = 64, high = 512, step = 64 }
    "train.surrogate.kind" = { choices = ["arctan", "triangle"] }

Layers are counted from 1. What counts is the accuracy of the quantized network on validation, or the error of a
regression; the test part is never looked at.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import optuna
import tomli_w
from optuna.trial import TrialState

from quant.errors import ConfigError, DataError, DivergenceError
from quant.files import write_atomic
from quant.spikes import SpikeSet, Split
from trainer import config as configuration
from trainer import loop, pictures
from trainer.config import Config
from trainer.data.source import Traced
from trainer.loop import Epoch
from trainer.schema import read_toml

Space = Mapping[str, Mapping[str, Any]]

COMPLETE = TrialState.COMPLETE
BEST, TRIALS, PICTURE = "best.toml", "trials.json", "sweep.png"
MAX_GRID = 10_000
_LARGEST = 2**53  # of a number to try, and of steps: what floating point has exactly
_QUESTION = "digest of configuration and space"
_KEYS = {"low", "high", "step", "log", "choices"}


def read_space(path: Path) -> Space:
    """Read and check the settings to try.

    Raises:
        ConfigError: naming file and setting.
    """
    space = read_toml(path)
    if not space:
        raise ConfigError(f'{path}: no setting to try; for example "train.batch" = {{ choices = [32, 64] }}')
    for setting, values in space.items():
        _check(f"{path}: {setting}", values)
    return space


def run(
    config: Config,
    space: Space,
    out: Path,
    *,
    trials: int,
    storage: str,
    report: Callable[[str], None],
    grid: bool = False,
) -> None:
    """Make `trials` more trials of the study, then write what all of its trials have found so far to `out`.

    Args:
        storage: the URL of the database that holds the study, called by the configuration's name.
        grid: visit every combination of the space once, as far as `trials` reach, instead of searching.

    Raises:
        ConfigError: if the space does not fit the configuration, or the storage cannot be used.
    """
    if config.train.tasks:
        raise ConfigError("train.tasks: a sweep looks at one accuracy, that of data; take them out here")
    table = configuration.to_table(config)
    for setting in space:
        _place(table, setting)
    choices = {setting: _values(setting, one) for setting, one in space.items()} if grid else {}
    combinations = math.prod(map(len, choices.values()))
    _check_grid(combinations)
    study = _study(config, storage, {"configuration": configuration.portable_table(config), "space": space})
    taken = [out / name for name in (BEST, TRIALS, PICTURE) if (out / name).exists()]
    if taken and not study.trials:
        raise ConfigError(f"{taken[0]} exists, and the study has no trial yet that it could be of; give another --out")
    if grid:
        sampler = optuna.samplers.GridSampler(choices, seed=config.train.seed)
        study.sampler, study.pruner = sampler, optuna.pruners.NopPruner()
        trials = 0 if sampler.is_exhausted(study) else trials
    data, quality = config.data.load(), _quality(config)

    def objective(trial: optuna.Trial) -> float:
        try:
            chosen = configuration.from_table(
                _with_values(table, {key: _suggest(trial, key, space[key]) for key in space})
            )
            return _value(chosen, config, data, trial)
        except (ConfigError, DataError, DivergenceError) as error:
            # a corner of the space that cannot be: no answer, no end
            report(f"trial {trial.number}: {error}")
            raise optuna.TrialPruned from None

    def after_trial(_: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        value = f"{quality} {trial.value:.4f}" if trial.state == COMPLETE else "pruned"
        report(f"trial {trial.number}: {value} {json.dumps(trial.params)}")

    try:
        study.optimize(objective, n_trials=trials, callbacks=[after_trial])
    finally:  # what was found before an interruption counts
        if grid:
            finished = [trial for trial in study.trials if trial.state.is_finished()]
            visited = len({json.dumps(trial.params, sort_keys=True) for trial in finished})
            report(f"{visited} of the {combinations:,} combinations visited")
        _write(study, table, space, out, quality, report)


def _quality(config: Config) -> str:
    return "error" if isinstance(config.data, Traced) else "accuracy"


def _study(config: Config, storage: str, question: Mapping[str, Any]) -> optuna.Study:
    """The study of this name, a new one or one that asks the very same."""
    direction: Literal["minimize", "maximize"] = "minimize" if _quality(config) == "error" else "maximize"
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    asked = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
    try:
        study = optuna.create_study(study_name=config.name, storage=storage, direction=direction, load_if_exists=True)
        before = study.user_attrs.get(_QUESTION, asked)
        study.set_user_attr(_QUESTION, before)
    except Exception as error:  # each database's driver has errors of its own
        raise ConfigError(f"--storage {storage}: cannot be used ({error}); sqlite:///study.db is a file") from None
    if before != asked:
        raise ConfigError(
            f"--storage {storage}: its study {config.name!r} started from another configuration or space; "
            "rename the configuration, or give another storage"
        )
    return study


def _value(config: Config, base: Config, data: Mapping[Split, SpikeSet], trial: optuna.Trial) -> float:
    """Train; the accuracy or error on validation of the best quantized epoch. Hopeless trials end early."""
    progress = loop.start(config)

    def after_epoch(epoch: Epoch) -> None:
        trial.report(epoch.validation.value, len(progress.history))
        if trial.should_prune():
            raise optuna.TrialPruned

    loop.train(progress, data if config.data == base.data else config.data.load(), lambda one, _: one, after_epoch)
    return progress.best_epoch("quantized").validation.value


def _write(
    study: optuna.Study,
    table: Mapping[str, Any],
    space: Space,
    out: Path,
    quality: str,
    report: Callable[[str], None],
) -> None:
    complete = [trial for trial in study.trials if trial.state == COMPLETE]  # Optuna gives pruned ones a value, too
    if not complete:
        report("no trial has finished yet")
        return
    best = _with_values(table, study.best_params)
    rows = [
        {"trial": trial.number, "state": trial.state.name.lower(), f"{quality}_validation": trial.value, **trial.params}
        for trial in study.trials
    ]
    write_atomic(out / BEST, tomli_w.dumps(best).encode())
    write_atomic(out / TRIALS, (json.dumps(rows, indent=2) + "\n").encode())
    points = {setting: [trial.params[setting] for trial in complete] for setting in space}
    write_atomic(out / PICTURE, pictures.sweep(points, [trial.value or 0.0 for trial in complete], quality))
    found = f"{quality} {study.best_value:.4f} on validation"
    report(f"best of {len(complete)} trials: {found}; {out / BEST} is its configuration")


def _suggest(trial: optuna.Trial, setting: str, values: Mapping[str, Any]) -> Any:
    match values:
        case {"choices": choices}:
            return trial.suggest_categorical(setting, choices)
        case {"low": int(low), "high": int(high)}:
            return trial.suggest_int(setting, low, high, step=values.get("step", 1), log=values.get("log", False))
        case _:
            bounds = float(values["low"]), float(values["high"])
            return trial.suggest_float(setting, *bounds, step=values.get("step"), log=values.get("log", False))


def _values(setting: str, values: Mapping[str, Any]) -> Sequence[Any]:
    """All values of a setting, for the grid."""
    if "choices" in values:
        return list(values["choices"])
    low, high = values["low"], values["high"]
    whole = type(low) is type(high) is int and not values.get("log")
    step = values.get("step", 1 if whole else None)
    if step is None:
        raise ConfigError(f"{setting} has no step; for --sampler grid give one, or choices")
    last = int((high - low) / step + 1e-9)
    _check_grid(last + 1)
    return [low + number * step for number in range(last + 1)]


def _check_grid(combinations: int) -> None:
    if combinations > MAX_GRID:
        raise ConfigError(
            f"the grid has {combinations:,} combinations or more; the limit is {MAX_GRID:,}: give larger steps"
        )


def _check(where: str, values: object) -> None:
    """Refuse what cannot be tried."""
    if not isinstance(values, Mapping) or not values.keys() <= _KEYS:
        raise ConfigError(f"{where} must be a table with low and high (and step or log), or with choices")
    if "choices" in values:
        choices = values["choices"]
        plain = isinstance(choices, list) and all(type(choice) in (bool, int, float, str) for choice in choices)
        if not plain or not choices or len(values) > 1:
            raise ConfigError(f"{where}.choices must be a list of numbers, texts or booleans, and stand alone")
        return
    numbers = [values.get("low"), values.get("high"), values.get("step", 1)]
    sound = all(type(number) in (int, float) and abs(number) <= _LARGEST for number in numbers)
    if not sound or type(values.get("log", False)) is not bool:
        raise ConfigError(f"{where}: low, high and step must be numbers up to {_LARGEST:,}, log true or false")
    if type(numbers[0]) is type(numbers[1]) is int and type(numbers[2]) is not int:
        raise ConfigError(f"{where}: step is {numbers[2]}; between whole numbers it must be one")
    low, high, step = (float(number) for number in numbers if number is not None)
    if not low < high or step <= 0 or (values.get("log") and ("step" in values or low <= 0)):
        raise ConfigError(f"{where}: low must be less than high and step positive; with log, low positive and no step")
    if (high - low) / step > _LARGEST:
        raise ConfigError(f"{where}: step {step:g} is too small from {low:g} to {high:g}; give a larger one")


def _place(table: Any, setting: str) -> tuple[Any, str | int]:
    """The table or list that holds a setting, and its key in it."""
    *parents, last = (int(part) - 1 if part.isdecimal() else part for part in setting.split("."))
    try:
        if -1 in (*parents, last):
            raise KeyError
        for part in parents:
            table = table[part]
        if type(table) not in (dict, list) or isinstance(table[last], dict | list):
            raise KeyError
    except (KeyError, IndexError, TypeError):
        raise ConfigError(f"{setting} is no setting of the configuration; layers are counted from 1") from None
    return table, last


def _with_values(table: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(table))
    for setting, value in values.items():
        holder, key = _place(changed, setting)
        holder[key] = value
    return changed
