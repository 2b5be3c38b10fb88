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

    `mutants` are faults by the rule that finds them; of several for one rule, each has a name of its own after a colon.
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


FREE = "\n            end\n        end\n    endgenerate"  # what ends the second of the RAM's two forms

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
        cases=({"CHANNELS": 2, "INDEX_W": 1, "STAMP_W": 2}, {"CHANNELS": 5, "INDEX_W": 3, "STAMP_W": 3, "FLAGS": 4}),
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
            {"WORDS": 6, "WORD_W": 3, "INDEX_W": 3, "STATE_WORD_W": 3},
            {"WORDS": 7, "WORD_W": 3, "INDEX_W": 3, "STATE_WORD_W": 3},
            {"WORDS": 3, "WORD_W": 2, "INDEX_W": 2, "STATE_WORD_W": 4, "VALUE_W": 2, "NEURON_CYCLES": 5},
            {"WORDS": 5, "WORD_W": 3, "INDEX_W": 4, "UNITS": 3, "UNIT_W": 2, "GROUP_WORDS": 2, "GROUP_WORD_W": 1}
            | {"GROUP_LAST_UNITS": 2, "LAST_UNITS": 1},
            {"WORDS": 7, "WORD_W": 3, "INDEX_W": 3, "STATE_WORD_W": 3, "DRAIN": 1},
        ),
        induction=1,
        depth=16,
        cover_depth=40,
        models=("scsr_ram", "scsr_rom"),
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
            "r10_drain": Mutant("|| DRAIN != 0", "", case=5),
        },
    ),
    Proof(
        "scsr_readout",
        cases=(
            {"WORDS": 1, "WORD_W": 1, "INDEX_W": 1},
            {"WORDS": 3, "WORD_W": 2, "INDEX_W": 2, "VALUE_W": 3},
            {"WORDS": 4, "WORD_W": 2, "INDEX_W": 2},
            {"UNITS": 2, "UNIT_W": 1, "WORDS": 2, "WORD_W": 1, "INDEX_W": 2, "LAST_UNITS": 1},
            {"WORDS": 2, "VALUE_W": 3, "MODE": 1},
            {"WORDS": 2, "VALUE_W": 3, "MODE": 2},
            {"WORDS": 1, "WORD_W": 1, "INDEX_W": 1, "EVERY_STEP": 1},
            {"WORDS": 3, "WORD_W": 2, "INDEX_W": 2, "VALUE_W": 3, "EVERY_STEP": 1},
            {"WORDS": 4, "WORD_W": 2, "INDEX_W": 2, "EVERY_STEP": 1},
            {"UNITS": 2, "UNIT_W": 1, "WORDS": 2, "WORD_W": 1, "INDEX_W": 2, "LAST_UNITS": 1, "EVERY_STEP": 1},
        ),
        induction=1,
        depth=16,
        cover_depth=40,
        mutants={
            "r1_stable": Mutant("wire free = !m_valid_q || m_axis_tready", "wire free = 1'b1"),
            "r2_hazard": Mutant("WORDS > STAGES", "WORDS >= STAGES", case=1),
            "r3_score": Mutant("first_1_q ? {UNITS{START}} : stored_1", "stored_1"),
            "r3_score:max": Mutant("MODE == 1 && score_wide > value_wide", "score_wide > value_wide + 1", case=4),
            "r3_score:last": Mutant("MODE == 1 && score_wide > value_wide", "score_wide > value_wide", case=5),
            "r4_packet": Mutant("&& free && !class_pending_q", "&& free"),
            "r5_due": Mutant("wire en = !send || (beat && word_sent)", "wire en = 1'b1"),
            "r5_due:every": Mutant("EVERY_STEP != 0 || tag_3_q[0]", "tag_3_q[0]", case=6),
            "r6_class": Mutant("$unsigned(score) > ", "$unsigned(score) >= ", case=2),
            "r7_flags": Mutant("flags_q <= tag_3_q[TAG_W-1:1]", "flags_q <= tag_2_q[TAG_W-1:1]"),
            "r7_flags:ends": Mutant("ends_q <= tag_3_q[0]", "ends_q <= tag_2_q[0]", case=8),
        },
    ),
    Proof(
        "scsr_recurrence",
        cases=({}, {"ONLY_TICKS": 1}),
        induction=1,
        depth=2,
        mutants={
            "r1_drop": Mutant("m_ready || drop", "m_ready"),
            "r2_through": Mutant("!= 0) && !s_tick", "!= 0)"),
        },
    ),
    Proof(
        "scsr_delay",
        cases=({"STAGES": 1}, {"STAGES": 3}),
        induction=1,
        depth=6,
        mutants={"r1_delay": Mutant("if (en) line_q <= {", "line_q <= {", case=1)},
    ),
    Proof(
        "scsr_decay",
        cases=(
            {"STATE_W": 6, "LEAK_W": 4, "CODE_W": 4},
            {"STATE_W": 16, "LEAK_W": 8, "CODE_W": 8},
            {"STATE_W": 6, "LEAK_W": 4, "CODE_W": 3, "SHIFT": 1},
            {"STATE_W": 16, "LEAK_W": 8, "CODE_W": 4, "SHIFT": 1},
        ),
        induction=1,
        depth=4,
        mutants={
            "r1_product": Mutant("{{LEAK_W{z[STATE_W-1]}}, z}", "{{LEAK_W{1'b0}}, z}", case=1),
            "r2_decay": Mutant("wire round_up = !z[STATE_W-1] && (|lost)", "wire round_up = 1'b0", case=3),
            "r3_definition": Mutant("product_q[PRODUCT_W-1] && (|product_q[LEAK_W-1:0])", "product_q[PRODUCT_W-1]"),
        },
    ),
    Proof(
        "scsr_leaky_sum",
        cases=({"X_W": 12}, {"X_W": 20}),
        induction=1,
        depth=6,
        models=("scsr_decay",),
        mutants={
            "r1_decay": Mutant(".z    (z)", ".z    (z >>> 1)"),
            "r2_sum": Mutant("x_wide + decayed + carry_wide", "x_wide + decayed"),
        },
    ),
    Proof(
        "scsr_fire",
        cases=({"RESET": 0}, {"RESET": 1}, {"RESET": 2}, {"ADAPTIVE": 1, "RESET": 1}),
        induction=1,
        depth=4,
        mutants={
            "r1_spike": Mutant("!excess[STATE_W]", "!excess[STATE_W] && excess != 0"),
            "r1_spike:adaptive": Mutant("!above[STATE_W+1]", "!above[STATE_W+1] && above != 0", case=3),
            "r2_reset": Mutant("over ? after_spike : u", "after_spike"),
        },
    ),
    Proof(
        "scsr_neuron",
        cases=(
            {},
            {"SYNAPSE": 1, "RESET": 1},
            {"SYNAPSE": 1, "THRESHOLD_W": 0, "SELF_WEIGHT_W": 0},
            {"THRESHOLD_W": 0, "SELF_WEIGHT_W": 0},
        ),
        induction=1,
        depth=10,
        models=("scsr_leaky_sum",),
        mutants={
            "r1_filter": Mutant("{SELF_WEIGHT_W{state_x[STATE_W]}}", "{SELF_WEIGHT_W{1'b1}}", case=1),
            "r2_membrane": Mutant(
                "{state_x[STATE_W-1:0], param_x[CODE_W-1:0]}", "{state_x[STATE_W-1:0], param_x[CODE_W:1]}", case=1
            ),
            "r3_current": Mutant(".s  (filtered),", ".s  (~filtered),", case=2),
            "r4_membrane": Mutant("sum_wide + self", "sum_wide - self"),
            "r5_fire": Mutant("(param_x[CODE_W+:THRESHOLD_W]),", "(param_x[CODE_W-1+:THRESHOLD_W]),"),
            "r6_reset": Mutant("over ? after_spike : u", "after_spike", module="scsr_fire", case=1),
            "r7_potential": Mutant("assign value = u", "assign value = -u", case=3),
        },
    ),
    Proof(
        "neuron_exact",
        cases=(
            {},
            {"SYNAPSE": 1, "RESET": 1},
            {"SYNAPSE": 1, "SHIFT": 1, "CODE_W": 2},
            {"SHIFT": 1, "CODE_W": 2, "RESET": 1, "STATE_W": 5, "THRESHOLD_W": 4},
            {"BIAS_W": 3},
            {"RESET": 2},
            {"RESET": 2, "SYNAPSE": 1, "SELF_WEIGHT_W": 0},
            {"STEP_W": 3},
            {"STEP_W": 2, "SYNAPSE": 1, "RESET": 1, "SELF_WEIGHT_W": 0},
            {"DELAY_W": 2, "HISTORY": 3},
            {"DELAY_W": 1, "SELF_WEIGHT_W": 0, "STEP_W": 2},
            {"REFRACTORY_W": 2, "HISTORY": 3},
            {"REFRACTORY_W": 1, "SYNAPSE": 1, "RESET": 2, "SELF_WEIGHT_W": 0},
            {"REFRACTORY_W": 2, "HISTORY": 2, "DELAY_W": 1, "STEP_W": 2, "RESET": 1, "SELF_WEIGHT_W": 0},
            {"INHIBITION_W": 2, "COUNT_W": 2},
            {"INHIBITION_W": 2, "COUNT_W": 2, "DELAY_W": 1, "HISTORY": 2, "BIAS_W": 2, "SELF_WEIGHT_W": 0},
        ),
        induction=7,
        depth=9,
        models=(),
        mutants={
            "r1_step": Mutant("{sum_q[SUM_W-1], {", "{1'b0, {", module="scsr_leaky_sum"),
            "r1_step:bias": Mutant("self_weight + bias", "self_weight - bias", module="scsr_neuron", case=4),
            "r1_step:late": Mutant("bias - late_x", "bias", module="scsr_neuron", case=5),
            "r1_step:late, filtered": Mutant(".STAGES(3)", ".STAGES(2)", module="scsr_neuron", case=6),
            "r1_step:delay": Mutant("? spike : due", "? due : spike", module="scsr_neuron", case=9),
            "r1_step:past": Mutant("{past, spike}", "{spike, past}", module="scsr_neuron", case=9),
            "r1_step:inhibition": Mutant("own ? spikes", "!own ? spikes", module="scsr_neuron", case=14),
            "r1_step:inhibition, delayed": Mutant("(ONE_STEP <<", "(ONE_STEP >>", module="scsr_neuron", case=15),
            "r1_step:refractory": Mutant("~({HISTORY{1'b1}}", "~({HISTORY{1'b0}}", module="scsr_neuron", case=11),
            "r1_step:refractory, filtered": Mutant(
                "(1),\n                .STAGES(TO_U)",
                "(1),\n                .STAGES(TO_U - 1)",
                module="scsr_neuron",
                case=12,
            ),
            "r1_step:adaptation": Mutant("STEP_W{state_x[STATE_W]}", "STEP_W{1'b1}", module="scsr_neuron", case=7),
            "r1_step:adaptation, filtered": Mutant("TO_U - 3", "TO_U - 4", module="scsr_neuron", case=8),
        },
    ),
    Proof(
        "scsr_ram",
        cases=({}, {"BLOCK": 1}),
        induction=0,
        depth=12,
        models=(),
        mutants={
            "r1_read": Mutant(f"words[rd_addr];{FREE}", f"words[wr_addr];{FREE}"),
            "r2_hold": Mutant(f"if (rd_en) rd_data_q <= words[rd_addr];{FREE}", f"rd_data_q <= words[rd_addr];{FREE}"),
        },
    ),
    Proof(
        "scsr_rom",
        cases=({"PORTS": 1}, {"PORTS": 2}),
        induction=0,
        depth=10,
        models=(),
        mutants={
            "r1_zero": Mutant("words[i] = {WIDTH{1'b0}}", "words[i] = {WIDTH{1'b1}}"),
            "r2_hold": Mutant("if (en) begin", "if (1'b1) begin"),
        },
    ),
    Proof(
        "scsr_loaded_ram",
        cases=({}, {"WIDTH": 7, "SLICES": 1}),
        induction=0,
        depth=8,
        models=(),
        mutants={"r1_read": Mutant("if (write[s]) words", "if (write[0]) words")},
    ),
    Proof(
        "scsr_loader",
        cases=({}, {"WORDS": 4, "SLICES": 1}),
        induction=1,
        depth=12,
        mutants={
            "r1_full": Mutant("WORDS - 1", "WORDS"),
            "r2_write": Mutant("FIRST_SLICE : slice_q << 1", "FIRST_SLICE : slice_q"),
            "r3_after": Mutant("slice_q & {SLICES{take}}", "slice_q & {SLICES{s_valid}}"),
        },
    ),
    Proof(
        "scsr_collector",
        cases=({}, {"SOURCES": 2, "OFFSETS": 0x30, "TAG_SOURCE": 0, "TICKED_AT_RESET": 0}, {"REPORTS": 3}),
        induction=1,
        depth=10,
        mutants={
            "r1_stable": Mutant("if (!ticked_q[TAG_SOURCE]) tag_q", "tag_q"),
            "r2_event": Mutant("OFFSETS[k*ROW_W+:ROW_W]", "OFFSETS[0+:ROW_W]"),
            "r3_none": Mutant("close || (|event_valid)", "close || (|s_valid)"),
            "r4_step": Mutant("s_valid & s_tick & ~ticked_q", "s_valid & s_tick"),
            "r5_close": Mutant("&ticked_d", "|ticked_d"),
            "r6_tag": Mutant("ticked_q[TAG_SOURCE] ? tag_q : s_tag", "s_tag"),
            "r8_report": Mutant("if (!close) damaged_q <= damaged_d", "if (!close) damaged_q <= 1'b0", case=2),
            "r7_progress": Mutant("{SOURCES{m_ready || !close}}", "{SOURCES{m_ready && close}}"),
        },
    ),
    Proof(
        "scsr_emitter",
        cases=({"UNITS": 1}, {"UNITS": 3}),
        induction=1,
        depth=10,
        mutants={
            "r1_stable": Mutant("free = !m_valid_q || m_ready", "free = 1'b1"),
            "r2_count": Mutant("m_valid_q <= emit", "m_valid_q <= r_valid"),
            "r3_event": Mutant("r_index + unit", "r_index", case=1),
            "r4_all": Mutant("|after_next || (spike && r_last)", "|after_next"),
            "r5_silent": Mutant("emit ? free && !more : 1'b1", "free && !more"),
        },
    ),
    Proof(
        "scsr_lanes",
        cases=(
            {},
            {"PORTS": 2},
            {"PORTS": 2, "LANES": 2, "UNITS": 2, "WEIGHT_W": 1, "WORDS": 1},
        ),
        induction=1,
        depth=10,
        mutants={
            "r1_stable": Mutant("hold_free = !held_q || (pop && final_q)", "hold_free = 1'b1"),
            "r2_count": Mutant("if (load) held_q <= 1'b1", "if (add) held_q <= 1'b1"),
            "r3_sum": Mutant("if (rst || load) acc_q", "if (rst) acc_q"),
            "r4_tag": Mutant("tag_q <= add_tag", "tag_q <= s_tag", case=1),
            "r5_fill": Mutant("assign column[p] = 1'b0", "assign column[p] = 1'b1"),
            "r6_ready": Mutant("hold_free = !held_q || (pop && final_q)", "hold_free = !held_q"),
        },
    ),
    Proof(
        "scsr_event_list",
        cases=(
            {},
            {"PORTS": 2, "ROWS": 3, "ROW_W": 2, "POSITION_W": 1},
            {"GROUPS": 1},
        ),
        induction=1,
        depth=13,
        mutants={
            "r1_stable": Mutant("if (m_en) begin\n            // All", "begin\n            // All"),
            "r2_overflow": Mutant("s_ready = !fill_closed_q", "s_ready = 1'b1"),
            "r3_order": Mutant("fill_list_q ^ walk_closed_q", "fill_list_q"),
            "r4_all": Mutant("group_last = walk_closed_q && (", "group_last = ("),
            "r5_full": Mutant("(here || walk_closed_q)", "1'b1"),
            "r6_groups": Mutant("group_q == LAST_GROUP", "group_q == LAST_GROUP - ONE_GROUP"),
            "r7_tag": Mutant("fill_closed_q ? fill_tag_q : s_tag", "s_tag"),
            "r8_steps": Mutant("else if (walked_q) walk_closed_q", "else if (1'b0) walk_closed_q"),
        },
    ),
    Proof(
        "scsr_banked_memory",
        cases=({}, {"BANKS": 1, "BANK_ADDR_W": 3, "ADDR_W": 3, "BANK_DEPTH": 5, "PORTS": 1}),
        induction=0,
        depth=10,
        models=("scsr_rom",),
        mutants={
            "r1_read": Mutant(".STAGES(2)", ".STAGES(1)"),
            "r2_hold": Mutant("if (en) data_q[b]", "data_q[b]"),
        },
    ),
    Proof(
        "banked_memory_loaded",
        cases=({},),
        induction=0,
        depth=8,
        models=(),
        mutants={"r1_read": Mutant("write & {SLICES{chosen}}", "write", module="scsr_banked_memory")},
    ),
    Proof(
        "scsr_weights",
        cases=({}, {"PORTS": 2, "ROWS": 3, "ROW_W": 2, "GROUPS": 2}),
        induction=1,
        depth=10,
        models=("scsr_rom",),
        mutants={
            "r1_valid": Mutant("valid_q[LATENCY-2:0], s_valid", "valid_q[LATENCY-2:0], en"),
            "r2_weights": Mutant("s_step_last ? {ADDR_W{1'b0}} : base_q", "base_q"),
            "r3_marks": Mutant(
                "{s_event, s_group_last, s_step_last, s_tag}", "{s_event, s_step_last, s_group_last, s_tag}"
            ),
        },
    ),
    Proof(
        "scsr_guard",
        cases=(
            {"WIDTH": 5, "CHECKS": 1, "CHECK_W": 1},
            {"WIDTH": 70, "CHECKS": 1, "CHECK_W": 2},
            {"WIDTH": 1, "CHECKS": 3, "CHECK_W": 3},
            {"WIDTH": 11, "CHECKS": 5, "CHECK_W": 5},
            {"WIDTH": 64, "CHECKS": 8, "CHECK_W": 8, "ANY_DATA": 0},
            {"WIDTH": 70, "CHECKS": 8, "CHECK_W": 16, "ANY_DATA": 0},
        ),
        induction=3,
        depth=5,
        models=(),
        mutants={
            "r1_right": Mutant("data_1_q ^ flipped", "data_1_q", case=3),
            "r2_found": Mutant(
                "!check_flipped && !(|flipped)", "!check_flipped && !(|flipped) && ^syndrome_1_q", case=3
            ),
            "r3_hold": Mutant("if (en) odd_1_q", "odd_1_q"),
        },
    ),
    Proof(
        "scsr_slots",
        cases=({}, {"PORTS": 2, "SLOTS": 2, "SLOT_W": 1}),
        induction=1,
        depth=8,
        models=(),
        mutants={
            "r1_through": Mutant("m_is_slot = is_slot_q", "m_is_slot = s_group_last"),
            "r2_slots": Mutant("s_event & {PORTS{!is_slot_q}}", "s_event"),
            "r3_end": Mutant("m_group_last = last_slot", "m_group_last = is_slot_q"),
            "r4_tag": Mutant("m_tag = s_tag", "m_tag = s_tag & {TAG_W{!is_slot_q}}"),
            "r5_taken": Mutant("last_slot || !(s_valid", "is_slot_q || !(s_valid"),
        },
    ),
    Proof(
        "scsr_lookup",
        cases=({}, {"PORTS": 2, "UNITS": 2, "PLACE_W": 1}),
        induction=1,
        depth=10,
        mutants={
            "r1_valid": Mutant("{valid_q[0], s_valid}", "{valid_q[0], s_valid && !s_is_slot}"),
            "r2_through": Mutant("if (slot_1_q) begin", "begin"),
            "r3_event": Mutant("event_2_q[0] <= 1'b1", "event_2_q[0] <= found_1[0]"),
            "r4_weight": Mutant("spike && !first_1_q", "spike"),
        },
    ),
    Proof(
        "scsr_spike_count",
        cases=({}, {"UNITS": 3, "COUNT_W": 4}),
        induction=1,
        depth=6,
        mutants={
            "r1_count": Mutant("if (s_last) count_q", "count_q"),
            "r2_end": Mutant("s_end ? {COUNT_W{1'b0}} : with_word", "with_word"),
        },
    ),
    Proof(
        "scsr_mark",
        cases=({},),
        induction=1,
        depth=6,
        mutants={
            "r1_marked": Mutant("damaged_d && !last", "damaged && !last"),
            "r2_tag": Mutant("{damaged_d, {TAG_W - 1{1'b0}}}", "{TAG_W{damaged_d}}"),
        },
    ),
    Proof(
        "scsr_watchdog",
        cases=({}, {"LIMIT": 1, "COUNT_W": 1}),
        induction=1,
        depth=14,
        mutants={
            "r1_stable": Mutant("else if (take) expired_q", "else expired_q"),
            "r2_through": Mutant("m_axis_tready && !expired_q", "m_axis_tready"),
            "r3_end": Mutant("16'h8000", "16'h0000"),
            "r4_early": Mutant("open_q && !expired_q && !s_axis_tvalid", "!expired_q && !s_axis_tvalid"),
        },
    ),
    Proof(
        "scsr_self_test",
        cases=(
            {},
            {"BEATS": 4, "BEAT_W": 2, "ANSWERS": 3, "ANSWER_W": 2},
            {"BEATS": 4, "BEAT_W": 2, "ANSWERS": 4, "ANSWER_W": 2, "EVERY_STEP": 1},
        ),
        induction=1,
        depth=24,
        cover_depth=40,
        models=("scsr_rom",),
        mutants={
            "r1_apart": Mutant("r_axis_tvalid && !running_q", "r_axis_tvalid"),
            "r2_between": Mutant("!open_q && !enter && empty", "!open_q && !enter"),
            "r2_between:packets": Mutant("&& o_axis_tlast && ended", "&& o_axis_tlast", case=2),
            "r3_beats": Mutant("beat_taken ? 2'b00", "beat_taken ? 2'b11"),
            "r4_verdict": Mutant("|| r_axis_tlast != answer_last", ""),
            "r4_verdict:packets": Mutant("answer[STORED_W-1]", "answer_q == LAST_ANSWER", case=2),
            "r5_through": Mutant("failed_q && r_axis_tlast ?", "failed_q ?"),
            "r6_comes": Mutant("(wanted_q || full)", "full"),
        },
    ),
    Proof(
        "scsr_layer",
        cases=({},),
        induction=0,
        depth=25,
        cover_depth=40,
        models=("scsr_ram", "scsr_rom"),
        mutants={
            "r1_stable": Mutant("if (!full_q) data_q", "data_q", module="scsr_skid"),
            "r2_words": Mutant("r_last = r_word_q == LAST_WORD", "r_last = 1'b1", module="scsr_update"),
            "r3_spike": Mutant("if (rst || load) acc_q", "if (rst) acc_q", module="scsr_lanes"),
            "r4_tag": Mutant("fill_closed_q ? fill_tag_q : s_tag", "fill_tag_q", module="scsr_event_list"),
            "r5_answer": Mutant("if (load) held_q <= 1'b1", "if (load) held_q <= 1'b0", module="scsr_lanes"),
        },
    ),
    Proof(
        "skip_link",
        cases=({"FIFO": 0}, {}, {"DEPTH": 4, "ADDR_W": 2}),
        induction=0,
        depth=30,
        cover_depth=40,
        mutants={
            "r1_closes": Mutant(
                "s_valid & ~s_tick & ~ticked_q", "s_valid & ~s_tick & ~ticked_q & {ticked_q, 1'b1}", "scsr_collector"
            )
        },
    ),
)
