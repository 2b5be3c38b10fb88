"""Recorded results: their folder, how they are written, and the commit that they are from."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from quant.files import write_atomic

RESULTS = Path("bench/results")


def commit() -> str:
    """The commit that is checked out, with `-dirty` if anything but the results has changed since."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    same = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", ".", f":!{RESULTS}"], check=False).returncode == 0
    return head if same else f"{head}-dirty"


def mismatches(report: dict[str, Any]) -> int:
    """How often a core differed from the golden model, from a report of `sim verify` that compared something."""
    assert "mismatching_scores" in report, report["first_difference"]
    return sum(value or 0 for key, value in report.items() if key.startswith("mismatching"))


def write(path: Path, content: object) -> None:
    """Write `content` as JSON, lists of numbers in one line."""
    text = re.sub(r"\[[-+.e\d,\s]+\]", lambda found: " ".join(found[0].split()), json.dumps(content, indent=1))
    write_atomic(path, (text + "\n").encode())
