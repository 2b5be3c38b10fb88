"""`python -m quant`: the integer model of a checkpoint as a file of its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from quant import export, store
from quant.command import Command
from quant.errors import ModelError
from quant.files import write_new


def main(argv: Sequence[str] | None = None) -> int:
    command = Command("python -m quant", "The integer model of a trained network.")
    parser = command.add("export", _export, "write the integer model file of a checkpoint")
    parser.add_argument("--model", type=Path, required=True, help="a checkpoint (.pt) or a model file (.safetensors)")
    parser.add_argument("--out", type=Path, required=True, help="the integer model file to write (.safetensors)")
    parser.add_argument("--force", action="store_true", help="replace a file that holds something else")
    return command.run(argv)


def _export(arguments: argparse.Namespace) -> int:
    if arguments.out.suffix != ".safetensors":
        raise ModelError(f"{arguments.out}: the name of an integer model file must end in .safetensors")
    model = export.load(arguments.model)
    write_new(arguments.out, store.to_bytes(model), force=arguments.force)
    sizes = "-".join(str(size) for size in (model.inputs, *(layer.neurons for layer in model.layers)))
    bits = "/".join(str(layer.integers.weight_bits) for layer in model.layers)
    weights = sum(one.weight.size for layer in model.layers for one in layer.projections)
    what = f"{model.name!r} {sizes}, {weights} weights of {bits} bits, digest {store.digest(model)[:16]}"
    print(f"{arguments.out}: {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
