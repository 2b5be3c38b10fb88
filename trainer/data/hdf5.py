"""Reading HDF5 files: only plain arrays of the names and kinds expected, and never what a file refers to elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from quant.errors import DataError, ScsrError, reason
from trainer.data.disk import check_present
from trainer.data.globalheap import Heaps, references

MAX_ENTRIES = 1 << 22  # of an array
MAX_LISTS = 1 << 18  # of an array of lists
_ALLOWED = 1 << 26  # bytes that a file may give, or `_TIMES` its size if that is more: arrays may be compressed
_TIMES = 8


class Hdf5:
    """An open file, from `opened`.

    Attributes:
        path: of the file.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        self._left = self._allowance = max(_ALLOWED, _TIMES * path.stat().st_size)

    def vector(self, name: str, kinds: str) -> npt.NDArray[Any]:
        """The one-dimensional array `name`, whose `np.dtype.kind` must be one of `kinds`.

        Raises:
            DataError: if it is missing or something else.
        """
        dataset = self._dataset(name, MAX_ENTRIES)
        self._check_kind(name, dataset.dtype, dataset.dtype, kinds)
        self._count(dataset.nbytes)
        return np.asarray(dataset[()])

    def lists(self, name: str, kinds: str) -> tuple[int, Iterator[npt.NDArray[Any]]]:
        """The number of entries of the one-dimensional array `name`, and its entries, arrays of varying length.

        Raises:
            DataError: if it is missing or something else; while the entries are read, if one is damaged.
        """
        dataset = self._dataset(name, MAX_LISTS)
        entry = h5py.check_vlen_dtype(dataset.dtype)
        self._check_kind(name, dataset.dtype, entry, kinds, " in lists")
        if dataset.id.get_type().get_super() != h5py.h5t.py_create(entry):
            raise DataError(f"{self.path}: {name} has lists of numbers in a form of their own; expected is {entry}")
        self._count(dataset.nbytes)
        return len(dataset), self._entries(name, dataset, entry)

    def _entries(self, name: str, dataset: h5py.Dataset, entry: np.dtype[Any]) -> Iterator[npt.NDArray[Any]]:
        heaps = Heaps(dataset.file.id.get_vfd_handle(), self._count)
        try:
            for reference in references(dataset, self._count):
                yield heaps.read(reference, entry)
        except ValueError as error:
            raise DataError(f"{self.path}: {name}: {error}") from None

    def _dataset(self, name: str, limit: int) -> h5py.Dataset:
        where = f"{self.path}: {name}"
        found: Any = self._file
        for part in name.split("/"):
            link = found.get(part, getlink=True) if isinstance(found, h5py.Group) else None
            if not isinstance(link, h5py.HardLink):
                raise DataError(f"{where} is missing")
            found = found[part]
        if not isinstance(found, h5py.Dataset) or found.ndim != 1 or found.external or found.is_virtual:
            raise DataError(f"{where} must be an array of one axis that lies in the file itself")
        entries = max(found.size, *(found.chunks or (0,)))  # the file may leave out what was never written
        if entries > limit or entries * found.dtype.itemsize > _ALLOWED:
            raise DataError(
                f"{where} has {entries} entries of {found.dtype.itemsize} bytes; "
                f"the limit is {limit} entries and {_ALLOWED} bytes"
            )
        return found

    def _check_kind(self, name: str, dtype: np.dtype[Any], entry: Any, kinds: str, form: str = "") -> None:
        if entry is None or np.dtype(entry).kind not in kinds:
            raise DataError(f"{self.path}: {name} has dtype {dtype}; expected is kind {kinds!r}{form}")

    def _count(self, size: int) -> None:
        """Refuse a file that packs or shares its arrays, so that it gives more bytes than one of its size should."""
        self._left -= size
        if self._left < 0:
            raise DataError(f"{self.path} unpacks to more than {self._allowance} bytes")


@contextmanager
def opened(path: Path) -> Iterator[Hdf5]:
    """The file, for reading; whatever is damaged in it, found at once or later, becomes a `DataError`."""
    check_present(path, "an HDF5 file")
    try:
        with h5py.File(path, "r") as file:
            yield Hdf5(path, file)
    except ScsrError:
        raise
    except Exception as error:  # damaged bytes can make h5py raise anything
        raise DataError(f"{path}: not a readable HDF5 file ({reason(error)})") from None
