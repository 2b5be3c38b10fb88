"""Every kind in a registry is complete: golden, naive and PyTorch model, Verilog, bench, proof and documentation.

`tests/rtl/test_parts.py` runs over the same registries, and so is the bench of every kind in them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hwgen.core.neuron
import hwgen.core.plan
import trainer.neurons
import trainer.readouts
from hwgen import engines
from quant.neurons import PARTS, RESETS, Part
from quant.neurons.part import SIGNED, tensor
from quant.projections import PROJECTIONS, Dense
from quant.readouts import READOUTS
from trainer.kernels import KERNELS
from trainer.losses import LOSSES
from trainer.rules import RULES
from trainer.surrogates import SLOPES
from trainer.synapses import SYNAPSES
from trainer.teachers import TEACHERS

ROOT = Path(__file__).resolve().parents[2]
HOOKS = {hook: f"naive_{hook}" for hook in ("current", "potential", "threshold", "output")}


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def missing_of_a_part(part: Any) -> set[str]:
    """What a neuron part lacks."""
    found = set()
    own = vars(part)
    hooks = [hook for hook in HOOKS if hook in own]
    if not hooks:
        found.add("golden")
    if not hooks or any(HOOKS[hook] not in own for hook in hooks):
        found.add("naive")
    if part.key not in {kind.key for kind in trainer.neurons.PARTS}:
        found.add("PyTorch")
    hardware = hwgen.core.neuron.PARTS.get(part.key)
    if hardware is None or f"parameter {hardware.parameter} =" not in _text("rtl_templates/lib/scsr_neuron.v"):
        found.add("Verilog")
    if hardware is None or f"parameter {hardware.parameter} =" not in _text("tests/formal/neuron_exact.sv"):
        found.add("proof")
    if f"`{part.key}`" not in _text("docs/semantics.md"):
        found.add("document")
    return found


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
def test_a_part_is_complete(part: Any) -> None:
    assert not missing_of_a_part(part)


def test_an_incomplete_part_is_found() -> None:
    class Blocked(Part):
        key = "blocked"
        steps: Any = tensor("blocked", SIGNED)

        def current(self, x: Any, was: Any, now: Any, arithmetic: Any) -> Any:
            return np.where(was["past"].any(axis=0), 0, x)

    assert missing_of_a_part(Blocked) == {"naive", "PyTorch", "Verilog", "proof", "document"}


def test_all_sides_know_the_same_kinds() -> None:
    assert {part.key for part in PARTS} == {part.key for part in trainer.neurons.PARTS} == set(hwgen.core.neuron.PARTS)
    assert set(RESETS) == set(trainer.neurons.RESETS) == set(hwgen.core.neuron.RESETS)
    assert set(READOUTS) == set(trainer.readouts.READOUTS) == set(hwgen.core.plan.READOUTS)


@pytest.mark.parametrize("kind", [*RESETS, *READOUTS])
def test_a_reset_or_readout_is_documented_and_proven(kind: str) -> None:
    assert f"`{kind}`" in _text("docs/semantics.md")
    proofs = _text("tests/formal/proofs.py")
    if kind in RESETS:
        assert hwgen.core.neuron.RESETS[kind] == 0 or f'"RESET": {hwgen.core.neuron.RESETS[kind]}' in proofs
    else:
        assert hwgen.core.plan.READOUTS[kind] == 0 or f'"MODE": {hwgen.core.plan.READOUTS[kind]}' in proofs


@pytest.mark.parametrize("kind", PROJECTIONS)
def test_a_projection_has_an_engine_and_a_document(kind: str) -> None:
    assert {"current", "naive_current", "sum_range", "expected_shape"} <= set(vars(PROJECTIONS[kind]))
    assert {"dense": Dense} == PROJECTIONS, "show here that an engine takes the new kind"
    assert f"`{kind}`" in _text("docs/semantics.md")


@pytest.mark.parametrize("engine", engines.ENGINES, ids=lambda engine: engine.name)
def test_an_engine_brings_its_template_and_stands_in_the_documents(engine: engines.Engine) -> None:
    assert (ROOT / "rtl_templates" / engine.template).is_file()
    assert f"`{engine.name}`" in _text("docs/architecture.md")


@pytest.mark.parametrize("kind", [*RULES, *SYNAPSES, *TEACHERS, *LOSSES])
def test_a_kind_of_training_is_documented(kind: str) -> None:
    assert re.search(rf'[`"]{kind}[`"]', _text("docs/training.md"))


def test_kernels_name_only_what_there_is() -> None:
    known = {one.name for part in trainer.neurons.PARTS for one in part.quantities} | set(RESETS)
    known |= {"leak", "threshold", "recurrent", *SLOPES}
    for kernel in KERNELS:
        assert kernel.implements <= known
