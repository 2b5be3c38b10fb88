"""`python -m trainer`: train a network, write spike files, evaluate a checkpoint."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from quant import export, spikes
from quant.command import Command
from quant.errors import ConfigError, ToolError
from quant.files import write_new
from trainer import checkpoint, config, distributed, results, run
from trainer.data.source import SPLITS


def main(argv: Sequence[str] | None = None) -> int:
    command = Command("python -m trainer", "Train skip-connected self-recurrent spiking networks for hardware.")
    train = command.add("train", _train, "train, or resume an interrupted training run")
    train.add_argument("--config", type=Path, required=True, help="the configuration (.toml)")
    train.add_argument("--out", type=Path, required=True, help="the folder of the run")
    train.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1, ...")
    train.add_argument("--threads", type=int, default=1, help="threads on the CPU (default 1)")
    write = command.add("spikes", _spikes, "write one split of a data set as a spike file")
    write.add_argument("--config", type=Path, required=True, help="the configuration (.toml)")
    write.add_argument("--split", choices=SPLITS, required=True)
    _add_out(write, "the spike file to write (.npz)", required=True)
    evaluate = command.add("evaluate", _evaluate, "accuracy of a checkpoint's float and quantized networks, as JSON")
    evaluate.add_argument("--model", type=Path, required=True, help="a finished checkpoint (ckpt.pt)")
    evaluate.add_argument("--split", choices=SPLITS, required=True)
    _add_out(evaluate, "also write the JSON to this file", required=False)
    sweep = command.add("sweep", _sweep, "search for better settings; many machines may join one search")
    sweep.add_argument("--config", type=Path, required=True, help="the configuration to start from (.toml)")
    sweep.add_argument("--space", type=Path, required=True, help="the settings to try (.toml; docs/training.md)")
    sweep.add_argument("--out", type=Path, required=True, help="the folder of the results")
    sweep.add_argument("--trials", type=int, default=20, help="trials that this process makes (default 20)")
    sweep.add_argument("--storage", help="URL of the study's database (default: a file in --out)")
    return command.run(argv)


def _add_out(parser: argparse.ArgumentParser, summary: str, *, required: bool) -> None:
    parser.add_argument("--out", type=Path, required=required, help=summary)
    parser.add_argument("--force", action="store_true", help="replace a file that holds something else")


def _train(arguments: argparse.Namespace) -> int:
    if not 1 <= arguments.threads <= 1024:
        raise ConfigError(f"--threads is {arguments.threads}; allowed is 1..1024")
    torch.set_num_threads(arguments.threads)
    run.train(config.read(arguments.config), arguments.out, device=distributed.device_of(arguments.device))
    return 0


def _sweep(arguments: argparse.Namespace) -> int:
    try:
        from trainer import sweep
    except ModuleNotFoundError as error:
        raise ToolError(f"{error.name} is not installed; run `pip install -e '.[sweep]'`") from None
    if not 1 <= arguments.trials <= 1_000_000:
        raise ConfigError(f"--trials is {arguments.trials}; allowed is 1..1000000")
    space = sweep.read_space(arguments.space)
    chosen = config.read(arguments.config)
    storage = arguments.storage
    if storage is None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        storage = f"sqlite:///{arguments.out / 'study.db'}"
    sweep.run(chosen, space, arguments.out, trials=arguments.trials, storage=storage, report=print)
    return 0


def _spikes(arguments: argparse.Namespace) -> int:
    samples = config.read(arguments.config).data.load()[arguments.split]
    write_new(arguments.out, spikes.to_bytes(samples), force=arguments.force)
    print(f"{arguments.out}: {len(samples)} samples, {samples.steps.sum()} steps, {len(samples.step)} events")
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    content = export.read_checkpoint(arguments.model)
    networks = checkpoint.restore(content, arguments.model)
    samples = networks[0].config.data.load()[arguments.split]
    result = {"split": arguments.split, "samples": len(samples), **results.find(*networks, samples).accuracies}
    text = json.dumps(result, indent=2) + "\n"
    if arguments.out:
        write_new(arguments.out, text.encode(), force=arguments.force)
    print(text, end="")
    return 0


if __name__ == "__main__":
    # The tensors of a step are small: a second thread costs more than it brings, and one thread repeats exactly.
    torch.set_num_threads(1)
    sys.exit(main())
