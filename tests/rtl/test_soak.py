"""`make soak`, for a moment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import soak


@pytest.mark.rtl
@pytest.mark.check
def test_a_core_without_a_pause(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(soak, "ROOT", tmp_path / "core")
    monkeypatch.setattr(soak, "RESULTS", tmp_path)
    monkeypatch.setattr(soak, "LONGEST", 100)
    monkeypatch.setattr("sys.argv", ["soak", "--steps", "2000"])
    assert soak.main() == 0
    found = json.loads((tmp_path / "soak.json").read_text())
    assert found["equal"]
    assert found["mismatches"] == 0 < found["output_spikes"]
    assert found["total_cycles"] > found["steps"] >= 2000
