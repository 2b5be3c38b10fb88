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
from quant.files import MAX_BYTES
from trainer.data.disk import check_present


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The file, for reading; whatever is damaged in it, found at once or later, becomes a `DataError`."""
    check_present(path, "an HDF5 file")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except ScsrError:
        raise
    except Exception as error:  # damaged bytes can make h5py raise anything
        raise DataError(f"{path}: not a readable HDF5 file ({reason(error)})") from None


def vector(file: h5py.File, name: str, kinds: str) -> npt.NDArray[Any]:
    """The one-dimensional array `name`, whose `np.dtype.kind` must be one of `kinds`.

    Raises:
        DataError: if it is missing or something else.
    """
    return np.asarray(_dataset(file, name, kinds)[()])


def lists(file: h5py.File, name: str, kinds: str) -> h5py.Dataset:
    """A one-dimensional dataset whose entries are arrays of varying length, to be read in slices.

    Raises:
        DataError: if it is missing or something else.
    """
    return _dataset(file, name, kinds, varying=True)


def _dataset(file: h5py.File, name: str, kinds: str, *, varying: bool = False) -> h5py.Dataset:
    where = f"{file.filename}: {name}"
    found: Any = file
    for part in name.split("/"):
        link = found.get(part, getlink=True) if isinstance(found, h5py.Group) else None
        if not isinstance(link, h5py.HardLink):
            raise DataError(f"{where} is missing")
        found = found[part]
    if not isinstance(found, h5py.Dataset) or found.ndim != 1 or found.external or found.is_virtual:
        raise DataError(f"{where} must be an array of one axis that lies in the file itself")
    if found.size * found.dtype.itemsize > MAX_BYTES:  # a file may leave out what was never written
        raise DataError(f"{where} has {found.size} entries, more than {MAX_BYTES} bytes")
    entry = h5py.check_vlen_dtype(found.dtype) if varying else found.dtype
    if entry is None or np.dtype(entry).kind not in kinds:
        raise DataError(f"{where} has dtype {found.dtype}; expected is kind {kinds!r}{' in lists' if varying else ''}")
    return found
