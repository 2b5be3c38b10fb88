"""The arrays of an `.npz` file, of which no pickle is ever opened."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quant.errors import ScsrError, brief, reason
from quant.files import memory_limit


def to_bytes(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """The content of an `.npz` file; equal arrays give equal bytes."""
    given: dict[str, Any] = dict(arrays)
    np.savez_compressed(buffer := io.BytesIO(), **given)
    return buffer.getvalue()


def arrays(path: Path, error: type[ScsrError]) -> dict[str, npt.NDArray[Any]]:
    """The arrays by name.

    Raises:
        ScsrError: of the type `error`, if the file is damaged, a member is no array of plain numbers or texts, a name
            stands twice, or the arrays are too large for this machine.
    """
    found: dict[str, npt.NDArray[Any]] = {}
    try:
        # What NumPy only warns about, nobody writes today
        with warnings.catch_warnings(action="error"), zipfile.ZipFile(path) as archive:
            size, limit = sum(entry.file_size for entry in archive.infolist()), memory_limit()
            if size > limit:
                raise ValueError(f"{size} bytes when unpacked; the limit on this machine is {limit}")
            for entry in archive.infolist():
                name = entry.filename.removesuffix(".npy")
                if name in found:
                    raise ValueError(f"{brief(name)} stands twice")
                with archive.open(entry) as file:
                    found[name] = np.lib.format.read_array(file, allow_pickle=False)
                    if file.read(1):
                        raise ValueError(f"{brief(name)} is longer than its header says")
    except Exception as problem:  # damaged bytes can make zipfile and NumPy raise anything
        raise error(f"{path}: not a readable .npz file of plain arrays ({reason(problem)})") from None
    return found
