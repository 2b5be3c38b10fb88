"""Accuracy on whole test sets: trains the networks of an experiment with three seeds, and verifies each in hardware.

An experiment (bench/experiments.py) is a configuration in configs/, trained over its folds, variants and seeds. Every
run has a folder of its own, build/accuracy/<experiment>/<fold>-<seed>-<settings>, and is resumed if it was interrupted;
folders of other settings stay as they are. The network of each run is built and simulated on its whole test set, after
each of several tasks on those of all so far: every spike, score and class against the golden model. The results are
committed, with command, commit and seeds, as bench/results/<experiment>.json, each as soon as it is there, or all
together where they replace runs with other settings; a run that was recorded with the same settings is not repeated.
Experiments whose data are not given are only shown as they are recorded.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
import tomli_w
from tabulate import tabulate
from tqdm import tqdm

from bench import record
from bench.experiments import EXPERIMENTS, SEEDS, SPEAKERS, Table
from bench.record import RESULTS, commit
from quant.errors import ConfigError
from quant.files import write_atomic, write_new
from quant.page import records
from quant.spikes import to_bytes
from trainer import config as configuration
from trainer.data.source import Source, for_hardware
from trainer.events import join, pick
from trainer.loop import PHASES

ROOT = Path("build/accuracy")
CORES = os.cpu_count() or 1
RATE_SAMPLES = 100  # of the test set, whose rates say how many cycles a step takes
LAST_EPOCHS = 10  # of a regression: the mean of their errors, beside that of the best epoch
DATA = {
    "fsdd": "a checkout of the Free Spoken Digit Dataset, or its .npz",
    "fashion": "the folder with the four files of Fashion-MNIST",
    "mnist": "the folder with the four files of MNIST",
}
PLACES = {"free-spoken-digit-dataset": "fsdd", "fashion-mnist": "fashion", "mnist": "mnist"}  # paths in configurations


@dataclass(frozen=True, slots=True)
class Run:
    """One network to train, build and verify."""

    experiment: str
    variant: str
    fold: str
    seed: int
    table: Table
    build: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is trained and built; another one for other settings."""
        return ROOT / self.experiment / f"{self.fold}-{self.seed}-{self.settings}"

    @property
    def settings(self) -> str:
        """Names all settings but the places of the data."""
        table = deepcopy(self.table)
        for data in (table["data"], *table["train"].get("tasks", ())):
            data.pop("path", None)
        return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:16]


def runs(name: str, given: Mapping[str, Path]) -> list[Run]:
    """All runs of an experiment, with the folders of the data sets that are given."""
    experiment = EXPERIMENTS[name]
    table = tomllib.loads(experiment.config.read_text(encoding="utf-8"))
    found = []
    for (variant, changes), fold, seed in itertools.product(experiment.variants.items(), experiment.folds, SEEDS):
        one = deepcopy(table)
        for setting, value in {**changes, **dict.fromkeys(experiment.seeded, seed)}.items():
            change(one, setting, value)
        for data in (one["data"], *one["train"].get("tasks", ())):
            if data.get("path") in PLACES:
                data["path"] = str(given[PLACES[data["path"]]].absolute())
        if fold != "official":
            one["data"]["split"] = {"name": "speakers", "test": [fold]}
        found.append(Run(name, variant, fold, seed, one, experiment.build))
    return found


def change(table: Table, setting: str, value: Any) -> None:
    """Give a setting, by its path in the table, a value; layers are counted from 1."""
    *parents, last = setting.split(".")
    place: Any = table
    for part in parents:
        place = place[int(part) - 1] if part.isdecimal() else place.setdefault(part, {})
    place[last] = value


