"""The numbers of a trained network: the end of training and the beginning of hardware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quant.arithmetic import Array, Widths
from quant.model import IntModel, Layer, RealModel
from quant.neurons import PARTS, Lif
from quant.projections import Dense
from trainer.network import GraphNetwork
from trainer.network import Layer as LearnedLayer
from trainer.neurons import QUANTITIES


def integers(network: GraphNetwork) -> IntModel:
    """The integer model that computes exactly what `network` computes in quantized mode."""
    return IntModel(**_model(network, quantized=True))


def real_model(network: GraphNetwork) -> RealModel:
    """The same graph with the real numbers that the integers stand for: those of the float phase, folded."""
    return RealModel(**_model(network, quantized=False))


@torch.no_grad()
def _model(network: GraphNetwork, *, quantized: bool) -> dict[str, Any]:
    graph = network.graph
    return {
        "name": graph.name,
        "input_shape": (graph.inputs,),
        "layers": tuple(
            _layer(index, layer, graph.source_sizes(index), quantized=quantized)
            for index, layer in enumerate(network.layers, start=1)
        ),
        "readout": graph.network.readout,
        "classes": graph.classes,
    }


def _layer(index: int, module: LearnedLayer, sizes: tuple[int, ...], *, quantized: bool) -> Layer:
    layer, to_array = module.layer, _integers if quantized else lambda real: real.numpy().astype(np.float64)
    numbers = module.numbers(quantized=True) if quantized else module.folded_numbers()
    blocks = numbers.feed_forward.split(sizes, dim=1)
    projections = [Dense(source, to_array(block)) for source, block in zip(layer.sources, blocks, strict=True)]
    if numbers.recurrent is not None:
        projections.append(Dense(index, to_array(numbers.recurrent)))
    codes = {
        name: to_array(QUANTITIES[name].code(value, layer.leak_bits) if quantized else value)
        for name, value in numbers.neuron.items()
    }
    weight_bits = layer.weight_bits + layer.weight_shift
    present = {part.key for part in layer.parts}
    parts = tuple(part(**_fields(part, codes)) for part in PARTS if part.key in present)
    assert len(parts) == len(layer.parts), "a part is missing in quant.neurons.PARTS"
    return Layer(
        shape=(layer.neurons,),
        projections=tuple(projections),
        neuron=Lif(**_fields(Lif, codes), reset=layer.reset, parts=parts, strict=False),
        widths=Widths(weight_bits, layer.leak_bits, module.quantizer.state_bits) if quantized else None,
    )


def _fields(kind: Any, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays that are fields of `kind`, which knows them by their names in the model file."""
    return {one.name: arrays[one.metadata["name"]] for one in fields(kind) if one.metadata}


def _integers(tensor: Tensor) -> Array:
    whole = tensor.numpy().astype(np.int64)
    assert (whole == tensor.numpy()).all(), "a quantizer returned something that is no integer"
    return whole
