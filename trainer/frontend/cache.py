"""A cache of spike trains, by the digest of everything that they depend on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from quant import spikes
from quant.errors import DataError, SpikeFileError
from quant.files import write_atomic
from quant.formats import IntArray
from quant.spikes import SpikeSet


def remembered(path: Path, channels: int, steps: IntArray, compute: Callable[[], SpikeSet]) -> SpikeSet:
    """The spike file at `path` if it is valid and has the expected shape; otherwise compute the samples and store them.

    Args:
        path: its name carries the digest.
        channels, steps: what the samples must have.
        compute: gives the samples.

    Raises:
        DataError: if the file cannot be written.
    """
    with contextlib.suppress(SpikeFileError):  # missing, damaged or cut: computed anew
        found = spikes.read(path)
        if found.channels == channels and np.array_equal(found.steps, steps):
            return found
    computed = compute()
    try:
        write_atomic(path, spikes.to_bytes(computed))
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}); name another folder by `cache`") from None
    return computed
