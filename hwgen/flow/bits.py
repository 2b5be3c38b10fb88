"""`scsr bits`: how many bits a weight needs, answered by training.

The float phase is trained once; from its best network the quantized phase starts for every width and seed. Accuracy is
that on validation: the test part is not chosen by. What a width costs in hardware is estimated for one folding.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import multiprocessing
import os
import signal
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import matplotlib as mpl
import torch
from matplotlib.figure import Figure
from tabulate import tabulate
from tqdm import tqdm

from hwgen.core import area
from hwgen.core.rates import cycles_per_step, measured_events
from hwgen.core.request import Request, fulfil
from quant.errors import ConfigError, DivergenceError
from quant.export import load
from quant.files import write_atomic
from quant.spikes import SpikeSet
from trainer import config as configuration
from trainer import results, run
from trainer.config import Config
from trainer.data.source import Traced

WIDTHS = (1, 8)
FLOAT, TABLE, PICTURE = "float", "bits.json", "bits.png"
_COLOURS = ("#1f5fbf", "#c2560c", "#217a48")


@dataclass(frozen=True, slots=True)
class Width:
    """What a width of the weights gives and costs.

    Attributes:
        bits: of a weight.
        accuracy, spread: mean and standard deviation over the seeds, on validation, in integers.
        lut, bram: estimated.
        weight_bits: of all weights together.
        step_us: time per step at the clock asked for, at the rates measured on validation.
    """

    bits: int
    accuracy: float
    spread: float
    lut: float
    bram: float
    weight_bits: int
    step_us: float


@dataclass(frozen=True, slots=True)
class Study:
    """All widths, and what follows.

    Attributes:
        float_accuracy: of the network in real numbers, on validation.
        samples: of the validation part.
        seeds: trainings of each width.
        recommended: bits.
        reason: for them, in words.
    """

    float_accuracy: float
    samples: int
    seeds: int
    widths: Sequence[Width]
    recommended: int
    reason: str


def study(config: Config, out: Path, bits: Sequence[int], seeds: int, workers: int, request: Request) -> Study:
    """Train every width, estimate its hardware, and recommend one. What an earlier call has trained is kept.

    Raises:
        ConfigError: if a width cannot be, or `out` holds something of another configuration.
    """
    if not config.train.epochs_float:
        raise ConfigError(
            "train.epochs_float is 0; bits compares widths behind a phase of real numbers: give it epochs"
        )
    if isinstance(config.data, Traced):
        raise ConfigError("data has traces and no classes; bits compares accuracies: take a data set of classes")
    jobs = {(width, seed): _config(config, width, seed) for width in bits for seed in range(1, seeds + 1)}
    run.train(config, out / FLOAT, lambda _: None, phases=("float",))
    validation = config.data.load()["validation"]
    best = run.best_epoch(out / FLOAT, "float")
    context = multiprocessing.get_context("spawn")  # PyTorch's threads do not survive a fork
    with ProcessPoolExecutor(min(workers, len(jobs)), context, _leave_interrupts) as pool:
        futures = [pool.submit(_train, out, *key, chosen) for key, chosen in jobs.items()]
        try:
            for future in tqdm(as_completed(futures), "quantized phases", len(jobs), disable=not sys.stderr.isatty()):
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    widths = [_width(out, width, seeds, validation, request) for width in bits]
    recommended, reason = _recommend(widths, len(validation), request.target)
    return Study(best.validation.value, len(validation), seeds, widths, recommended, reason)


def folder(out: Path, bits: int, seed: int) -> Path:
    """The run of a width and a seed."""
    return out / f"{bits}_bits" / f"seed_{seed}"


def _config(config: Config, bits: int, seed: int) -> Config:
    layers = tuple(replace(layer, weight_bits=bits) for layer in config.network.layers)
    network, train = replace(config.network, layers=layers), replace(config.train, seed=config.train.seed + seed - 1)
    return replace(config, network=network, train=train)


def _train(out: Path, bits: int, seed: int, config: Config) -> None:
    torch.set_num_threads(1)
    where = folder(out, bits, seed)
    if not (where / run.LAST).exists():
        run.branch(out / FLOAT, config, where)
    try:
        run.train(config, where, lambda _: None)
    except DivergenceError as error:
        raise DivergenceError(f"{bits} bits, seed {seed}: {error}") from None


def _leave_interrupts() -> None:
    """Leave Ctrl-C to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _width(out: Path, bits: int, seeds: int, validation: SpikeSet, request: Request) -> Width:
    metrics = [json.loads((folder(out, bits, seed) / results.METRICS).read_bytes()) for seed in range(1, seeds + 1)]
    accuracies = [one["validation"]["accuracy_quantized"] for one in metrics]
    model = load(folder(out, bits, 1) / run.PRODUCT)
    built, _ = fulfil(model, request)
    estimate = area.estimate(built.plan, request.target)
    weights = sum(one.weight.size for layer in model.layers for one in layer.projections)
    return Width(
        bits=bits,
        accuracy=statistics.mean(accuracies),
        spread=statistics.stdev(accuracies) if seeds > 1 else math.nan,
        lut=estimate.lut,
        bram=estimate.bram,
        weight_bits=bits * weights,
        step_us=cycles_per_step(built.plan, measured_events(model, validation)) / request.clock_mhz,
    )


