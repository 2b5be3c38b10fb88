"""The integers of a trained network: the end of training and the beginning of hardware."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from quant.formats import IntArray
from quant.model import IntLayer, IntModel
from trainer.config import LayerConfig
from trainer.network import Network
from trainer.neuron import Numbers


@torch.no_grad()
def integers(network: Network) -> IntModel:
    """The integer model that computes exactly what `network` computes in quantized mode."""
    config = network.config
    return IntModel(
        name=config.name,
        inputs=config.data.channels,
        layers=tuple(
            _layer(layer, config.source_sizes(index), module.numbers(quantized=True), module.quantizer.state_bits)
            for index, (layer, module) in enumerate(zip(config.network.layers, network.layers, strict=True), start=1)
        ),
        readout=config.network.readout,
        classes=config.data.classes,
    )


def _layer(layer: LayerConfig, sizes: tuple[int, ...], numbers: Numbers, state_bits: int) -> IntLayer:
    blocks = numbers.feed_forward.split(sizes, dim=1)
    step = 2**layer.leak_bits
    return IntLayer(
        neurons=layer.neurons,
        weight={source: _array(block) for source, block in zip(layer.sources, blocks, strict=True)},
        recurrent=None if numbers.recurrent is None else _array(numbers.recurrent),
        self_weight=None if numbers.self_weight is None else _array(numbers.self_weight),
        leak=_array(numbers.leak * step),
        synapse_leak=None if numbers.synapse_leak is None else _array(numbers.synapse_leak * step),
        threshold=_array(numbers.threshold),
        weight_bits=layer.weight_bits,
        leak_bits=layer.leak_bits,
        state_bits=state_bits,
        reset=layer.reset,
    )


def _array(tensor: Tensor) -> IntArray:
    whole = tensor.numpy().astype(np.int64)
    assert (whole == tensor.numpy()).all(), "a quantizer returned something that is no integer"
    return whole
