"""The front end's memory on disk: whatever is wrong with a file, its content is computed anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from quant import spikes
from quant.errors import DataError
from quant.spikes import SpikeSet, from_dense
from trainer.frontend.cache import remembered

SAMPLES = from_dense(np.random.default_rng(1).random((12, 2, 5)) < 0.3, np.array([12, 12]), np.array([-1, -1]))
SHORT = from_dense(SAMPLES.dense(slice(0, 2))[:9], np.array([9, 9]), np.array([-1, -1]))
CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[:-40],
    "empty": lambda _: b"",
    "flipped": lambda content: content[:120] + bytes([content[120] ^ 0x10]) + content[121:],
    "text": lambda _: b"not a spike file",
    "another": lambda _: spikes.to_bytes(SHORT),
}


def ask(path: Path) -> tuple[SpikeSet, int]:
    asked = []

    def compute() -> SpikeSet:
        asked.append(True)
        return SAMPLES

    return remembered(path, 5, SAMPLES.steps, compute), len(asked)


def test_computed_once(tmp_path: Path) -> None:
    path = tmp_path / "made" / "here.npz"
    assert ask(path)[1] == 1
    found, computed = ask(path)
    assert computed == 0
    assert len(found.step) > 10
    np.testing.assert_array_equal(found.step, SAMPLES.step)
    np.testing.assert_array_equal(found.channel, SAMPLES.channel)


@pytest.mark.parametrize("change", CHANGES)
def test_a_damaged_file_is_computed_anew(tmp_path: Path, change: str) -> None:
    path = tmp_path / "here.npz"
    ask(path)
    whole = path.read_bytes()
    path.write_bytes(CHANGES[change](whole))
    found, computed = ask(path)
    assert computed == 1
    np.testing.assert_array_equal(found.step, SAMPLES.step)
    assert path.read_bytes() == whole
    assert ask(path)[1] == 0


def test_a_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="name another folder by `cache`"):
        ask(tmp_path / "file" / "here.npz")
