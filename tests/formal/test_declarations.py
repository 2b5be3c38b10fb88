"""The declarations of the proofs agree with the library, the property modules and docs/proofs.md."""

from __future__ import annotations

import re

import engine
import pytest
from proofs import PROOFS, Proof

DOCS = engine.HERE.parents[1] / "docs" / "proofs.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| .+ \| (.+) \|$", re.MULTILINE)


def test_every_module_is_proven() -> None:
    library = {path.stem for path in engine.LIBRARY.glob("*.v")}
    assert library == {proof.module for proof in PROOFS if proof.module.startswith("scsr_")}


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.module)
def test_every_rule_has_a_cover_and_a_fault(proof: Proof) -> None:
    rules = proof.labels("r")
    assert rules == list(dict.fromkeys(rules))
    assert {f"c{rule[1:]}" for rule in rules} == set(proof.labels("c"))
    assert set(rules) == {rule.partition(":")[0] for rule in proof.mutants}


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.module)
def test_every_fault_is_a_change_of_one_place(proof: Proof) -> None:
    for mutant in proof.mutants.values():
        text = (engine.LIBRARY / f"{mutant.module or proof.module}.v").read_text(encoding="utf-8")
        assert text.count(mutant.old) == 1, mutant


def test_the_evidence_counts_the_rules() -> None:
    rules = sum(len(proof.labels("r")) for proof in PROOFS)
    assert f"| proofs of all library modules | {rules} rules," in (DOCS.parent / "trust.md").read_text(encoding="utf-8")


def test_the_documentation_has_every_rule_with_its_method() -> None:
    rows = ROW.findall(DOCS.read_text(encoding="utf-8"))
    assert rows == [(proof.module, rule, proof.method) for proof in PROOFS for rule in proof.labels("r")]
