"""Arrays and lists of HDF5 files: as h5py reads them, however they are stored, and refused where they are damaged."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
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


def lists_of(path: Path) -> list[np.ndarray]:
    with hdf5.opened(path) as file:
        count, entries = file.lists("lists", "fiu")
        found = list(entries)
    assert len(found) == count
    return found


def numbers_of(path: Path) -> np.ndarray:
    with hdf5.opened(path) as file:
        return file.numbers("numbers", "fiu")


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
    assert sum(map(len, wanted)) > 100_000
    for mine, other in zip(lists_of(path), wanted, strict=True):
        np.testing.assert_array_equal(mine, other)
        assert mine.dtype == np.dtype(dtype)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<u2", ">i8"])
@pytest.mark.parametrize("options", STORED.values(), ids=STORED)
def test_numbers_are_what_the_library_reads(tmp_path: Path, options: dict[str, Any], dtype: str, libver: str) -> None:
    path = tmp_path / "some.h5"
    with h5py.File(path, "w", libver=libver) as file:
        numbers = file.create_dataset("numbers", (50,), dtype, **options)
        numbers[10:40] = np.random.default_rng(1).integers(1, 1000, 30)  # the other chunks are never written
        wanted = numbers[()]
    assert np.count_nonzero(wanted) == 30
    found = numbers_of(path)
    np.testing.assert_array_equal(found, wanted)
    assert found.dtype == np.dtype(dtype)


@pytest.mark.parametrize("options", [{}, {"chunks": (4,), "maxshape": (None,)}])
def test_arrays_may_be_empty(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "some.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("numbers", (0,), "i4", **options)
        file.create_dataset("lists", (0,), h5py.vlen_dtype(np.float32), **options)
    assert len(numbers_of(path)) == 0
    assert lists_of(path) == []


def test_names_are_what_the_library_reads(tmp_path: Path) -> None:
    path = tmp_path / "some.h5"
    with h5py.File(path, "w") as file:
        file["names"] = np.array([b"a", b"long", b"\xff"])
    with hdf5.opened(path) as file:
        assert file.names("names") == ["a", "long", "\ufffd"]


def test_lists_may_lie_in_any_order(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    path = tmp_path / "some.h5"
    with h5py.File(path, "w") as file:
        lists = file.create_dataset("lists", (20_000,), h5py.vlen_dtype(np.float32))
        for number in draw.permutation(len(lists)):
            lists[number] = np.full(number % 200, number, np.float32)
    assert path.stat().st_size * 8 > 1 << 26, "the limit must be that of its size"
    for number, entry in enumerate(lists_of(path)):
        assert len(entry) == number % 200
        assert (entry == number).all()


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


def refer(length: int, address: int) -> bytes:
    """The first reference with another length and address."""
    seed = content()
    with h5py.File(io.BytesIO(seed)) as file:
        start = file["lists"].id.get_offset()
    return seed[:start] + struct.pack("<IQ", length, address) + seed[start + 12 :]


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (put("<B", 0, 0), r"a list is said to lie at byte \d+, where no heap is"),
        (put("<B", 4, 2), r"a list is said to lie at byte \d+, where no heap is"),
        (put("<Q", 8, 1 << 25), r"the lists at byte \d+ say that they take 33554432 bytes; the limit is 16842752"),
        (put("<Q", 8, 0), r"the lists at byte \d+ say that they take 0 bytes"),
        (put("<Q", 8, 1 << 20), r"1048576 bytes at \d+ are expected, beyond the end of the file"),
        (put("<H", 48, 0), r"a list of 2 numbers, for which object 2 of heap \d+ has 0 bytes"),
        (put("<Q", 48 + 8, 0), r"a list of 2 numbers, for which object 2 of heap \d+ has 0 bytes"),
        (put("<Q", 48 + 8, 2**64 - 16), r"a list at byte \d+ says that it takes 18446744073709551600 bytes"),
        (
            refer(2**32 - 1, content().index(b"GCOL")),
            r"a list of 4294967295 numbers, for which object 1 .* has 16 bytes",
        ),
        (refer(4, 2**63 - 8), r"16 bytes at 9223372036854775800 are expected, beyond the end of the file"),
        (refer(4, 2**64 - 8), r"16 bytes at 18446744073709551608 are expected, beyond the end of the file"),
        (content(chunks=(2,), compression="lzf"), r"HDF5 filter 32000 is not known here"),
    ],
)
def test_damaged_lists_are_refused(tmp_path: Path, damaged: bytes, message: str) -> None:
    path = tmp_path / "some.h5"
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=f"some.h5: lists: .*{message}"):
        lists_of(path)


def test_lists_behind_a_user_block_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.h5"
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("lists", (3,), h5py.vlen_dtype(np.float32))
    with pytest.raises(
        DataError, match=r"some.h5: lists: its file has a user block, or addresses of other than 8 bytes"
    ):
        lists_of(path)


def chunk(packed: bytes, **options: Any) -> Callable[[h5py.File], object]:
    """Numbers of one chunk of 80 bytes, packed in this way."""

    def make(file: h5py.File) -> None:
        numbers = file.create_dataset("numbers", (10,), "<i8", chunks=(10,), **options)
        numbers.id.write_direct_chunk((0,), packed)

    return make


def many(file: h5py.File) -> None:
    file.create_dataset("numbers", (100_000,), "<i8", chunks=(1,))


def inside(file: h5py.File) -> None:
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(file.id, b"numbers", h5py.h5t.STD_I64LE, h5py.h5s.create_simple((10,)), layout)


GZIP: dict[str, Any] = {"compression": "gzip"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (chunk(zlib.compress(bytes(72)), **GZIP), "a chunk has 72 bytes; 80 are expected"),
        (chunk(zlib.compress(bytes(84)), **GZIP), "a chunk is cut, or unpacks to more than 80 bytes"),
        (chunk(zlib.compress(bytes(1 << 30)), **GZIP), "a chunk of 80 bytes is packed into more than 224"),
        (chunk(zlib.compress(bytes(20_000)), **GZIP), "a chunk is cut, or unpacks to more than 80 bytes"),
        (chunk(zlib.compress(bytes(80))[:-4], **GZIP), "a chunk is cut, or unpacks to more than 80 bytes"),
        (chunk(b"no gzip", **GZIP), "a chunk is damaged, or is not of gzip"),
        (chunk(bytes(10), shuffle=True), "a chunk has 10 bytes; 80 are expected"),
        (
            chunk(bytes(10), scaleoffset=0),
            "HDF5 filter 6 is not known here; write it anew with h5py, with gzip or none",
        ),
        (chunk(bytes(84), fletcher32=True), "HDF5 filter 3 is not known here"),
        (many, "it is in 100000 chunks; the limit is 65536"),
        (inside, "its entries are stored in its header"),
    ],
)
def test_damaged_numbers_are_refused(tmp_path: Path, make: Callable[[h5py.File], object], message: str) -> None:
    path = tmp_path / "some.h5"
    with h5py.File(path, "w") as file:
        make(file)
    with pytest.raises(DataError, match=f"some.h5: numbers: .*{message}"):
        numbers_of(path)


def test_a_file_that_gives_more_than_it_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.h5"
    with h5py.File(path, "w") as file:
        for number in range(20):
            file.create_dataset(f"{number}", data=np.zeros(2**20, np.float32), chunks=(2**16,), compression="gzip")
    assert path.stat().st_size < 2**20
    os.truncate(path, 1 << 40)  # holes are nothing that it has
    with hdf5.opened(path) as file:
        for number in range(16):
            assert len(file.numbers(f"{number}", "f")) == 2**20
        with pytest.raises(DataError, match=r"some.h5 gives more than 67108864 bytes, too many for its size"):
            file.numbers("16", "f")
