"""What the subcommands of `python -m trainer` do."""

from __future__ import annotations

import argparse
import functools
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from quant import export
from quant.errors import ConfigError, DataError, ToolError, printable, reason
from quant.files import check_new, write_new
from quant.foreign.options import understand
from quant.spikes import to_bytes
from trainer import checkpoint, config, distributed, inspection, results, run, tasks, tuning
from trainer.config import Config
from trainer.data.source import for_hardware

# The tensors of a step are small: a second thread costs more than it brings, and one thread repeats exactly.
torch.set_num_threads(1)


def train(arguments: argparse.Namespace) -> int:
    chosen = config.read(arguments.config)
    return _run(arguments, tasks.train if chosen.train.tasks else run.train, chosen)


def tune(arguments: argparse.Namespace) -> int:
    understood = understand(arguments)
    for note in understood.notes:
        print(printable(f"{arguments.model}: {note}"))
    chosen, first = tuning.read(understood.built(), arguments.config)
    return _run(arguments, functools.partial(run.train, first=first), chosen)


def _run(arguments: argparse.Namespace, learn: Callable[..., None], chosen: Config) -> int:
    distributed.use_threads(arguments.threads)
    try:
        with _memory_named():
            learn(chosen, arguments.out, device=distributed.device_of(arguments.device), finish=arguments.finish)
    except KeyboardInterrupt:
        if next(arguments.out.rglob(run.LAST), None):
            again = shlex.join([*arguments.prog.split(), *arguments.given])
            print(f"to go on:        {again}\nto end it there: {again} --finish", file=sys.stderr)
        raise
    return 0


@contextmanager
def _memory_named() -> Iterator[None]:
    """Says in one line that PyTorch got no memory, which it raises as errors of its own."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        remedy = "lower train.batch, or cut or pool steps and channels in data.bins"
        raise DataError(f"not enough memory for a batch ({reason(error)}); {remedy}") from None


def sweep(arguments: argparse.Namespace) -> int:
    try:
        from trainer import sweep as search
    except ModuleNotFoundError as error:
        raise ToolError(f"{error.name} is not installed; run `pip install optuna tomli-w`") from None
    if not 1 <= arguments.trials <= 1_000_000:
        raise ConfigError(f"--trials is {arguments.trials}; allowed is 1..1000000")
    space = search.read_space(arguments.space)
    chosen = config.read(arguments.config)
    storage = arguments.storage
    if storage is None:
        if "?" in str(arguments.out):
            raise ConfigError(f"--out {arguments.out}: the database cannot lie in a folder with a ? in its name")
        arguments.out.mkdir(parents=True, exist_ok=True)
        storage = f"sqlite:///{arguments.out / 'study.db'}"
    grid = arguments.sampler == "grid"
    with _memory_named():
        search.run(chosen, space, arguments.out, trials=arguments.trials, storage=storage, report=print, grid=grid)
    return 0


def spikes(arguments: argparse.Namespace) -> int:
    data = config.read_data(arguments.config)
    samples = for_hardware(data, data.load()[arguments.split])
    write_new(arguments.out, to_bytes(samples), force=arguments.force)
    print(f"{arguments.out}: {len(samples)} samples, {samples.steps.sum()} steps, {len(samples.step)} events")
    return 0


def evaluate(arguments: argparse.Namespace) -> int:
    content = export.read_checkpoint(arguments.model)
    networks = checkpoint.restore(content, arguments.model)
    samples = networks[0].config.data.load()[arguments.split]
    with _memory_named():
        found = results.find(*networks, samples)
    result = {"split": arguments.split, "samples": len(samples), **found.qualities}
    text = json.dumps(result, indent=2) + "\n"
    if arguments.out:
        write_new(arguments.out, text.encode(), force=arguments.force)
    print(text, end="")
    return 0


def inspect(arguments: argparse.Namespace) -> int:
    chosen = config.read(arguments.config)
    if arguments.out is not None:
        check_new(arguments.out, force=arguments.force)
    found = inspection.inspect(chosen)
    print(found.text(), end="")
    if arguments.out is not None:
        write_new(arguments.out, found.page(f"{chosen.name}: the data").encode(), force=arguments.force)
        print(f"{arguments.out}: the same as a page, with a raster")
    return 0
