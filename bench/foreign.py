"""A network of snnTorch on Fashion-MNIST in hardware: what integers cost by calibration alone, and after tuning.

snnTorch alone trains 784-128-10 (examples/from_snntorch.py), three seeds. Each width is built and simulated on the
whole test part. Calibration sees validation samples, tuning the training part; the test part chooses nothing.

Needs `pip install -e '.[peers]'`, as `make foreign FASHION=<folder>` does. Seeds are resumable, in build/foreign.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from tabulate import tabulate
from tqdm import tqdm

import hwgen
from bench import record
from examples.from_snntorch import counts, network, train
from hwgen.cli import calibrate
from hwgen.flow import widths
from hwgen.flow.drift import picture as drift_picture
from quant import export, foreign, store
from quant.errors import ConfigError
from quant.files import write_atomic
from quant.foreign.drift import drift
from quant.foreign.search import search
from quant.model import IntModel
from quant.spikes import SpikeSet
from trainer import checkpoint
from trainer.data.mnist import Mnist

SEEDS, EPOCHS, RATE = (1, 2, 3), 8, 1e-3
TYPICAL = 1000  # samples by which the states get their widths
BITS, TUNED_BITS = (8, 6, 4), 4
LOSS = 0.5  # points of accuracy, of the picture's narrowest widths
PAGES = Path("docs")
ROOT, RESULT = Path("build/foreign"), record.RESULTS / "foreign.json"
_CHUNK = 500
_FOLDING = hwgen.Request(lanes=(128, 10))


def data(folder: Path) -> Mnist:
    return Mnist(str(folder.absolute()), code="regular", steps=20, rate=1.0)


def tuning(folder: Path, seed: int) -> dict[str, Any]:
    """The configuration that tunes: no phase of real numbers, a few epochs of integers."""
    source = {"name": "mnist", "path": str(folder.absolute()), "code": "regular", "steps": 20, "rate": 1.0}
    return {
        "data": source,
        "network": {"layers": [{"weight_bits": TUNED_BITS}]},
        "train": {"seed": seed, "epochs_float": 0, "epochs_quantized": 5, "rate_quantized": 5e-4},
    }


def one_seed(folder: Path, seed: int, after_step: Callable[[str], None]) -> dict[str, Any]:
    """Train, calibrate and tune; what an earlier call has trained is kept."""
    place, begun = _place(seed), record.commit()
    done = place / "result.json"
    if done.exists():
        return cast(dict[str, Any], json.loads(done.read_text()))
    parts = data(folder).load()
    net = _trained(place / "snntorch.pt", parts["train"], seed)
    after_step("trained with snnTorch")
    typical, test = parts["validation"].head(TYPICAL), parts["test"]
    found: dict[str, Any] = {"seed": seed, "snntorch": _accuracy(net, test), "calibrated": {}}
    real = foreign.lower(*foreign.of_modules(net), "net").built()
    for bits in BITS:
        drifted = drift(real, test.head(TYPICAL), typical, **foreign.widths(real, bits))
        spikes = sum(layer.spikes for layer in drifted.layers)
        differ = sum(layer.differ for layer in drifted.layers) / spikes
        model = hwgen.convert(net, typical, weight_bits=bits)
        found["calibrated"][bits] = {**_verified(model, place / f"{bits}_bits", test), "differ": differ}
        after_step(f"{bits} bits calibrated")
    tuned = hwgen.tune(net, tuning(folder, seed), place / "tuned", report=lambda _: None)
    found["tuned"] = {TUNED_BITS: _verified(hwgen.export(tuned), place / "tuned_core", test)}
    after_step("tuned")
    record.write(done, {**found, "commit": begun})
    return cast(dict[str, Any], json.loads(done.read_text()))


def _place(seed: int) -> Path:
    """The folder of a seed, another one for other settings."""
    table = tuning(Path(), seed)
    del table["data"]["path"]
    settings = json.dumps([EPOCHS, RATE, TYPICAL, BITS, TUNED_BITS, table])
    return ROOT / f"{seed}-{hashlib.sha256(settings.encode()).hexdigest()[:16]}"


def _trained(path: Path, samples: SpikeSet, seed: int) -> torch.nn.Sequential:
    torch.manual_seed(seed)
    net = cast(torch.nn.Sequential, network(samples.channels, 10))
    if path.exists():
        net.load_state_dict(cast(dict[str, Any], export.unpickle(path)))
    else:
        train(net, samples, EPOCHS, RATE)
        path.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write(path, net.state_dict())
    return net


@torch.no_grad()
def _accuracy(net: torch.nn.Sequential, samples: SpikeSet) -> float:
    right = 0
    for first in range(0, len(samples), _CHUNK):
        chosen = slice(first, first + _CHUNK)
        right += int((counts(net, samples, chosen).argmax(dim=1).numpy() == samples.label[chosen]).sum())
    return right / len(samples)


def _verified(model: IntModel, folder: Path, samples: SpikeSet) -> dict[str, Any]:
    """What the hardware of a model gives; what an earlier call has simulated is not repeated."""
    path = folder / "reports" / "verify.json"
    report = json.loads(path.read_text()) if path.exists() else {}
    if (report.get("model_digest"), report.get("samples")) != (store.digest(model), len(samples)):
        report = dict(hwgen.verify(hwgen.build(model, folder, _FOLDING), samples))
    mismatches = record.mismatches(report)
    assert report["output_spikes"] > 0
    return {"accuracy": report["accuracy_rtl"], "mismatches": mismatches}


def draw(folder: Path, after_step: Callable[[str], None]) -> None:
    """Pictures for docs/foreign.md, of the first seed's network, on samples of the validation part."""
    parts = data(folder).load()
    net, samples = _trained(_place(1) / "snntorch.pt", parts["train"], 1), parts["validation"].head(TYPICAL)
    real = foreign.lower(*foreign.of_modules(net), "net").built()
    study = calibrate.study(search(real, samples, LOSS / 100), samples, LOSS, hwgen.Request())
    write_atomic(PAGES / "calibrate.svg", widths.picture(study, "svg"))
    after_step("widths drawn")
    drifted = drift(real, samples, **foreign.widths(real, TUNED_BITS))
    write_atomic(PAGES / "drift.svg", drift_picture(drifted, "svg"))
    after_step("drift drawn")


