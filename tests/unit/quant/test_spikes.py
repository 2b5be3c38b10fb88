"""The spike file: round trips, equal bytes, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quant import spikes
from quant.errors import SpikeFileError


def _samples() -> spikes.SpikeSet:
    rng = np.random.default_rng(3)
    steps = np.array([4, 1, 7])
    dense = (rng.random((7, 3, 5)) < 0.4) & (np.arange(7)[:, None, None] < steps[None, :, None])
    assert dense.sum() > 10
    return spikes.from_dense(dense, steps, np.array([0, -1, 2]))


def test_dense_and_back() -> None:
    samples = _samples()
    dense = samples.dense(slice(0, 3))
    again = spikes.from_dense(dense, samples.steps, samples.label)
    assert spikes.to_bytes(again) == spikes.to_bytes(samples)
    assert (samples.dense(slice(1, 3)) == dense[:, 1:]).all()
    assert (samples.head(2).dense(slice(0, 2)) == dense[:4, :2]).all()


def test_a_written_file_reads_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    path.write_bytes(spikes.to_bytes(_samples()))
    assert spikes.to_bytes(spikes.read(path)) == path.read_bytes()


BROKEN = {
    "missing": ({"label": None}, "array 'label' is missing"),
    "unknown": ({"rate": np.int32(1)}, "array 'rate' is unknown"),
    "dtype": ({"steps": np.ones(3)}, "steps has dtype float64; it must be int32"),
    "large": ({"label": np.array([0, 2**32, 0])}, "label holds numbers of int64 that do not fit int32"),
    "shape": ({"channels": np.ones(1, np.int32)}, "channels has shape (1,)"),
    "no channels": ({"channels": np.int32(0)}, "channels is 0"),
    "label length": ({"label": np.zeros(2, np.int32)}, "label has 2 entries for 3 samples"),
    "label": ({"label": np.array([0, -2, 0], np.int32)}, "label[1] is -2"),
    "steps": ({"steps": np.array([4, 0, 7], np.int32)}, "steps[1] is 0"),
    "offset length": ({"offset": np.zeros(3, np.int64)}, "offset has 3 entries; 3 samples need 4"),
    "offset overflow": (
        {"offset": np.array([0, 2**63 - 1, -2, len(_samples().step)], np.int64)},
        "offset must rise from 0",
    ),
    "offset end": ({"offset": np.zeros(4, np.int64)}, "offset must rise from 0"),
    "step": ({"step": lambda a: a + 3}, "step["),
    "channel": ({"channel": lambda a: a + 3}, "channel["),
    "order": ({"channel": lambda a: np.zeros_like(a)}, "ascending within a step"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused(case: str, tmp_path: Path) -> None:
    changes, message = BROKEN[case]
    arrays = dict(spikes.plain_arrays(_samples()))
    for name, value in changes.items():
        if value is None:
            del arrays[name]
        else:
            arrays[name] = value(arrays[name]) if callable(value) else value
    path = tmp_path / "s.npz"
    np.savez(path, **arrays)
    with pytest.raises(SpikeFileError) as caught:
        spikes.read(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("dtype", ["i2", "u4", "i8", "u8", ">i4"])
def test_any_integer_type_is_read(dtype: str, tmp_path: Path) -> None:
    arrays = {name: array.astype(dtype) for name, array in spikes.plain_arrays(_samples()).items()}
    arrays["label"] = arrays["label"].astype(dtype.replace("u", "i"))  # -1 among them
    np.savez(tmp_path / "s.npz", **arrays)
    assert spikes.to_bytes(spikes.read(tmp_path / "s.npz")) == spikes.to_bytes(_samples())


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    np.savez(path, steps=np.array([{"a": 1}], dtype=object))
    with pytest.raises(SpikeFileError, match="plain arrays"):
        spikes.read(path)


def test_damaged_and_lying_files_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    good = spikes.to_bytes(_samples())
    refused = 0
    for turn in range(300):
        damaged = bytearray(good)
        for position in rng.integers(0, len(good), 3):
            damaged[position] ^= int(rng.integers(1, 256))
        path = tmp_path / f"{turn}.npz"
        path.write_bytes(damaged)
        try:
            spikes.read(path)
        except SpikeFileError:
            refused += 1
    assert refused > 200
    long = spikes.SpikeSet(
        1000, np.array([2**31 - 1]), np.array([0]), np.array([0, 0]), np.zeros(0, np.int32), np.zeros(0, np.int32)
    )
    with pytest.raises(SpikeFileError, match="too long to be run"):
        long.dense(slice(0, 1))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"hello"])
def test_what_is_no_npz_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    path.write_bytes(content)
    with pytest.raises(SpikeFileError):
        spikes.read(path)
