"""What is proven of each library module, how, and the fault that each rule must find.

The rules are the labelled assertions `r<number>_<name>` in `<module>.sv`, each with a cover `c<number>_<name>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault in the module: `old` becomes `new`, in `module` if not in the one that is proven."""

    old: str
    new: str
    module: str = ""
    case: int = 0


@dataclass(frozen=True, slots=True)
class Proof:
    """How a module is proven.

    `cases` are parameter sets. From a reset on `depth` cycles are searched; `induction` is the number of cycles that an
    inductive step assumes, 0 where there is none and the search is all. `models` stand for modules of their names.
    """

    module: str
    cases: tuple[dict[str, int], ...]
    induction: int
    depth: int
    mutants: dict[str, Mutant]
    cover_depth: int = 20
    models: tuple[str, ...] = ("scsr_ram",)

    @property
    def method(self) -> str:
        return f"induction, k = {self.induction}" if self.induction else f"bounded, {self.depth} cycles"

    @property
    def text(self) -> str:
        return (HERE / f"{self.module}.sv").read_text(encoding="utf-8")

    def labels(self, kind: str) -> list[str]:
        """The labels of the rules (r), helpers (i) or covers (c)."""
        word = "cover" if kind == "c" else "assert"
        return re.findall(rf"\b({kind}\w*): {word} ", self.text)


PROOFS = (
    Proof(
        "scsr_skid",
        cases=({"WIDTH": 2},),
        induction=1,
        depth=10,
        mutants={
            "r1_stable": Mutant("if (!full_q) data_q", "data_q"),
            "r2_count": Mutant("<= m_valid && !m_ready", "<= s_valid && !m_ready"),
            "r3_order": Mutant("full_q ? data_q : s_data", "s_data"),
            "r4_through": Mutant("full_q || s_valid", "full_q"),
        },
    ),
    Proof(
        "scsr_fifo",
        cases=({"DEPTH": 2, "ADDR_W": 1}, {"DEPTH": 4, "ADDR_W": 2}),
        induction=1,
        depth=12,
        mutants={
            "r1_stable": Mutant("!empty && (!m_valid_q || m_ready)", "!empty"),
            "r2_overflow": Mutant("s_valid && s_ready", "s_valid"),
            "r3_count": Mutant("if (rd_en) m_valid_q", "if (wr_en) m_valid_q"),
            "r4_order": Mutant("rd_addr(rd_q", "rd_addr(wr_q"),
            "r5_ready": Mutant("stored[ADDR_W]", "stored[ADDR_W-1]", case=1),
        },
    ),
    Proof(
        "scsr_fork",
        cases=({"BRANCHES": 2}, {"BRANCHES": 3}),
        induction=1,
        depth=10,
        mutants={
            "r1_stable": Mutant("taken_q | (m_valid & m_ready)", "taken_q | m_valid"),
            "r2_once": Mutant("{BRANCHES{s_valid}} & ~taken_q", "{BRANCHES{s_valid}}"),
            "r3_all": Mutant("&(taken_q | m_ready)", "|(taken_q | m_ready)"),
            "r4_offer": Mutant("{BRANCHES{s_valid}} & ~taken_q", "{BRANCHES{s_valid}} & ~taken_q & m_ready"),
            "r5_leave": Mutant("&(taken_q | m_ready)", "&taken_q"),
        },
    ),
    Proof(
        "scsr_axis_input",
        cases=({"CHANNELS": 2, "INDEX_W": 1, "STAMP_W": 2}, {"CHANNELS": 5, "INDEX_W": 3, "STAMP_W": 3}),
        induction=1,
        depth=14,
        mutants={
            "r1_stable": Mutant("advance = !m_valid_q || m_ready", "advance = 1'b1"),
            "r2_count": Mutant("m_valid_q <= tick || fresh", "m_valid_q <= tick || spike"),
            "r3_event": Mutant("seen_1_q && !tick;", "seen_1_q;"),
            "r4_stamp": Mutant("clear = sweeping_q || (advance && tick)", "clear = sweeping_q"),
        },
    ),
    Proof(
        "scsr_update",
        cases=(
            {"WORDS": 1, "WORD_W": 1, "INDEX_W": 1},
            {"WORDS": 6, "WORD_W": 3, "INDEX_W": 3, "SELF_W": 2},
            {"WORDS": 7, "WORD_W": 3, "INDEX_W": 3, "SELF_W": 2},
            {"WORDS": 3, "WORD_W": 2, "INDEX_W": 2, "SYNAPSE": 1, "THRESHOLD_W": 0},
            {"WORDS": 5, "WORD_W": 3, "INDEX_W": 4, "UNITS": 3, "UNIT_W": 2, "GROUP_WORDS": 2, "GROUP_WORD_W": 1}
            | {"GROUP_LAST_UNITS": 2, "LAST_UNITS": 1},
        ),
        induction=1,
        depth=16,
        cover_depth=40,
        models=("scsr_neuron", "scsr_ram", "scsr_rom"),
        mutants={
            "r1_stable": Mutant("next = r_valid && r_ready", "next = r_valid", case=3),
            "r2_count": Mutant("valid_q[LATENCY-2:0], issue", "valid_q[LATENCY-2:0], s_valid"),
            "r3_order": Mutant(".en (en),\n        .s  (s_tag)", ".en (1'b1),\n        .s  (s_tag)", case=3),
            "r4_hazard": Mutant("WORDS <= LATENCY", "WORDS < LATENCY", case=1),
            "r5_state": Mutant("first_1_q ? {UNITS * STATE_WORD_W{1'b0}} : states_1", "states_1"),
            "r6_sums": Mutant(".en (en),\n        .s  (s_sums)", ".en (1'b1),\n        .s  (s_sums)", case=3),
            "r7_params": Mutant(".addr(word_q)", ".addr(done_word_q)", case=3),
            "r8_values": Mutant(" & {VALUE_W{there}}", "", case=4),
            "r9_neurons": Mutant("GROUP_LAST_FINAL : FINAL;", "FINAL : FINAL;", case=4),
        },
    ),
    Proof(
        "scsr_readout",
        cases=(
            {"WORDS": 1, "WORD_W": 1, "INDEX_W": 1},
            {"WORDS": 3, "WORD_W": 2, "INDEX_W": 2, "VALUE_W": 3},
            {"WORDS": 4, "WORD_W": 2, "INDEX_W": 2},
            {"UNITS": 2, "UNIT_W": 1, "WORDS": 2, "WORD_W": 1, "INDEX_W": 2, "LAST_UNITS": 1},
        ),
        induction=1,
        depth=16,
        cover_depth=40,
        mutants={
            "r1_stable": Mutant("wire free = !m_valid_q || m_axis_tready", "wire free = 1'b1"),
            "r2_hazard": Mutant("WORDS > STAGES", "WORDS >= STAGES", case=1),
            "r3_score": Mutant("first_1_q ? {UNITS * STORED_W{1'b0}} : stored_1", "stored_1"),
            "r4_packet": Mutant("&& free && !class_pending_q", "&& free"),
            "r5_due": Mutant("wire en = !send || (beat && word_sent)", "wire en = 1'b1"),
            "r6_class": Mutant("$unsigned(score) > ", "$unsigned(score) >= ", case=2),
            "r7_flags": Mutant("flags_q <= tag_3_q[TAG_W-1:1]", "flags_q <= tag_2_q[TAG_W-1:1]"),
        },
    ),
)
