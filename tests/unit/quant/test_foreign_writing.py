"""Integer models as NIR files: back come the same integers, and other tools find the same network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from models import Limits, random_model

from quant import __main__ as quant
from quant import foreign, golden, store, vectors
from quant.arithmetic import Widths
from quant.errors import ModelError
from quant.foreign import Assumed
from quant.model import IntModel, Layer
from quant.neurons import Adaptation, Bias, Inhibition, Lif, Refractory, SelfWeight
from quant.projections import Dense


def models(count: int) -> list[IntModel]:
    """Random models without the parts that NIR has no node for."""

    def reduced(model: IntModel) -> IntModel:
        layers = []
        for layer in model.layers:
            parts = layer.neuron.parts
            kept = tuple(part for part in parts if not isinstance(part, Adaptation | Inhibition | Refractory))
            layers.append(replace(layer, neuron=replace(layer.neuron, parts=kept)))
        return replace(model, layers=tuple(layers))

    return [
        reduced(random_model(np.random.default_rng(seed), Limits(layers=3, inputs=8, neurons=7)))
        for seed in range(count)
    ]


def test_back_come_the_same_integers(tmp_path: Path) -> None:
    parts = set()
    for model in models(15):
        (tmp_path / "a.nir").write_bytes(foreign.to_bytes(model))
        again = foreign.integers(foreign.read(tmp_path / "a.nir"))
        assert again is not None
        assert store.digest(again) == store.digest(model)
        parts |= {type(part).__name__ for layer in model.layers for part in layer.neuron.parts}
    assert parts == {"SelfWeight", "Bias", "Synapse", "Delay"}


def test_others_find_the_same_network(tmp_path: Path) -> None:
    """Read as a file of a framework: where nothing is rounded, its real numbers give the same spikes."""
    compared = spikes = 0
    for model in models(20):
        layers = []
        for layer in model.layers:
            neuron = layer.neuron.mapped(lambda leak: 0 * leak, only_codes=True)
            parts = tuple(part.mapped(lambda leak: 0 * leak, only_codes=True) for part in neuron.parts)
            widths = replace(layer.integers, state_bits=24)
            layers.append(replace(layer, neuron=replace(neuron, parts=parts, reset="zero"), widths=widths))
        plain = replace(model, layers=tuple(layers), readout="spike_count")
        (tmp_path / "a.nir").write_bytes(foreign.to_bytes(plain))
        graph = foreign.read(tmp_path / "a.nir")
        found = foreign.lower(graph, Assumed("snntorch", reset="zero"), model.name)
        if found.model is None or len(found.model.layers) != len(model.layers):
            continue  # layers that nothing reads
        samples = vectors.random_samples(plain, 4, 12, 0.4, 1)
        inputs, steps = samples.dense(slice(0, 4)), samples.steps.astype(np.int64)
        one, two = golden.run(plain, inputs, steps).spikes, golden.run(found.model, inputs, steps).spikes
        for a, b in zip(one, two, strict=True):
            np.testing.assert_array_equal(a, b)
        compared += 1
        spikes += sum(int(each.sum()) for each in one[1:])
    assert compared > 5
    assert spikes > 200


@pytest.mark.parametrize("own", [False, True])
def test_a_late_reset_subtracts_as_much_in_other_tools(own: bool, tmp_path: Path) -> None:
    """Where integer potentials often are the threshold itself, and others fire above theirs."""
    draw, widths = np.random.default_rng(3), Widths(4, 8, 16)
    parts = (SelfWeight(draw.integers(-2, 3, 20).astype(np.int32)),) if own else ()
    neuron = Lif(np.zeros(20, np.int16), np.full(20, 5, np.int32), "late_subtract", parts)
    projection = Dense(0, draw.integers(-3, 5, (20, 8)).astype(np.int8))
    model = IntModel("late", (8,), (Layer((20,), (projection,), neuron, widths),), "spike_count")
    (tmp_path / "a.nir").write_bytes(foreign.to_bytes(model))
    assumed = Assumed("snntorch", reset="late_subtract")
    found = foreign.lower(foreign.read(tmp_path / "a.nir"), assumed, "late").built()
    samples = vectors.random_samples(model, 8, 40, 0.4, 1)
    inputs, steps = samples.dense(slice(0, 8)), samples.steps.astype(np.int64)
    one, two = (golden.run(each, inputs, steps).spikes[1] for each in (model, found))
    assert one.sum() > 200
    np.testing.assert_array_equal(one, two)


def test_a_layer_that_never_spikes_gets_nothing_back(tmp_path: Path) -> None:
    draw = np.random.default_rng(4)
    first, own = (Dense(source, draw.integers(1, 4, (3, size)).astype(np.int8)) for source, size in ((0, 5), (1, 3)))
    bias = Bias(np.array([1, 2, 3], np.int32))
    neuron = Lif(np.zeros(3, np.int16), np.full(3, 9, np.int32), "zero", (bias,))
    model = IntModel("read", (5,), (Layer((3,), (own, first), neuron, Widths(4, 8, 16)),), "membrane_sum")
    (tmp_path / "a.nir").write_bytes(foreign.to_bytes(model))
    found = foreign.lower(foreign.read(tmp_path / "a.nir"), Assumed("snntorch", reset="zero"), "read").built()
    samples = vectors.random_samples(model, 4, 9, 0.5, 1)
    inputs, steps = samples.dense(slice(0, 4)), samples.steps.astype(np.int64)
    one, two = (golden.run(each, inputs, steps).scores for each in (model, found))
    assert one.any()
    np.testing.assert_array_equal(one, two)


def test_what_nir_has_no_node_for_is_refused() -> None:
    for seed in range(40):
        model = random_model(np.random.default_rng(seed), Limits(layers=2))
        if any(isinstance(part, Adaptation) for layer in model.layers for part in layer.neuron.parts):
            with pytest.raises(ModelError, match="NIR has no node for it: write a"):
                foreign.to_bytes(model)
            return
    pytest.fail("no model has an adaptive threshold")


def test_the_command_writes_what_the_name_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.safetensors").write_bytes(store.to_bytes(models(1)[0]))
    given = ["export", "--model", str(tmp_path / "a.safetensors"), "--out"]
    assert quant.main([*given, str(tmp_path / "a.nir"), "--format", "nir"]) == 0
    assert foreign.integers(foreign.read(tmp_path / "a.nir")) is not None
    assert quant.main([*given, str(tmp_path / "b.nir"), "--format", "safetensors"]) == 2
    assert "the name must end in .safetensors or .nir, as --format says" in capsys.readouterr().err
    assert not (tmp_path / "b.nir").exists()
