"""From a build folder to the file that programs a board; what fails leaves one line and its logs."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from models import dense_layer, tiny_model

from hwgen.__main__ import main
from hwgen.boards import boards
from hwgen.core.build import make_build, write
from hwgen.fpga import targets
from quant.model import IntModel

pytestmark = [
    pytest.mark.check,
    pytest.mark.synth,
    pytest.mark.skipif(
        any(
            importlib.util.find_spec(name) is None
            for name in (
                "pyosys",
                *(targets.find(board.target).place_and_route.package for board in boards.BOARDS.values()),
            )
        ),
        reason="the extra `synth` is not installed",
    ),
]

# What a bitstream begins with, by its ending: after a comment the preamble of ECP5, and that of iCE40.
PREAMBLES = {"bit": b"\xff\xff\xbd\xb3", "bin": b"\x7e\xaa\x99\x7e"}


def _bitstream(monkeypatch: pytest.MonkeyPatch, build: Path, board: str, *options: str) -> int:
    monkeypatch.setattr("sys.argv", ["hwgen", "bitstream", "--build", str(build), "--board", board, *options])
    return main()


@pytest.mark.parametrize("name", boards.BOARDS)
def test_a_board_gets_its_file(name: str, tmp_path: Path, monkeypatch, capsys) -> None:
    board = boards.BOARDS[name]
    write(make_build(tiny_model()), tmp_path)
    assert _bitstream(monkeypatch, tmp_path, name) == 0
    folder = tmp_path / "boards" / name
    kind = board.bitstream_kind
    record = json.loads((folder / "board.json").read_text())
    assert {path.name for path in folder.iterdir()} == {
        *("board.json", "pack.log", "yosys.log", "top.v"),
        *(f"nextpnr_{seed}.log" for seed in range(1, record["seed"] + 1)),
        *(f"pins.{board.pins_kind}", f"tiny.{kind}"),
    }
    content = (folder / f"tiny.{kind}").read_bytes()
    assert PREAMBLES[kind] in content[:256]
    assert len(content) > 10_000
    assert record["clock_met"] is True
    assert record["fmax_mhz"] >= record["clock_mhz"] == board.clock_mhz
    assert all(0 < count["used"] <= count["available"] for count in record["resources"].values())
    pins = (folder / f"pins.{board.pins_kind}").read_text()
    for line in (folder / "top.v").read_text().split(");")[0].splitlines():
        if line.strip().startswith(("input", "output")):
            assert line.split()[-1].strip(",") in pins
    assert f"{board.clock_mhz};" in capsys.readouterr().out
    write(make_build(tiny_model()), tmp_path)  # a new build takes it away
    assert not folder.exists()


def test_a_clock_that_is_not_met_makes_no_file(tmp_path: Path, monkeypatch, capsys) -> None:
    write(make_build(tiny_model()), tmp_path)
    fast = replace(boards.BOARDS["icebreaker"], clock_mhz=200)
    monkeypatch.setattr(boards, "BOARDS", {"icebreaker": fast})
    assert _bitstream(monkeypatch, tmp_path, "icebreaker", "--seed", "7") == 2
    shown = capsys.readouterr().err
    assert "(seed 7; log in" in shown
    assert "MHz on icebreaker and needs 200" in shown
    assert "% short" in shown
    assert "another --seed" in shown
    assert shown.count("\n") == 1
    assert [path.name for path in (tmp_path / "boards").iterdir()] == ["icebreaker_failed"]
    assert (tmp_path / "boards" / "icebreaker_failed" / "nextpnr_7.log").is_file()


def test_what_does_not_fit_is_told_by_how_much(tmp_path: Path, monkeypatch, capsys) -> None:
    rng = np.random.default_rng(0)
    weight = {0: rng.integers(-128, 128, (100, 400), dtype=np.int16)}
    leak, threshold = np.full(100, 200, dtype=np.int16), np.full(100, 50, dtype=np.int16)
    layer = dense_layer(weight, leak, threshold, (8, 8, 16))
    write(make_build(IntModel("wide", (400,), (layer,), "spike_count")), tmp_path)
    assert _bitstream(monkeypatch, tmp_path, "icebreaker") == 2
    shown = capsys.readouterr().err
    assert "wide_board does not fit icebreaker" in shown
    assert " of 30" in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("board", "options", "text"), [("basys3", [], "known are"), ("icebreaker", ["--seed", "-1"], "allowed is 0..")]
)
def test_what_cannot_be_is_refused(board: str, options: list[str], text: str, tmp_path, monkeypatch, capsys) -> None:
    write(make_build(tiny_model()), tmp_path)
    assert _bitstream(monkeypatch, tmp_path, board, *options) == 2
    assert text in capsys.readouterr().err
    assert not (tmp_path / "boards").exists()
