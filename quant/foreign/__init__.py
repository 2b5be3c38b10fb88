"""Networks from elsewhere: from a NIR file to a `RealModel`, with every assumption said."""

from __future__ import annotations

from collections.abc import Sequence

from quant.calibration import calibrate
from quant.errors import SpikeFileError
from quant.foreign.frameworks import FRAMEWORKS
from quant.foreign.lowering import Assumed, Finding, Foreign, lower
from quant.foreign.modules import of_modules
from quant.foreign.nodes import Graph, Node, read
from quant.foreign.writing import integers, to_bytes
from quant.model import IntModel, RealModel
from quant.spikes import SpikeSet

__all__ = [
    "FRAMEWORKS",
    "Assumed",
    "Finding",
    "Foreign",
    "Graph",
    "Node",
    "calibrated",
    "integers",
    "lower",
    "of_modules",
    "read",
    "to_bytes",
]


def calibrated(
    real: RealModel, samples: SpikeSet, *, weight_bits: int | Sequence[int], leak_bits: int, fraction_bits: int
) -> IntModel:
    """The integers nearest to a network, for samples that fit it: see `quant.calibration.calibrate`.

    Raises:
        SpikeFileError: if the samples do not fit.
    """
    check_fit(real, samples)
    return calibrate(real, samples, weight_bits=weight_bits, leak_bits=leak_bits, fraction_bits=fraction_bits)


def check_fit(real: RealModel, samples: SpikeSet) -> None:
    """Refuse samples of other channels.

    Raises:
        SpikeFileError: naming both numbers.
    """
    if samples.channels != real.inputs:
        raise SpikeFileError(f"the samples have {samples.channels} channels; the network has {real.inputs} inputs")
