"""Reading files of data sets: each surprise becomes one line."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from quant.errors import DataError
from trainer.frontend.ear import Sound

_DAMAGE = (ValueError, OSError, EOFError, KeyError, MemoryError, zipfile.BadZipFile, zlib.error, struct.error)


def check_present(path: Path, expected: str) -> None:
    """Refuse data that lack the file `path`, with the layout that is `expected`."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; expected is {expected}")


def read_npz(path: Path, kinds: Mapping[str, tuple[str, int]]) -> dict[str, npt.NDArray[Any]]:
    """Arrays of an `.npz` file, none of them pickled.

    Args:
        path: the file.
        kinds: name of each array to the kinds of dtype allowed, as in `np.dtype.kind`, and the number of axes.

    Raises:
        DataError: if the file is damaged or an array is missing or of another kind.
    """
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if not isinstance(loaded, np.lib.npyio.NpzFile):
                raise DataError(f"{path}: a single array; expected is an .npz file of {', '.join(kinds)}")
            arrays = {name: loaded[name] for name in kinds if name in loaded.files}
    except _DAMAGE as error:
        raise DataError(f"{path}: not a readable .npz file of plain arrays ({error})") from None
    for name, (kind, axes) in kinds.items():
        if name not in arrays:
            raise DataError(f"{path}: array {name!r} is missing; there should be {', '.join(kinds)}")
        if arrays[name].dtype.kind not in kind or arrays[name].ndim != axes:
            found = arrays[name]
            raise DataError(
                f"{path}: {name} is {found.dtype} of shape {found.shape}; expected is kind {kind!r} of {axes} axes"
            )
    return arrays


def read_sound(path: Path) -> Sound:
    """One recording of a single channel, as int16.

    Raises:
        DataError: if the file is damaged, empty or has several channels.
    """
    try:
        samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError(f"{path}: not a readable recording ({error})") from None
    if samples.shape[1] != 1 or not len(samples):
        raise DataError(f"{path}: {len(samples)} samples of {samples.shape[1]} channels; a recording has one channel")
    return Sound(samples[:, 0], rate_hz)
