"""Every rule holds, is not vacuous, and finds the fault written for it."""

from __future__ import annotations

from pathlib import Path

import engine
import pytest
from proofs import PROOFS, Mutant, Proof

pytestmark = [
    pytest.mark.formal,
    pytest.mark.skipif(bool(engine.missing_tools()), reason=f"`make formal` installs {engine.missing_tools()}"),
]

CASES = [
    pytest.param(proof, case, id=f"{proof.module}-{case}") for proof in PROOFS for case, _ in enumerate(proof.cases)
]
MUTANTS = [
    pytest.param(proof, rule, mutant, id=f"{proof.module}-{rule}")
    for proof in PROOFS
    for rule, mutant in proof.mutants.items()
]


@pytest.mark.parametrize(("proof", "case"), CASES)
def test_rules_hold_and_are_reached(proof: Proof, case: int, tmp_path: Path) -> None:
    model = engine.translate(proof.module, proof.cases[case], engine.sources(proof.models), tmp_path)
    searched = engine.check(model, "-t", str(proof.induction + 1 if proof.induction else proof.depth))
    assert searched.passed, searched.log
    if proof.induction:
        induced = engine.check(model, "-i", "-t", str(proof.induction))
        assert induced.passed, induced.log
    covered = engine.check(model, "-c", "-t", str(proof.cover_depth))
    assert covered.passed, covered.log


@pytest.mark.parametrize(("proof", "rule", "mutant"), MUTANTS)
def test_a_rule_finds_its_fault(proof: Proof, rule: str, mutant: Mutant, tmp_path: Path) -> None:
    name = f"{mutant.module or proof.module}.v"
    library = engine.sources(proof.models)
    original = next(path for path in library if path.name == name)
    text = original.read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
    changed = tmp_path / name
    changed.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    library[library.index(original)] = changed

    model = engine.translate(proof.module, proof.cases[mutant.case], library, tmp_path, only=rule.partition(":")[0])
    result = engine.check(model, "-t", str(proof.depth))
    assert not result.passed, result.log
    assert result.failed == (rule.partition(":")[0],)
