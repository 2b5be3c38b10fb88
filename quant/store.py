"""The integer model on disk: a `.safetensors` file of integers and one JSON document (docs/formats.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import safetensors
import safetensors.numpy

from quant.errors import ModelError, brief, reason
from quant.files import check_size
from quant.formats import IntArray, smallest_dtype
from quant.model import IntLayer, IntModel, check_sources, tensors

FORMAT = "scsr-int"
VERSION = 1

_MODEL_KEYS = {"format": str, "version": int, "name": str, "inputs": int, "layers": list, "readout": str}
_LAYER_KEYS = {
    "neurons": int,
    "sources": list,
    "weight_bits": int,
    "leak_bits": int,
    "state_bits": int,
    "reset": str,
    "synapse": bool,
    "self_recurrent": bool,
    "dense_recurrent": bool,
}
_DTYPES = {"I8", "I16", "I32"}

T = TypeVar("T")


def describe(model: IntModel) -> dict[str, Any]:
    """The JSON document of the model file: everything but the tensors."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": model.name,
        "inputs": model.inputs,
        "classes": list(model.classes),
        "layers": [
            {
                "neurons": layer.neurons,
                "sources": list(layer.sources),
                "weight_bits": layer.weight_bits,
                "leak_bits": layer.leak_bits,
                "state_bits": layer.state_bits,
                "reset": layer.reset,
                "synapse": layer.synapse_leak is not None,
                "self_recurrent": layer.self_weight is not None,
                "dense_recurrent": layer.recurrent is not None,
            }
            for layer in model.layers
        ],
        "readout": model.readout,
    }


def named_tensors(model: IntModel) -> dict[str, IntArray]:
    """Every tensor under its name in the file, in the narrowest dtype that holds its range."""
    return {
        f"layers.{index}.{name}": np.ascontiguousarray(tensor, dtype=smallest_dtype(*limits))
        for index, layer in enumerate(model.layers, start=1)
        for name, tensor, _, limits in tensors(layer)
    }


def to_bytes(model: IntModel) -> bytes:
    """The model file's content; equal models give equal bytes."""
    document = json.dumps(describe(model), separators=(",", ":"), ensure_ascii=False)
    return safetensors.numpy.save(named_tensors(model), metadata={"model": document})


def digest(model: IntModel) -> str:
    """SHA-256, in hexadecimal, of the model's description and tensors, independent of how the file was laid out."""
    hasher = hashlib.sha256(json.dumps(describe(model), sort_keys=True).encode())
    for name, tensor in sorted(named_tensors(model).items()):
        hasher.update(f"\n{name}\n".encode())
        hasher.update(tensor.astype("<i4").tobytes())
    return hasher.hexdigest()


