"""Networks from elsewhere: from a NIR file to a `RealModel`, with every assumption said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from quant.calibration import default_fraction_bits
from quant.errors import SpikeFileError
from quant.foreign.assumed import Assumed
from quant.foreign.frameworks import FRAMEWORKS
from quant.foreign.lowering import Finding, Foreign, lower
from quant.foreign.modules import of_modules
from quant.foreign.nodes import Graph, Node, read
from quant.foreign.writing import integers, to_bytes
from quant.model import RealModel
from quant.spikes import SpikeSet

__all__ = [
    "FRAMEWORKS",
    "LEAK_BITS",
    "WEIGHT_BITS",
    "Assumed",
    "Finding",
    "Foreign",
    "Graph",
    "Node",
    "check_samples",
    "integers",
    "lower",
    "of_modules",
    "read",
    "to_bytes",
    "widths",
]

WEIGHT_BITS, LEAK_BITS = 8, 12  # where nobody says other widths


class Widths(TypedDict):
    """Of `quant.calibration.calibrate`."""

    weight_bits: list[int]
    leak_bits: int
    fraction_bits: int
    state_bits: int | None


def check_samples(real: RealModel, samples: SpikeSet) -> None:
    """Refuse samples that do not fit the network.

    Raises:
        SpikeFileError: if there are none, or they have other channels or classes than the network.
    """
    if not len(samples):
        raise SpikeFileError("the spike file holds no samples; give typical input")
    samples.check_channels(real.inputs)
    if (label := int(samples.label.max())) >= len(real.classes):
        raise SpikeFileError(f"label {label} is no class; the network has {len(real.classes)}, from 0 on")


def widths(
    real: RealModel,
    weight_bits: int | Sequence[int] | None = None,
    leak_bits: int | None = None,
    fraction_bits: int | None = None,
    state_bits: int | None = None,
) -> Widths:
    """The arguments of `quant.calibration.calibrate`.

    Args:
        weight_bits: of all layers, or of each; None: `WEIGHT_BITS`.
        leak_bits: None: `LEAK_BITS`.
        fraction_bits: None: 4, as far as these weights allow.
        state_bits: the most of a state; None: what the samples ask for.
    """
    given = WEIGHT_BITS if weight_bits is None else weight_bits
    each = [given] if isinstance(given, int) else list(given)
    each *= len(real.layers) if len(each) == 1 else 1
    return {
        "weight_bits": each,
        "leak_bits": LEAK_BITS if leak_bits is None else leak_bits,
        "fraction_bits": default_fraction_bits(each) if fraction_bits is None else fraction_bits,
        "state_bits": state_bits,
    }
