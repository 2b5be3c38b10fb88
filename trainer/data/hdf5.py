"""Reading one-dimensional arrays of HDF5 files by h5py, but nothing that a file refers to outside itself.

The HDF5 library believes what a file says, so it reads in a child process with limits (quant/reader.py); whatever is
damaged, found at once or later, becomes a `DataError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from quant import reader
from quant.errors import DataError, reason
from quant.reader import Array
from trainer.data.disk import check_present

_AT_A_TIME = 256  # lists; bounds the memory


def arrays(path: Path, read: Callable[[h5py.File], Iterable[Array]]) -> Iterator[Array]:
    """The arrays that `read` yields when it is called with the open file in a child process.

    Raises:
        DataError: if the file is missing or damaged, or `read` raises it.
    """
    check_present(path, "an HDF5 file")

    def opened() -> Iterator[Array]:
        try:
            with h5py.File(path, "r") as file:
                yield from read(file)
        except (DataError, MemoryError):
            raise
        except Exception as error:  # damaged bytes can make h5py raise anything
            raise DataError(f"{path}: not a readable HDF5 file ({reason(error)})") from None

    return reader.arrays(path, opened, DataError)


def numbers(file: h5py.File, name: str, kinds: str) -> Array:
    """The array `name`, whose `np.dtype.kind` must be one of `kinds`: "f", "i", "u".

    Raises:
        DataError: if it is missing or something else.
    """
    dataset = _dataset(file, name)
    if dataset.dtype.kind not in kinds:
        raise DataError(f"{file.filename}: {name} has dtype {dataset.dtype}; expected is kind {kinds!r}")
    found: Array = dataset[()]
    return found


def names(file: h5py.File, name: str) -> Array:
    """The array `name` of texts, as bytes.

    Raises:
        DataError: if it is missing or something else.
    """
    dataset = _dataset(file, name)
    if h5py.check_string_dtype(dataset.dtype) is None:
        raise DataError(f"{file.filename}: {name} has dtype {dataset.dtype}; expected are texts")
    return np.asarray(dataset[()], "S")


def lists(file: h5py.File, name: str, kinds: str) -> tuple[int, Iterator[Array]]:
    """The number of entries of the array `name`, and its entries, which are arrays of varying length.

    Raises:
        DataError: if it is missing or something else.
    """
    dataset = _dataset(file, name)
    form = h5py.check_vlen_dtype(dataset.dtype)
    if not isinstance(form, np.dtype) or form.kind not in kinds:
        found = dataset.dtype if form in (None, str, bytes) else f"lists of {form}"
        raise DataError(f"{file.filename}: {name} has dtype {found}; expected is kind {kinds!r} in lists")
    starts = range(0, len(dataset), _AT_A_TIME)
    return len(dataset), (entry for start in starts for entry in dataset[start : start + _AT_A_TIME])


def _dataset(file: h5py.File, name: str) -> h5py.Dataset:
    where = f"{file.filename}: {name}"
    found: Any = file
    for part in name.split("/"):
        link = found.get(part, getlink=True) if isinstance(found, h5py.Group) else None
        if not isinstance(link, h5py.HardLink):
            raise DataError(f"{where} is missing")
        found = found[part]
    if not isinstance(found, h5py.Dataset) or found.ndim != 1 or found.external or found.is_virtual:
        raise DataError(f"{where} must be an array of one axis that lies in the file itself")
    return found
