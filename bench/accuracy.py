"""Accuracy on real speech: trains every network of an experiment with three seeds, and verifies the hardware of each.

An experiment is a configuration in configs/accuracy, trained over its folds, variants and seeds. Every run has a folder
of its own in build/accuracy and is resumed if it was interrupted. The 4-bit network of each is built and simulated on
its whole test set: every spike, score and class against the golden model. The results are committed, with command,
commit and seeds, as bench/results/<experiment>.json; without --fsdd only what is recorded there is shown.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from tabulate import tabulate
from tqdm import tqdm

from bench import record
from bench.record import RESULTS, commit
from quant.errors import ConfigError
from quant.files import write_atomic
from trainer import config as configuration

CONFIGS, ROOT = Path("configs/accuracy"), Path("build/accuracy")
SEEDS = (1, 2, 3)
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
TAKES, LOSO = "FSDD, Lyon + BSA, takes 0-4 test", "FSDD, Lyon + BSA, leave one speaker out"

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Experiment:
    """One configuration, and what is done with it.

    Attributes:
        folds: "official", the data set's own test part; "speakers", every speaker once.
        ablation: train `VARIANTS` instead of the configuration alone.
        needs_fsdd: the recordings come from --fsdd.
        reach: accuracies to reach, in percent: float, 4 bit.
    """

    config: Path
    protocol: str
    folds: tuple[str, ...] = ("official",)
    ablation: bool = False
    needs_fsdd: bool = True
    reach: tuple[float | None, float | None] = (None, None)


EXPERIMENTS = {
    "mfcc": Experiment(
        Path("configs/digits.toml"), "FSDD as MFCCs, 2400/300/300 at random", needs_fsdd=False, reach=(None, 97.5)
    ),
    "official": Experiment(CONFIGS / "official.toml", TAKES, reach=(98.0, 97.5)),
    "loso": Experiment(CONFIGS / "loso.toml", LOSO, folds=SPEAKERS, reach=(78.0, None)),
    "ablation_official": Experiment(CONFIGS / "ablation.toml", TAKES, ablation=True),
    "ablation_loso": Experiment(CONFIGS / "ablation.toml", LOSO, folds=SPEAKERS, ablation=True),
}


# The ablation: a feed-forward network plus one feature after another; last, dense recurrence instead. The configuration
# is the full network, with self-recurrence and a skip from the input to the last layer; here stands what is changed in
# the hidden layer and in the last, and whether leaks and thresholds are learned.
VARIANTS: dict[str, tuple[Table, Table, bool]] = {
    "feed-forward": ({"self_weight": False}, {"self_weight": False, "sources": [1]}, False),
    "+ self-recurrence": ({}, {"sources": [1]}, False),
    "+ skip": ({}, {}, False),
    "+ BIP": ({}, {}, True),
    "dense recurrence instead": ({"self_weight": False, "dense_recurrent": True}, {}, True),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One network to train, build and verify."""

    variant: str
    fold: str
    seed: int
    folder: Path
    table: Table


def runs(name: str, fsdd: Path | None) -> list[Run]:
    """All runs of an experiment."""
    experiment = EXPERIMENTS[name]
    table = tomllib.loads(experiment.config.read_text(encoding="utf-8"))
    if experiment.needs_fsdd:
        table["data"]["path"] = str(fsdd)
    found = []
    variants = tuple(VARIANTS) if experiment.ablation else ("",)
    for (number, variant), fold, seed in itertools.product(enumerate(variants), experiment.folds, SEEDS):
        one = deepcopy(table)
        if variant:
            *changes, learned = VARIANTS[variant]
            for layer, change in zip(one["network"]["layers"], changes, strict=True):
                layer.update(change)
            one["plasticity"] = {"leak": learned, "threshold": learned}
        one.setdefault("train", {})["seed"] = seed
        if fold != "official":
            one["data"]["split"] = {"name": "speakers", "test": [fold]}
        found.append(Run(variant, fold, seed, ROOT / name / str(number) / fold / str(seed), one))
    return found


