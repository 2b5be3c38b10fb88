"""Every kind in the registries of neuron parts, resets and read-outs: in hardware as in the golden model, and felt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import Limits, random_folding, random_model, without_part
from test_networks import check_model

from quant import golden, vectors
from quant.model import IntModel, Layer
from quant.neurons import PARTS, RESETS
from quant.readouts import READOUTS
from quant.spikes import SpikeSet

pytestmark = [pytest.mark.rtl, pytest.mark.check]

Change = Callable[[Layer], Layer]
NETWORKS = 3


def _felt(model: IntModel, other: IntModel, samples: SpikeSet) -> bool:
    """Whether a network's output is active on the samples, and another one answers differently to them."""
    inputs, steps = samples.dense(slice(None)), samples.steps.astype(np.int64)
    one, two = (golden.run(each, inputs, steps) for each in (model, other))
    spikes = any((a != b).any() for a, b in zip(one.spikes, two.spikes, strict=True))
    return bool(one.scores.any()) and (spikes or bool((one.scores != two.scores).any()))


def _with(model: IntModel, change: Change) -> IntModel:
    return replace(model, layers=tuple(map(change, model.layers)))


def _check(folder: Path, models: list[IntModel], other: Callable[[IntModel], IntModel]) -> None:
    """Of the networks on which the kind matters some are built, and all their spikes compared."""
    given = [(model, vectors.random_samples(model, 12, 12, 0.5, seed)) for seed, model in enumerate(models)]
    felt = [(model, samples) for model, samples in given if _felt(model, other(model), samples)]
    assert len(felt) >= NETWORKS, "the kind hardly matters on these networks"
    for seed, (model, samples) in enumerate(felt[:NETWORKS]):
        folding = random_folding(np.random.default_rng(seed), model)
        assert check_model(folder / str(seed), model, folding, samples, seed)


def _models(always: Any = None, readout: str | None = None) -> list[IntModel]:
    found = [random_model(np.random.default_rng(seed), Limits(layers=3), always) for seed in range(40)]
    return [model if readout is None else replace(model, readout=readout) for model in found]  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", PARTS, ids=lambda kind: kind.key)
def test_a_part_is_felt_and_exact(kind: Any, tmp_path: Path) -> None:
    _check(tmp_path, _models(kind), lambda model: _with(model, lambda layer: without_part(layer, kind)))


@pytest.mark.parametrize("reset", RESETS)
def test_a_reset_is_felt_and_exact(reset: str, tmp_path: Path) -> None:
    def resetting(kind: str) -> Change:
        return lambda layer: replace(layer, neuron=replace(layer.neuron, reset=kind))

    other = next(kind for kind in RESETS if kind != reset)
    models = [_with(model, resetting(reset)) for model in _models()]
    _check(tmp_path, models, lambda model: _with(model, resetting(other)))


@pytest.mark.parametrize("readout", READOUTS)
def test_a_readout_is_felt_and_exact(readout: str, tmp_path: Path) -> None:
    other = next(kind for kind in READOUTS if kind != readout)
    _check(tmp_path, _models(readout=readout), lambda model: replace(model, readout=other))  # type: ignore[arg-type]
