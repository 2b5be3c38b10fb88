"""`python -m hwgen calibrate`: the fewest bits that keep what a network from elsewhere can do, and what bits cost."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from tqdm import tqdm

from hwgen.cli.foreign import given
from hwgen.core import area
from hwgen.core.request import Request
from hwgen.flow.widths import Study, Width, picture, table, width
from quant.errors import ModelError
from quant.files import check_folder, write_atomic
from quant.foreign import search
from quant.spikes import SpikeSet

TABLE, PICTURE = "widths.json", "widths.png"


def calibrate(arguments: argparse.Namespace) -> int:
    """Status 1 where no width is good enough."""
    if not 0 <= arguments.loss <= 100:
        raise ModelError(f"--loss is {arguments.loss}; allowed are 0 to 100 points")
    area.coefficients(arguments.target)
    check_folder(arguments.out)
    real, samples = given(arguments)
    with tqdm(desc="widths", unit="", leave=False, disable=not sys.stderr.isatty()) as bar:
        found = search.search(real, samples, arguments.loss / 100, bar.update)
    shown = study(found, samples, arguments.loss, Request(target=arguments.target))
    write_atomic(arguments.out / TABLE, (json.dumps(asdict(shown), indent=2) + "\n").encode())
    write_atomic(arguments.out / PICTURE, picture(shown))
    print(f"{table(shown)}\n\n{shown.reason}\n{arguments.out / PICTURE}, {arguments.out / TABLE}")
    return int(found.narrowed is None)


def study(found: search.Found, samples: SpikeSet, loss: float, request: Request) -> Study:
    """What a search has found on samples, with the hardware that it costs; `loss` in points."""
    return Study(
        float_accuracy=found.accuracy_real,
        samples=len(samples),
        seeds=1,
        widths=[_width(one, samples, request) for one in found.uniform],
        recommended=None if found.chosen is None else found.chosen.choice.weight_bits[0],
        reason=_reason(found, loss),
        judged="the spikes given" if found.labelled else "the classes in real numbers",
        narrowed=None if found.narrowed is None else _width(found.narrowed, samples, request),
    )


def _width(one: search.Tried, samples: SpikeSet, request: Request) -> Width:
    return width(one.model, one.choice.weight_bits, samples, request, accuracy=one.accuracy)


def _reason(found: search.Found, loss: float) -> str:
    real = f"{loss:g} points of {found.accuracy_real:.2%}, the accuracy in real numbers"
    if found.narrowed is None:
        return f"no width is within {real}: tune the network, python -m trainer tune"
    return (
        f"narrowed, within {real}: {found.narrowed.choice.options}\n"
        f"{found.saturated:.1%} of the states stand at a bound of their range; judge the choice on samples that did "
        "not make it: python -m hwgen drift"
    )