def perform(run: Run, threads: int) -> Table:
    """Train on as many threads, build and verify; a run that an earlier call finished is not repeated."""
    config, out, done, begun = (run.folder / name for name in ("config.toml", "run", "result.json", "commit.txt"))
    if done.exists():
        return {**json.loads(done.read_text()), "variant": run.variant}
    if not begun.exists():
        write_atomic(begun, commit().encode())
    chosen = configuration.from_table(run.table)
    write_atomic(config, tomli_w.dumps(configuration.to_table(chosen)).encode())
    with (run.folder / "log.txt").open("w") as log:
        _call(log, "trainer", "train", "--config", config, "--out", out, "--threads", threads)
        if chosen.train.tasks:
            folders = sorted(out.glob("task-*"), key=lambda folder: int(folder.name.split("-")[1]))
            sources = chosen.data, *chosen.train.tasks
            networks = [
                _verified(run, sources[:number], folder, f"-{folder.name}", log)
                for number, folder in enumerate(folders, start=1)
            ]
            result = {**networks[-1], "after_tasks": networks, **json.loads((out / "tasks.json").read_text())}
        else:
            result = _verified(run, [chosen.data], out, "", log)
    about = {"variant": run.variant, "fold": run.fold, "seed": run.seed, "settings": run.settings}
    result = {**about, **result, "commit": begun.read_text()}
    record.write(done, result)
    return result


def _verified(run: Run, learned: Sequence[Source], out: Path, suffix: str, log: IO[str]) -> Table:
    """Build the network in `out` and simulate it on the whole test sets of all it has learned."""
    model, core, spikes = out / "ckpt.pt", run.folder / f"core{suffix}", run.folder / f"test{suffix}.npz"
    plain, few = run.folder / f"plain{suffix}", run.folder / f"few{suffix}.npz"
    for folder in (core, plain):
        shutil.rmtree(folder, ignore_errors=True)  # of an earlier call that was interrupted
    tests = [for_hardware(source, source.load()["test"]) for source in learned]
    write_new(spikes, to_bytes(join(tests)), force=True)
    last = tests[-1]  # in some data sets samples come class after class
    typical = np.unique(np.linspace(0, len(last) - 1, RATE_SAMPLES).astype(np.int64))
    write_new(few, to_bytes(pick(last, typical)), force=True)
    _call(log, "hwgen", "build", "--model", model, "--out", core, *run.build)
    _call(log, "sim", "verify", "--build", core, "--spikes", spikes)
    _call(log, "hwgen", "build", "--model", model, "--out", plain, "--rates", few)
    for used in (spikes, few):
        used.unlink()
    metrics = json.loads((out / "metrics.json").read_text())
    verified = json.loads((core / "reports" / "verify.json").read_text())
    followed = "loss_validation" if "error_quantized" in metrics else "accuracy_validation"
    return {
        **{key: value for key, value in metrics.items() if key.startswith(("accuracy_", "error_"))},
        "validation": {
            phase: [round(epoch[followed], 5) for epoch in metrics["history"] if epoch["phase"] == phase]
            for phase in PHASES
        },
        "accuracy_rtl": verified["accuracy_rtl"],
        "test_samples": verified["samples"],
        "output_spikes": verified["output_spikes"],
        "mismatches": record.mismatches(verified),
        "saturated": metrics["saturated"]["test"],
        "hardware": _cost(plain),
        "seconds": metrics["seconds"],
        "epoch_seconds": round(statistics.median(epoch["seconds"] for epoch in metrics["history"]), 1),
    }


def _cost(build: Path) -> Table:
    """What a build takes: LUTs, as estimated, bits of memory, and cycles per time step at the test set's rates."""
    found = msgspec.json.decode((build / records.ESTIMATE).read_bytes(), type=records.Estimate)
    bits = sum(memory.bits for layer in found.layers for memory in layer.memories)
    return {"lut": found.devices[0].area.lut, "memory_bits": bits, "cycles_per_step": found.cycles}


def _call(log: IO[str], *command: object) -> None:
    words = [sys.executable, "-m", *map(str, command)]
    if subprocess.run(words, stdout=log, stderr=subprocess.STDOUT, check=False).returncode:
        raise ConfigError(f"{log.name}: `python -m {' '.join(words[2:])}` failed")


