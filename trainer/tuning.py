"""Networks from elsewhere go on learning here: structure and first numbers are theirs, the rest is configured.

What a configuration may say of their layers are the widths of the integers. From there on they are networks like all
others: any rule, both phases, the same hardware.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from quant.arithmetic import Array
from quant.errors import ConfigError, ModelError
from quant.model import Layer, RealModel
from quant.neurons import Delay
from quant.projections import Dense
from trainer import config as configuration
from trainer.checkpoint import State
from trainer.config import Config, LayerConfig
from trainer.network import Network

_OURS = ("weight_bits", "weight_shift", "leak_bits", "state_bits", "leak_grid", "fit_states")
_LEAST, _NEAR = 1e-6, 2e-6  # of a threshold; single precision, of which training is, rounds it and potentials by less
_KEPT = tuple(one.name for one in fields(LayerConfig) if one.name not in _OURS)


def read(real: RealModel, path: Path) -> tuple[Config, State]:
    """As `begin`, with the configuration in a file; paths of data in it begin at its folder.

    Raises:
        ConfigError: naming the file and the key path.
    """
    config = configuration.read(path, lambda table: _completed(real, table))
    try:
        return _checked(real, config)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def begin(real: RealModel, table: Mapping[str, Any]) -> tuple[Config, State]:
    """The configuration of a run that goes on with a network, and the state in which that begins.

    Args:
        real: the network.
        table: a configuration without what the network says itself: in `network` only `logit_gain` and `layers`, one
            table of widths for all layers or one for each.

    Raises:
        ConfigError: if the table is wrong, says what the network says, or its data do not fit the network.
    """
    return _checked(real, configuration.from_table(_completed(real, table)))


def _checked(real: RealModel, config: Config) -> tuple[Config, State]:
    if config.data.channels != real.inputs:
        found = f"data has {config.data.channels} channels; the network has {real.inputs} inputs"
        raise ConfigError(f"{found}: give it data as it was trained with")
    network = Network(config)
    with torch.no_grad():
        for place, (layer, given) in enumerate(zip(network.layers, real.layers, strict=True), start=1):
            neuron = replace(given.neuron, threshold=_thresholds(given, place))
            numbers = {one.name: torch.from_numpy(one.values.astype(np.float32)) for one in neuron.tensors()}
            layer.take(torch.from_numpy(_weights(given, place, layer.layer.sources).astype(np.float32)), numbers)
    network.fit_scales()
    return config, network.state_dict()


def _completed(real: RealModel, table: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration's table with the network in it."""
    network = table.get("network", {})
    if not isinstance(network, Mapping):
        raise ConfigError("network must be a table")
    for key in network:
        if key not in ("layers", "logit_gain"):
            raise ConfigError(f"network.{key}: the network that is tuned says it itself; leave it out")
    widths = network.get("layers", [{}])
    if not isinstance(widths, list) or not all(isinstance(one, Mapping) for one in widths):
        raise ConfigError("network.layers must be a list of tables")
    if len(widths) not in (1, len(real.layers)):
        raise ConfigError(
            f"network.layers has {len(widths)} tables; give one for all {len(real.layers)} layers, or one each"
        )
    each = widths * len(real.layers) if len(widths) == 1 else widths
    layers = []
    for place, (layer, own) in enumerate(zip(real.layers, each, strict=True), start=1):
        for key in own:
            if key in _KEPT:
                raise ConfigError(
                    f"network.layers[{place}].{key}: the network that is tuned says it itself; leave it out"
                )
        layers.append({**_structure(layer, place), **own})
    said = {**network, "layers": layers, "readout": real.readout, "imported": _digest(real)}
    return {"name": real.name, **table, "network": said}


def _structure(layer: Layer, place: int) -> dict[str, Any]:
    sources = [one.source for one in layer.projections]
    if len(set(sources)) < len(sources) or not all(isinstance(one, Dense) for one in layer.projections):
        raise ModelError(f"layer {place} has several ways from one source, or a convolution; only dense layers learn")
    parts: dict[str, Any] = {part.key: True for part in layer.neuron.parts}
    for part in layer.neuron.parts:
        if isinstance(part, Delay):
            parts[part.key] = max(1, int(part.steps.max()))
    return {
        "neurons": layer.neurons,
        "sources": [source for source in sources if source != place],
        "dense_recurrent": place in sources,
        "reset": layer.neuron.reset,
        **parts,
    }


def _thresholds(layer: Layer, place: int) -> Array:
    """Thresholds that potentials on either side, or right at them, stay on their side of: ours fire at them."""
    least, threshold = layer.neuron.threshold.min(), layer.neuron.threshold
    if least < _LEAST:
        raise ModelError(
            f"layer {place} has a threshold of {least:.3g}; training takes {_LEAST:g} or more: multiply the threshold, "
            "the weights and the bias of each neuron by one number"
        )
    return threshold * (1 + _NEAR if layer.neuron.strict else 1 - _NEAR)


def _weights(layer: Layer, place: int, sources: tuple[int, ...]) -> np.ndarray:
    by_source = {one.source: one.weight for one in layer.projections}
    recurrent = [by_source[place]] if place in by_source else []
    return np.concatenate([*(by_source[source] for source in sources), *recurrent], axis=1)


def _digest(real: RealModel) -> str:
    found = hashlib.sha256()
    for layer in real.layers:
        for values in (*(one.weight for one in layer.projections), *(one.values for one in layer.neuron.tensors())):
            found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()
