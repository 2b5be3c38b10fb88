"""The integers of a trained network: the end of training and the beginning of hardware."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from quant.arithmetic import Widths
from quant.formats import IntArray
from quant.model import IntModel, Layer
from quant.neurons import Lif, Part, SelfWeight, Synapse
from quant.projections import Dense
from trainer.config import LayerConfig
from trainer.network import Network
from trainer.neuron import Numbers


@torch.no_grad()
def integers(network: Network) -> IntModel:
    """The integer model that computes exactly what `network` computes in quantized mode."""
    config = network.config
    return IntModel(
        name=config.name,
        input_shape=(config.data.channels,),
        layers=tuple(
            _layer(
                index, layer, config.source_sizes(index), module.numbers(quantized=True), module.quantizer.state_bits
            )
            for index, (layer, module) in enumerate(zip(config.network.layers, network.layers, strict=True), start=1)
        ),
        readout=config.network.readout,
        classes=config.data.classes,
    )


def _layer(index: int, layer: LayerConfig, sizes: tuple[int, ...], numbers: Numbers, state_bits: int) -> Layer:
    blocks = numbers.feed_forward.split(sizes, dim=1)
    projections = [Dense(source, _array(block)) for source, block in zip(layer.sources, blocks, strict=True)]
    if numbers.recurrent is not None:
        projections.append(Dense(index, _array(numbers.recurrent)))
    parts: list[Part] = []
    if numbers.self_weight is not None:
        parts.append(SelfWeight(_array(numbers.self_weight)))
    if numbers.synapse_leak is not None:
        parts.append(Synapse(_array(numbers.synapse_leak * 2**layer.leak_bits)))
    leak, threshold = _array(numbers.leak * 2**layer.leak_bits), _array(numbers.threshold)
    return Layer(
        shape=(layer.neurons,),
        projections=tuple(projections),
        neuron=Lif(leak, threshold, layer.reset, tuple(parts)),
        widths=Widths(layer.weight_bits, layer.leak_bits, state_bits),
    )


def _array(tensor: Tensor) -> IntArray:
    whole = tensor.numpy().astype(np.int64)
    assert (whole == tensor.numpy()).all(), "a quantizer returned something that is no integer"
    return whole