def table(runs: list[dict[str, Any]]) -> str:
    """A row for each way, over the seeds."""

    def row(name: str, each: list[Mapping[str, Any]]) -> list[str]:
        lost = [100 * (run["snntorch"] - one["accuracy"]) for run, one in zip(runs, each, strict=True)]
        differ = f"{100 * statistics.mean(one['differ'] for one in each):.1f}" if "differ" in each[0] else ""
        equal = sum(one["mismatches"] == 0 for one in each)
        return [
            name,
            _percent([one["accuracy"] for one in each]),
            f"{statistics.mean(lost):.2f}",
            differ,
            f"{equal} of {len(each)}",
        ]

    rows = [["snnTorch, real numbers", _percent([run["snntorch"] for run in runs]), "", "", ""]]
    rows += [row(f"{bits} bits, calibrated", [run["calibrated"][str(bits)] for run in runs]) for bits in BITS]
    rows.append(row(f"{TUNED_BITS} bits, tuned", [run["tuned"][str(TUNED_BITS)] for run in runs]))
    header = ["", "test accuracy, %", "lost, points", "spikes that differ, %", "hardware equal to its integers"]
    return str(tabulate(rows, header, "github", disable_numparse=True))


def _percent(accuracies: list[float]) -> str:
    return f"{100 * statistics.mean(accuracies):.2f} ± {100 * statistics.stdev(accuracies):.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.foreign", description=__doc__.splitlines()[0])
    parser.add_argument("--fashion", type=Path, help="the folder with the four files of Fashion-MNIST (default: show)")
    folder = parser.parse_args().fashion
    try:
        if folder is not None:
            if not folder.is_dir():
                raise ConfigError(f"{folder}: no such folder (docs/data.md)")
            torch.set_num_threads(1)
            with tqdm(total=len(SEEDS) * (len(BITS) + 2) + 2) as bar:

                def after_step(what: str) -> None:
                    bar.set_description(what)
                    bar.update()

                runs = [one_seed(folder, seed, after_step) for seed in SEEDS]
                draw(folder, after_step)
            record.write(RESULT, {"command": "python -m bench.foreign --fashion <folder>", "runs": runs})
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if RESULT.exists():
        print(table(json.loads(RESULT.read_text())["runs"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
