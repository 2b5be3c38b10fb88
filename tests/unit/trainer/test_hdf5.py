"""Arrays of HDF5 files: as h5py reads them, however they are stored, and refused in one line where they are damaged."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from quant import reader
from quant.errors import DataError
from trainer.data import hdf5

STORED: dict[str, dict[str, Any]] = {
    "contiguous": {},
    "chunks of more than there is": {"chunks": (64,), "maxshape": (None,)},
    "gzip and shuffle": {"chunks": (7,), "compression": "gzip", "shuffle": True},
    "lzf": {"chunks": (7,), "compression": "lzf"},
}


def lists_of(path: Path) -> list[np.ndarray]:
    return list(hdf5.arrays(path, lambda file: hdf5.lists(file, "lists", "fiu")[1]))


def numbers_of(path: Path) -> np.ndarray:
    (found,) = hdf5.arrays(path, lambda file: [hdf5.numbers(file, "numbers", "fiu")])
    return found


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("dtype", ["<f2", ">f8", "<u2", "<i8"])
@pytest.mark.parametrize("options", STORED.values(), ids=STORED)
def test_lists_are_what_the_library_reads(tmp_path: Path, options: dict[str, Any], dtype: str, libver: str) -> None:
    draw = np.random.default_rng(1)
    path = tmp_path / "some.h5"
    with h5py.File(path, "w", libver=libver, userblock_size=512) as file:
        lists = file.create_dataset("lists", (300,), h5py.vlen_dtype(np.dtype(dtype)), **options)
        for number in draw.permutation(300)[:200]:  # some are never written, some are empty
            lists[number] = draw.integers(0, 1000, draw.choice([0, 1, 5, 300, 30_000])).astype(dtype)
        wanted = [np.asarray(entry) for entry in lists]
    assert sum(map(len, wanted)) > 100_000
    for mine, other in zip(lists_of(path), wanted, strict=True):
        np.testing.assert_array_equal(mine, other)
        assert mine.dtype.newbyteorder("<") == np.dtype(dtype).newbyteorder("<")


@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<u2", ">i8"])
@pytest.mark.parametrize("options", [*STORED.values(), {"fillvalue": 7}, {"chunks": (7,), "fletcher32": True}])
def test_numbers_are_what_the_library_reads(tmp_path: Path, options: dict[str, Any], dtype: str) -> None:
    path = tmp_path / "some.h5"
    with h5py.File(path, "w") as file:
        numbers = file.create_dataset("numbers", (50,), dtype, **options)
        numbers[10:40] = np.random.default_rng(1).integers(1, 1000, 30)  # the other chunks are never written
        wanted = numbers[()]
    assert np.count_nonzero(wanted) >= 30
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


@pytest.mark.parametrize("dtype", ["S4", h5py.string_dtype()])
def test_names_are_what_the_library_reads(tmp_path: Path, dtype: Any) -> None:
    path = tmp_path / "some.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("names", data=[b"a", b"long", b"\xff"], dtype=dtype)
    (found,) = hdf5.arrays(path, lambda file: [hdf5.names(file, "names")])
    assert found.tolist() == [b"a", b"long", b"\xff"]


def heap(place: int, number: int) -> Callable[[Path], object]:
    """Lists whose heap has another number at a place in it: the library believes it."""

    def make(path: Path) -> None:
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            lists = file.create_dataset("lists", (3,), h5py.vlen_dtype(np.float32))
            lists[:] = [np.arange(count, dtype=np.float32) for count in (4, 2, 9)]
        seed = buffer.getvalue()
        start = seed.index(b"GCOL") + place
        path.write_bytes(seed[:start] + struct.pack("<Q", number) + seed[start + 8 :])

    return make


def made(make: Callable[[h5py.File], object]) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            make(file)

    return write


def bomb(file: h5py.File) -> None:
    numbers = file.create_dataset("lists", (10,), "<i8", chunks=(10,), compression="gzip")
    numbers.id.write_direct_chunk((0,), zlib.compress(bytes(1 << 30)))


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_text("hello"), r"not a readable HDF5 file \("),
    "heap of no size": (heap(8, 0), "not a readable HDF5 file|takes more than 1 s"),
    "object of no size": (heap(24, 0), "not a readable HDF5 file|takes more than 1 s|crashed"),
    "object without end": (heap(24, 2**64 - 16), "not a readable HDF5 file|takes more than 1 s|crashed"),
    "missing": (made(lambda file: file.create_group("other")), "lists is missing"),
    "group": (made(lambda file: file.create_group("lists")), "lists must be an array of one axis"),
    "two axes": (made(lambda file: file.create_dataset("lists", (2, 2), "i4")), "lists must be an array of one axis"),
    "numbers": (
        made(lambda file: file.create_dataset("lists", (2,), "f4")),
        "lists has dtype float32; expected is kind",
    ),
    "texts": (
        made(lambda file: file.create_dataset("lists", (2,), h5py.string_dtype())),
        "lists has dtype object; expected is kind",
    ),
    "elsewhere": (
        made(lambda file: file.create_dataset("lists", (2,), "i4", external="/etc/passwd")),
        "that lies in the file itself",
    ),
    "link": (made(lambda file: file.__setitem__("lists", h5py.ExternalLink("/x", "/"))), "lists is missing"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_bad_lists_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object], message: str
) -> None:
    monkeypatch.setattr(reader, "SECONDS", 1)
    make(tmp_path / "some.h5")
    with pytest.raises(DataError, match=f"some.h5: .*({message})"):
        lists_of(tmp_path / "some.h5")


BOMBS: dict[str, Callable[[h5py.File], object]] = {
    "never written": lambda file: file.create_dataset("numbers", (2**40,), "<i8", chunks=(1024,)),
    "gzip": lambda file: file.create_dataset(
        "numbers", (2**26,), "<i8", chunks=(2**26,), compression="gzip", fillvalue=1
    ),
}


@pytest.mark.parametrize("make", BOMBS.values(), ids=BOMBS)
def test_what_takes_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[h5py.File], object]
) -> None:
    monkeypatch.setattr(reader, "memory_limit", lambda: 1 << 28)
    made(make)(tmp_path / "some.h5")
    with pytest.raises(DataError, match=r"some.h5: (reading it takes|its arrays take) more than 256 MiB"):
        numbers_of(tmp_path / "some.h5")
