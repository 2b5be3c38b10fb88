"""The integer model on disk: a `.safetensors` file of integers and one JSON document (docs/formats.md).

Version 2 says everything that a model can be; its keys follow from the registries of projections and neuron parts.
What version 1 can say is still written as version 1, so that such a model keeps its digest and every reader.
"""

from __future__ import annotations

import functools
import hashlib
import json
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
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
from quant.model import IntModel, Layer, check_sources
from quant.neurons import PARTS, RESETS, Lif, Part, Reset, SelfWeight, Synapse
from quant.projections import PROJECTIONS, Dense, Projection

FORMAT = "scsr-int"

_DTYPES = {"I8", "I16", "I32"}
_SIZE_1 = 32768  # the largest layer and input of version 1
_ARRAYS = ("weight",)  # the fields of a projection that are tensors


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    pass


class _Layer1(_Strict):
    neurons: int
    sources: list[int]
    weight_bits: int
    leak_bits: int
    state_bits: int
    reset: str
    synapse: bool
    self_recurrent: bool
    dense_recurrent: bool


class _Document1(_Strict, tag_field="version", tag=1):
    format: str
    name: str
    inputs: int
    layers: list[_Layer1]
    readout: str
    classes: list[str] | None = None


def _projection_schema(kind: type[Projection]) -> Any:
    """The keys of a projection: the fields of its class but for the tensors."""
    types = get_type_hints(kind)
    keys: list[Any] = [
        (one.name, types[one.name], *(() if one.default is MISSING else (one.default,)))
        for one in fields(kind)
        if one.name not in _ARRAYS
    ]
    return msgspec.defstruct(kind.kind, keys, bases=(_Strict,), tag_field="kind", tag=kind.kind)


_Projection2: Any = functools.reduce(operator.or_, (_projection_schema(kind) for kind in PROJECTIONS.values()))
_Neuron2: Any = msgspec.defstruct(
    "neuron",
    [("kind", Literal["lif"]), ("reset", Reset), *((part.key, bool, False) for part in PARTS)],
    bases=(_Strict,),
)
_Layer2: Any = msgspec.defstruct(
    "layer",
    [
        ("shape", list[int]),
        *((width.name, int) for width in fields(Widths)),
        ("projections", list[_Projection2]),
        ("neuron", _Neuron2),
    ],
    bases=(_Strict,),
)
_Input2: Any = msgspec.defstruct("input", [("shape", list[int])], bases=(_Strict,))
_Document2: Any = msgspec.defstruct(
    "document",
    [
        ("format", str),
        ("name", str),
        ("input", _Input2),
        ("layers", list[_Layer2]),
        ("readout", str),
        ("classes", list[str] | None, None),
    ],
    bases=(_Strict,),
    tag_field="version",
    tag=2,
)


def version(model: IntModel) -> int:
    """The oldest version of the file format that can say everything about a model."""
    return 1 if all(_fits_version_1(model, index) for index in range(1, len(model.layers) + 1)) else 2


def _fits_version_1(model: IntModel, index: int) -> bool:
    layer = model.layers[index - 1]
    sources = [one.source for one in layer.projections]
    return (
        len(layer.shape) == len(model.input_shape) == 1
        and layer.neurons <= _SIZE_1
        and all(isinstance(one, Dense) for one in layer.projections)
        and len(set(sources)) == len(sources)
        and layer.neuron.reset in ("zero", "subtract")
        and all(isinstance(part, SelfWeight | Synapse) for part in layer.neuron.parts)
        and model.readout in ("spike_count", "membrane_sum")
    )


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
    return {
        "neurons": layer.neurons,
        "sources": list(model.sources(index)),
        **_widths(layer),
        "reset": layer.neuron.reset,
        "synapse": layer.neuron.part(Synapse) is not None,
        "self_recurrent": layer.neuron.part(SelfWeight) is not None,
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
        **_widths(layer),
        "projections": projections,
        "neuron": {"kind": neuron.kind, "reset": neuron.reset, **{part.key: True for part in neuron.parts}},
    }


def _widths(layer: Layer) -> dict[str, int]:
    return {width.name: getattr(layer.integers, width.name) for width in fields(Widths)}


def named_tensors(model: IntModel) -> dict[str, IntArray]:
    """Every tensor under its name in the file, in the narrowest dtype that holds its range."""
    name_weights, rename = (_weight_1, _RENAMED_1) if version(model) == 1 else (_weight_2, {})
    found: dict[str, IntArray] = {}
    for index, layer in enumerate(model.layers, start=1):
        widths = layer.integers
        for place, projection in enumerate(layer.projections):
            name = name_weights(index, place, projection.source)
            found[name] = _stored(projection.weight, widths.weight)
        for tensor, values, quantity in layer.neuron.tensors():
            found[f"layers.{index}.{rename.get(tensor, tensor)}"] = _stored(values, quantity.range(widths))
    return found


