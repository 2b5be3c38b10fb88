"""The models of block RAMs and multipliers: what Yosys maps to them behaves like the Verilog it was mapped from."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hwgen.fpga import targets
from hwgen.fpga.synth import YOSYS
from sim import netlist

pytestmark = [
    pytest.mark.rtl,
    pytest.mark.synth,
    pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed"),
    pytest.mark.skipif(importlib.util.find_spec("pyosys") is None, reason="Yosys is not installed (make setup)"),
]

# Written and read at random; the contents are random from the start. A word is never read while it is written.
_MEMORY = """
module dut (input clk, input we, input [{a}-1:0] wa, input [{w}-1:0] wd, input re, input [{a}-1:0] ra,
            output reg [{w}-1:0] rd);
    (* no_rw_check, ram_style = "block" *)
    reg [{w}-1:0] words [0:(1 << {a})-1];
    initial $readmemh("contents.hex", words);
    always @(posedge clk) begin
        if (we) words[wa] <= wd;
        if (re) rd <= words[ra];
    end
endmodule
"""

# The same, with two ports that both read and write: a port's output is what was there before.
_DUAL = """
module dut (input clk, input we, input [{a}-1:0] wa, input [{w}-1:0] wd, input re, input [{a}-1:0] ra,
            output [{w}-1:0] rd);
    (* no_rw_check, ram_style = "block" *)
    reg [{w}-1:0] words [0:(1 << {a})-1];
    reg [{w}-1:0] a_q;
    reg [{w}-1:0] b_q;
    initial $readmemh("contents.hex", words);
    always @(posedge clk) begin
        a_q <= words[wa];
        if (we) words[wa] <= wd;
    end
    always @(posedge clk) begin
        b_q <= words[ra];
        if (re && !we) words[ra] <= ~wd;
    end
    assign rd = a_q ^ b_q;
endmodule
"""

_MULTIPLIER = """
module dut (input clk, input we, input [{a}-1:0] wa, input [{w}-1:0] wd, input re, input [{a}-1:0] ra,
            output [{w}-1:0] rd);
    wire signed [16:0] x = wd[16:0];
    wire signed [12:0] y = {{wa[11:0], we}};
    wire signed [29:0] product = x * y;
    wire [25:0] positive = wa * ra;
    assign rd = re ? product : positive;
