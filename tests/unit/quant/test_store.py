"""The model file: a round trip, and a refusal in one line for everything that breaks the format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from models import random_model, recurrent_model, tiny_model

from quant import golden, store
from quant.errors import ModelError
from quant.model import IntModel

Break = Callable[[dict[str, Any], dict[str, Any]], None]


def _parts(model: IntModel) -> tuple[dict[str, Any], dict[str, Any]]:
    return store.describe(model), store.named_tensors(model)


def _write(path: Path, document: dict[str, Any], tensors: dict[str, Any]) -> Path:
    path.write_bytes(safetensors.numpy.save(tensors, metadata={"model": json.dumps(document)}))
    return path


def test_a_written_model_reads_back_the_same(tmp_path: Path) -> None:
    spikes = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        model = random_model(rng)
        path = tmp_path / f"{seed}.safetensors"
        path.write_bytes(store.to_bytes(model))
        again = store.read(path)
        assert store.to_bytes(again) == path.read_bytes()
        assert store.digest(again) == store.digest(model)
        inputs, steps = rng.random((9, 2, model.inputs)) < 0.5, np.array([9, 5])
        first, second = golden.run(model, inputs, steps), golden.run(again, inputs, steps)
        assert (first.scores == second.scores).all()
        spikes += sum(int(layer.sum()) for layer in first.spikes[1:])
    assert spikes > 100


def test_the_digest_sees_every_tensor_and_key() -> None:
    digests = {store.digest(tiny_model())}
    document, tensors = _parts(tiny_model())
    for name in tensors:
        changed = {**tensors, name: tensors[name].copy()}
        changed[name].flat[0] += 1 if changed[name].flat[0] < 3 else -1
        digests.add(store.digest(store.assemble(document, changed)))
    for key, value in {"name": "other", "classes": ["a", "b"], "readout": "membrane_sum"}.items():
        digests.add(store.digest(store.assemble({**document, key: value}, tensors)))
    assert len(digests) == 1 + len(tensors) + 3


def test_classes_may_be_left_out(tmp_path: Path) -> None:
    document, tensors = _parts(tiny_model())
    del document["classes"]
    assert store.read(_write(tmp_path / "m.safetensors", document, tensors)).classes == ("0", "1")


def _set(tensor: str, value: int) -> Break:
    def change(_: dict[str, Any], tensors: dict[str, Any]) -> None:
        tensors[tensor] = tensors[tensor].astype(np.int32)
        tensors[tensor].flat[1] = value

    return change


BROKEN: dict[str, tuple[Break, str]] = {
    "tensor missing": (lambda d, t: t.pop("layers.1.leak"), "tensor layers.1.leak is missing"),
    "tensor unknown": (lambda d, t: t.update(extra=np.zeros(1, np.int8)), "tensor 'extra' is unknown"),
    "wrong shape": (
        lambda d, t: t.update({"layers.2.weight.0": np.zeros((2, 4), np.int8)}),
        "layers.2.weight.0: shape is (2, 4); it must be (2, 3)",
    ),
    "no dimensions": (
        lambda d, t: t.update({"layers.2.weight.0": np.array(1, np.int8)}),
        "layers.2.weight.0: shape is (); it must be (2, 3)",
    ),
    "float": (lambda d, t: t.update({"layers.1.leak": np.full(4, np.nan, np.float32)}), "dtype is F32"),
    "weight too large": (_set("layers.1.weight.0", 8), "layers.1.weight.0[0, 1] is 8; allowed is -8..7"),
    "leak too large": (_set("layers.1.leak", 16), "layers.1.leak[1] is 16; allowed is 0..15"),
    "leak negative": (_set("layers.1.leak", -1), "layers.1.leak[1] is -1; allowed is 0..15"),
    "threshold zero": (_set("layers.2.threshold", 0), "layers.2.threshold[1] is 0; allowed is 1..127"),
    "threshold too large": (_set("layers.2.threshold", 128), "layers.2.threshold[1] is 128; allowed is 1..127"),
    "self too small": (_set("layers.1.self", -129), "layers.1.self[1] is -129; allowed is -128..127"),
    "binary zero": (
        lambda d, t: (d["layers"][1].update(weight_bits=1), t["layers.2.weight.1"].fill(0)),
        "layers.2.weight.1[0, 0] is 0; allowed is -1 or +1",
    ),
    "key unknown": (lambda d, t: d.update(colour=1), "key 'colour' is unknown"),
    "layer key unknown": (lambda d, t: d["layers"][0].update(delay=1), "layers.1: key 'delay' is unknown"),
    "key missing": (lambda d, t: d.pop("readout"), "key 'readout' is missing"),
    "layer key missing": (lambda d, t: d["layers"][1].pop("reset"), "layers.2: key 'reset' is missing"),
    "wrong type": (lambda d, t: d.update(inputs="3"), "model.inputs is '3'; it must be of type int"),
    "boolean as number": (lambda d, t: d["layers"][0].update(neurons=True), "neurons is True; it must be of type int"),
    "number as boolean": (lambda d, t: d["layers"][0].update(synapse=0), "synapse is 0; it must be of type bool"),
    "version": (lambda d, t: d.update(version=2), "version is 2"),
    "format": (lambda d, t: d.update(format="onnx"), "format is 'onnx'"),
    "read-out": (lambda d, t: d.update(readout="first_spike"), "readout is 'first_spike'"),
    "reset": (lambda d, t: d["layers"][0].update(reset="soft"), "layers.1.reset is 'soft'"),
    "weight bits": (lambda d, t: d["layers"][0].update(weight_bits=17), "layers.1.weight_bits is 17; allowed is 1..16"),
    "leak bits": (lambda d, t: d["layers"][0].update(leak_bits=0), "layers.1.leak_bits is 0; allowed is 1..12"),
    "state bits": (lambda d, t: d["layers"][0].update(state_bits=25), "layers.1.state_bits is 25; allowed is 4..24"),
    "no neurons": (lambda d, t: d["layers"][1].update(neurons=0), "layers.2.neurons is 0; allowed is 1..32768"),
    "too many inputs": (lambda d, t: d.update(inputs=32769), "inputs is 32769; allowed is 1..32768"),
    "skip to a later layer": (lambda d, t: d["layers"][0].update(sources=[0, 2]), "2 is not an earlier layer"),
    "layer reads itself": (lambda d, t: d["layers"][1].update(sources=[2]), "2 is not an earlier layer"),
    "source twice": (lambda d, t: d["layers"][1].update(sources=[0, 0]), "names a source twice"),
    "no sources": (lambda d, t: d["layers"][1].update(sources=[]), "the list is empty"),
    "no layers": (lambda d, t: (d.update(layers=[]), t.clear()), "layers: the list is empty"),
    "no classes": (lambda d, t: d.update(classes=[]), "classes: the list is empty"),
    "half a character": (lambda d, t: d.update(name="\ud800"), "half a surrogate pair"),
    "classes": (lambda d, t: d.update(classes=["one"]), "1 names for 2 neurons"),
    "class type": (lambda d, t: d.update(classes=["one", 2]), "classes[1] is 2; it must be of type str"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_with_place_and_limit(case: str, tmp_path: Path) -> None:
    change, message = BROKEN[case]
    document, tensors = _parts(tiny_model())
    change(document, tensors)
    with pytest.raises(ModelError) as caught:
        store.read(_write(tmp_path / "m.safetensors", document, tensors))
    assert message in str(caught.value)
    assert "m.safetensors" in str(caught.value)


@pytest.mark.parametrize("keep", [0, 4, 8, 100, -1])
def test_a_truncated_file_is_refused(keep: int, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(store.to_bytes(recurrent_model())[:keep])
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        store.read(path)


@pytest.mark.parametrize("text", ['{"format": "scsr-int", "format": "x"}', "[1]", "{", "NaN", "[" * 100_000])
def test_a_document_that_is_no_plain_object_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(safetensors.numpy.save({"a": np.zeros(1, np.int8)}, metadata={"model": text}))
    with pytest.raises(ModelError):
        store.read(path)


def test_metadata_beside_the_model_is_refused(tmp_path: Path) -> None:
    document, tensors = _parts(tiny_model())
    path = tmp_path / "m.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors, metadata={"model": json.dumps(document), "note": "x"}))
    with pytest.raises(ModelError, match="there must be one, 'model'"):
        store.read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.safetensors: no such file"):
        store.read(tmp_path / "nowhere.safetensors")
