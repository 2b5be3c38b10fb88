"""`python -m quant`: the integer model of a checkpoint as a file of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from quant.command import Command, add_out


def main(argv: Sequence[str] | None = None) -> int:
    return Command("python -m quant", "The integer model of a trained network.", add_commands).run(argv)


def add_commands(command: Command) -> None:
    """Add the subcommand of this package."""
    export = command.add(
        "export",
        "quant.commands:export",
        "write the integer model file of a checkpoint",
        "--model runs/digits/ckpt.pt --out runs/digits/model.safetensors",
    )
    export.add_argument("--model", type=Path, required=True, help="a checkpoint (.pt) or a model file (.safetensors)")
    add_out(export, "the file to write: integers (.safetensors), or a graph for other tools too (.nir)")
    export.add_argument("--format", choices=("safetensors", "nir"), help="of the file (default: as its name ends)")


if __name__ == "__main__":
    sys.exit(main())
