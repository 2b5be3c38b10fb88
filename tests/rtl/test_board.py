"""The whole way from a spike file over a serial line through the core and back, on a simulated board."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from models import Limits, random_model, recurrent_model, tiny_model
from test_leaves import SIMULATORS
from test_lint import LINTERS, WAIVERS

from hwgen.__main__ import main
from hwgen.core import render
from hwgen.core.build import make_build, write
from hwgen.core.folding import DEFAULT_FOLDING, Folding
from hwgen.core.plan import NO_SAFETY, Safety
from hwgen.core.render import TEMPLATES
from quant import spikes, vectors
from quant.model import IntModel
from quant.readouts import Packets
from sim.board import simulated_board
from sim.tb import runner

pytest.importorskip("serial", reason="the extra `host` is not installed")
pytestmark = pytest.mark.rtl

LIBRARY = sorted((TEMPLATES / "lib").glob("*.v"))
BRIDGE = sorted((TEMPLATES / "boards" / "lib").glob("*.v"))
PATIENT = 10_000_000  # cycles of the watchdog: simulated ones go on where a busy machine lets the host wait


@pytest.mark.parametrize("lint", LINTERS)
@pytest.mark.parametrize("module", BRIDGE, ids=lambda path: path.stem)
def test_each_module_of_the_bridge_is_clean(module: Path, lint) -> None:
    assert lint([*BRIDGE, *LIBRARY], module.stem, module.parent) == ""
    text = module.read_text()
    assert text.startswith("`default_nettype none\n")
    assert text.endswith("`default_nettype wire\n")
    assert text.count("\nmodule ") == text.count(f"\nmodule {module.stem} ") == 1
    assert not any(waiver in text for waiver in WAIVERS)


@pytest.mark.parametrize("lint", LINTERS)
def test_the_serial_variant_of_a_core_is_clean(lint, tmp_path: Path) -> None:
    for model in (tiny_model(), recurrent_model()):
        folder = tmp_path / model.name
        write(make_build(model), folder)
        manifest = json.loads((folder / "manifest.json").read_text())
        sources = [folder / name for name in (*manifest["sources"], *manifest["uart"]["sources"])]
        assert lint(sources, manifest["uart"]["top"], folder) == ""


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_the_bridge_alone(simulator: str, tmp_path: Path) -> None:
    tests, failures, log = runner.run_bench(
        sources=[*BRIDGE, *LIBRARY],
        top="scsr_uart_bridge",
        parameters={"BIT_CYCLES": 4, "COUNT_W": 3, "MODEL": 0x1234, "LOAD": 1},
        bench=Path(__file__).parent / "leaves" / "scsr_uart_bridge.py",
        work=tmp_path,
        cwd=tmp_path,
        variables={},
        simulator=simulator,
    )
    assert tests > 0
    assert not failures, log.read_text()[-3000:]


def _built(
    folder: Path,
    model: IntModel,
    folding: Folding = DEFAULT_FOLDING,
    samples: int = 40,
    safety: Safety = NO_SAFETY,
    packets: Packets = "sample",
) -> tuple[Path, Path]:
    """A build folder, and a spike file whose labels are the model's own answers."""
    write(make_build(model, folding, safety=safety, packets=packets), folder / "core")
    chosen = vectors.random_samples(model, samples, 12, 0.5, seed=1)
    answers = vectors.expected(model, chosen)
    assert answers["scores"].any()
    labels = answers["classes"].astype(np.int32)
    (folder / "s.npz").write_bytes(spikes.to_bytes(replace(chosen, label=labels)))
    return folder / "core", folder / "s.npz"


def _host(monkeypatch: pytest.MonkeyPatch, port: str, build: Path, samples: Path, *options: object) -> int:
    arguments = ["host", "--port", port, "--build", build, "--spikes", samples, "--check", *options]
    monkeypatch.setattr("sys.argv", ["hwgen", *map(str, arguments)])
    return main()


def test_a_sample_set_over_the_line_equals_the_golden_model(tmp_path: Path, monkeypatch, capsys) -> None:
    build, samples = _built(tmp_path, tiny_model())
    with simulated_board(build, bit_cycles=8) as port:
        out = ("--out", tmp_path / "answers.npz")
        assert _host(monkeypatch, port, build, samples, *out) == 0
        assert _host(monkeypatch, port, build, samples, *out) == 2  # before anything is sent
        refused = capsys.readouterr()
        assert "answers.npz exists; remove it, name another file, or give --force" in refused.err
        # The second host finds the board as the first one left it.
        assert _host(monkeypatch, port, build, samples, *out, "--force") == 0
    shown = capsys.readouterr().out
    assert refused.out.count("mismatches           0\n") == shown.count("mismatches           0\n") == 1
    assert "accuracy board       1.0000\n" in shown
    assert "restarts" not in shown
    answers = np.load(tmp_path / "answers.npz")
    assert answers["scores"].shape == (40, 2)
    assert answers["scores"].any()


