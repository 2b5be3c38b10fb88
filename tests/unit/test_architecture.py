"""The import rules of docs/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"trainer", "quant", "hwgen", "sim", "rtl_templates", "bench"}
ALLOWED = {
    "quant": set(),
    "hwgen": {"quant", "rtl_templates"},
    "sim": {"quant"},
    "trainer": {"quant"},
}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    files = sorted(file for file in (ROOT / package).rglob("*.py") if file.parent.name != "flow")
    assert files
    for file in files:
        assert _imports(file) & PACKAGES <= ALLOWED[package] | {package}, file


def test_torch_and_brevitas_stay_where_they_belong() -> None:
    for package in ("quant", "hwgen", "sim"):
        for file in sorted((ROOT / package).rglob("*.py")):
            expected = (
                {"torch"}
                if file.parts[-2:] in (("quant", "export.py"), ("flow", "interface.py"), ("flow", "bits.py"))
                else set()
            )
            assert _imports(file) & {"torch", "brevitas"} <= expected, file


def test_only_the_runner_knows_the_simulators() -> None:
    for file in sorted((ROOT / "sim").rglob("*.py")):
        if file.name not in ("runner.py", "test_core.py"):
            assert not _imports(file) & {"cocotb", "cocotb_tools"}, file


@pytest.mark.parametrize("module", ["hwgen.cli.commands", "hwgen.flow.scsr"])
def test_torch_is_imported_only_to_train(module: str) -> None:
    script = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