def perform(run: Run) -> Table:
    """Train, build and verify; a run that an earlier call finished is not repeated."""
    config, out, core = run.folder / "config.toml", run.folder / "run", run.folder / "core"
    content = tomli_w.dumps(configuration.to_table(configuration.from_table(run.table))).encode()
    done = run.folder / "result.json"
    if config.exists() and config.read_bytes() == content:
        if done.exists():
            found: Table = json.loads(done.read_text())
            return found
    else:
        shutil.rmtree(run.folder, ignore_errors=True)  # of another configuration
    write_atomic(config, content)
    spikes = run.folder / "test.npz"
    shutil.rmtree(core, ignore_errors=True)  # of an earlier call that was interrupted
    commands = (
        ["trainer", "train", "--config", config, "--out", out],
        ["trainer", "spikes", "--config", config, "--split", "test", "--out", spikes, "--force"],
        ["hwgen", "build", "--model", out / "ckpt.pt", "--out", core],
        ["sim", "verify", "--build", core, "--spikes", spikes],
    )
    with (run.folder / "log.txt").open("w") as log:
        for command in commands:
            words = [sys.executable, "-m", *map(str, command)]
            if subprocess.run(words, stdout=log, stderr=subprocess.STDOUT, check=False).returncode:
                raise ConfigError(f"{run.folder / 'log.txt'}: `python -m {' '.join(words[2:])}` failed")
    metrics = json.loads((out / "metrics.json").read_text())
    verified = json.loads((core / "reports" / "verify.json").read_text())
    result = {
        "variant": run.variant,
        "fold": run.fold,
        "seed": run.seed,
        **{key: metrics[key] for key in ("accuracy_float", "accuracy_quantized")},
        "accuracy_rtl": verified["accuracy_rtl"],
        "test_samples": verified["samples"],
        "output_spikes": verified["output_spikes"],
        "mismatches": record.mismatches(verified),
        "saturated": metrics["saturated"]["test"],
        "seconds": metrics["seconds"],
        "commit": commit(),
    }
    record.write(done, result)
    return result


def rows(name: str) -> list[list[str]]:
    """The table's rows for a recorded experiment: over the seeds, mean and standard deviation of the folds' mean."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return []
    results = json.loads(path.read_text())["runs"]
    found = []
    for variant in sorted({one["variant"] for one in results}, key=["", *VARIANTS].index):
        mine = [one for one in results if one["variant"] == variant]
        cells = [_accuracy(mine, "accuracy_float"), _accuracy(mine, "accuracy_quantized")]
        exact = sum(one["mismatches"] == 0 and one["output_spikes"] > 0 for one in mine)
        samples = sum(one["test_samples"] for one in mine)
        wanted = EXPERIMENTS[name].reach if not variant else (None, None)
        goal = ", ".join(f"{kind} {limit}" for kind, limit in zip(("float", "4 bit"), wanted, strict=True) if limit)
        found.append([name, variant, *cells, goal, f"{exact} of {len(mine)}", f"{samples:,}"])
    return found


def _accuracy(results: list[Table], key: str) -> str:
    seeds = {one["seed"] for one in results}
    means = [statistics.mean(100 * one[key] for one in results if one["seed"] == seed) for seed in seeds]
    return f"{statistics.mean(means):.1f} ± {statistics.stdev(means) if len(means) > 1 else 0:.1f}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("experiment", nargs="*", choices=[*EXPERIMENTS, []], help="what to train (default: only show)")
    parser.add_argument("--fsdd", type=Path, help="a checkout of the Free Spoken Digit Dataset, or its .npz")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    try:
        for name in arguments.experiment:
            work(name, arguments.fsdd, arguments.processes)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    header = ["experiment", "network", "float, %", "4 bit, %", "to reach", "verified bit-exactly", "samples simulated"]
    print(tabulate([row for name in EXPERIMENTS for row in rows(name)], header, "github", disable_numparse=True))
    return 0


def work(name: str, fsdd: Path | None, processes: int) -> None:
    """Train, verify and record an experiment."""
    experiment = EXPERIMENTS[name]
    if experiment.needs_fsdd and not (fsdd and fsdd.exists()):
        raise ConfigError(f"{name} needs --fsdd, the folder or .npz of its recordings (docs/data.md)")
    todo = runs(name, fsdd)
    with ProcessPoolExecutor(processes) as pool:
        results = list(tqdm(pool.map(perform, todo), total=len(todo), desc=name))
    content = {
        "protocol": experiment.protocol,
        "command": f"python -m bench.accuracy {name}{' --fsdd <the data set>' if experiment.needs_fsdd else ''}",
        "runs": sorted(results, key=lambda one: (one["variant"], one["fold"], one["seed"])),
    }
    record.write(RESULTS / f"{name}.json", content)


if __name__ == "__main__":
    sys.exit(main())
