"""Continual learning: one network learns several tasks, one after another, and is asked about all of them.

Every task is a training run of its own in a folder of its own, from the network that the task before has left. The
network is not told which task a sample belongs to: all tasks share its outputs, leaks and thresholds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import distributed

from quant import export
from quant.errors import ConfigError
from quant.files import write_atomic
from trainer import checkpoint, pictures, run
from trainer.checkpoint import State
from trainer.config import Config, portable_table
from trainer.evaluation import evaluate

RESULTS, PICTURE, SEQUENCE = "tasks.json", "tasks.png", "sequence.json"


def train(
    config: Config,
    out: Path,
    report: Callable[[str], None] = print,
    device: torch.device = run.CPU,
    *,
    finish: bool = False,
) -> None:
    """Train the tasks of `config` in the folders `out/task-1`, `out/task-2`, ...; an interrupted sequence goes on.

    At the end, `tasks.json` and `tasks.png` show the accuracy on every task: of the validation parts after every epoch,
    of the test parts after every task.

    Raises:
        ConfigError, DataError, DivergenceError: as `trainer.run.train`.
    """
    if distributed.is_torchelastic_launched():
        raise ConfigError("train.tasks: several tasks are learned by one process; start it without torchrun")
    for path in (out / RESULTS, out / PICTURE):
        if path.exists() and not (out / "task-1").exists():
            raise ConfigError(f"{path} exists, but no task-1 that it could be of; give another --out")
    _begin(config, out / SEQUENCE)
    sources = config.data, *config.train.tasks
    data = [source.load() for source in sources]
    validation: list[list[tuple[float, ...]]] = []
    test: list[list[float]] = []
    state: State | None = None
    for number, source in enumerate(sources, start=1):
        one, folder = replace(config, data=source, train=replace(config.train, tasks=())), out / f"task-{number}"
        if finish and state is not None and not (folder / run.LAST).exists():
            break
        report(f"task {number} of {len(sources)}: {folder}")
        parts = [parts["validation"] for parts in data]
        run.train(one, folder, report, device, finish=finish, first=state, tasks=parts)
        progress, path = run.restored(folder), folder / run.PRODUCT
        state = progress.best_state("quantized")  # in the product, states may have become narrower
        network = checkpoint.restore(export.read_checkpoint(path), path)[1]
        validation.append([epoch.accuracy_tasks for epoch in progress.history])
        test.append([evaluate(network, parts["test"], quantized=True).quality.value for parts in data])
        report("test accuracy on each task: " + ", ".join(f"{accuracy:.4f}" for accuracy in test[-1]))
    found = {"task_known_at_test": False, "validation_after_epoch": validation, "test_after_task": test}
    write_atomic(out / RESULTS, (json.dumps(found, indent=2) + "\n").encode())
    write_atomic(out / PICTURE, pictures.tasks(config.name, validation, test))
    report(f"{out / PICTURE} shows what was learned and forgotten; the task was not known at test")


def _begin(config: Config, path: Path) -> None:
    """Keep what the tasks are: networks have been asked about all of them, so a sequence goes on with the same ones."""
    table = portable_table(config)
    asked = (json.dumps([table["data"], *table["train"]["tasks"]], indent=2) + "\n").encode()
    if path.exists() and path.read_bytes() != asked:
        raise ConfigError(f"{path}: the sequence began with other tasks; give another --out")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, asked)
