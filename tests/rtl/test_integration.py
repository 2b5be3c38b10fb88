"""A build in somebody's own design: its memories from another folder, and the files for other tools."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from models import random_folding, random_safety, recurrent_model, tiny_model
from test_leaves import SIMULATORS

from hwgen.core.build import make_build, write
from hwgen.core.folding import Folding
from hwgen.core.plan import Safety
from hwgen.fpga.synth import YOSYS
from quant.manifest import read_folder
from sim.tb import runner

pytestmark = pytest.mark.rtl


def _build(folder: Path, name: str | None = None) -> Path:
    write(make_build(recurrent_model(), Folding(loaded=[2]), name, Safety(self_test=True)), folder)
    return folder


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_memories_are_found_from_another_folder(simulator: str, tmp_path: Path) -> None:
    """The core spikes as the golden model does; the self-test's memories come from there, too."""
    core, design = _build(tmp_path / "core"), tmp_path / "design"
    design.mkdir()
    build = read_folder(core)
    assert build.manifest.load is not None
    results = design / "results"
    results.mkdir()
    ran, failed, _ = runner.run_bench(
        sources=[core / name for name in (*build.manifest.sources, build.manifest.probe)],
        top=f"{build.manifest.top}_probe",
        parameters={"MEM_DIR": f'"{core}/mem/"'},
        bench=core / "tb" / "test_core.py",
        work=design / "work",
        cwd=design,
        variables={
            "SCSR_VECTORS": str(core / build.manifest.vectors),
            "SCSR_LAYERS": json.dumps(json.loads((core / "manifest.json").read_text())["layers"]),
            "SCSR_RESULTS": str(results),
            "SCSR_SEED": "1",
            "SCSR_IDLE_LIMIT": str(build.manifest.idle_limit_cycles),
            "SCSR_LOAD": str(core / build.manifest.load.file),
            "SCSR_PACKETS": "sample",
        },
        simulator=simulator,
    )
    assert (ran, failed) == (len(runner.COCOTB_CASES), 0)
    report = json.loads((results / "full_rate.json").read_text())
    assert min(report["layer_spikes"].values(), default=0) > 0


def _yosys(folder: Path, design: str, *commands: str) -> subprocess.CompletedProcess[str]:
    (folder / "design.v").write_text(design)
    (folder / "design.ys").write_text("\n".join(["read_verilog -defer design.v", *commands]))
    return subprocess.run([*YOSYS, "design.ys"], cwd=folder, capture_output=True, text=True, check=False)


def test_yosys_finds_them_too(tmp_path: Path) -> None:
    core, design = _build(tmp_path / "core"), tmp_path / "design"
    design.mkdir()
    build = read_folder(core)
    commands = [*(f"read_verilog -defer {core / name}" for name in build.manifest.sources), "hierarchy -top design"]
    instance = f"module design (input wire aclk); {build.manifest.top} %s core (.aclk(aclk)); endmodule"
    found = f"select -assert-count {len(build.manifest.memories)} t:$meminit_v2"
    done = _yosys(design, instance % f'#(.MEM_DIR("{core}/mem/"))', *commands, "proc", found)
    assert done.returncode == 0, done.stdout + done.stderr
    lost = _yosys(design, instance % "", *commands)
    assert lost.returncode
    assert "mem/" in lost.stdout + lost.stderr


def _called(folder: Path, *command: str | Path) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=runner.environment(), capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("seed", range(4))
def test_the_example_is_clean_by_the_list_of_sources(seed: int, tmp_path: Path) -> None:
    """In Verilator from any folder, in Icarus from the build folder."""
    rng = np.random.default_rng(seed)
    core = tmp_path / "core"
    write(make_build(tiny_model(), random_folding(rng, tiny_model()), "core", random_safety(rng)), core)
    files = ["-F", core / "sources.f", core / "integration/core_instance.v"]
    assert (
        _called(tmp_path, "verilator", "--lint-only", "-Wall", "--top-module", "core_instance", "--quiet", *files) == ""
    )
    if shutil.which("iverilog"):
        files = ["-f", "sources.f", "integration/core_instance.v"]
        assert _called(core, "iverilog", "-g2005", "-Wall", "-s", "core_instance", "-o", tmp_path / "out", *files) == ""


@pytest.mark.skipif(shutil.which("ghdl") is None, reason="ghdl is not installed")
@pytest.mark.parametrize("name", ["core", "a__core_"])
def test_the_component_is_vhdl(name: str, tmp_path: Path) -> None:
    core = _build(tmp_path / "core", name)
    assert _called(tmp_path, "ghdl", "-a", "--std=93", core / f"integration/{name}_component.vhd") == ""


def test_fusesoc_is_given_all_sources_and_memories(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    core = _build(tmp_path / "core", "yes")
    head, text = (core / "yes.core").read_text().split("\n", 1)
    assert head == "CAPI=2:"
    described = yaml.safe_load(text)
    manifest = read_folder(core).manifest
    assert described["filesets"]["rtl"]["files"] == manifest.sources
    memories = {name: options for file in described["filesets"]["memories"]["files"] for name, options in file.items()}
    assert memories == {name: {"copyto": name} for name in manifest.memories}
    assert all((core / name).is_file() for name in (*manifest.sources, *memories))
    assert described["targets"]["default"] == {"filesets": ["rtl", "memories"], "toplevel": "yes"}
