"""Names that go into Verilog: only checked identifiers do."""

from __future__ import annotations

import re

from quant.errors import BuildError

FALLBACK_TOP = "scsr_top"
MAX_LENGTH = 64

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# IEEE 1364-2005 Annex B, the words that SystemVerilog tools reserve and a name is likely to hit, and those of VHDL.
_KEYWORD_TEXT = """
    always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default defparam
    design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify endtable
    endtask event for force forever fork function generate genvar highz0 highz1 if ifnone incdir include initial inout
    input instance integer join large liblist library localparam macromodule medium module nand negedge nmos nor
    noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown pullup
    pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat rnmos rpmos rtran rtranif0 rtranif1
    scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task time tran tranif0
    tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor
    alias assert assume before bind bins bit break byte chandle class clocking const constraint context continue cover
    covergroup coverpoint cross dist do endclass endclocking endgroup endinterface endpackage endprogram endproperty
    endsequence enum expect export extends extern final first_match foreach iff ignore_bins illegal_bins import inside
    int interface intersect local logic longint matches modport new null package packed priority program property
    protected pure rand randc randcase randsequence ref return sequence shortint shortreal solve static string struct
    super tagged this throughout timeprecision timeunit type typedef union unique var virtual void wait_order wildcard
    with within
    accept_on checker endchecker eventually global implements implies interconnect let nettype nexttime reject_on
    s_always s_eventually s_nexttime s_until s_until_with soft sync_accept_on sync_reject_on unique0 until_with untyped
    weak
    abs access after all architecture array attribute block body buffer bus component configuration constant
    disconnect downto elsif entity exit fairness file generic group guarded impure in inertial is label linkage
    literal loop map mod next of on open others out port postponed procedure process range record register reject
    rem report restrict rol ror select severity shared signal sla sll sra srl strong subtype then to transport
    unaffected units until variable vmode vprop vunit when
"""
_KEYWORDS = frozenset(_KEYWORD_TEXT.split())

# What the top module declares inside; tests hold this against generated tops.
_INSIDE = re.compile(
    r"MEM_DIR|aclk|aresetn|rst|wrapped|wrapped_tready|FLAGS|model_digest|tool_version|[sm]_axis_\w+|s_load_\w+|loaded|neuron|readout|scores_(valid|ready)"
    r"|watchdog|self_test\w*|(watched|entry|packet)_t\w+"
    r"|link_\d+_\d+\w*"
    r"|(unused_)?(input_\w+|layer_\d+\w*|update_\d+_\w+)"
)


def top_name(model_name: str, chosen: str | None) -> str:
    """The top module's name: the one chosen, else the model's if it can be one, else `scsr_top`.

    Raises:
        BuildError: if the chosen name is no Verilog identifier, a keyword, or too long.
    """
    if chosen is None:
        return model_name if _problem(model_name) is None else FALLBACK_TOP
    problem = _problem(chosen)
    if problem is not None:
        raise BuildError(f"--name {chosen[: MAX_LENGTH + 1]!r}: {problem}")
    return chosen


def _problem(name: str) -> str | None:
    if len(name) > MAX_LENGTH:
        return f"has {len(name)} characters; the limit is {MAX_LENGTH}"
    if not _IDENTIFIER.fullmatch(name):
        return "is no Verilog identifier; use letters, digits and _, not starting with a digit"
    if name.lower() in _KEYWORDS:
        return "is a keyword of Verilog, SystemVerilog or VHDL; take another"
    if name.startswith("scsr_") and name != FALLBACK_TOP:
        return "begins with scsr_, like the library's modules; take another"
    if _INSIDE.fullmatch(name):
        return "is a name that the top module uses inside; take another"
    return None
