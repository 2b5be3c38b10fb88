"""`python -m hwgen synth` around the tools: refusals in a line, results whole or not at all, logs of failures kept."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from models import recurrent_model, tiny_model

from bench.networks import Case, Layer, random_network
from hwgen.__main__ import main
from hwgen.core.build import make_build, write
from hwgen.core.folding import Folding
from hwgen.fpga import synth
from quant.manifest import differences, read_folder

Tool = Callable[[Sequence[str], Path], int]


@pytest.fixture
def core(tmp_path: Path) -> Path:
    write(make_build(tiny_model()), tmp_path / "core")
    return tmp_path / "core"


class Tools:
    """Stands for Yosys and nextpnr: writes what they write, or fails as they fail."""

    def __init__(self) -> None:
        self.cells = {"LUT4": 100, "TRELLIS_FF": 50, "DP16KD": 2, "MULT18X18D": 1}
        self.modules = {
            "tiny": {"LUT4": 1, "tiny.layer_1": 1, "tiny.layer_1_neurons[0].neuron": 1},
            "tiny.layer_1": {"tiny.layer_1.lanes": 1, "tiny.layer_1.weights": 1},
            "tiny.layer_1.lanes": {"LUT4": 60, "TRELLIS_FF": 30},
            "tiny.layer_1.weights": {"LUT4": 20, "tiny.layer_1.weights.memory": 1},
            "tiny.layer_1.weights.memory": {"DP16KD": 2},
            "tiny.layer_1_neurons[0].neuron": {"MULT18X18D": 1, "LUT4": 15},
            "tiny.layer_1_neurons[1].neuron": {"LUT4": 14},
        }
        self.clocks = {1: 90.0, 2: 110.0, 3: 100.0}
        self.failing: str | None = None
        self.output = b""
        self.calls: list[tuple[str, Path]] = []

    def run(self, command: Sequence[str], cwd: Path, stdout: Any, **_: Any) -> subprocess.CompletedProcess[bytes]:
        tool = "yosys" if tuple(command[:-1]) == synth.YOSYS else "nextpnr"
        self.calls.append((tool, cwd))
        stdout.write(b"output of " + tool.encode() + b"\n")
        if tool == self.failing:
            stdout.write(self.output)
            return subprocess.CompletedProcess(command, 1)
        if tool == "yosys":
            script = cwd / command[-1]
            if "stat.json" in script.read_text():
                (script.parent / "stat.json").write_text(json.dumps({"design": {"num_cells_by_type": self.cells}}))
                (script.parent / "netlist.v").write_text("module tiny; endmodule\n")
            else:
                modules = {rf"\{name}": {"num_cells_by_type": cells} for name, cells in self.modules.items()}
                (script.parent / "modules.json").write_text(json.dumps({"modules": modules}))
        else:
            seed = int(command[command.index("--seed") + 1])
            report = {
                "fmax": {"clk": {"achieved": self.clocks[seed]}},
                "utilization": {"X": {"used": 3, "available": 4}},
            }
            (cwd / "report.json").write_text(json.dumps(report))
        return subprocess.CompletedProcess(command, 0)


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Tools:
    fake = Tools()
    monkeypatch.setattr(synth.subprocess, "run", fake.run)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    return fake


def _synth(monkeypatch: pytest.MonkeyPatch, build: Path, target: str, *options: str) -> int:
    monkeypatch.setattr("sys.argv", ["hwgen", "synth", "--build", str(build), "--target", target, *options])
    return main()


def _line(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert text.startswith("error: ")
    return text


def test_a_result_is_the_median_and_lies_in_the_build_folder(tools: Tools, core: Path, monkeypatch, capsys) -> None:
    assert _synth(monkeypatch, core, "ecp5-85k") == 0
    assert capsys.readouterr().out == (
        "tiny on ecp5-85k: 100 LUT, 50 FF, 2 BRAM (DP16KD, 18 kbit), 1 DSP; 100.0 MHz (median of 90.0, 110.0, 100.0)\n"
    )
    result = json.loads((core / "synth" / "ecp5-85k" / "synth.json").read_text())
    assert result["fmax_mhz"] == 100.0
    assert result["fmax_all"] == [90.0, 110.0, 100.0]
    assert result["seeds"] == [1, 2, 3]
    assert result["cells"] == tools.cells
    assert result["model_digest"] == json.loads((core / "manifest.json").read_text())["model_digest"]
    assert [path.name for path in (core / "synth").iterdir()] == ["ecp5-85k"]
    assert [tool for tool, _ in tools.calls] == ["yosys", "nextpnr", "nextpnr", "nextpnr", "yosys"]
    assert tools.calls[0][1] == core  # where the memories' paths lead


def test_the_area_of_modules_is_recorded_by_their_paths(tools: Tools, core: Path, monkeypatch) -> None:
    assert _synth(monkeypatch, core, "ecp5-85k") == 0
    recorded = json.loads((core / "reports" / "synth.json").read_text())
    assert recorded.keys() == {"ecp5-85k"}
    found = {path: (area["lut"], area["ff"], area["bram"]) for path, area in recorded["ecp5-85k"]["hierarchy"].items()}
    assert found == {
        "tiny": (1, 0, 0),
        "layer_1": (80, 30, 2),
        "layer_1.lanes": (60, 30, 0),
        "layer_1.weights": (20, 0, 2),
        "layer_1_neurons": (29, 0, 0),
    }
    page = (core / "index.html").read_text()
    assert "Synthesis for ecp5-85k" in page
    assert "layer_1.weights" in page
    assert "110 LUT, 30 FF, 2 BRAM, 1 DSP together" in " ".join(page.split())
    tools.cells = {"LUT6": 7}
    tools.modules = {"tiny": {"LUT6": 7}}
    assert _synth(monkeypatch, core, "xc7") == 0
    assert json.loads((core / "reports" / "synth.json").read_text()).keys() == {"ecp5-85k", "xc7"}
    assert not differences(core, read_folder(core).manifest.checksums)


def test_an_area_only_target_has_no_clock(tools: Tools, core: Path, monkeypatch, capsys) -> None:
    tools.cells = {"LUT6": 7, "RAMB18E1": 1}
    tools.modules = {"tiny": tools.cells}
    assert _synth(monkeypatch, core, "xc7") == 0
    assert capsys.readouterr().out == "tiny on xc7: 7 LUT, 0 FF, 0.5 BRAM (RAMB36), 0 DSP; area only\n"
    assert json.loads((core / "synth" / "xc7" / "synth.json").read_text())["fmax_mhz"] is None


def test_a_new_build_takes_synthesis_away(tools: Tools, core: Path, monkeypatch) -> None:
    assert _synth(monkeypatch, core, "ecp5-85k") == 0
    write(make_build(recurrent_model()), core)
    assert not (core / "synth").exists()


def test_a_network_that_does_not_fit_is_told_what_lacks(tools: Tools, core: Path, monkeypatch, capsys) -> None:
    tools.cells = {"LUT4": 30_000, "DP16KD": 57, "TRELLIS_FF": 5}
    assert _synth(monkeypatch, core, "ecp5-25k") == 2
    line = _line(capsys)
    assert "LUT 30,000 of 24,288, BRAM 57 of 56" in line
    assert "fewer lanes" in line
    assert "larger device" in line
    assert not (core / "synth").exists()


def test_weights_that_spram_could_hold_are_to_be_loaded(tools: Tools, tmp_path: Path, monkeypatch, capsys) -> None:
    case = Case("large", 700, (Layer(200, (0,), 16), Layer(20, (1,), 4)), 0.1, 6)
    tools.cells = {"SB_RAM40_4K": 260}
    for lanes, loaded, advice in (
        ([16, 4], [], "--loaded-layers 1 --lanes 10,4, whose weights SPRAM holds, fewer weight bits"),
        ([10, 4], [], "--loaded-layers 1, whose weights SPRAM holds, fewer weight bits"),
        ([10, 4], [1], "fewer weight bits"),
    ):
        write(make_build(random_network(case), Folding(lanes, loaded=loaded)), tmp_path / "core")
        assert _synth(monkeypatch, tmp_path / "core", "ice40up5k") == 2
        assert f"does not fit ice40up5k: BRAM 260 of 30; try {advice} or a smaller network" in _line(capsys)


def test_a_network_that_nextpnr_cannot_place_is_told_what_lacks(tools: Tools, core: Path, monkeypatch, capsys) -> None:
    tools.failing = "nextpnr"
    tools.output = b"Info: \t         ICESTORM_LC:    6000/   5280   113%\nInfo: \t ICESTORM_RAM: 1/ 30 3%\nERROR: no\n"
    tools.cells = {"SB_LUT4": 5_000}
    assert _synth(monkeypatch, core, "ice40up5k") == 2
    assert "does not fit ice40up5k: ICESTORM_LC 6,000 of 5,280;" in _line(capsys)


@pytest.mark.parametrize(("tool", "log"), [("yosys", "yosys.log"), ("nextpnr", "nextpnr_1.log")])
def test_a_failing_tool_shows_its_error_and_keeps_its_log(
    tool: str, log: str, tools: Tools, core: Path, monkeypatch, capsys
) -> None:
    assert _synth(monkeypatch, core, "ecp5-85k") == 0
    before = (core / "synth" / "ecp5-85k" / "synth.json").read_bytes()
    tools.failing, tools.output = tool, b"ERROR: Assertion of some kind\nmore\n"
    assert _synth(monkeypatch, core, "ecp5-85k") == 2
    line = _line(capsys)
    kept = core / "synth" / "ecp5-85k_failed" / log
    assert "ERROR: Assertion of some kind" in line
    assert str(kept) in line
    assert "Assertion" in kept.read_text()
    assert (core / "synth" / "ecp5-85k" / "synth.json").read_bytes() == before
    tools.failing = None
    assert _synth(monkeypatch, core, "ecp5-85k") == 0
    assert not kept.exists()


def test_an_interrupt_leaves_the_earlier_result(tools: Tools, core: Path, monkeypatch) -> None:
    assert _synth(monkeypatch, core, "ecp5-85k") == 0
    before = sorted(core.rglob("*"))

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(synth.subprocess, "run", interrupted)
    assert _synth(monkeypatch, core, "ecp5-85k") == 130
    assert sorted(core.rglob("*")) == before


def _no_build(core: Path) -> None:
    (core / "manifest.json").unlink()


def _changed_source(core: Path) -> None:
    path = core / "rtl" / "tiny.v"
    path.write_text(path.read_text() + "\n")


def _missing_memory(core: Path) -> None:
    (core / "mem" / "layer_1_weights_00.hex").unlink()


def _script_in_a_name(core: Path) -> None:
    manifest = json.loads((core / "manifest.json").read_text())
    manifest["top"] = "tiny; exec -- touch owned"
    (core / "manifest.json").write_text(json.dumps(manifest))


def _source_outside(core: Path) -> None:
    manifest = json.loads((core / "manifest.json").read_text())
    manifest["sources"][0] = "rtl/../../x.v"
    manifest["checksums"]["rtl/../../x.v"] = ""
    (core / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (_no_build, "no build folder"),
        (_changed_source, "was changed since it was built"),
        (_missing_memory, "layer_1_weights_00.hex is missing"),
        (_script_in_a_name, "no build folder"),
        (_source_outside, "no build folder"),
    ],
)
def test_only_an_untouched_build_is_synthesized(
    break_it: Callable[[Path], None], message: str, tools: Tools, core: Path, monkeypatch, capsys
) -> None:
    break_it(core)
    assert _synth(monkeypatch, core, "xc7") == 2
    assert message in _line(capsys)
    assert tools.calls == []
    assert not (core / "synth").exists()


def test_unknown_targets_and_seeds_are_refused(tools: Tools, core: Path, monkeypatch, capsys) -> None:
    assert _synth(monkeypatch, core, "stratix") == 2
    assert "known are xc7, ecp5-85k" in _line(capsys)
    assert _synth(monkeypatch, core, "xc7", "--seeds", "-1") == 2
    assert "allowed is 0..100" in _line(capsys)


def test_missing_tools_are_named_with_their_remedy(core: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert _synth(monkeypatch, core, "xc7") == 2
    line = _line(capsys)
    assert "pyosys is missing" in line
    assert "`pip install pyosys`" in line
    assert not (core / "synth").exists()
