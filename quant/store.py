"""The integer model on disk: a `.safetensors` file of integers and one JSON document (docs/formats.md).

Version 2 says everything that a model can be; its keys follow from the registries of projections and neuron parts.
What version 1 can say is still written as version 1, so that such a model keeps its digest and every reader: it is
version 2 in other words, with other names for some tensors (`_names_1`).
"""

from __future__ import annotations

import functools
import hashlib
import json
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any, Literal, NoReturn, get_type_hints

import msgspec
import numpy as np
import safetensors
import safetensors.numpy

from quant.arithmetic import Array, Widths
from quant.errors import ModelError, brief, reason
from quant.files import check_size
from quant.formats import IntArray, smallest_dtype
from quant.model import IntModel, Layer, check_range, check_sources
from quant.neurons import PARTS, RESETS, Lif, Reset, SelfWeight, Synapse
from quant.projections import PROJECTIONS, Dense, Projection

FORMAT = "scsr-int"

_DTYPES = {"I8", "I16", "I32"}
_SIZES_1 = (1, 32768)  # of layers and input in version 1
_ARRAYS = ("weight",)  # the fields of a projection that are tensors


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    pass


class _Layer1(_Strict):
    neurons: int
    sources: list[int]
    weight_bits: int
    leak_bits: int
    state_bits: int
    reset: Literal["zero", "subtract"]
    synapse: bool
    self_recurrent: bool
    dense_recurrent: bool


class _Document1(_Strict, tag_field="version", tag=1):
    format: str
    name: str
    inputs: int
    layers: list[_Layer1]
    readout: Literal["spike_count", "membrane_sum"]
    classes: list[str] | None = None


def _projection_schema(kind: type[Projection]) -> Any:
    """The keys of a projection: the fields of its class but for the tensors."""
    types = get_type_hints(kind)
    own = [one for one in fields(kind) if one.name not in _ARRAYS]
    keys: list[Any] = [(one.name, types[one.name], *([] if one.default is MISSING else [one.default])) for one in own]
    return msgspec.defstruct(kind.kind, keys, bases=(_Strict,), tag_field="kind", tag=kind.kind)


_SCHEMAS = {name: _projection_schema(kind) for name, kind in PROJECTIONS.items()}
_Projection2: Any = functools.reduce(operator.or_, _SCHEMAS.values())
_Neuron2: Any = msgspec.defstruct(
    "neuron",
    [("kind", Literal["lif"]), ("reset", Reset), *((part.key, bool, False) for part in PARTS)],
    bases=(_Strict,),
)


class _Layer2(_Strict):
    shape: list[int]
    weight_bits: int
    leak_bits: int
    state_bits: int
    projections: list[_Projection2]
    neuron: _Neuron2


class _Input2(_Strict):
    shape: list[int]


class _Document2(_Strict, tag_field="version", tag=2):
    format: str
    name: str
    input: _Input2
    layers: list[_Layer2]
    readout: str
    classes: list[str] | None = None


def version(model: IntModel) -> int:
    """The oldest version of the file format that can say everything about a model."""
    flat = len(model.input_shape) == 1 and model.readout in ("spike_count", "membrane_sum")
    return 1 if flat and all(_fits_version_1(layer) for layer in model.layers) else 2


def _fits_version_1(layer: Layer) -> bool:
    sources = [one.source for one in layer.projections]
    return (
        len(layer.shape) == 1
        and layer.neurons <= _SIZES_1[1]
        and all(isinstance(one, Dense) for one in layer.projections)
        and len(set(sources)) == len(sources)
        and layer.neuron.reset in ("zero", "subtract")
        and all(isinstance(part, SelfWeight | Synapse) for part in layer.neuron.parts)
    )


