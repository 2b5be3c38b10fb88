"""What the subcommand of `python -m quant` does."""

from __future__ import annotations

import argparse

from quant import store
from quant.errors import ModelError
from quant.export import load
from quant.files import write_new


def export(arguments: argparse.Namespace) -> int:
    if arguments.out.suffix != ".safetensors":
        raise ModelError(f"{arguments.out}: the name of an integer model file must end in .safetensors")
    model = load(arguments.model)
    write_new(arguments.out, store.to_bytes(model), force=arguments.force)
    sizes = "-".join(str(size) for size in (model.inputs, *(layer.neurons for layer in model.layers)))
    bits = "/".join(str(layer.integers.weight_bits) for layer in model.layers)
    weights = sum(one.weight.size for layer in model.layers for one in layer.projections)
    what = f"{model.name!r} {sizes}, {weights} weights of {bits} bits, digest {store.digest(model)[:16]}"
    print(f"{arguments.out}: {what}")
    return 0