endmodule
"""

_BENCH = """
module bench;
    reg clk = 0;
    reg we, re;
    reg [{a}-1:0] wa, ra;
    reg [{w}-1:0] wd;
    wire [{w}-1:0] wanted, found;
    integer i, seed = 1, active = 0;
    dut rtl (.clk(clk), .we(we), .wa(wa), .wd(wd), .re(re), .ra(ra), .rd(wanted));
    dut_netlist mapped (.clk(clk), .we(we), .wa(wa), .wd(wd), .re(re), .ra(ra), .rd(found));
    initial begin
        for (i = 0; i < 20000; i = i + 1) begin
            // Few addresses, so that what was written is read again; all bits of an address move.
            wa = $random(seed) & ({{$random(seed)}} % 4 == 0 ? ~0 : 32'h5511);
            ra = $random(seed) & ({{$random(seed)}} % 4 == 0 ? ~0 : 32'h5511);
            wd = {{$random(seed), $random(seed), $random(seed)}};
            re = i < 2 || ({{$random(seed)}} % 4 != 0);
            we = ({{$random(seed)}} % 2 == 0) && wa != ra && i > 2;
            #1;
            clk = 1;
            #1;
            if (found !== wanted) begin
                $display("FAIL at %0d: %h, not %h", i, found, wanted);
                $finish;
            end
            if (wanted != 0) active = active + 1;
            clk = 0;
        end
        $display("PASS %0d", active);
    end
endmodule
"""

# design, target, width, address bits, cell that must appear; the rest of the modes take minutes
CASES = [
    pytest.param(_MEMORY, "xc7", 36, 9, "RAMB18E1", marks=pytest.mark.check),
    (_MEMORY, "ecp5-85k", 18, 10, "DP16KD"),
    (_MULTIPLIER, "ecp5-85k", 30, 13, "MULT18X18D"),
    pytest.param(_MEMORY, "xc7", 1, 14, "RAMB18E1", marks=pytest.mark.slow),
    pytest.param(_MEMORY, "xc7", 2, 13, "RAMB18E1", marks=pytest.mark.slow),
    pytest.param(_MEMORY, "xc7", 4, 12, "RAMB18E1", marks=pytest.mark.slow),
    pytest.param(_MEMORY, "xc7", 9, 11, "RAMB18E1", marks=pytest.mark.slow),
    pytest.param(_MEMORY, "xc7", 18, 10, "RAMB18E1", marks=pytest.mark.slow),
    pytest.param(_MEMORY, "xc7", 72, 9, "RAMB36E1", marks=pytest.mark.slow),
    pytest.param(_MEMORY, "xc7", 36, 10, "RAMB36E1", marks=pytest.mark.slow),
    pytest.param(_MEMORY, "xc7", 4, 13, "RAMB36E1", marks=pytest.mark.slow),
    pytest.param(_DUAL, "xc7", 18, 10, "RAMB18E1", marks=pytest.mark.slow),
    pytest.param(_DUAL, "xc7", 36, 10, "RAMB36E1", marks=pytest.mark.slow),
    pytest.param(_MEMORY, "ecp5-85k", 1, 14, "DP16KD", marks=pytest.mark.slow),
    pytest.param(_MEMORY, "ecp5-85k", 2, 13, "DP16KD", marks=pytest.mark.slow),
    pytest.param(_MEMORY, "ecp5-85k", 4, 12, "DP16KD", marks=pytest.mark.slow),
    pytest.param(_MEMORY, "ecp5-85k", 9, 11, "DP16KD", marks=pytest.mark.slow),
    pytest.param(_MEMORY, "ecp5-85k", 36, 9, "DP16KD", marks=pytest.mark.slow),
    pytest.param(_DUAL, "ecp5-85k", 18, 10, "DP16KD", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(
    ("design", "target", "width", "bits", "cell"), CASES, ids=lambda value: str(value) if len(str(value)) < 20 else ""
)
def test_a_mapped_design_behaves_like_its_verilog(
    design: str, target: str, width: int, bits: int, cell: str, tmp_path: Path
) -> None:
    (tmp_path / "dut.v").write_text(design.format(w=width, a=bits))
    (tmp_path / "bench.v").write_text(_BENCH.format(w=width, a=bits))
    contents = (f"{(word * 0x9E3779B97F4A7C15F39CC0605CEDC835) % (1 << width):x}" for word in range(1, (1 << bits) + 1))
    (tmp_path / "contents.hex").write_text("\n".join(contents) + "\n")
    (tmp_path / "map.ys").write_text(
        "read_verilog dut.v\n"
        f"{targets.TARGETS[target].synth} -top dut\n"
        "rename dut dut_netlist\n"
        "write_verilog -noattr netlist.v\n"
    )
    _run([*YOSYS, "map.ys"], tmp_path)
    assert f" {cell} #" in (tmp_path / "netlist.v").read_text() or f" {cell} " in (tmp_path / "netlist.v").read_text()
    library = netlist.LIBRARIES[targets.TARGETS[target].family]
    *own, _, yosys_models, _ = netlist.library_arguments(library)
    (tmp_path / "models.v").write_text(_for_icarus(Path(yosys_models), [Path(name).stem for name in own]))
    (tmp_path / "files").write_text("\n".join([*own, "models.v"]) + "\n")
    _run(["iverilog", "-g2012", "-s", "bench", "-o", "bench", "-c", "files", "bench.v", "dut.v", "netlist.v"], tmp_path)
    verdict, *count = _run(["vvp", "-n", "bench"], tmp_path).splitlines()[-1].split()
    assert verdict == "PASS", [verdict, *count]
    assert int(count[0]) > 1000


def _for_icarus(path: Path, own: list[str]) -> str:
    """Yosys' models without what Icarus cannot take: a cell's second model, files read twice, timing checks, $error."""
    text = path.read_text()
    for name in ("common_sim.vh", "ccu2c_sim.vh"):
        text = text.replace(f'`include "{name}"', (path.parent / name).read_text() if f'"{name}"' in text else "")
    text = re.sub(r"`include .*", "", text)
    text = re.sub(r"\$error\(.*?\);", "", text)
    text = re.sub(r"\bspecify\b.*?\bendspecify\b", "", text, flags=re.DOTALL)
    for name in own:
        text = re.sub(rf"\nmodule {name}\s*\(.*?\nendmodule", "", text, flags=re.DOTALL)
    return text


def _run(command: list[str], cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout
