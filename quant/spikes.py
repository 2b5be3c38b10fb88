"""Spike trains with labels, in memory and on disk (docs/formats.md)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from quant import archive
from quant.errors import SpikeFileError, brief
from quant.files import memory_limit
from quant.formats import IntArray

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

_DTYPES: dict[str, np.dtype[Any]] = {
    "channels": np.dtype("<i4"),
    "steps": np.dtype("<i4"),
    "label": np.dtype("<i4"),
    "offset": np.dtype("<i8"),
    "step": np.dtype("<i4"),
    "channel": np.dtype("<i4"),
}
_MAX_CHANNELS = 32768


@dataclass(frozen=True, slots=True, eq=False)
class SpikeSet:
    """Samples as lists of events.

    Attributes:
        channels: number of input channels.
        steps: int32 `(S,)`, time steps of each sample.
        label: int32 `(S,)`, class index or -1.
        offset: int64 `(S + 1,)`, events of sample `s` are `offset[s] : offset[s + 1]`.
        step, channel: int32 `(E,)`, ordered by step, then channel, within a sample.

    Raises:
        SpikeFileError: on construction, if the parts do not fit together.
    """

    channels: int
    steps: IntArray
    label: IntArray
    offset: IntArray
    step: IntArray
    channel: IntArray

    def __post_init__(self) -> None:
        count, events = len(self.steps), len(self.step)
        if not 1 <= self.channels <= _MAX_CHANNELS:
            raise SpikeFileError(f"channels is {self.channels}; allowed is 1..{_MAX_CHANNELS}")
        if len(self.label) != count:
            raise SpikeFileError(f"label has {len(self.label)} entries for {count} samples")
        if len(self.offset) != count + 1:
            raise SpikeFileError(f"offset has {len(self.offset)} entries; {count} samples need {count + 1}")
        if len(self.channel) != events:
            raise SpikeFileError(f"channel has {len(self.channel)} entries, step has {events}")
        _refuse_first("steps", self.steps, self.steps < 1, "at least 1")
        _refuse_first("label", self.label, self.label < -1, "a class index or -1")
        falls = self.offset[1:] < self.offset[:-1]  # the difference of the two could overflow
        if self.offset[0] != 0 or self.offset[-1] != events or falls.any():
            raise SpikeFileError(f"offset must rise from 0 to the number of events, {events}, without falling")
        sizes = np.diff(self.offset)
        limit = np.repeat(self.steps, sizes)
        _refuse_first("step", self.step, (self.step < 0) | (self.step >= limit), "0 up to the sample's last step")
        channel_wrong = (self.channel < 0) | (self.channel >= self.channels)
        _refuse_first("channel", self.channel, channel_wrong, f"0..{self.channels - 1}")
        later, same = self.step[1:] > self.step[:-1], self.step[1:] == self.step[:-1]
        disorder = np.zeros(events, dtype=np.bool_)
        disorder[1:] = ~(later | same & (self.channel[1:] > self.channel[:-1]))
        disorder[self.offset[:-1][sizes > 0]] = False  # a sample's first event may come before the last of another
        _refuse_first("channel", self.channel, disorder, "ordered by step, ascending within a step, without repeats")

    def __len__(self) -> int:
        return len(self.steps)

    def check_channels(self, inputs: int) -> None:
        """Refuse samples for a network of another number of inputs.

        Raises:
            SpikeFileError: naming both numbers.
        """
        if self.channels != inputs:
            raise SpikeFileError(
                f"the spikes have {self.channels} channels; the network has {inputs} inputs: "
                "make them like those that it was trained with"
            )

    def dense(self, samples: slice) -> npt.NDArray[np.bool_]:
        """The chosen samples as bool `(T, batch, channels)`, T being the longest; False after a sample's end."""
        first, stop, _ = samples.indices(len(self))
        steps = int(self.steps[first:stop].max())
        if steps * (stop - first) * self.channels > memory_limit():
            raise SpikeFileError(f"a sample of {steps} steps of {self.channels} channels is too long to be run; cut it")
        spikes = np.zeros((steps, stop - first, self.channels), dtype=np.bool_)
        events = slice(int(self.offset[first]), int(self.offset[stop]))
        sample = np.repeat(np.arange(stop - first), np.diff(self.offset[first : stop + 1]))
        spikes[self.step[events], sample, self.channel[events]] = True
        return spikes

    def part(self, first: int, samples: int) -> SpikeSet:
        """The `samples` samples from number `first` on."""
        chosen, offset = slice(first, first + samples), self.offset[first : first + samples + 1]
        events = slice(int(offset[0]), int(offset[-1]))
        return SpikeSet(
            channels=self.channels,
            steps=self.steps[chosen],
            label=self.label[chosen],
            offset=offset - offset[0],
            step=self.step[events],
            channel=self.channel[events],
        )

    def head(self, samples: int) -> SpikeSet:
        """The first `samples` samples."""
        return self.part(0, samples)


