"""`python -m trainer`: train a network, write spike files, evaluate a checkpoint."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from quant.command import Command, add_out
from quant.foreign.options import add_options
from quant.spikes import SPLITS


def main(argv: Sequence[str] | None = None) -> int:
    return Command("python -m trainer", "Train spiking networks for hardware.", add_commands).run(argv)


def add_commands(command: Command, inspect: str = "inspect") -> None:
    """Add the subcommands of this package; `inspect` is the name of the one that looks at data."""
    look = command.add(
        inspect,
        "trainer.commands:inspect",
        "look at a data set before training: classes, lengths, rates, silent channels, a raster",
        "--config configs/digits.toml --out data.html",
    )
    look.add_argument("--config", type=Path, required=True, help="the configuration (.toml)")
    add_out(look, "also write a page with a raster (.html)", required=False)
    train = command.add(
        "train",
        "trainer.commands:train",
        "train, or resume an interrupted training run",
        "--config configs/digits.toml --out runs/digits",
    )
    train.add_argument("--config", type=Path, required=True, help="the configuration (.toml)")
    _add_run(train)
    tune = command.add(
        "tune",
        "trainer.commands:tune",
        "train a network from elsewhere further, in integers",
        "--model net.nir --source snntorch --reset zero --config tune.toml --out runs/net",
    )
    tune.add_argument("--model", type=Path, required=True, help="NIR file (.nir)")
    tune.add_argument("--config", type=Path, required=True, help="data, training and widths (.toml; docs/foreign.md)")
    _add_run(tune)
    add_options(tune)
    write = command.add(
        "spikes",
        "trainer.commands:spikes",
        "write one split of a data set as a spike file",
        "--config configs/digits.toml --split test --out runs/digits/test.npz",
    )
    write.add_argument("--config", type=Path, required=True, help="the configuration (.toml)")
    write.add_argument("--split", choices=SPLITS, required=True, help="which part of the data set")
    add_out(write, "the spike file to write (.npz)")
    evaluate = command.add(
        "evaluate",
        "trainer.commands:evaluate",
        "accuracy of a checkpoint's float and quantized networks, as JSON",
        "--model runs/digits/ckpt.pt --split test",
    )
    evaluate.add_argument("--model", type=Path, required=True, help="a checkpoint (ckpt.pt)")
    evaluate.add_argument("--split", choices=SPLITS, required=True, help="which part of the data set")
    add_out(evaluate, "also write the JSON to this file", required=False)
    sweep = command.add(
        "sweep",
        "trainer.commands:sweep",
        "search for better settings; many machines may join one search",
        "--config configs/digits.toml --space space.toml --out runs/sweep",
    )
    sweep.add_argument("--config", type=Path, required=True, help="the configuration to start from (.toml)")
    sweep.add_argument("--space", type=Path, required=True, help="the settings to try (.toml; docs/training.md)")
    sweep.add_argument("--out", type=Path, required=True, help="the folder of the results")
    sweep.add_argument("--trials", type=int, default=20, help="trials that this process makes (default 20)")
    sweep.add_argument(
        "--sampler", choices=("search", "grid"), default="search", help="search (default), or a grid of every choice"
    )
    sweep.add_argument("--storage", help="URL of the study's database (default: a file in --out)")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="the folder of the run")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1, ...")
    parser.add_argument("--threads", type=int, default=1, help="threads on the CPU (default 1)")
    parser.add_argument("--finish", action="store_true", help="train no further: take the best network so far")


if __name__ == "__main__":
    sys.exit(main())
