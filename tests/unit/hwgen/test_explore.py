"""Exploration with the synthesis replaced: what it measures, keeps, tells and draws."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path

import distributed
import pytest

from bench.networks import Case, Layer, random_network
from hwgen.__main__ import main
from hwgen.cli import explore
from hwgen.cli.explore import Point, foldings, pareto
from hwgen.core import area
from hwgen.core.folding import Folding
from hwgen.core.planner import make_plan
from hwgen.core.rates import cycles_per_step, measured_events
from hwgen.fpga import synth
from hwgen.fpga.synth import Result
from quant import spikes, store, vectors
from quant.errors import BuildError, ToolError

MODEL = random_network(Case("larger", 40, (Layer(48, (0,), 1, True), Layer(10, (1, 0), 1)), 0.2))


class Tools:
    """Stands in for Yosys and nextpnr: fewer cycles cost more LUTs; counts its calls."""

    def __init__(self) -> None:
        self.calls: list[Path] = []
        self.fail_at = 0

    def synthesize(self, folder: Path, target: str, seeds: int) -> Result:
        self.calls.append(folder)
        if len(self.calls) == self.fail_at:
            raise BuildError("core does not fit")
        lanes = [int(number) for number in folder.name.split("-")[1].split("_")]
        clock = None if target == "xc7" or not seeds else 100.0
        lut = 100 * sum(lanes)
        return Result(target, "", "", "core", "", lut, lut, 1, 1, 0, "", clock, [], [], {}, {}, {}, 0.0)


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Tools:
    found = Tools()
    monkeypatch.setattr(explore, "synthesize", found.synthesize)
    monkeypatch.setattr(explore, "tool_versions", lambda distributions: dict.fromkeys(["pyosys", *distributions], "1"))
    return found


def _explore(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *options: str, target: str = "ecp5-85k", out: str | None = "out"
) -> int:
    model, samples = folder / "m.safetensors", folder / "s.npz"
    model.write_bytes(store.to_bytes(MODEL))
    given = vectors.random_samples(MODEL, 5, 8, 0.2, seed=1)
    label = vectors.expected(MODEL, given)["classes"].astype("i4")
    label[0] = (label[0] + 1) % 10
    samples.write_bytes(spikes.to_bytes(replace(given, label=label)))
    files = ["--model", str(model), "--spikes", str(samples)]
    if out is not None:
        files += ["--out", str(folder / out)]
    monkeypatch.setattr("sys.argv", ["hwgen", "explore", *files, "--target", target, "--workers", "1", *options])
    return main()


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "out" / "explore.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_points_become_a_table_and_a_picture(tools: Tools, tmp_path: Path, monkeypatch, capsys) -> None:
    assert _explore(monkeypatch, tmp_path, "--points", "5") == 0
    rows = _rows(tmp_path)
    assert len(rows) == len(tools.calls) > 2
    for row in rows:
        assert float(row["step_us"]) == pytest.approx(float(row["cycles"]) / 100.0, abs=1e-4)
        assert int(float(row["lut"])) == 100 * sum(map(int, row["lanes"].split()))
    assert {row["pareto"] for row in rows} >= {"1"}
    assert {float(row["accuracy"]) for row in rows} == {0.8}
    assert (tmp_path / "out" / "explore.png").read_bytes().startswith(b"\x89PNG")
    assert "on the front" in capsys.readouterr().out


def test_results_lie_in_the_build_folder_by_default(tools: Tools, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _explore(monkeypatch, tmp_path, "--points", "2", out=None) == 0
    assert (tmp_path / "build" / "explore" / "m-ecp5-85k" / "explore.csv").is_file()


def test_a_second_run_synthesizes_only_what_is_new(tools: Tools, tmp_path: Path, monkeypatch) -> None:
    assert _explore(monkeypatch, tmp_path, "--points", "2") == 0
    first = (tmp_path / "out" / "explore.csv").read_bytes()
    calls = len(tools.calls)
    assert calls > 1
    assert _explore(monkeypatch, tmp_path, "--points", "2") == 0
    assert len(tools.calls) == calls
    assert (tmp_path / "out" / "explore.csv").read_bytes() == first
    record = next((tmp_path / "out" / "points").glob("*.json"))
    record.write_text(record.read_text().replace('"key": "', '"key": "0'))
    assert _explore(monkeypatch, tmp_path, "--points", "2") == 0
    assert len(tools.calls) == calls + 1
    assert _explore(monkeypatch, tmp_path, "--points", "2", "--seeds", "2") == 0
    assert len(tools.calls) == 2 * calls + 1


def test_a_resumed_point_has_the_cycles_of_the_samples_at_hand(tools: Tools, tmp_path: Path, monkeypatch) -> None:
    assert _explore(monkeypatch, tmp_path, "--points", "2") == 0
    before = {row["lanes"]: row for row in _rows(tmp_path)}
    calls = len(tools.calls)
    events = explore.measured_events(MODEL, vectors.random_samples(MODEL, 5, 8, 0.9, seed=1))
    chosen = explore.foldings(MODEL, explore.measured_events(MODEL, spikes.read(tmp_path / "s.npz")), "ecp5-85k", 2)
    monkeypatch.setattr(explore, "foldings", lambda *_: chosen)
    monkeypatch.setattr(explore, "measured_events", lambda *_: events)
    assert _explore(monkeypatch, tmp_path, "--points", "2") == 0
    assert len(tools.calls) == calls
    for row in _rows(tmp_path):
        assert row["lut"] == before[row["lanes"]]["lut"]
        assert float(row["cycles"]) > float(before[row["lanes"]]["cycles"])
        assert float(row["step_us"]) == pytest.approx(float(row["cycles"]) / float(row["fmax_mhz"]), abs=1e-4)


def test_a_point_that_fails_is_listed_and_stops_nothing(tools: Tools, tmp_path: Path, monkeypatch, capsys) -> None:
    tools.fail_at = 2
    assert _explore(monkeypatch, tmp_path, "--points", "4") == 0
    rows = _rows(tmp_path)
    assert [row["problem"] for row in rows if row["problem"]] == ["core does not fit"]
    assert sum(row["lut"] == "" for row in rows) == 1
    assert "core does not fit" in capsys.readouterr().out


def test_without_any_result_the_command_fails(tools: Tools, tmp_path: Path, monkeypatch, capsys) -> None:
    tools.fail_at = 1
    assert _explore(monkeypatch, tmp_path, "--points", "1") == 2
    assert "no point has a result" in capsys.readouterr().err


def test_an_area_only_target_is_weighed_by_cycles(tools: Tools, tmp_path: Path, monkeypatch) -> None:
    assert _explore(monkeypatch, tmp_path, "--points", "3", target="xc7") == 0
    assert all(row["step_us"] == "" for row in _rows(tmp_path))


def test_foreign_folders_and_bad_options_are_refused(tools: Tools, tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    assert _explore(monkeypatch, tmp_path) == 2
    assert "which explore did not write" in capsys.readouterr().err
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"
    (tmp_path / "out" / "thesis.txt").unlink()
    for options, message in (
        (("--points", "0"), "--points is 0"),
        (("--target", "stratix"), "known are xc7"),
        (("--seeds", "-1"), "--seeds is -1"),
    ):
        assert _explore(monkeypatch, tmp_path, *options) == 2
        assert message in capsys.readouterr().err
    assert tools.calls == []


def test_a_scheduler_without_dask_is_told(tools: Tools, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert _explore(monkeypatch, tmp_path, "--points", "2", "--scheduler", "tcp://127.0.0.1:1") == 2
    assert "--scheduler needs Dask" in capsys.readouterr().err


@pytest.mark.check
def test_a_scheduler_that_does_not_answer_is_told(tools: Tools, tmp_path: Path, monkeypatch, capsys) -> None:
    assert _explore(monkeypatch, tmp_path, "--points", "2", "--scheduler", "tcp://127.0.0.1:1") == 2
    assert "cannot be reached" in capsys.readouterr().err


def test_foldings_reach_from_small_to_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    events = measured_events(MODEL, vectors.random_samples(MODEL, 4, 8, 0.2, seed=1))
    found = foldings(MODEL, events, "xc7", 6)
    assert 4 <= len(found) <= 6
    assert len({(tuple(item.lanes), tuple(item.units), item.ports) for item in found}) == len(found)
    monkeypatch.setattr(area, "calibrated", lambda: ("xc7",))
    assert foldings(MODEL, events, "gowin", 6) == found  # a target without estimates is folded by another's
    assert all(isinstance(item, Folding) for item in found)


def _point(lut: float | None, cycles: float, accuracy: float | None = None) -> Point:
    return Point("", "m", 4, "1", "1", 1, cycles, accuracy, lut=lut)


def test_the_front_holds_what_nothing_beats() -> None:
    points = [_point(300, 10), _point(100, 50), _point(200, 50), _point(None, 1), _point(200, 20), _point(400, 10)]
    assert [(point.lut, point.cycles) for point in pareto(points)] == [(100, 50), (200, 20), (300, 10)]


def test_the_front_keeps_a_slower_point_that_is_more_accurate() -> None:
    points = [_point(100, 50, 0.9), _point(200, 60, 0.95), _point(200, 70, 0.93), _point(300, 50, 0.95)]
    assert [(point.lut, point.accuracy) for point in pareto(points)] == [(100, 0.9), (200, 0.95), (300, 0.95)]


def test_tool_errors_are_results_too_but_not_for_ever(tools: Tools, tmp_path: Path, monkeypatch) -> None:
    def broken(folder: Path, target: str, seeds: int) -> Result:
        raise ToolError("nextpnr failed")

    with monkeypatch.context() as patch:
        patch.setattr(explore, "synthesize", broken)
        assert _explore(monkeypatch, tmp_path, "--points", "2") == 2
        assert {row["problem"] for row in _rows(tmp_path)} == {"nextpnr failed"}
    assert _explore(monkeypatch, tmp_path, "--points", "2") == 0
    assert {row["problem"] for row in _rows(tmp_path)} == {""}


def test_tools_that_are_missing_are_named_before_anything_is_made(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(synth.importlib.util, "find_spec", lambda name: None)
    assert _explore(monkeypatch, tmp_path) == 2
    assert capsys.readouterr().err == "error: pyosys is missing; `pip install pyosys` installs it\n"
    assert not (tmp_path / "out").exists()


def test_a_network_that_fits_in_no_folding_says_why(tools: Tools, tmp_path: Path, monkeypatch, capsys) -> None:
    large = random_network(Case("larger", 300, (Layer(400, (0,), 1), Layer(10, (1,), 1)), 0.1, 8))
    monkeypatch.setattr(sys.modules[__name__], "MODEL", large)
    assert _explore(monkeypatch, tmp_path, "--points", "1", target="ice40up5k") == 2
    assert "--target ice40up5k: a small folding needs bram" in capsys.readouterr().err
    assert tools.calls == []


def test_a_layer_wider_than_a_vector_is_explored_too() -> None:
    wide = random_network(Case("wide", 4, (Layer(9000, (0,), 1), Layer(4, (1,), 1)), 0.5, 8))
    events = measured_events(wide, vectors.random_samples(wide, 2, 3, 0.5, seed=1))
    with pytest.raises(BuildError, match="at most 6553 lanes"):
        make_plan(wide, Folding([9000, 4]))
    quarter = min(cycles_per_step(make_plan(wide, Folding([2250, 1], None, ports)), events) for ports in (1, 2))
    assert explore._fastest(wide, events) == quarter


def test_the_same_network_is_explored_once(tools: Tools, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "again.safetensors").write_bytes(store.to_bytes(MODEL))
    both = ["--model", str(tmp_path / "m.safetensors"), str(tmp_path / "again.safetensors")]
    assert _explore(monkeypatch, tmp_path, "--points", "2", *both) == 0
    assert len(tools.calls) == len(set(tools.calls)) <= 2


@pytest.mark.check
@pytest.mark.synth
def test_a_cluster_does_the_work(tmp_path: Path, monkeypatch, capsys) -> None:
    """A real scheduler and worker, in processes of their own; areas by Yosys."""
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        options = ("--points", "2", "--seeds", "0", "--scheduler", cluster.scheduler_address)
        assert _explore(monkeypatch, tmp_path, *options, target="xc7") == 0
    assert "on the front" in capsys.readouterr().out
    rows = _rows(tmp_path)
    assert rows
    assert all(float(row["lut"]) > 100 for row in rows)
