"""Reading the files of data sets; whatever is wrong with one becomes a one-line error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt
import soundfile

from quant import archive
from quant.errors import DataError, reason
from quant.files import check_size, memory_limit
from trainer.frontend.ear import Sound

_SAMPLE_BYTES = 32  # what the front end makes of a sample; compressed silence may be years


def check_present(path: Path, expected: str) -> None:
    """Check that the file `path` exists; the error says which layout is `expected`."""
    if not path.is_file():
        raise DataError(f"{path.absolute()}: no such file; expected is {expected}")


def read_npz(path: Path, kinds: Mapping[str, tuple[str, int]]) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an `.npz` file; pickled ones are refused.

    Args:
        path: the file.
        kinds: name of each array to the kinds of dtype allowed, as in `np.dtype.kind`, and the number of axes.

    Raises:
        DataError: if the file is damaged or an array is missing or of another kind.
    """
    arrays = archive.arrays(path, DataError)
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
    check_present(path, "a recording")
    check_size(path)
    try:
        with soundfile.SoundFile(path) as file:
            most = memory_limit() // _SAMPLE_BYTES
            if file.channels != 1 or not 1 <= file.frames <= most:
                raise DataError(
                    f"{path}: {file.frames} samples of {file.channels} channels; "
                    f"a recording has one channel and 1..{most} samples"
                )
            samples, rate_hz = file.read(dtype="int16"), file.samplerate
    except (soundfile.LibsndfileError, OSError, RuntimeError, ValueError) as error:
        raise DataError(f"{path}: not a readable recording ({reason(error)})") from None
    if not len(samples):
        raise DataError(f"{path}: no samples, though its header says so; is the file cut?")
    return Sound(samples, rate_hz)
