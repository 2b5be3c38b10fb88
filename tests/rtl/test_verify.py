"""`python -m sim verify` as a user meets it: tables, reports, exit statuses, refusals."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from marks import later
from models import tiny_model

from hwgen.__main__ import main as hwgen_main
from hwgen.core.build import make_build, write
from hwgen.core.folding import Folding
from quant import spikes, store, vectors
from quant.errors import SpikeFileError
from quant.model import IntModel
from quant.page import records
from sim import verify as sim_verify
from sim.__main__ import main
from sim.tb import runner
from sim.verify import verify

pytestmark = pytest.mark.rtl


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify")
    write(make_build(tiny_model(), Folding([3, 2])), folder / "core")
    samples = vectors.random_samples(tiny_model(), 12, 8, 0.5, seed=1)
    classes = vectors.expected(tiny_model(), samples)["classes"]
    labels = np.where(np.arange(12) < 9, classes, 1 - classes).astype(np.int32)
    labelled = spikes.from_dense(samples.dense(slice(0, 12)), samples.steps, labels)
    (folder / "s.npz").write_bytes(spikes.to_bytes(labelled))
    return folder


def _verify(monkeypatch: pytest.MonkeyPatch, build: Path, samples: Path, *options: str) -> int:
    monkeypatch.setattr("sys.argv", ["sim", "verify", "--build", str(build), "--spikes", str(samples), *options])
    return main()


@pytest.mark.parametrize(("engine", "file"), [("cpp", "verify.json"), ("cocotb", "verify_cocotb.json")])
def test_an_equal_core_passes(engine: str, file: str, built: Path, monkeypatch, capsys) -> None:
    assert _verify(monkeypatch, built / "core", built / "s.npz", "--engine", engine, "--samples", "12") == 0
    report = json.loads((built / "core" / "reports" / file).read_text())
    assert report["equal"] is True
    assert report["samples"] == 12
    assert report["output_spikes"] > 0
    assert report["mismatching_spikes"] == report["mismatching_scores"] == report["mismatching_classes"] == 0
    assert report["accuracy_golden"] == 0.75
    if engine == "cpp":
        assert report["accuracy_rtl"] == 0.75
        assert 0 < report["cycles_per_step_mean"] <= report["cycles_per_step_max"]
        assert 0 < report["latency_cycles_mean"] <= report["latency_cycles_max"]
        shares = [report[f"latency_cycles_p{share}"] for share in (50, 95, 99)]
        assert 0 < shares[0] <= shares[1] <= shares[2] <= report["latency_cycles_max"]
        latencies = report["details"]["latency_cycles"]
        assert sum(latencies["counts"]) == 12
        assert latencies["counts"][0] > 0 < latencies["counts"][-1]
        highest = latencies["first"] + latencies["width"] * len(latencies["counts"]) - 1
        assert latencies["first"] <= shares[0] <= report["latency_cycles_max"] <= highest
    activity = report["details"]["activity"]
    assert [one["layer"] for one in activity] == [0, 1, 2]
    assert [one["neurons"] for one in activity] == [3, 4, 2]
    assert {str(one["layer"]): one["spikes"] for one in activity[1:]} == report["layer_spikes"]
    assert all(one["spikes"] > 0 == one["silent"] for one in activity)
    assert report["details"]["differences"] == []
    shown = (built / "core" / "index.html").read_text()
    assert f"reports/{file}" in shown
    assert records.read(built / "core" / "reports" / file, records.Verified) is not None
    assert "PASS: 12 samples" in capsys.readouterr().out


def test_a_bar_shows_how_far_a_simulation_is(built: Path, monkeypatch) -> None:
    shown = list[float]()

    class Bar(sim_verify.tqdm):
        def __init__(self, **options: Any) -> None:
            super().__init__(**{**options, "disable": False})

        def update(self, steps: float | None = 1) -> None:
            super().update(steps)
            shown.append(self.n)

    monkeypatch.setattr(sim_verify, "tqdm", Bar)
    monkeypatch.setattr(runner, "_POLL_SECONDS", 0.001)
    samples = vectors.random_samples(tiny_model(), 4, 2000, 0.5, seed=2)
    assert verify(built / "core", samples)["equal"]
    assert shown == sorted(shown)
    assert 0 < shown[-1] <= samples.steps.sum()


def _broken(built: Path, tmp_path: Path, file: str, before: str, after: str) -> Path:
    folder = tmp_path / "core"
    shutil.copytree(built / "core", folder)
    text = (folder / file).read_text()
    assert before in text
    (folder / file).write_text(text.replace(before, after))
    return folder


@pytest.mark.parametrize("suffix", ["vcd", "fst"])
def test_waves_of_chosen_samples(suffix: str, built: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    if suffix == "fst" and not Path("/usr/include/lz4.h").exists():
        pytest.skip("Verilator writes .fst only with the headers of lz4 (liblz4-dev)")
    wave = tmp_path / f"w.{suffix}"
    chosen = ["--first", "4", "--samples", "2", "--wave", str(wave)]
    assert _verify(monkeypatch, built / "core", built / "s.npz", *chosen) == 0
    assert "PASS: 2 samples" in capsys.readouterr().out
    if suffix == "vcd":
        text = wave.read_text()
        assert "s_axis_tdata" in text
        assert text.count("\n#") > 100
    else:
        assert wave.stat().st_size > 500
    assert _verify(monkeypatch, built / "core", built / "s.npz", *chosen) == 2
    assert "exists; remove it" in capsys.readouterr().err
    assert _verify(monkeypatch, built / "core", built / "s.npz", "--wave", "w.txt") == 2
    assert "must end in .vcd or .fst" in capsys.readouterr().err
    assert _verify(monkeypatch, built / "core", built / "s.npz", "--first", "12") == 2
    assert "--first is 12; " in capsys.readouterr().err


def test_the_golden_models_answers_are_written_without_comparing(
    built: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    out = tmp_path / "answers.npz"
    given = ["--build", str(built / "core"), "--spikes", str(built / "s.npz"), "--first", "3", "--samples", "5"]
    assert main(["run", *given, "--out", str(out)]) == 0
    samples = spikes.read(built / "s.npz").part(3, 5)
    with np.load(out) as found:
        for name, expected in vectors.expected(tiny_model(), samples).items():
            np.testing.assert_array_equal(found[name], expected)
        assert len(found["layer_2"]) > 0
    assert main(["run", *given, "--out", str(out)]) == 2
    assert "give --force" in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["cpp", *later("cocotb")])
def test_a_packet_of_every_step_is_compared(engine: str, built: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "tiny.safetensors").write_bytes(store.to_bytes(tiny_model()))
    given = ["--model", str(tmp_path / "tiny.safetensors"), "--out", str(tmp_path / "core")]
    assert hwgen_main(["build", *given, "--packets", "step"]) == 0
    given = ["--build", str(tmp_path / "core"), "--spikes", str(built / "s.npz"), "--samples", "12"]
    assert main(["verify", *given, "--engine", engine]) == 0
    assert "accuracy golden        0.75\n" in capsys.readouterr().out
    steps = spikes.read(built / "s.npz").steps
    assert main(["run", *given, "--out", str(tmp_path / "answers.npz")]) == 0
    with np.load(tmp_path / "answers.npz") as found:
        assert found["scores"].shape == (steps.sum(), 2)
    readout = tmp_path / "core" / "rtl" / "scsr_readout.v"
    readout.write_text(readout.read_text().replace("ends_q <= tag_3_q[0]", "ends_q <= 1'b1"))
    report = verify(tmp_path / "core", spikes.read(built / "s.npz"), engine=engine, allow_changed=True)
    cases = 1 if engine == "cpp" else 3
    assert report["mismatching_flags"] == cases * (steps - 1).sum()
    assert f"sample {np.flatnonzero(steps > 1)[0]}, step 0, status flags: hardware 64" in report["first_difference"]


BREAKS = {
    "wrong reset": ("rtl/scsr_fire.v", "spike_q <= over;", "spike_q <= !over;", "layer 1, neuron"),
    "never answers": ("rtl/scsr_fork.v", "assign s_ready = &(taken_q | m_ready);", "assign s_ready = 1'b0;", "hangs"),
    "valid waits for ready": (
        "rtl/scsr_readout.v",
        "tvalid = m_valid_q",
        "tvalid = m_valid_q && m_axis_tready",
        "hangs",
    ),
    "valid falls": (
        "rtl/scsr_readout.v",
        "else if (free) begin\n            m_valid_q",
        "else begin\n            m_valid_q",
        "fell",
    ),
    "never ends": (
        "rtl/scsr_readout.v",
        "m_axis_tdata = m_data_q;\n    assign m_axis_tvalid = m_valid_q;\n    assign m_axis_tlast = m_last_q;",
        "m_axis_tdata = 32'd0;\n    assign m_axis_tvalid = 1'b1;\n    assign m_axis_tlast = 1'b0;",
        "hangs",
    ),
    "one beat too few": ("rtl/scsr_readout.v", "m_last_q <= class_pending_q", "m_last_q <= last_2_q", "beats"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_broken_core_fails_with_status_1(case: str, built: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    folder = _broken(built, tmp_path, *BREAKS[case][:3])
    assert _verify(monkeypatch, folder, built / "s.npz", "--stall-percent", "50", "--allow-changed") == 1
    shown = capsys.readouterr()
    assert BREAKS[case][3] in shown.err
    assert shown.err.startswith("FAIL: ")
    assert "not equal" in (folder / "index.html").read_text()


def test_where_each_layer_began_to_differ_is_recorded(built: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    folder = _broken(built, tmp_path, *BREAKS["wrong reset"][:3])
    assert _verify(monkeypatch, folder, built / "s.npz", "--allow-changed", "--stall-percent", "20") == 1
    report = json.loads((folder / "reports" / "verify.json").read_text())
    differences = report["details"]["differences"]
    assert [one["layer"] for one in differences] == [1, 2]
    assert sum(one["count"] for one in differences) == report["mismatching_spikes"] > 2
    first = differences[0]
    place = f"sample {first['sample']}, step {first['step']}, layer 1, neuron {first['neuron']}"
    assert report["first_difference"].startswith(f"all: {place}: hardware {first['hardware']}")
    assert "Where differences began" in (folder / "index.html").read_text()
    (hint,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("to see it: ")]
    again = shlex.split(hint.removeprefix("to see it: python -m sim "))
    assert again[-3:] == ["--stall-percent", "20", "--allow-changed"]
    monkeypatch.chdir(tmp_path)
    assert main(again) == 1
    assert Path("difference.vcd").stat().st_size > 0
    assert f"sample 0, step {first['step']}, layer 1" in capsys.readouterr().err


def test_the_wave_of_a_core_that_breaks_a_rule_is_kept(built: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    folder, wave = _broken(built, tmp_path, *BREAKS["valid falls"][:3]), tmp_path / "fell.vcd"
    given = ["--stall-percent", "50", "--allow-changed", "--wave", str(wave)]
    assert _verify(monkeypatch, folder, built / "s.npz", *given) == 1
    assert "fell" in capsys.readouterr().err
    assert "m_axis_tvalid" in wave.read_text()


@pytest.mark.parametrize("case", ["wrong reset", "never answers", *later("never ends")])
def test_cocotb_finds_a_broken_core_too(case: str, built: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    folder = _broken(built, tmp_path, *BREAKS[case][:3])
    assert _verify(monkeypatch, folder, built / "s.npz", "--engine", "cocotb", "--allow-changed") == 1
    assert BREAKS[case][3] in capsys.readouterr().err


def test_hardware_of_another_model_says_so(built: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    digest = json.loads((built / "core" / "manifest.json").read_text())["model_digest"]
    folder = _broken(built, tmp_path, "rtl/tiny.v", f"256'h{digest}", f"256'h{digest[:-1]}{int(digest[-1], 16) ^ 1:x}")
    assert _verify(monkeypatch, folder, built / "s.npz", "--allow-changed") == 1
    assert f"not {digest}" in capsys.readouterr().err


def test_silence_fails_and_says_so(tmp_path: Path, monkeypatch, capsys) -> None:
    tiny = tiny_model()
    write(make_build(IntModel("tiny", (3,), tiny.layers, "spike_count")), tmp_path / "core")
    silent = spikes.from_dense(np.zeros((3, 2, 3), dtype=bool), np.array([3, 2]), np.array([0, 0]))
    (tmp_path / "s.npz").write_bytes(spikes.to_bytes(silent))
    assert _verify(monkeypatch, tmp_path / "core", tmp_path / "s.npz") == 1
    assert "silent" in capsys.readouterr().err


def test_what_cannot_be_verified_is_refused_with_status_2(built: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    wide = spikes.from_dense(np.ones((2, 1, 9), dtype=bool), np.array([2]), np.array([0]))
    (tmp_path / "wide.npz").write_bytes(spikes.to_bytes(wide))
    other = spikes.from_dense(np.ones((2, 1, 3), dtype=bool), np.array([2]), np.array([7]))
    (tmp_path / "label.npz").write_bytes(spikes.to_bytes(other))
    changed = tmp_path / "changed"
    shutil.copytree(built / "core", changed)
    (changed / "model.safetensors").write_bytes(b"other")
    touched = tmp_path / "touched"
    shutil.copytree(built / "core", touched)
    (touched / "rtl" / "tiny.v").write_text((touched / "rtl" / "tiny.v").read_text() + "\n")
    incomplete = tmp_path / "incomplete"
    shutil.copytree(built / "core", incomplete)
    (incomplete / "rtl" / "tiny.v").unlink()
    spaced = tmp_path / "a space"
    shutil.copytree(built / "core", spaced)
    dated = tmp_path / "10:30"
    shutil.copytree(built / "core", dated)
    empty = other.head(0)
    (tmp_path / "empty.npz").write_bytes(spikes.to_bytes(empty))
    headless = tmp_path / "headless"
    shutil.copytree(built / "core", headless)
    (headless / "manifest.json").write_text('{"format": "scsr-build", "version": 1, "checksums": {}}')
    deep = tmp_path / "deep"
    shutil.copytree(built / "core", deep)
    (deep / "manifest.json").write_text("[" * 100_000)
    outside = tmp_path / "outside"
    shutil.copytree(built / "core", outside)
    manifest = json.loads((outside / "manifest.json").read_text())
    manifest["checksums"]["../s.npz"] = ""
    (outside / "manifest.json").write_text(json.dumps(manifest))
    core, good = built / "core", built / "s.npz"
    cases = [
        (tmp_path, good, [], "no build folder"),
        (changed, good, ["--allow-changed"], "was changed since it was built"),
        (touched, good, [], "tiny.v was changed since it was built"),
        (incomplete, good, [], "is missing; build the folder again"),
        (core, tmp_path / "none.npz", [], "no such file"),
        (core, tmp_path / "wide.npz", [], "9 channels; the network has 3 inputs"),
        (core, tmp_path / "label.npz", [], "label 7 is no class"),
        (core, good, ["--samples", "13"], "allowed is 1..12"),
        (core, good, ["--samples", "0"], "allowed is 1..12"),
        (core, good, ["--stall-percent", "99"], "allowed is 0..95"),
        (core, good, ["--stall-percent", "9", "--engine", "cocotb"], "is for --engine cpp"),
        (spaced, good, [], "a space in its path"),
        (dated, good, [], "a folder with : in its path"),
        (core, tmp_path / "empty.npz", [], "holds no samples"),
        (headless, good, [], "no build folder of this version"),
        (deep, good, [], "no build folder of this version"),
        (outside, good, [], "no build folder of this version"),
    ]
    for build, samples, options, message in cases:
        assert _verify(monkeypatch, build, samples, *options) == 2
        shown = capsys.readouterr().err
        assert message in shown
        assert shown.count("\n") == 1
    with pytest.raises(SpikeFileError, match="no sample to compare"):
        verify(core, empty)
