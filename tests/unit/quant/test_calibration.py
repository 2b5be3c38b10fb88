"""Calibration: exact where the numbers lie on a grid of integers already, near where they do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from models import Limits, random_model

from quant import golden, vectors
from quant.arithmetic import Array
from quant.calibration import calibrate
from quant.errors import ModelError
from quant.model import IntModel, Layer, RealModel
from quant.neurons import Lif, SelfWeight
from quant.neurons.part import Quantity, Tensors
from quant.projections import Dense
from quant.spikes import from_dense


def real(model: IntModel, factor: float = 1.0) -> RealModel:
    """What an integer model says in real numbers, with every neuron's numbers multiplied by `factor`."""

    def layer(one: Layer) -> Layer:
        def parts(holder: Tensors, *, scaled: float) -> list[Array]:
            def factor(quantity: Quantity) -> float:
                return 2.0**-one.integers.leak_bits if quantity.code else 1.0 if quantity.steps else scaled

            return [values * factor(quantity) for _, values, quantity in holder.own_tensors()]

        leak, threshold = parts(one.neuron, scaled=factor)
        kinds = tuple(type(part)(*parts(part, scaled=factor)) for part in one.neuron.parts)
        projections = tuple(replace(each, weight=each.weight * factor) for each in one.projections)
        return Layer(one.shape, projections, Lif(leak, threshold, one.neuron.reset, kinds))

    return RealModel(model.name, model.input_shape, tuple(map(layer, model.layers)), model.readout, model.classes)


def _wide(seed: int) -> IntModel:
    """A random model whose states do not saturate."""
    model = random_model(np.random.default_rng(seed), Limits(layers=3, inputs=10, neurons=8))
    layers = tuple(
        replace(layer, widths=replace(layer.integers, state_bits=24, leak_bits=12)) for layer in model.layers
    )
    return replace(model, layers=layers)


def test_numbers_on_the_grid_give_the_same_spikes() -> None:
    spikes = compared = 0
    for seed in range(60):
        model = _wide(seed)
        bits = [max(2, layer.integers.weight_bits) for layer in model.layers]
        samples = vectors.random_samples(model, 8, 10, 0.4, seed)
        again = calibrate(real(model), samples, weight_bits=bits, leak_bits=12)
        one, two = vectors.expected(model, samples), vectors.expected(again, samples)
        assert one.keys() == two.keys()
        for name in one:
            if name.startswith("layer_") or model.readout == "spike_count":
                np.testing.assert_array_equal(one[name], two[name], err_msg=f"{seed} {name}")
        spikes += sum(len(found) for name, found in one.items() if name.startswith("layer_"))
        compared += 1
    assert compared == 60
    assert spikes > 2000


def test_a_scale_that_is_no_integer_changes_hardly_a_spike() -> None:
    same = total = 0
    for seed in range(40):
        model = replace(_wide(seed), readout="spike_count")
        samples = vectors.random_samples(model, 8, 10, 0.4, seed)
        source = real(model, factor=0.0137)
        again = calibrate(source, samples, weight_bits=16, leak_bits=12)
        inputs, steps = samples.dense(slice(0, 8)), samples.steps.astype(np.int64)
        one, two = golden.run(source, inputs, steps).spikes[1:], golden.run(again, inputs, steps).spikes[1:]
        same += sum(int((a & b).sum()) for a, b in zip(one, two, strict=True))
        total += sum(int((a | b).sum()) for a, b in zip(one, two, strict=True))
    assert total > 2000
    assert same / total > 0.93  # a spike that differs holds its neuron, or does not


def test_states_are_as_wide_as_the_data_ask() -> None:
    model = _wide(3)
    quiet, loud = (vectors.random_samples(model, 8, 10, density, 1) for density in (0.02, 0.9))
    narrow, wide = (calibrate(real(model), samples, weight_bits=8) for samples in (quiet, loud))
    bits = [[layer.integers.state_bits for layer in each.layers] for each in (narrow, wide)]
    assert bits[0] != bits[1]
    assert all(a <= b for a, b in zip(*bits, strict=True))


def test_a_width_out_of_range_is_refused() -> None:
    model = _wide(1)
    with pytest.raises(ModelError, match=r"leak_bits is 13; allowed is 1\.\.12"):
        calibrate(real(model), vectors.random_samples(model, 2, 3, 0.5, 1), leak_bits=13)


def test_a_list_of_widths_that_does_not_fit_the_layers_is_refused() -> None:
    model = _wide(1)
    too_many = [8] * (len(model.layers) + 1)
    with pytest.raises(ModelError, match=rf"{len(too_many)} weight widths for {len(model.layers)} layers"):
        calibrate(real(model), vectors.random_samples(model, 2, 3, 0.5, 1), weight_bits=too_many)


def test_a_self_weight_that_gives_a_unit_back_stays_within_narrow_states() -> None:
    """Neurons that fire above their threshold are reset by one too many; a self-weight at its bound keeps it."""
    own = SelfWeight(np.array([3.0, -3.0]))
    neuron = Lif(np.array([0.5, 0.5]), np.array([0.55, 0.52]), "late_subtract", (own,), strict=True)
    layer = Layer((2,), (Dense(0, np.array([[0.5, 0.25], [0.25, 0.5]])),), neuron)
    model = RealModel("narrow", (2,), (layer,), "spike_count")
    samples = from_dense(np.ones((10, 4, 2), dtype=np.bool_), np.full(4, 10), np.zeros(4, dtype=np.int64))
    found = []
    for bits in (24, 7, 8):
        integers = calibrate(model, samples, weight_bits=4, leak_bits=8, fraction_bits=4, state_bits=bits)
        ((weights,),) = (part.own_tensors() for part in integers.layers[0].neuron.parts)
        found.append(weights.values.tolist())
    assert found == [[193, -191], [63, -63], [127, -127]]