def read(path: Path) -> IntModel:
    """Read and validate a model file.

    Raises:
        ModelError: if the file breaks its format in any way.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file; give an integer model file (.safetensors) or a checkpoint (.pt)")
    check_size(path)
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            for name in file.keys():  # noqa: SIM118 - not a mapping
                dtype = file.get_slice(name).get_dtype()
                if dtype not in _DTYPES:
                    raise ModelError(f"{path}: {brief(name)}: dtype is {dtype}; it must be one of I8, I16, I32")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise ModelError(f"{path}: not a readable safetensors file ({reason(error)}); export the model again") from None
    if set(metadata) != {"model"}:
        raise ModelError(f"{path}: the metadata entries are {brief(sorted(metadata))}; there must be one, 'model'")
    try:
        return assemble(parse_document(metadata["model"]), arrays)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def assemble(document: object, arrays: Mapping[str, IntArray]) -> IntModel:
    """Build the model from its JSON document and its tensors, checking both in full.

    Raises:
        ModelError: naming the key or tensor, the offending value and the limit.
    """
    top = _checked_object(document, _MODEL_KEYS, "model", optional={"classes": list})
    if top["format"] != FORMAT:
        raise ModelError(f"format is {brief(top['format'])}; this reader knows {FORMAT!r}")
    if top["version"] != VERSION:
        raise ModelError(f"version is {brief(top['version'])}; this reader knows version {VERSION}")
    if not top["layers"]:
        raise ModelError("layers: the list is empty; a model has at least one layer")
    if top.get("classes") == []:
        raise ModelError("classes: the list is empty; give one name per neuron of the last layer, or leave it out")
    take = _Taker(arrays)
    layers = tuple(_assemble_layer(index, entry, take) for index, entry in enumerate(top["layers"], start=1))
    take.refuse_rest()
    return IntModel(
        name=top["name"],
        inputs=top["inputs"],
        layers=layers,
        readout=top["readout"],
        classes=tuple(_all_of(str, top["classes"], "classes")) if "classes" in top else (),
    )


def _assemble_layer(index: int, entry: object, take: _Taker) -> IntLayer:
    where = f"layers.{index}"
    keys = _checked_object(entry, _LAYER_KEYS, where)
    sources = _all_of(int, keys["sources"], f"{where}.sources")
    check_sources(where, index, sources)
    return IntLayer(
        neurons=keys["neurons"],
        weight={source: take(f"{where}.weight.{source}") for source in sources},
        recurrent=take(f"{where}.recurrent") if keys["dense_recurrent"] else None,
        self_weight=take(f"{where}.self") if keys["self_recurrent"] else None,
        leak=take(f"{where}.leak"),
        synapse_leak=take(f"{where}.synapse_leak") if keys["synapse"] else None,
        threshold=take(f"{where}.threshold"),
        weight_bits=keys["weight_bits"],
        leak_bits=keys["leak_bits"],
        state_bits=keys["state_bits"],
        reset=keys["reset"],
    )


class _Taker:
    """Hands out tensors by name, once each, and knows what was not asked for."""

    def __init__(self, arrays: Mapping[str, IntArray]) -> None:
        self._left = dict(arrays)

    def __call__(self, name: str) -> IntArray:
        try:
            return self._left.pop(name)
        except KeyError:
            raise ModelError(f"tensor {name} is missing; the layer's description calls for it") from None

    def refuse_rest(self) -> None:
        if self._left:
            raise ModelError(f"tensor {brief(min(self._left))} is unknown; the description does not call for it")


def parse_document(text: str) -> object:
    """The JSON document in a text, strictly: no key twice, no NaN.

    Raises:
        ModelError: saying what is wrong.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        for key, value in pairs:
            if key in entries:
                raise ModelError(f"key {brief(key)} stands twice in one JSON object")
            entries[key] = value
        return entries

    def refuse(constant: str) -> NoReturn:
        raise ModelError(f"{constant} is not a JSON number")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"the 'model' entry is not JSON ({error})") from None


def _checked_object(
    value: object, keys: Mapping[str, type], where: str, optional: Mapping[str, type] | None = None
) -> dict[str, Any]:
    """`value` as a dict that has all of `keys`, perhaps some of `optional`, nothing else, and the right types."""
    if not isinstance(value, dict):
        raise ModelError(f"{where} is {brief(value)}; it must be an object")
    allowed = {**keys, **(optional or {})}
    for key in value:
        if key not in allowed:
            raise ModelError(f"{where}: key {brief(key)} is unknown; allowed are {', '.join(allowed)}")
    for key in keys:
        if key not in value:
            raise ModelError(f"{where}: key {key!r} is missing")
    for key, item in value.items():
        _typed(allowed[key], item, f"{where}.{key}")
    return value


def _all_of(kind: Callable[..., T], items: list[object], where: str) -> list[T]:
    return [_typed(kind, item, f"{where}[{index}]") for index, item in enumerate(items)]


def _typed(kind: Any, item: Any, where: str) -> Any:
    if type(item) is not kind:  # not isinstance: JSON's true is no integer
        raise ModelError(f"{where} is {brief(item)}; it must be of type {kind.__name__}")
    if kind is str and any("\ud800" <= character <= "\udfff" for character in item):
        raise ModelError(f"{where} is {brief(item)}; half a surrogate pair is no text")
    return item
