"""`scsr bits`: how many bits a weight needs, answered by training.

The float phase is trained once; from its best network the quantized phase starts for every width and seed. Accuracy is
that on validation: the test part is not chosen by. What a width costs in hardware is estimated for one folding.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import signal
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from pathlib import Path

import torch
from tqdm import tqdm

from hwgen.core import area
from hwgen.core.request import Request
from hwgen.flow.widths import Study, Width, picture, table, width
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
    spread = statistics.stdev(accuracies) if seeds > 1 else math.nan
    return width(
        model,
        [bits] * len(model.layers),
        validation,
        request,
        accuracy=statistics.mean(accuracies),
        spread=spread,
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
    assert found.recommended is not None, "of several trainings one is the best"
    where = folder(arguments.out, found.recommended, 1) / run.PRODUCT
    print(f"{arguments.out / PICTURE}, {arguments.out / TABLE}; the network recommended is {where}")
    return 0
