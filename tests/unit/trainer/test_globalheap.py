"""Lists of HDF5 files: as h5py reads them, however they are stored, and refused where they are damaged."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from quant.errors import DataError
from trainer.data import hdf5

STORED: dict[str, dict[str, Any]] = {
    "contiguous": {},
    "chunks": {"chunks": (7,)},
    "chunks of more than there is": {"chunks": (64,), "maxshape": (None,)},
    "gzip": {"chunks": (7,), "compression": "gzip"},
    "gzip and shuffle": {"chunks": (7,), "compression": "gzip", "shuffle": True},
}


def lists_of(path: Path, name: str = "lists", kinds: str = "fiu") -> list[np.ndarray]:
    with hdf5.opened(path) as file:
        count, entries = file.lists(name, kinds)
        found = list(entries)
    assert len(found) == count
    return found


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", "<u2", "<i4", "<i8"])
@pytest.mark.parametrize("options", STORED.values(), ids=STORED)
def test_lists_are_what_the_library_reads(tmp_path: Path, options: dict[str, Any], dtype: str, libver: str) -> None:
    draw = np.random.default_rng(1)
    path = tmp_path / "some.h5"
    with h5py.File(path, "w", libver=libver) as file:
        lists = file.create_dataset("lists", (50,), h5py.vlen_dtype(np.dtype(dtype)), **options)
        for number in draw.permutation(50)[:40]:  # some are never written, some are empty, some share a heap
            lists[number] = draw.integers(0, 1000, draw.choice([0, 1, 5, 300, 30_000])).astype(dtype)
        lists[20] = draw.integers(0, 1000, 77).astype(dtype)  # written again, which leaves a gap in a heap
        wanted = [np.asarray(entry) for entry in lists]
    found = lists_of(path)
    assert sum(map(len, wanted)) > 100_000
    for mine, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(mine, other)
        assert mine.dtype == np.dtype(dtype) or not len(other)


def content(**options: Any) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        lists = file.create_dataset("lists", (3,), h5py.vlen_dtype(np.float32), **options)
        lists[:] = [np.arange(count, dtype=np.float32) for count in (4, 2, 9)]
    return buffer.getvalue()


def put(form: str, place: int, number: int) -> bytes:
    """The heap with another number at a place in it; its objects begin at 16, 48 and 72."""
    seed = content()
    start = seed.index(b"GCOL") + place
    return seed[:start] + struct.pack(form, number) + seed[start + struct.calcsize(form) :]


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (put("<B", 0, 0), r"no heap at byte \d+"),
        (put("<B", 4, 2), r"no heap at byte \d+"),
        (put("<Q", 8, 1 << 25), r"the heap at byte \d+ says 33554432 bytes; the limit is 16777216"),
        (put("<Q", 8, 1 << 20), r"1048576 bytes at \d+ are expected, beyond the end of the file"),
        (put("<H", 48, 0), r"a list of 2 numbers, for which object 2 of heap \d+ has 0 bytes"),
        (put("<Q", 48 + 8, 0), r"a list of 2 numbers, for which object 2 of heap \d+ has 0 bytes"),
        (put("<Q", 48 + 8, 2**64 - 16), r"has an object of 18446744073709551600 bytes beyond its end"),
        (content(chunks=(2,), compression="lzf"), r"HDF5 filter 32000 is not known for lists"),
    ],
)
def test_damaged_lists_are_refused(tmp_path: Path, damaged: bytes, message: str) -> None:
    path = tmp_path / "some.h5"
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=f"some.h5: lists: .*{message}"):
        lists_of(path)
    path.write_bytes(content())
    assert [len(entry) for entry in lists_of(path)] == [4, 2, 9]


def test_a_length_that_no_memory_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.h5"
    path.write_bytes(content())
    with h5py.File(path) as file:
        place = file["lists"].id.get_offset()
    with path.open("r+b") as raw:
        raw.seek(place)
        raw.write(struct.pack("<I", 2**32 - 1))
    with pytest.raises(DataError, match=r"a list of 4294967295 numbers, for which object 1 .* has 16 bytes"):
        lists_of(path)


def test_a_file_that_gives_more_than_it_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.h5"
    with h5py.File(path, "w") as file:
        for number in range(20):
            file.create_dataset(f"{number}", data=np.zeros(2**20, np.float32), chunks=True, compression="gzip")
    assert path.stat().st_size < 2**20
    with hdf5.opened(path) as file:
        for number in range(16):
            assert len(file.vector(f"{number}", "f")) == 2**20
        with pytest.raises(DataError, match=r"some.h5 unpacks to more than 67108864 bytes"):
            file.vector("16", "f")