def rows(name: str) -> list[list[str]]:
    """The table's rows for a recorded experiment: over the seeds, mean and standard deviation of the folds' mean."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return []
    results = json.loads(path.read_text())["runs"]
    experiment = EXPERIMENTS[name]
    goals = dict(zip(experiment.variants, experiment.reach, strict=False))
    found = []
    for variant in [one for one in experiment.variants if any(result["variant"] == one for result in results)]:
        mine = [one for one in results if one["variant"] == variant]
        cells = [_quality(mine, "float"), _quality(mine, "quantized")]
        if "error_float" in mine[0]:
            late = [{"error_late": statistics.mean(one["validation"]["float"][-LAST_EPOCHS:]), **one} for one in mine]
            cells[0] += f"; last {LAST_EPOCHS} epochs {_quality(late, 'late')}"
        networks = [network for one in mine for network in one.get("after_tasks", [one])]
        if "after_tasks" in mine[0]:
            after = [[one["test_after_task"][-1][task] for one in mine] for task in range(len(mine[0]["after_tasks"]))]
            cells = ["", ", ".join(spread([100 * value for value in one]) for one in after)]
        exact = sum(one["mismatches"] == 0 and one["output_spikes"] > 0 for one in networks)
        samples = sum(one["test_samples"] for one in networks)
        found.append([name, variant, *cells, goals.get(variant, ""), f"{exact} of {len(networks)}", f"{samples:,}"])
    return found


def _quality(results: list[Table], phase: str) -> str:
    """Mean and deviation of the accuracy in percent, or of a regression's error; empty without such a phase."""
    name, factor, digits = ("error", 1, 4) if "error_quantized" in results[0] else ("accuracy", 100, 1)
    if f"{name}_{phase}" not in results[0]:
        return ""
    return spread([factor * one for one in by_seed(results, f"{name}_{phase}")], digits)


def by_seed(results: Sequence[Table], quantity: str) -> list[float]:
    """For each seed the mean of its folds; a seed that is not recorded on all folds is left out."""
    folds, seeds = (1 if results[0]["fold"] == "official" else len(SPEAKERS)), dict[int, list[float]]()
    for one in results:
        seeds.setdefault(one["seed"], []).append(one[quantity])
    return [statistics.mean(values) for values in seeds.values() if len(values) == folds]


def spread(values: list[float], digits: int = 1) -> str:
    """Mean and standard deviation; of a single value there is none, and of no value neither."""
    if not values:
        return ""
    deviation = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{deviation}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("experiment", nargs="*", choices=[*EXPERIMENTS, []], help="what to train (default: only show)")
    for data, what in DATA.items():
        parser.add_argument(f"--{data}", type=Path, help=what)
    parser.add_argument("--processes", type=int, default=CORES, help="networks at once, each on its part of the cores")
    arguments = parser.parse_args()
    given = {data: getattr(arguments, data) for data in DATA}
    try:
        for name in arguments.experiment:
            work(name, given, arguments.processes)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    header = [
        "experiment",
        "network",
        "float, % or error",
        "integers, % or error",
        "to reach",
        "verified bit-exactly",
        "samples simulated",
    ]
    print(tabulate([row for name in EXPERIMENTS for row in rows(name)], header, "github", disable_numparse=True))
    return 0


def work(name: str, given: Mapping[str, Path | None], processes: int) -> None:
    """Train, verify and record an experiment."""
    experiment = EXPERIMENTS[name]
    places = {}
    for data in experiment.needs:
        place = given[data]
        if place is None or not place.exists():
            raise ConfigError(f"{name} needs --{data}: {DATA[data]} (docs/data.md)")
        places[data] = place
    path, todo = RESULTS / f"{name}.json", {one.settings: one for one in runs(name, places)}
    recorded, wanted = json.loads(path.read_text())["runs"] if path.exists() else [], len(todo)
    results = [{**one, "variant": run.variant} for one in recorded if (run := todo.pop(one.get("settings"), None))]
    replaces = len(results) < len(recorded)  # runs with other settings, which stay until all are done again
    options = "".join(f" --{data} <folder>" for data in experiment.needs)
    about = {"protocol": experiment.protocol, "command": f"python -m bench.accuracy {name}{options}"}
    threads = max(1, CORES // max(1, min(processes, len(todo))))
    failures = list[BaseException]()  # raised in the end: the other runs go on
    with ProcessPoolExecutor(processes) as pool:
        under_way = [pool.submit(perform, run, threads) for run in todo.values()]
        for done in tqdm(as_completed(under_way), total=len(under_way), desc=name):
            if failure := done.exception():
                failures.append(failure)
                continue
            results.append(done.result())
            results.sort(key=lambda one: (one["variant"], one["fold"], one["seed"]))
            if not replaces:
                record.write(path, {**about, "runs": results})
    if len(results) == wanted:
        record.write(path, {**about, "runs": results})
    if failures:
        raise failures[0]


if __name__ == "__main__":
    sys.exit(main())