@pytest.mark.parametrize("lose_every", [0, 2500])
def test_weights_come_over_the_line_too(lose_every: int, tmp_path: Path, monkeypatch, capsys) -> None:
    """All layers of a core take their weights from the host, again whenever lost bytes made it start anew."""
    safety = Safety("secded", PATIENT, self_test=True)
    build, samples = _built(tmp_path, recurrent_model(), Folding([3, 2], loaded=[1, 2]), safety=safety)
    assert json.loads((build / "manifest.json").read_text())["load"]["words"] > 20
    with simulated_board(build, bit_cycles=8, lose_every=lose_every) as port:
        assert _host(monkeypatch, port, build, samples) == 0
    shown = capsys.readouterr().out
    assert "mismatches           0\n" in shown
    assert ("restarts" in shown) == bool(lose_every)


def test_a_core_slower_than_the_line_stops_the_host(tmp_path: Path, monkeypatch, capsys) -> None:
    rng = np.random.default_rng(3)
    model = random_model(rng, Limits(layers=3, inputs=40, neurons=40))
    build, samples = _built(tmp_path, model, Folding([1] * len(model.layers)))
    with simulated_board(build, bit_cycles=4) as port:
        assert _host(monkeypatch, port, build, samples) == 0
    shown = capsys.readouterr().out
    assert "mismatches           0\n" in shown
    assert "restarts" not in shown


@pytest.mark.parametrize("lose_every", [200, 1100])
def test_a_line_that_loses_bytes_costs_time_and_no_answer(lose_every: int, tmp_path: Path, monkeypatch, capsys) -> None:
    build, samples = _built(tmp_path, tiny_model())
    with simulated_board(build, bit_cycles=8, lose_every=lose_every) as port:
        assert _host(monkeypatch, port, build, samples) == 0
    shown = capsys.readouterr().out
    assert "mismatches           0\n" in shown
    assert "restarts" in shown


@pytest.mark.parametrize("lose_every", [0, 1100])
def test_a_packet_per_step_comes_over_the_line(lose_every: int, tmp_path: Path, monkeypatch, capsys) -> None:
    build, samples = _built(tmp_path, recurrent_model(), safety=Safety("parity", PATIENT, True), packets="step")
    with simulated_board(build, bit_cycles=8, lose_every=lose_every) as port:
        assert _host(monkeypatch, port, build, samples, "--out", tmp_path / "answers.npz") == 0
    shown = capsys.readouterr().out
    assert "mismatches           0\n" in shown
    assert "accuracy board       1.0000\n" in shown
    assert "flagged" not in shown
    assert ("restarts" in shown) == bool(lose_every)
    answers, steps = np.load(tmp_path / "answers.npz"), spikes.read(samples).steps
    assert np.flatnonzero(answers["flags"]).tolist() == (np.cumsum(steps) - 1).tolist()
    assert answers["scores"].any()


def test_another_board_is_refused(tmp_path: Path, monkeypatch, capsys) -> None:
    build, samples = _built(tmp_path, tiny_model())
    (tmp_path / "other").mkdir()
    other, _ = _built(tmp_path / "other", recurrent_model())
    with simulated_board(other, bit_cycles=8) as port:
        assert _host(monkeypatch, port, build, samples) == 2
    assert "the board holds another model" in capsys.readouterr().err


def test_the_command_prints_its_port(tmp_path: Path, monkeypatch, capsys) -> None:
    build, samples = _built(tmp_path, tiny_model())
    command = [sys.executable, "-m", "sim", "board", "--build", str(build)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as board:
        try:
            assert board.stdout is not None
            port = board.stdout.readline().split(":")[0]
            assert _host(monkeypatch, port, build, samples, "--samples", 3) == 0
        finally:
            board.terminate()
    assert "samples              3\n" in capsys.readouterr().out


@pytest.mark.parametrize("lint", LINTERS)
def test_a_core_that_is_loaded_gets_its_stream(lint, tmp_path: Path) -> None:
    ports = ["aclk", "aresetn", "s_axis_tvalid", "s_axis_tlast", "s_load_tvalid", "m_axis_tready"]
    stub = (
        '`default_nettype none\nmodule core #(\n    parameter MEM_DIR = "mem/"\n) (\n'
        + "".join(f"    input  wire        {port},\n" for port in ports)
        + "    input  wire [15:0] s_axis_tdata,\n    input  wire [15:0] s_load_tdata,\n"
        + "    output wire        s_axis_tready,\n    output wire        s_load_tready,\n"
        + "    output wire [31:0] m_axis_tdata,\n    output wire        m_axis_tvalid,\n"
        + "    output wire        m_axis_tlast,\n    output wire [255:0] model_digest,\n"
        + "    output wire [23:0] tool_version\n);\n"
        + "    assign model_digest = 256'd0;\n    assign tool_version = 24'd0;\n"
        + "    wire unused = &{aclk, aresetn, s_axis_tvalid, s_axis_tlast, m_axis_tready, s_axis_tdata, MEM_DIR};\n"
        + "    assign s_axis_tready = 1'b1;\n    assign s_load_tready = 1'b1;\n"
        + "    assign m_axis_tdata = {16'd0, s_load_tdata};\n    assign m_axis_tvalid = s_load_tvalid;\n"
        + "    assign m_axis_tlast = 1'b1;\nendmodule\n`default_nettype wire\n"
    )
    files = {"core.v": stub, **render.serial_modules("core", "beef", load=True, self_test=False)}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert "s_load_tdata (load_tdata)" in files["core_uart.v"]
    assert lint([*(tmp_path / name for name in files), *LIBRARY], "core_uart", tmp_path) == ""