def from_dense(spikes: npt.NDArray[np.bool_], steps: IntArray, label: IntArray) -> SpikeSet:
    """The inverse of `SpikeSet.dense`: `spikes` is `(T, S, channels)`, False after a sample's end."""
    sample, step, channel = np.nonzero(spikes.transpose(1, 0, 2))
    offset = np.searchsorted(sample, np.arange(len(steps) + 1))
    arrays = {"steps": steps, "label": label, "offset": offset, "step": step, "channel": channel}
    return SpikeSet(spikes.shape[2], **{name: array.astype(_DTYPES[name]) for name, array in arrays.items()})


def to_bytes(samples: SpikeSet) -> bytes:
    """The spike file's content; equal sets give equal bytes."""
    return archive.to_bytes(plain_arrays(samples))


def plain_arrays(samples: SpikeSet) -> dict[str, IntArray]:
    """The arrays of a spike file by name."""
    return {name: np.asarray(getattr(samples, name), dtype) for name, dtype in _DTYPES.items()}


def read(path: Path) -> SpikeSet:
    """Read and validate a spike file.

    Raises:
        SpikeFileError: if the file breaks its format in any way.
    """
    if not path.is_file():
        raise SpikeFileError(f"{path}: no such file; `python -m trainer spikes` writes one")
    arrays = archive.arrays(path, SpikeFileError)
    for name in _DTYPES:
        if name not in arrays:
            raise SpikeFileError(f"{path}: array {name!r} is missing")
    for name, array in arrays.items():
        if name not in _DTYPES:
            raise SpikeFileError(f"{path}: array {brief(name)} is unknown; allowed are {', '.join(_DTYPES)}")
        if array.dtype.kind not in "iu":
            raise SpikeFileError(f"{path}: {name} has dtype {array.dtype}; it must be {_DTYPES[name]}")
        if array.ndim != (0 if name == "channels" else 1):
            wanted = "()" if name == "channels" else "(n,)"
            raise SpikeFileError(f"{path}: {name} has shape {array.shape}; it must be {wanted}")
    try:
        given = {name: _narrowed(name, array) for name, array in arrays.items()}
        return SpikeSet(**{**given, "channels": int(given["channels"])})  # type: ignore[arg-type]
    except SpikeFileError as error:
        raise SpikeFileError(f"{path}: {error}") from None


def _narrowed(name: str, array: IntArray) -> IntArray:
    """Integers of any type as those of the format."""
    dtype = _DTYPES[name]
    if array.size and array.dtype != dtype and (array.astype(dtype) != array).any():
        raise SpikeFileError(f"{name} holds numbers of {array.dtype} that do not fit {dtype}")
    return array.astype(dtype)


def _refuse_first(name: str, array: IntArray, wrong: npt.NDArray[np.bool_], allowed: str) -> None:
    if wrong.any():
        position = int(np.argmax(wrong))
        raise SpikeFileError(f"{name}[{position}] is {array[position]}; allowed is {allowed}")