def _names_1(sources: Iterable[Sequence[int]]) -> dict[str, str]:
    """Names that version 1 has for tensors, where they differ, by those of version 2.

    `sources` are those of each layer's projections.
    """
    names = {}
    for index, read in enumerate(sources, start=1):
        names[f"layers.{index}.self_weight"] = f"layers.{index}.self"
        for place, source in enumerate(read, start=1):
            name = "recurrent" if source == index else f"weight.{source}"
            names[f"layers.{index}.projections.{place}.weight"] = f"layers.{index}.{name}"
    return names


def describe(model: IntModel) -> dict[str, Any]:
    """The JSON document of the model file: everything but the tensors."""
    if version(model) == 1:
        size: dict[str, Any] = {"inputs": model.inputs}
        layers = [_describe_layer_1(model, index) for index in range(1, len(model.layers) + 1)]
    else:
        size = {"input": {"shape": list(model.input_shape)}}
        layers = [_describe_layer_2(layer) for layer in model.layers]
    return {
        "format": FORMAT,
        "version": version(model),
        "name": model.name,
        **size,
        "classes": list(model.classes),
        "layers": layers,
        "readout": model.readout,
    }


def _describe_layer_1(model: IntModel, index: int) -> dict[str, Any]:
    layer = model.layers[index - 1]
    parts = {type(part) for part in layer.neuron.parts}
    return {
        "neurons": layer.neurons,
        "sources": list(model.sources(index)),
        **asdict(layer.integers),
        "reset": layer.neuron.reset,
        "synapse": Synapse in parts,
        "self_recurrent": SelfWeight in parts,
        "dense_recurrent": model.recurrent(index),
    }


def _describe_layer_2(layer: Layer) -> dict[str, Any]:
    projections = [
        {"kind": one.kind, **{key.name: getattr(one, key.name) for key in fields(one) if key.name not in _ARRAYS}}
        for one in layer.projections
    ]
    neuron = layer.neuron
    return {
        "shape": list(layer.shape),
        **asdict(layer.integers),
        "projections": projections,
        "neuron": {"kind": neuron.kind, "reset": neuron.reset, **{part.key: True for part in neuron.parts}},
    }


def named_tensors(model: IntModel) -> dict[str, IntArray]:
    """Every tensor under its name in the file, in the narrowest dtype that holds its range."""
    sources = ([one.source for one in layer.projections] for layer in model.layers)
    names = _names_1(sources) if version(model) == 1 else {}
    found: dict[str, IntArray] = {}

    def put(name: str, values: Array, limits: tuple[int, int]) -> None:
        found[names.get(name, name)] = np.ascontiguousarray(values, dtype=smallest_dtype(*limits))

    for index, layer in enumerate(model.layers, start=1):
        for place, projection in enumerate(layer.projections, start=1):
            put(f"layers.{index}.projections.{place}.weight", projection.weight, layer.integers.weight)
        for tensor, values, quantity in layer.neuron.tensors():
            put(f"layers.{index}.{tensor}", values, quantity.range(layer.integers))
    return found


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
    try:
        known: Any = msgspec.convert(document, _Document1 | _Document2)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ModelError(_explained(str(error), document)) from None
    if known.format != FORMAT:
        raise ModelError(f"format is {brief(known.format)}; this reader knows {FORMAT!r}")
    if not known.layers:
        raise ModelError("layers: the list is empty; a model has at least one layer")
    if known.classes == []:
        raise ModelError("classes: the list is empty; give one name per neuron of the last layer, or leave it out")
    names: dict[str, str] = {}
    if isinstance(known, _Document1):
        known, names = _upgraded(known)
    take = _Taker(arrays, names)
    layers = tuple(_layer(index, entry, take) for index, entry in enumerate(known.layers, start=1))
    take.refuse_rest()
    name, classes = _text(known.name, "name"), [_text(one, "classes") for one in known.classes or ()]
    try:
        return IntModel(name, tuple(known.input.shape), layers, known.readout, tuple(classes))
    except ModelError as error:
        message = re.sub(r"layers\.\d+\.(projections\.\d+\.weight|\w+)", lambda it: names.get(it[0], it[0]), str(error))
        raise ModelError(message) from None


