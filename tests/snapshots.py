"""Writes the snapshots in tests/golden anew: `make snapshots`. Read the difference before you commit it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from models import recurrent_model, tiny_model

from hwgen.core.build import make_build

FOLDER = Path(__file__).parent / "golden"
MODELS = (tiny_model(), recurrent_model())


def recorded(name: str, files: Mapping[str, bytes]) -> dict[Path, bytes]:
    """The files of a build that are kept as snapshots, by where they are kept."""
    paths = (f"rtl/{name}.v", f"tb/{name}_probe.v", "1_model.txt", "2_plan.txt")
    return {FOLDER / name / Path(path).name: files[path] for path in paths}


if __name__ == "__main__":
    for model in MODELS:
        for path, content in recorded(model.name, make_build(model).files).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
