"""Zip archives that somebody made: their size is known before anything is unpacked, and no pickle is ever opened."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quant.errors import brief
from quant.files import MAX_BYTES, check_size

_MAX_MEMBERS = 1 << 16  # `zipfile` spends ten times as much on the list of members as the file does
_ENTRY = b"PK\x01\x02"  # how a member begins in that list
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # LZMA may ask for gigabytes before it gives a byte
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def members(path: Path) -> dict[str, bytes]:
    """The members of an archive by name.

    Raises:
        ScsrError: if the file is too large.
        ValueError: if the archive is, or a name stands twice.
        Exception: anything, if the file is damaged.
    """
    check_size(path)
    content = path.read_bytes()
    if content.count(_ENTRY) > _MAX_MEMBERS:
        raise ValueError(f"more than {_MAX_MEMBERS} members")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        size = sum(entry.file_size for entry in entries)
        if size > MAX_BYTES:
            raise ValueError(f"{size} bytes when unpacked; the limit is {MAX_BYTES}")
        found: dict[str, bytes] = {}
        for entry in entries:
            if entry.filename in found:
                raise ValueError(f"{brief(entry.filename)} stands twice")
            if entry.compress_type not in _METHODS:
                raise ValueError(f"{brief(entry.filename)} is packed in an unusual way")
            with archive.open(entry) as file:  # not `archive.read`, which unpacks more than the entry says
                found[entry.filename] = file.read(entry.file_size)
    return found


def arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an `.npz` file by name, read-only.

    Raises:
        Exception: anything, as `members`, also if a member is no array of plain numbers or texts.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what NumPy only warns about, nobody writes today
        return {name.removesuffix(".npy"): _array(name, content) for name, content in members(path).items()}


def _array(name: str, content: bytes) -> npt.NDArray[Any]:
    if not name.endswith(".npy"):
        raise ValueError(f"{brief(name)} is no array")
    file = io.BytesIO(content)
    shape, by_columns, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
    size = len(content) - file.tell()
    if dtype.hasobject or min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"{brief(name)} has {size} bytes; its header says {brief(shape)} of {dtype}")
    return np.ndarray(shape, dtype, content, file.tell(), order="F" if by_columns else "C")
