"""Scripts for vendors' tools: every one runs in a Tcl interpreter that knows the tool's commands by name only."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import tiny_model

from hwgen.__main__ import main
from hwgen.core.build import make_build, write
from hwgen.fpga.project import TOOLS, make_project
from quant.errors import BuildError, ScsrError

tkinter = pytest.importorskip("tkinter", reason="Python's tkinter is not installed: no Tcl to run the scripts in")

COMMANDS = {
    "vivado": """read_verilog read_xdc synth_design opt_design place_design route_design report_utilization
        report_timing_summary write_checkpoint create_project add_files set_property current_fileset close_project
        update_compile_order ipx::package_project ipx::current_core ipx::associate_bus_interfaces ipx::update_checksums
        ipx::check_integrity ipx::save_core current_project update_ip_catalog create_bd_design create_bd_cell
        apply_bd_automation connect_bd_intf_net get_bd_intf_pins get_bd_cells connect_bd_net get_bd_pins
        assign_bd_address validate_bd_design save_bd_design make_wrapper get_files launch_runs wait_on_run
        get_property get_runs""",
    "quartus": """project_new set_global_assignment get_part_info set_instance_assignment export_assignments
        execute_flow project_close""",
    "gowin": "set_device add_file set_option run",
    "radiant": "prj_create prj_add_source prj_set_impl_opt prj_save prj_run prj_close",
}
CONSTRAINTS = {"create_clock", "get_ports"}
# A tool's command does nothing here but to be recorded; what copies a tool's results finds none.
STUBS = """
    set calls {}
    proc unknown {args} { lappend ::calls $args; return [lindex $args 0] }
    rename package {}
    proc package {args} {}
    rename file real_file
    proc file {what args} { if {$what eq "copy"} return; return [real_file $what {*}$args] }
    set run {PROGRESS 100% STATS.WNS 0.2}
    proc get_property {name args} { lappend ::calls [list get_property $name]; return [dict get $::run $name] }
