"""What the subcommand of `python -m quant` does."""

from __future__ import annotations

import argparse

from quant import foreign, store
from quant.errors import ModelError
from quant.export import load
from quant.files import write_new

WRITERS = {"safetensors": store.to_bytes, "nir": foreign.to_bytes}


def export(arguments: argparse.Namespace) -> int:
    kind = arguments.format or arguments.out.suffix.removeprefix(".")
    if kind not in WRITERS or arguments.out.suffix != f".{kind}":
        raise ModelError(f"{arguments.out}: the name must end in .{' or .'.join(WRITERS)}, as --format says")
    model = load(arguments.model)
    write_new(arguments.out, WRITERS[kind](model), force=arguments.force)
    sizes = "-".join(str(size) for size in (model.inputs, *(layer.neurons for layer in model.layers)))
    bits = "/".join(str(layer.integers.weight_bits) for layer in model.layers)
    weights = sum(one.weight.size for layer in model.layers for one in layer.projections)
    what = f"{model.name!r} {sizes}, {weights} weights of {bits} bits, digest {store.digest(model)[:16]}"
    print(f"{arguments.out}: {what}")
    return 0
