"""An integer model as a NIR file: its graph in real numbers for other tools, and the integers in the graph's metadata.

The real numbers are in units of the integers, for a framework whose leak is `1 - dt/tau`. Who reads the integers back
gets the same model, to the bit (`integers`).
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from quant import store
from quant.arithmetic import Array
from quant.errors import ModelError
from quant.foreign.nodes import GRAPH, Graph
from quant.model import IntModel, Layer
from quant.neurons import Bias, Delay, Part, SelfWeight, Synapse

DT = 1e-4  # s, as snnTorch and SpikingJelly take it
VERSION = "1.0"
_DOCUMENT, _TENSOR = "scsr_model", "scsr_tensor:"
_KNOWN = (SelfWeight, Bias, Synapse, Delay)
_HALF = 0.5

Nodes = dict[str, tuple[str, Mapping[str, Any]]]


def to_bytes(model: IntModel) -> bytes:
    """The content of the file.

    Raises:
        ModelError: if neurons have a part that NIR has no node for.
    """
    import h5py

    nodes, edges = _graph(model)
    with h5py.File(buffer := io.BytesIO(), "w") as file:
        file["version"] = VERSION
        top = file.create_group("node")
        top["type"] = GRAPH
        for name, (kind, numbers) in nodes.items():
            node = top.create_group(f"nodes/{name}")
            node["type"] = kind
            for key, value in numbers.items():
                node[key] = value
        top["edges"] = np.array(edges, dtype=h5py.string_dtype())
        metadata = top.create_group("metadata")
        metadata[_DOCUMENT] = json.dumps(store.describe(model))
        for name, tensor in store.named_tensors(model).items():
            metadata[_TENSOR + name] = tensor
    return buffer.getvalue()


def integers(graph: Graph) -> IntModel | None:
    """The integer model in the metadata of a graph that we wrote; None in others.

    Raises:
        ModelError: if it breaks the format.
    """
    document = graph.metadata.get(_DOCUMENT)
    if not isinstance(document, str):
        return None
    tensors = {
        name.removeprefix(_TENSOR): np.asarray(value)
        for name, value in graph.metadata.items()
        if name.startswith(_TENSOR)
    }
    return store.assemble(store.parse_document(document), tensors)


def _graph(model: IntModel) -> tuple[Nodes, list[tuple[str, str]]]:
    nodes: Nodes = {"input": ("Input", {"shape": np.array(model.input_shape)})}
    edges: list[tuple[str, str]] = []
    outlets = ["input"]  # of the sources, the nodes that their spikes leave
    for index, layer in enumerate(model.layers, start=1):
        name = f"layer_{index}"
        parts = layer.neuron.acting(spiking=model.spikes(index))
        nodes[name] = _neurons(layer, parts, name, spiking=model.spikes(index))
        outlets.append(name)
        for part in parts:
            if isinstance(part, Delay):
                nodes[f"{name}_delay"] = ("Delay", {"delay": _spread(layer, part.steps) * DT})
                edges.append((name, f"{name}_delay"))
                outlets[-1] = f"{name}_delay"
        for key, source, node in _ways(layer, parts, name, None if model.spikes(index) else index):
            nodes[key] = node
            edges += [(name if source is None else outlets[source], key), (key, name)]
    nodes["output"] = ("Output", {"shape": np.array(model.layers[-1].shape)})
    edges.append((outlets[-1], "output"))
    return nodes, edges


def _ways(
    layer: Layer, parts: Sequence[Part], name: str, silent: int | None
) -> Iterator[tuple[str, int | None, tuple[str, Mapping[str, Any]]]]:
    """The nodes through which spikes reach a layer, by name, and their sources; None is the neuron itself.

    A layer that never spikes, `silent`, feels nothing of its own; others would feed back its potentials.
    """
    bias = next((_spread(layer, part.value) for part in parts if isinstance(part, Bias)), None)
    felt = (one for one in layer.projections if one.source != silent)
    for place, one in enumerate(felt, start=1):
        numbers = {"weight": one.weight.astype(np.float64)}
        with_bias = {**numbers, "bias": bias} if bias is not None and place == 1 else None
        yield f"{name}_weights_{place}", one.source, ("Affine", with_bias) if with_bias else ("Linear", numbers)
    own = sum((_spread(layer, part.weight) for part in parts if isinstance(part, SelfWeight)), np.zeros(layer.neurons))
    if silent is None and layer.neuron.reset == "late_subtract" and _between(layer, parts):
        own = own - _HALF  # which a spike subtracts too little
    if own.any():
        yield f"{name}_self", None, ("Linear", {"weight": np.diag(own)})


def _neurons(layer: Layer, parts: Sequence[Part], name: str, *, spiking: bool) -> tuple[str, Mapping[str, Any]]:
    for part in parts:
        if not isinstance(part, _KNOWN):
            raise ModelError(f"{name} has {part.label}; NIR has no node for it: write a .safetensors file")
    synapse = next((part for part in parts if isinstance(part, Synapse)), None)
    one = np.ones(layer.neurons)
    tau = _tau(layer, layer.neuron.leak)
    numbers = {"r": tau / DT, "v_leak": 0 * one}
    if spiking:
        threshold = _spread(layer, layer.neuron.threshold) - (_HALF if _between(layer, parts) else 0.0)
        numbers |= {"v_threshold": threshold, "v_reset": 0 * one}
    if synapse is None:
        return "LIF" if spiking else "LI", {"tau": tau, **numbers}
    tau_syn = _tau(layer, synapse.leak)
    return "CubaLIF" if spiking else "CubaLI", {
        "tau_mem": tau,
        "tau_syn": tau_syn,
        "w_in": tau_syn / DT,
        **numbers,
    }


def _between(layer: Layer, parts: Sequence[Part]) -> bool:
    """Whether a threshold is written as the middle before the next integer.

    Potentials are integers, and others fire above a threshold: the middle serves both, where it is not subtracted, or a
    self-weight can subtract the rest. Through a filter that would last, and beside a delay come without it.
    """
    late = layer.neuron.reset == "late_subtract" and not any(isinstance(part, Synapse | Delay) for part in parts)
    return layer.neuron.reset == "zero" or late


def _tau(layer: Layer, leak: Array) -> Array:
    found: Array = DT / (1 - _spread(layer, leak) / 2**layer.integers.leak_bits)
    return found


def _spread(layer: Layer, values: Array) -> Array:
    """`(N,)` of the numbers of each neuron or channel."""
    spread: Array = np.repeat(values.astype(np.float64), layer.neurons // layer.shape[0])
    return spread
