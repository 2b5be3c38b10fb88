"""docs/reference.md is what the code says, and the code says something about every option."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from bench import reference
from hwgen.flow import scsr
from quant.command import Command

COMMAND = Command("scsr", "", scsr.add_commands)


def test_the_reference_is_current_and_complete() -> None:
    page = reference.text()
    assert page == reference.PAGE.read_text(encoding="utf-8"), "run `make reference`"
    for row in re.findall(r"^\| `.*\|$", page, re.MULTILINE):
        assert not row.endswith("|  |"), row
        assert "| see `" not in row, row
    assert page.count("\n### `scsr ") == len(COMMAND.parsers)


@pytest.mark.parametrize("name", COMMAND.parsers)
def test_every_help_has_an_example_that_can_be_parsed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = COMMAND.parsers[name].format_help()
    _, _, example = shown.partition("example:\n  scsr ")
    example, _, words = example.partition("\n")
    assert example
    assert (reference.PAGE.parents[1] / words.split()[1].strip(",")).is_file()
    assert COMMAND._parser.parse_args(example.split()).subcommand == name


@pytest.mark.parametrize("module", ["trainer", "quant", "hwgen", "sim", "hwgen.flow.scsr"])
def test_help_loads_nothing_heavy(module: str) -> None:
    name = module if "." in module else f"{module}.__main__"
    script = f"import sys, {name}; sys.exit(str({{'torch', 'scipy', 'matplotlib', 'jinja2'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "set()"
