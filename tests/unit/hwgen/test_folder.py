"""Manifests that no build wrote are refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from models import tiny_model

from hwgen.core.build import make_build, write
from quant.errors import BuildError
from quant.manifest import open_folder


@pytest.mark.parametrize(
    "change",
    [
        {"checksums": None},
        {"checksums": ["rtl/tiny.v"]},
        {"checksums": {}},
        {"sources": None},
        {"sources": ["../../etc/passwd"]},
        {"sources": ["a" * 300]},
        {"top": "a; endmodule"},
        {"idle_limit_cycles": float("inf")},
    ],
    ids=lambda change: json.dumps(change)[:40],
)
def test_a_manifest_that_no_build_wrote_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    write(make_build(tiny_model()), tmp_path / "core")
    manifest = tmp_path / "core" / "manifest.json"
    assert open_folder(manifest.parent).manifest.top == "tiny"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **change}))
    with pytest.raises(BuildError, match=r"no build folder|which no build made"):
        open_folder(manifest.parent)


@pytest.mark.parametrize("content", ["[" * 100_000, "{", "[]", '{"format": ' + "1" * 5000 + "}"])
def test_a_manifest_that_is_no_object_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(BuildError, match="is no build folder of this version"):
        open_folder(tmp_path)
