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
    "key unknown": (lambda d, t: d.update(colour=1), "model: object contains unknown field 'colour'"),
    "layer key unknown": (
        lambda d, t: d["layers"][0].update(delay=1),
        "layers.1: object contains unknown field",
    ),
    "key missing": (lambda d, t: d.pop("readout"), "model: object missing required field 'readout'"),
    "layer key missing": (lambda d, t: d["layers"][1].pop("reset"), "layers.2: object missing required field 'reset'"),
    "wrong type": (lambda d, t: d.update(inputs="3"), "inputs is '3'; expected 'int'"),
    "boolean as number": (lambda d, t: d["layers"][0].update(neurons=True), "layers.1.neurons is True; expected 'int'"),
    "number as boolean": (lambda d, t: d["layers"][0].update(synapse=0), "layers.1.synapse is 0; expected 'bool'"),
    "version": (lambda d, t: d.update(version=3), "version is 3; allowed is 1 or 2"),
    "format": (lambda d, t: d.update(format="onnx"), "format is 'onnx'"),
    "read-out": (lambda d, t: d.update(readout="first_spike"), "readout is 'first_spike'"),
    "reset": (lambda d, t: d["layers"][0].update(reset="soft"), "layers.1.reset is 'soft'"),
    "later reset": (
        lambda d, t: d["layers"][0].update(reset="late_subtract"),
        "layers.1.reset is 'late_subtract'; allowed is 'zero' or 'subtract'",
    ),
    "later read-out": (lambda d, t: d.update(readout="membrane_max"), "readout is 'membrane_max'; allowed is"),
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
    "class type": (lambda d, t: d.update(classes=["one", 2]), "classes.2 is 2; expected 'str'"),
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


def _version_2(**changes: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """A network that only version 2 can describe: axes, and a source that is read twice."""
    layer = {
        "shape": [2, 1, 2],
        "weight_bits": 4,
        "leak_bits": 4,
        "state_bits": 8,
        "projections": [{"kind": "dense", "source": source} for source in (0, 0, 1)],
        "neuron": {"kind": "lif", "reset": "subtract", "self_weight": True},
        **changes,
    }
    document = {
        "format": "scsr-int",
        "version": 2,
        "name": "axes",
        "input": {"shape": [1, 2, 3]},
        "layers": [layer],
        "readout": "spike_count",
    }
    rng = np.random.default_rng(1)
    tensors: dict[str, Any] = {
        f"layers.1.projections.{place}.weight": rng.integers(-8, 8, shape).astype(np.int8)
        for place, shape in enumerate([(4, 6), (4, 6), (4, 4)], start=1)
    }
    for name, values in {"leak": [15, 7], "threshold": [3, 2], "self_weight": [-2, 1]}.items():
        tensors[f"layers.1.{name}"] = np.array(values, dtype=np.int8)
    return document, tensors


def test_version_2_reads_back_the_same_and_computes_what_it_says(tmp_path: Path) -> None:
    document, tensors = _version_2()
    model = store.read(_write(tmp_path / "2.safetensors", document, tensors))
    (tmp_path / "again.safetensors").write_bytes(store.to_bytes(model))
    again = store.read(tmp_path / "again.safetensors")
    assert store.describe(again) == store.describe(model)
    assert store.describe(again)["layers"] == document["layers"]
    assert store.digest(again) == store.digest(model)
    inputs = np.random.default_rng(2).random((12, 1, 6)) < 0.5
    trace = golden.run(again, inputs, np.array([12]))
    # The same as flat layers: parameters of a channel repeat over its positions, and currents of one source add up.
    both = tensors["layers.1.projections.1.weight"].astype(int) + tensors["layers.1.projections.2.weight"]
    v, s, counts = np.zeros(4, int), np.zeros(4, int), np.zeros(4, int)
    leak, threshold, own = (np.repeat(tensors[f"layers.1.{name}"], 2) for name in ("leak", "threshold", "self_weight"))
    for step in inputs[:, 0]:
        x = both @ step + tensors["layers.1.projections.3.weight"].astype(int) @ s + own * s
        u = np.clip(np.sign(v) * (abs(v) * leak >> 4) + x, -128, 127)
        s = (u >= threshold).astype(int)
        v = u - s * threshold
        counts += s
    assert trace.scores[0].tolist() == counts.tolist()
    assert counts.sum() > 5


def test_what_version_1_can_say_is_written_as_version_1(tmp_path: Path) -> None:
    document, tensors = _version_2(
        shape=[4],
        projections=[{"kind": "dense", "source": 0}],
        neuron={"kind": "lif", "reset": "zero"},
    )
    document["input"] = {"shape": [6]}
    tensors = {
        "layers.1.projections.1.weight": tensors["layers.1.projections.1.weight"],
        "layers.1.leak": np.array([1, 2, 3, 4], dtype=np.int8),
        "layers.1.threshold": np.array([1, 2, 3, 4], dtype=np.int8),
    }
    model = store.read(_write(tmp_path / "2.safetensors", document, tensors))
    assert store.describe(model)["version"] == 1
    assert sorted(store.named_tensors(model)) == ["layers.1.leak", "layers.1.threshold", "layers.1.weight.0"]


BROKEN_2: dict[str, tuple[Break, str]] = {
    "unknown kind": (
        lambda d, t: d["layers"][0]["projections"][1].update(kind="conv3d"),
        "layers.1.projections.2.kind is 'conv3d'; allowed is 'dense'",
    ),
    "unknown part": (lambda d, t: d["layers"][0]["neuron"].update(colour=True), "unknown field 'colour'"),
    "two axes": (lambda d, t: d["layers"][0].update(shape=[2, 2]), "layers.1.shape is [2, 2]; it must be [N] or"),
    "an empty axis": (lambda d, t: d["layers"][0].update(shape=[2, 0, 2]), "each at least 1"),
    "too many neurons": (lambda d, t: d["layers"][0].update(shape=[2**20 + 1]), "allowed is 1..1048576"),
    "nothing earlier": (
        lambda d, t: d["layers"][0].update(projections=[{"kind": "dense", "source": 1}]),
        "tensor 'layers.1.projections.2.weight' is unknown",
    ),
    "a later layer": (
        lambda d, t: d["layers"][0]["projections"][0].update(source=2),
        "layers.1.projections.1.source: 2 is not an earlier layer",
    ),
    "a parameter per neuron": (
        lambda d, t: t.update({"layers.1.leak": np.ones(4, np.int8)}),
        "layers.1.leak: shape is (4,); it must be (2,)",
    ),
    "wrong shape": (
        lambda d, t: t.update({"layers.1.projections.3.weight": np.ones((4, 6), np.int8)}),
        "layers.1.projections.3.weight: shape is (4, 6); it must be (4, 4)",
    ),
}


@pytest.mark.parametrize("case", BROKEN_2)
def test_a_broken_version_2_file_is_refused(case: str, tmp_path: Path) -> None:
    change, message = BROKEN_2[case]
    document, tensors = _version_2()
    change(document, tensors)
    with pytest.raises(ModelError) as caught:
        store.read(_write(tmp_path / "m.safetensors", document, tensors))
    assert message in str(caught.value)
