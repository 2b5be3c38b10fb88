"""Networks from elsewhere on the command line: what every `--model` may be, and what `python -m hwgen check` does."""

from __future__ import annotations

import argparse

from tabulate import tabulate

from quant import export, foreign, spikes
from quant.calibration import calibrate, rounded
from quant.errors import ModelError, printable
from quant.foreign.options import SUFFIX, understand
from quant.model import IntModel, RealModel
from quant.spikes import SpikeSet

_SAID = (
    "source",
    "dt",
    "reset",
    "readout",
    "single_spikes",
    "spikes",
    "weight_bits",
    "leak_bits",
    "fraction_bits",
    "state_bits",
)


def load(arguments: argparse.Namespace) -> IntModel:
    """The integer model that `--model` names: as it was trained here, or calibrated from a NIR file.

    Raises:
        ModelError, SpikeFileError: if files break their formats or do not fit each other, or an option is missing.
    """
    known, remedy = None, ""
    if arguments.model.suffix == SUFFIX:
        known = None if arguments.source else foreign.integers(foreign.read(arguments.model))
        if known is None:
            real, samples, widths = to_calibrate(arguments)
            return calibrate(real, samples, **widths)
        remedy = ": it has our integers, which --source leaves aside"
    for name in _SAID:
        if (value := getattr(arguments, name)) is not None and value is not False:
            option = f"--{name.replace('_', '-')}"
            raise ModelError(
                f"{option} is for networks from elsewhere ({SUFFIX}); {arguments.model} needs none{remedy}"
            )
    return known or export.load(arguments.model)


def given(arguments: argparse.Namespace) -> tuple[RealModel, SpikeSet]:
    """The network in real numbers that `--model` names, and the samples that `--spikes` names.

    Raises:
        ModelError, SpikeFileError: as `load`.
    """
    understood = understand(arguments)
    real = understood.built()
    if arguments.spikes is None:
        raise ModelError("--spikes is missing: a spike file with typical input, by which the states get their widths")
    samples = spikes.read(arguments.spikes)
    foreign.check_samples(real, samples)
    for note in understood.notes:
        print(printable(f"{arguments.model}: {note}"))
    return real, samples


def to_calibrate(arguments: argparse.Namespace) -> tuple[RealModel, SpikeSet, foreign.Widths]:
    """As `given`, with the arguments of `calibrate`."""
    real, samples = given(arguments)
    said = (arguments.weight_bits, arguments.leak_bits, arguments.fraction_bits, arguments.state_bits)
    return real, samples, foreign.widths(real, *said)


def check(arguments: argparse.Namespace) -> int:
    found = understand(arguments)
    kept = [] if found.model is None else _kept(found.model, arguments)
    rows = [
        [
            printable(one.node),
            printable(one.kind),
            printable(f"no: {one.problem}" if one.problem else one.becomes),
            kept[one.layer - 1] if kept and one.layer else "",
        ]
        for one in found.findings
    ]
    print(tabulate(rows, ["node", "kind", "becomes", "in integers"], disable_numparse=True))
    for note in found.notes:
        print(printable(note))
    if found.model is None:
        raise ModelError(f"{arguments.model}: {len(found.problems)} nodes cannot be built")
    return 0


def _kept(real: RealModel, arguments: argparse.Namespace) -> list[str]:
    """Of each layer, whether its numbers are integers of the widths asked for, or which are rounded."""
    widths = foreign.widths(real, arguments.weight_bits, arguments.leak_bits, arguments.fraction_bits)
    names = rounded(
        real,
        weight_bits=widths["weight_bits"],
        leak_bits=widths["leak_bits"],
        fraction_bits=widths["fraction_bits"],
    )
    return [f"rounded: {', '.join(each)}" if each else "exact" for each in names]
