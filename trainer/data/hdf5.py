"""Reading HDF5 files: only plain arrays of the names and kinds expected, and never what a file refers to elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from quant.errors import DataError, ScsrError, reason
from trainer.data.disk import check_present
from trainer.data.hdf5storage import REFERENCE, Heaps, stored

MAX_ENTRIES = 1 << 22  # of an array of numbers
MAX_LISTS = 1 << 18  # of an array of lists or names: samples
_MAX_BYTES = 1 << 26  # of an array
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
        self._left = self._allowance = max(_ALLOWED, _TIMES * _size(path))
        self._heaps = Heaps(file, self._count)

    def numbers(self, name: str, kinds: str) -> npt.NDArray[Any]:
        """The one-dimensional array `name`, whose `np.dtype.kind` must be one of `kinds`: "f", "i", "u".

        Raises:
            DataError: if it is missing or something else.
        """
        dataset = self._dataset(name)
        form = dataset.dtype
        if form.kind not in kinds or dataset.id.get_type() != h5py.h5t.py_create(form):
            raise DataError(f"{self.path}: {name} has dtype {form}; expected is kind {kinds!r}")
        return self._stored(name, dataset, form, MAX_ENTRIES)

    def names(self, name: str) -> list[str]:
        """The one-dimensional array `name` of byte strings of one length; what is not ASCII becomes "\ufffd".

        Raises:
            DataError: if it is missing or something else.
        """
        dataset = self._dataset(name)
        if dataset.dtype.kind != "S":
            raise DataError(
                f"{self.path}: {name} has dtype {dataset.dtype}; expected are strings of bytes of one length"
            )
        found = self._stored(name, dataset, dataset.dtype, MAX_LISTS)
        return [one.decode("ascii", "replace") for one in found.tolist()]

    def lists(self, name: str, kinds: str) -> tuple[int, Iterator[npt.NDArray[Any]]]:
        """The number of entries of the one-dimensional array `name`, and its entries, arrays of varying length.

        Raises:
            DataError: if it is missing or something else; while the entries are read, if one is damaged.
        """
        dataset = self._dataset(name)
        form = h5py.check_vlen_dtype(dataset.dtype)
        if form is None or form.kind not in kinds or dataset.id.get_type().get_super() != h5py.h5t.py_create(form):
            found = dataset.dtype if form is None else f"lists of {form}"
            raise DataError(f"{self.path}: {name} has dtype {found}; expected is kind {kinds!r} in lists")
        self._check_size(name, dataset, REFERENCE, MAX_LISTS)
        return len(dataset), self._lists(name, dataset, form)

    def _lists(self, name: str, dataset: h5py.Dataset, form: np.dtype[Any]) -> Iterator[npt.NDArray[Any]]:
        try:
            for reference in self._heaps.references(dataset):
                yield self._heaps.read(reference, form)
        except ValueError as error:
            raise DataError(f"{self.path}: {name}: {error}") from None

    def _stored(self, name: str, dataset: h5py.Dataset, form: np.dtype[Any], limit: int) -> npt.NDArray[Any]:
        self._check_size(name, dataset, form, limit)
        try:
            return stored(dataset, form, self._count)
        except ValueError as error:
            raise DataError(f"{self.path}: {name}: {error}") from None

    def _dataset(self, name: str) -> h5py.Dataset:
        where = f"{self.path}: {name}"
        found: Any = self._file
        for part in name.split("/"):
            link = found.get(part, getlink=True) if isinstance(found, h5py.Group) else None
            if not isinstance(link, h5py.HardLink):
                raise DataError(f"{where} is missing")
            found = found[part]
        if not isinstance(found, h5py.Dataset) or found.ndim != 1 or found.external or found.is_virtual:
            raise DataError(f"{where} must be an array of one axis that lies in the file itself")
        return found

    def _check_size(self, name: str, dataset: h5py.Dataset, form: np.dtype[Any], limit: int) -> None:
        """The file may leave out what was never written, and a chunk may be more than the array has."""
        limit = min(limit, _MAX_BYTES // form.itemsize)
        entries = max(len(dataset), *(dataset.chunks or (0,)))
        if entries > limit:
            raise DataError(f"{self.path}: {name} has {entries} entries of {form.itemsize} bytes; the limit is {limit}")

    def _count(self, size: int) -> None:
        """Refuse a file that packs or shares its arrays, so that it gives more bytes than one of its size should."""
        self._left -= size
        if self._left < 0:
            raise DataError(
                f"{self.path} gives more than {self._allowance} bytes, too many for its size; "
                "write it anew, less compressed"
            )


def _size(path: Path) -> int:
    """Bytes of the file, holes left out where the file system tells."""
    found = os.stat(path)
    blocks = 512 * getattr(found, "st_blocks", 0)
    return min(found.st_size, blocks) if blocks else found.st_size


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