def _recommend(widths: Sequence[Width], samples: int, target: str) -> tuple[int, str]:
    """The fewest bits whose accuracy cannot be told from the best one's."""
    best = max(widths, key=lambda one: one.accuracy)
    share = (best.accuracy * samples + 1) / (samples + 2)  # Laplace's: a part without a mistake is not free of chance
    error = math.sqrt(share * (1 - share) / samples)
    chosen = min((one for one in widths if one.accuracy >= best.accuracy - error), key=lambda one: one.bits)
    widest = max(widths, key=lambda one: one.bits)
    reason = (
        f"{chosen.bits} bits: the fewest within one standard error ({error:.2%} on {samples} samples) of the best "
        f"accuracy, {best.accuracy:.2%} at {best.bits} bits"
    )
    if widest.bits > chosen.bits:
        reason += (
            f"; against {widest.bits} bits they save {1 - chosen.weight_bits / widest.weight_bits:.0%} of the weight "
            f"memory ({widest.bram:g} -> {chosen.bram:g} BRAM), but only {1 - chosen.lut / widest.lut:.0%} of the LUTs "
            f"on {target}: narrow weights save memory, hardly logic"
        )
    return chosen.bits, reason


def table(found: Study) -> str:
    """For a terminal."""
    rows = [
        [
            f"{one.bits}{' *' if one.bits == found.recommended else ''}",
            f"{one.accuracy:.2%}" + ("" if math.isnan(one.spread) else f" ± {one.spread:.2%}"),
            f"{one.lut:,g}",
            f"{one.bram:g}",
            f"{one.weight_bits / 1024:,.1f}",
            f"{one.step_us:.2f}",
        ]
        for one in found.widths
    ]
    heads = ["bits", "accuracy on validation", "LUT", "BRAM", "weights, Kibit", "µs per step"]
    return str(tabulate(rows, heads, disable_numparse=True, stralign="right"))


def picture(found: Study) -> bytes:
    """A PNG: accuracy, LUTs and weight memory over the bits."""
    bits = [one.bits for one in found.widths]
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(9, 3.4), dpi=150, layout="constrained")
        accuracy, lut, memory = figure.subplots(1, 3)
        spread = [0.0 if math.isnan(one.spread) else one.spread for one in found.widths]
        accuracy.errorbar(bits, [one.accuracy for one in found.widths], spread, fmt="o-", capsize=3, color=_COLOURS[0])
        accuracy.axhline(found.float_accuracy, color="0.35", lw=0.9, ls="--")
        accuracy.annotate("real numbers", (bits[0], found.float_accuracy), xytext=(0, 3), textcoords="offset points")
        accuracy.set(ylabel="accuracy on validation")
        lut.plot(bits, [one.lut for one in found.widths], "o-", color=_COLOURS[1])
        lut.set(ylabel="LUTs, estimated", ylim=(0, 1.1 * max(one.lut for one in found.widths)))
        memory.plot(bits, [one.weight_bits / 1024 for one in found.widths], "o-", color=_COLOURS[2])
        memory.set(ylabel="weight memory, Kibit", ylim=(0, 1.1 * max(one.weight_bits for one in found.widths) / 1024))
        for axes in (accuracy, lut, memory):
            axes.axvline(found.recommended, color="0.8", lw=6, zorder=0)
            axes.set(xlabel="bits per weight", xticks=bits)
            axes.grid(alpha=0.25, lw=0.5)
        figure.suptitle(f"recommended: {found.recommended} bits")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def command(arguments: argparse.Namespace) -> int:
    """`scsr bits`."""
    try:
        bits = sorted({int(part) for part in arguments.bits.split(",")})
    except ValueError:
        raise ConfigError(f"--bits is {arguments.bits[:40]!r}; give whole numbers, such as 1,2,4") from None
    if not all(WIDTHS[0] <= width <= WIDTHS[1] for width in bits):
        raise ConfigError(f"--bits is {arguments.bits}; weights of {WIDTHS[0]}..{WIDTHS[1]} bits can be trained")
    if not 1 <= arguments.seeds <= 100:
        raise ConfigError(f"--seeds is {arguments.seeds}; allowed is 1..100")
    area.coefficients(arguments.target)
    torch.set_num_threads(1)
    chosen, request = configuration.read(arguments.config), Request(target=arguments.target)
    found = study(chosen, arguments.out, bits, arguments.seeds, os.cpu_count() or 1, request)
    write_atomic(arguments.out / TABLE, (json.dumps(asdict(found), indent=2) + "\n").encode())
    write_atomic(arguments.out / PICTURE, picture(found))
    print(f"{table(found)}\n\n{found.reason}")
    where = folder(arguments.out, found.recommended, 1) / run.PRODUCT
    print(f"{arguments.out / PICTURE}, {arguments.out / TABLE}; the network recommended is {where}")
    return 0
