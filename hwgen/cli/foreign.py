"""Networks from elsewhere on the command line: what every `--model` may be, and what `python -m hwgen check` does."""

from __future__ import annotations

import argparse
from typing import Any

from tabulate import tabulate

from quant import export, foreign, spikes
from quant.calibration import calibrate, default_fraction_bits
from quant.errors import ModelError, printable
from quant.foreign import Assumed, Foreign
from quant.foreign.drift import drift as measure
from quant.model import IntModel, RealModel
from quant.spikes import SpikeSet

SUFFIX = ".nir"
FRACTION_BITS = 4


def load(arguments: argparse.Namespace) -> IntModel:
    """The integer model that `--model` names: as it was trained here, or calibrated from a NIR file.

    Raises:
        ModelError, SpikeFileError: if files break their formats or do not fit each other, or an option is missing.
    """
    if arguments.model.suffix != SUFFIX:
        if arguments.source:
            raise ModelError(f"--source is for networks from elsewhere ({SUFFIX}); {arguments.model} says all itself")
        return export.load(arguments.model)
    if arguments.source is None and (known := foreign.integers(foreign.read(arguments.model))):
        return known
    real, samples = _real_and_samples(arguments)
    return calibrate(real, samples, **_widths(arguments))


def _real_and_samples(arguments: argparse.Namespace) -> tuple[RealModel, SpikeSet]:
    understood = understand(arguments)
    real = understood.built()
    if arguments.spikes is None:
        raise ModelError("--spikes is missing: a spike file with typical input, by which the states get their widths")
    samples = spikes.read(arguments.spikes)
    foreign.check_fit(real, samples)
    for note in understood.notes:
        print(printable(f"{arguments.model}: {note}"))
    return real, samples


def _widths(arguments: argparse.Namespace) -> dict[str, Any]:
    bits, fraction = arguments.weight_bits, arguments.fraction_bits
    if fraction is None:
        fraction = default_fraction_bits(bits)
    return {
        "weight_bits": bits[0] if len(bits) == 1 else bits,
        "leak_bits": arguments.leak_bits,
        "fraction_bits": fraction,
    }


def understand(arguments: argparse.Namespace) -> Foreign:
    """What becomes of the NIR file that `--model` names.

    Raises:
        ModelError: if it is no NIR file, or an option is missing.
    """
    if arguments.source is None:
        raise ModelError(
            f"--source is missing: {arguments.model} stores neither time step nor reset; name the framework it was "
            f"trained in: {', '.join(foreign.FRAMEWORKS)}"
        )
    assumed = Assumed(arguments.source, arguments.dt, arguments.reset, arguments.readout, arguments.single_spikes)
    return foreign.lower(foreign.read(arguments.model), assumed, arguments.model.stem)


def check(arguments: argparse.Namespace) -> int:
    if arguments.model.suffix != SUFFIX:
        raise ModelError(f"{arguments.model}: check reads NIR files ({SUFFIX})")
    found = understand(arguments)
    rows = [
        [printable(text) for text in (one.node, one.kind, f"no: {one.problem}" if one.problem else one.becomes)]
        for one in found.findings
    ]
    print(tabulate(rows, ["node", "kind", "becomes"], disable_numparse=True))
    for note in found.notes:
        print(printable(note))
    if found.model is None:
        raise ModelError(f"{arguments.model}: {len(found.problems)} nodes cannot be built")
    return 0


def drift(arguments: argparse.Namespace) -> int:
    real, samples = _real_and_samples(arguments)
    found = measure(real, samples, **_widths(arguments))
    rows = [
        [f"layer {number}", layer.spikes, layer.differ, *(layer.first or ("", "", ""))]
        for number, layer in enumerate(found.layers, start=1)
    ]
    print(tabulate(rows, ["", "spikes", "differ", "first: sample", "step", "neuron"]), end="\n\n")
    print(tabulate(found.blame.items(), ["put back to real numbers", "still differ"]), end="\n\n")
    print(f"accuracy {found.accuracy_real:.2%} in real numbers, {found.accuracy_integer:.2%} in integers")
    print(f"the same class for {found.same_class:.2%} of {len(samples)} samples")
    return 0
