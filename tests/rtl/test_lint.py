"""All Verilog, templates' and library's, is clean in Verilator and Icarus without a waiver."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from models import Limits, random_folding, random_model, random_safety, recurrent_model, tiny_model

from hwgen.core.build import make_build, write
from hwgen.core.plan import top_ports
from hwgen.core.render import TEMPLATES, frame_module
from quant.readouts import Packets
from sim.tb import runner

pytestmark = pytest.mark.rtl

LEAVES = sorted((TEMPLATES / "lib").glob("*.v"))
WAIVERS = ("lint_off", "verilator_config", "translate_off")


def _lint(sources: list[Path], top: str, cwd: Path) -> str:
    command = ["verilator", "--lint-only", "-Wall", "--quiet", "--top-module", top, *map(str, sources)]
    done = subprocess.run(command, cwd=cwd, env=runner.environment(), capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _icarus(sources: list[Path], top: str, cwd: Path) -> str:
    command = ["iverilog", "-g2005", "-Wall", "-s", top, "-o", "/dev/null", *map(str, sources)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


LINTERS = [
    pytest.param(_lint, id="verilator"),
    pytest.param(
        _icarus,
        id="icarus",
        marks=pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed"),
    ),
]


@pytest.mark.parametrize("lint", LINTERS)
@pytest.mark.parametrize("leaf", LEAVES, ids=lambda path: path.stem)
def test_each_library_module_is_clean_alone(leaf: Path, lint) -> None:
    assert lint(LEAVES, leaf.stem, leaf.parent) == ""


def test_each_library_file_keeps_the_house_rules() -> None:
    assert len(LEAVES) > 10
    for leaf in LEAVES:
        text = leaf.read_text()
        assert text.startswith("`default_nettype none\n"), leaf
        assert text.endswith("`default_nettype wire\n"), leaf
        assert f"\nmodule {leaf.stem}" in text
        assert text.count("\nmodule ") == 1
        assert not any(waiver in text for waiver in WAIVERS), leaf


@pytest.mark.parametrize("lint", LINTERS)
def test_generated_cores_are_clean(lint, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    models = [tiny_model(), recurrent_model(), *(random_model(rng, Limits(layers=5)) for _ in range(6))]
    for number, model in enumerate(models):
        packets: Packets = "step" if number % 2 else "sample"
        build = make_build(model, random_folding(rng, model), "core", random_safety(rng), packets=packets)
        folder = tmp_path / str(number)
        write(build, folder)
        sources = [folder / path for path in build.files if path.startswith("rtl/")]
        assert lint(sources, "core", folder) == "", model.name


@pytest.mark.parametrize("lint", LINTERS)
def test_the_frame_for_synthesis_is_clean(lint, tmp_path: Path) -> None:
    write(make_build(tiny_model()), tmp_path / "core")
    (tmp_path / "tiny_frame.v").write_text(frame_module("tiny", top_ports(loaded=False, self_test=False)[:-2]))
    sources = sorted((tmp_path / "core" / "rtl").glob("*.v"))
    assert lint([*sources, tmp_path / "tiny_frame.v"], "tiny_frame", tmp_path / "core") == ""