def _upgraded(old: _Document1) -> tuple[_Document2, dict[str, str]]:
    """The same document in version 2, and the names that its tensors have in version 1."""
    check_range("inputs", old.inputs, _SIZES_1)
    layers, sources = [], []
    for index, entry in enumerate(old.layers, start=1):
        check_sources(f"layers.{index}", index, entry.sources)
        check_range(f"layers.{index}.neurons", entry.neurons, _SIZES_1)
        read = [*entry.sources, *([index] if entry.dense_recurrent else [])]
        parts = {SelfWeight.key: entry.self_recurrent, Synapse.key: entry.synapse}
        neuron = _Neuron2(kind=Lif.kind, reset=entry.reset, **parts)
        projections = [_SCHEMAS[Dense.kind](source=source) for source in read]
        widths = (entry.weight_bits, entry.leak_bits, entry.state_bits)
        layers.append(_Layer2([entry.neurons], *widths, projections, neuron))
        sources.append(read)
    shape = _Input2(shape=[old.inputs])
    return _Document2(old.format, old.name, shape, layers, old.readout, old.classes), _names_1(sources)


def _layer(index: int, entry: _Layer2, take: _Taker) -> Layer:
    def tensors(kind: Any) -> dict[str, IntArray]:
        return {one.name: take(f"layers.{index}.{one.metadata['name']}") for one in fields(kind) if one.metadata}

    projections = []
    for place, one in enumerate(entry.projections, start=1):
        keys = {name: getattr(one, name) for name in one.__struct_fields__}
        weight = take(f"layers.{index}.projections.{place}.weight")
        projections.append(PROJECTIONS[type(one).__struct_config__.tag](**keys, weight=weight))
    parts = tuple(part(**tensors(part)) for part in PARTS if getattr(entry.neuron, part.key))
    neuron = Lif(**tensors(Lif), reset=entry.neuron.reset, parts=parts, strict=False)
    widths = Widths(entry.weight_bits, entry.leak_bits, entry.state_bits)
    return Layer(tuple(entry.shape), tuple(projections), neuron, widths)


class _Taker:
    """Hands out tensors by their names in version 2, once each, and knows what was not asked for."""

    def __init__(self, arrays: Mapping[str, IntArray], names: Mapping[str, str]) -> None:
        self._left, self._names = dict(arrays), names

    def __call__(self, name: str) -> IntArray:
        name = self._names.get(name, name)
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


def _explained(message: str, document: Any) -> str:
    """What msgspec found, with the path as our other messages write it, layers from 1, and the offending value."""
    text, _, path = message.partition(" - at `$")
    where, value = "model", document
    for key, place in re.findall(r"\.([^.\[`]+)|\[(\d+)\]", path):
        where += f".{key or int(place) + 1}"
        value = value.get(key) if key and isinstance(value, dict) else value[int(place)] if place else value
    where = where.removeprefix("model.")
    if "field" in text:  # unknown or missing
        return f"{where}: {text[:1].lower()}{text[1:].replace('`', chr(39))}"
    allowed = next((values for key, values in _ALLOWED.items() if re.fullmatch(key, where)), None)
    if allowed is None:
        return f"{where} is {brief(value)}; {text[:1].lower()}{text[1:].replace('`', chr(39))}"
    return f"{where} is {brief(value)}; allowed is {' or '.join(map(repr, allowed))}"


_ALLOWED: Mapping[str, Sequence[object]] = {
    "version": (1, 2),
    r".*projections\.\d+\.kind": tuple(PROJECTIONS),
    r".*neuron\.kind": (Lif.kind,),
    r".*neuron\.reset": tuple(RESETS),
    r"layers\.\d+\.reset": ("zero", "subtract"),  # of version 1, as the read-outs
    "readout": ("spike_count", "membrane_sum"),
}


def _text(value: str, where: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ModelError(f"{where} is {brief(value)}; half a surrogate pair is no text")
    return value