def _stored(values: Array, limits: tuple[int, int]) -> IntArray:
    return np.ascontiguousarray(values, dtype=smallest_dtype(*limits))


_RENAMED_1 = {"self_weight": "self"}


def _weight_1(index: int, place: int, source: int) -> str:
    return f"layers.{index}.recurrent" if source == index else f"layers.{index}.weight.{source}"


def _weight_2(index: int, place: int, source: int) -> str:
    return f"layers.{index}.projections.{place + 1}.weight"


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
    known = _checked(document)
    if known.format != FORMAT:
        raise ModelError(f"format is {brief(known.format)}; this reader knows {FORMAT!r}")
    if not known.layers:
        raise ModelError("layers: the list is empty; a model has at least one layer")
    if known.classes == []:
        raise ModelError("classes: the list is empty; give one name per neuron of the last layer, or leave it out")
    take = _Taker(arrays)
    if isinstance(known, _Document1):
        shape, make = (_size_1("inputs", known.inputs),), _layer_1
    else:
        shape, make = tuple(known.input.shape), _layer_2
    layers = tuple(make(index, entry, take) for index, entry in enumerate(known.layers, start=1))
    take.refuse_rest()
    name, classes = _text(known.name, "name"), [_text(one, "classes") for one in known.classes or ()]
    try:
        return IntModel(name, shape, layers, known.readout, tuple(classes))
    except ModelError as error:
        raise ModelError(_named_1(str(error), layers) if make is _layer_1 else str(error)) from None


def _named_1(message: str, layers: Sequence[Layer]) -> str:
    """A message about a version-1 file, with the names that its tensors have there."""

    def name(found: re.Match[str]) -> str:
        index, place = int(found[1]), int(found[2]) - 1
        return _weight_1(index, place, layers[index - 1].projections[place].source)

    renamed = re.sub(r"layers\.(\d+)\.projections\.(\d+)\.weight", name, message)
    return renamed.replace(".self_weight", f".{_RENAMED_1['self_weight']}")


def _size_1(where: str, size: int) -> int:
    if not 1 <= size <= _SIZE_1:
        raise ModelError(f"{where} is {brief(size)}; allowed is 1..{_SIZE_1}")
    return size


def _layer_1(index: int, entry: _Layer1, take: _Taker) -> Layer:
    where = f"layers.{index}"
    check_sources(where, index, entry.sources)
    sources = [*entry.sources, *([index] if entry.dense_recurrent else [])]
    present: tuple[tuple[type[Part], bool], ...] = ((SelfWeight, entry.self_recurrent), (Synapse, entry.synapse))
    return Layer(
        shape=(_size_1(f"{where}.neurons", entry.neurons),),
        projections=tuple(Dense(source, take(_weight_1(index, 0, source))) for source in sources),
        neuron=_neuron(where, entry.reset, [part for part, there in present if there], take, _RENAMED_1),
        widths=_made_widths(entry),
    )


def _layer_2(index: int, entry: Any, take: _Taker) -> Layer:
    projections = []
    for place, one in enumerate(entry.projections):
        kind = PROJECTIONS[type(one).__struct_config__.tag]
        weight = take(_weight_2(index, place, one.source))
        projections.append(kind(**{name: getattr(one, name) for name in one.__struct_fields__}, weight=weight))
    parts = [part for part in PARTS if getattr(entry.neuron, part.key)]
    neuron = _neuron(f"layers.{index}", entry.neuron.reset, parts, take, {})
    return Layer(tuple(entry.shape), tuple(projections), neuron, _made_widths(entry))


def _made_widths(entry: Any) -> Widths:
    return Widths(**{width.name: getattr(entry, width.name) for width in fields(Widths)})


def _neuron(where: str, reset: Any, parts: list[type[Part]], take: _Taker, renamed: Mapping[str, str]) -> Lif:
    def tensors(kind: Any) -> Iterator[tuple[str, IntArray]]:
        for one in fields(kind):
            if name := one.metadata.get("name"):
                yield one.name, take(f"{where}.{renamed.get(name, name)}")

    made = tuple(kind(**dict(tensors(kind))) for kind in parts)
    return Lif(**dict(tensors(Lif)), reset=reset, parts=made)


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


def _checked(document: object) -> Any:
    """The document as one of the two versions' structures."""
    try:
        return msgspec.convert(document, _Document1 | _Document2)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ModelError(_explained(str(error), document)) from None


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
}


def _text(value: str, where: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ModelError(f"{where} is {brief(value)}; half a surrogate pair is no text")
    return value
