"""The options that say what a NIR file does not, for every command line that reads one."""

from __future__ import annotations

import argparse

from quant.errors import ModelError
from quant.foreign.assumed import Assumed
from quant.foreign.frameworks import FRAMEWORKS
from quant.foreign.lowering import Foreign, lower
from quant.foreign.nodes import read
from quant.neurons import RESETS
from quant.readouts import READOUTS

SUFFIX = ".nir"


def add_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add them as a group of their own."""
    group = parser.add_argument_group("networks from elsewhere", "what a NIR file does not say (docs/foreign.md)")
    group.add_argument("--source", choices=tuple(FRAMEWORKS), help="the framework that the network was trained in")
    group.add_argument("--dt", type=float, help="its time step, in the unit of the file's time constants")
    group.add_argument("--reset", choices=tuple(RESETS), help="what follows a spike")
    group.add_argument("--readout", choices=tuple(READOUTS), help="how the last layer's steps become scores")
    group.add_argument("--single-spikes", action="store_true", help="no neuron fires more than once in a step")
    return group


def understand(arguments: argparse.Namespace) -> Foreign:
    """What becomes of the NIR file that `--model` names.

    Raises:
        ModelError: if it is no NIR file, or an option is missing.
    """
    if arguments.model.suffix != SUFFIX:
        raise ModelError(f"{arguments.model}: this command reads NIR files ({SUFFIX})")
    if arguments.source is None:
        raise ModelError(
            f"--source is missing: {arguments.model} stores neither time step nor reset; name the framework it was "
            f"trained in: {', '.join(FRAMEWORKS)}"
        )
    assumed = Assumed(arguments.source, arguments.dt, arguments.reset, arguments.readout, arguments.single_spikes)
    return lower(read(arguments.model), assumed, arguments.model.stem)