"""


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "a build"
    write(make_build(tiny_model()), folder)
    return folder


def _run(script: Path, before: str = "") -> list[tuple[str, ...]]:
    """The commands of the tool that a script calls."""
    tcl = tkinter.Tcl()
    tcl.eval(STUBS + before)
    assert int(tcl.eval(f"info complete {{{script.read_text()}}}"))
    directory = tcl.eval("pwd")
    try:
        tcl.eval(f"source {{{script}}}")
    finally:
        tcl.eval(f"cd {{{directory}}}")
    return [tuple(map(_text, tcl.splitlist(call))) for call in tcl.splitlist(tcl.getvar("calls"))]


def _text(value: Any) -> str:
    return " ".join(map(_text, value)) if isinstance(value, tuple) else str(value)


def _scripts() -> list[tuple[str, str]]:
    return [(name, file) for name, tool in TOOLS.items() for file in tool.files if file.endswith((".tcl", "dc"))]


@pytest.mark.parametrize(("name", "file"), _scripts())
def test_every_script_runs_and_calls_only_what_its_tool_has(name: str, file: str, build: Path) -> None:
    calls = _run(make_project(build, name) / file)
    assert calls
    allowed = set(COMMANDS[name].split()) if file.endswith(".tcl") else CONSTRAINTS
    assert {call[0] for call in calls} <= allowed


def test_a_misspelled_variable_does_not_pass(build: Path) -> None:
    script = make_project(build, "vivado") / "synth.tcl"
    script.write_text(script.read_text().replace("-part $part", "-part $parts"))
    with pytest.raises(tkinter.TclError, match="parts"):
        _run(script)


@pytest.mark.parametrize(
    ("result", "message"),
    [("PROGRESS 40%", "the implementation failed"), ("STATS.WNS -0.1", "the core misses its clock of 100 MHz")],
)
def test_a_bitstream_that_is_not_good_is_not_copied(result: str, message: str, build: Path) -> None:
    with pytest.raises(tkinter.TclError, match=message):
        _run(make_project(build, "vivado") / "zynq.tcl", f"dict set run {result}")


@pytest.mark.parametrize("name", TOOLS)
def test_all_sources_are_there_and_name_memories_that_exist(name: str, build: Path) -> None:
    folder = make_project(build, name)
    first = next(file for file in TOOLS[name].files if file.endswith(".tcl"))
    calls = _run(folder / first)
    sources = sorted(path.name for path in (build / "rtl").iterdir())
    copies = sorted((folder / "rtl").iterdir())
    assert [path.name for path in copies] == sources
    given = " ".join(" ".join(call) for call in calls)
    assert all(str(path) in given for path in copies)
    top = (folder / "rtl" / "tiny.v").read_text()
    assert [text for text in top.split('"') if "mem/" in text] == [f"{build}/mem/"]


def test_the_clock_and_the_part_reach_the_tool(build: Path) -> None:
    folder = make_project(build, "vivado", "xc7a35tcpg236-1", 150)
    assert ("create_clock", "-name", "aclk", "-period", "6.667", "get_ports") in _run(folder / "clock.xdc")
    assert any("xc7a35tcpg236-1" in call for call in _run(folder / "synth.tcl") if call[0] == "synth_design")


def test_the_dma_is_as_wide_as_the_streams(build: Path) -> None:
    calls = _run(make_project(build, "vivado") / "zynq.tcl")
    properties = next(call[2] for call in calls if call[0] == "set_property" and "mm2s" in call[2])
    assert "CONFIG.c_m_axis_mm2s_tdata_width 16" in properties
    assert "CONFIG.c_s_axis_s2mm_tdata_width 32" in properties


def test_scripts_are_written_again_over_their_own_products(build: Path) -> None:
    folder = make_project(build, "radiant")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "result.txt").write_text("of the tool")
    assert make_project(build, "radiant") == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    write(make_build(tiny_model()), build)  # and a new build takes them away
    assert not folder.exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--tool", "diamond"], "known are vivado, quartus, gowin, radiant"),
        (["--tool", "vivado", "--part", "x; exec rm"], "such as xc7z020clg400-1"),
        (["--tool", "gowin", "--part", "xc7z020clg400-1"], "is no Gowin part"),
        (["--tool", "vivado", "--clock-mhz", "0"], "allowed is 1..1000"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options: list[str], text: str, build: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["hwgen", "project", "--build", str(build), *options])
    assert main() == 2
    shown = capsys.readouterr().err
    assert text in shown
    assert shown.count("\n") == 1
    assert not (build / "projects").exists()


def test_changed_sources_are_refused(build: Path) -> None:
    (build / "rtl" / "tiny.v").write_text("module tiny; endmodule\n")
    with pytest.raises(BuildError, match=r"tiny\.v was changed"):
        make_project(build, "vivado")


def test_every_gowin_die_has_its_name(build: Path) -> None:
    for part, die in (("GW2AR-LV18QN88C8/I7", "GW2AR-18C"), ("GW1NR-LV9QN88PC6/I5", "GW1NR-9")):
        assert ("set_device", "-name", die, part) in _run(make_project(build, "gowin", part) / "project.tcl")
    with pytest.raises(ScsrError):
        make_project(build, "gowin", "GW")


class _Buffer(np.ndarray):
    freed = 0

    def freebuffer(self) -> None:
        _Buffer.freed += 1


def _allocate(shape: Any, dtype: Any) -> _Buffer:
    return np.zeros(shape, dtype=dtype).view(_Buffer)


class _Channel:
    def __init__(self, answer: np.ndarray | None = None) -> None:
        self.answer, self.moved, self.waited = answer, [], 0

    def transfer(self, buffer: np.ndarray) -> None:
        if self.answer is not None:
            buffer[:] = self.answer
        self.moved.append(np.array(buffer))

    def wait(self) -> None:
        self.waited += 1


class _Dma:
    def __init__(self, answer: np.ndarray) -> None:
        self.sendchannel, self.recvchannel = _Channel(), _Channel(answer)


def _driver(build: Path) -> Any:
    path = make_project(build, "vivado") / "driver.py"
    spec = importlib.util.spec_from_file_location("scsr_driver_under_test", path)
    assert spec is not None
    assert spec.loader is not None
    driver = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = driver
    spec.loader.exec_module(driver)
    return driver


def test_the_driver_takes_a_packet_per_step(build: Path) -> None:
    write(make_build(tiny_model(), packets="step"), build)
    dma = _Dma(np.array([3, 7, 1 << 22 | 1], dtype=np.uint32))
    core = _driver(build).Core(dma, _allocate)
    answers = core.answers([[2, 0], [], [1]])
    assert [answer.scores for answer in answers] == [(3, 7)] * 3
    assert dma.recvchannel.waited == 3
    assert core.run([[]]) == answers[-1]


def test_the_driver_packs_and_unpacks_as_the_streams_say(build: Path) -> None:
    driver = _driver(build)
    dma = _Dma(np.array([0xFFFFFFFE, 7, 1 << 17 | 1], dtype=np.uint32))
    freed = _Buffer.freed
    answer = driver.Core(dma, _allocate).run([[2, 0], [], [1]])
    assert (answer.scores, answer.class_index, answer.flags) == ((-2, 7), 1, 2)
    sent = dma.sendchannel.moved[0]
    assert sent.dtype == np.uint16
    assert sent.tolist() == [2, 0, 0x8000, 0x8000, 1, 0x8000]
    assert dma.sendchannel.waited == dma.recvchannel.waited == 1
    assert _Buffer.freed == freed + 2
    for wrong in ([[3]], [[-1]], []):
        with pytest.raises(ValueError, match=r"channel|time step"):
            driver.pack(wrong)
    with pytest.raises(ValueError, match="3 words"):
        driver.unpack(np.zeros(2, dtype=np.uint32))
