"""The readers that `bench.hostile` examines, valid files for each, and their inputs by number."""

from __future__ import annotations

import io
import re
import tempfile
import tomllib
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

from bench import crafted
from bench.crafted import Cases
from bench.mutations import Mutation, damaged, json_text, npy, pickled, safetensors, toml, zipped
from hwgen.core.build import make_build
from hwgen.core.folder import open_build
from hwgen.core.folding import DEFAULT_FOLDING
from quant import export, spikes, store
from quant.spikes import SpikeSet
from trainer import checkpoint, config
from trainer.data import fsdd, heidelberg
from trainer.data.binning import TimeBins
from trainer.data.disk import read_sound
from trainer.data.mnist import read_idx
from trainer.data.ntidigits import NTidigits
from trainer.data.spikelists import read_rows
from trainer.data.splits import Official
from trainer.integers import integers
from trainer.losses import LOSSES
from trainer.network import Network

CONFIGURATION = """\
name = "hostile"

[data]
name = "spike_files"
train = "train.npz"
test = "test.npz"
raw_channels = 3
class_names = ["a", "b"]

[[network.layers]]
neurons = 4
sources = [0]
self_recurrent = true
leak_bits = 8

[[network.layers]]
neurons = 2
sources = [1, 0]
"""


@cache
def network() -> Network:
    """The small network that the valid files are of."""
    return Network(config.from_table(tomllib.loads(CONFIGURATION)))


def spike_files() -> tuple[bytes, ...]:
    samples = SpikeSet(
        channels=3,
        steps=np.array([4, 1, 7], dtype=np.int32),
        label=np.array([0, -1, 1], dtype=np.int32),
        offset=np.array([0, 3, 3, 7], dtype=np.int64),
        step=np.array([0, 0, 3, 1, 2, 2, 6], dtype=np.int32),
        channel=np.array([0, 2, 1, 1, 0, 1, 2], dtype=np.int32),
    )
    plain = io.BytesIO()
    arrays: dict[str, Any] = dict(spikes.plain_arrays(samples))
    np.savez(plain, **arrays)
    return spikes.to_bytes(samples), plain.getvalue()


def checkpoints() -> tuple[bytes, ...]:
    repr(network().layers[0].weight)  # PyTorch loads what it shows tensors with when it refuses the first one
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ckpt.pt"
        checkpoint.write(path, checkpoint.product(network(), network().state_dict()))
        return (path.read_bytes(),)


def read_checkpoint(path: Path) -> None:
    """Both readers of a checkpoint: of its integers, and of its networks."""
    export.load(path)
    checkpoint.restore(export.read_checkpoint(path), path)


def configurations() -> tuple[bytes, ...]:
    """Every data set and every loss once, and the configurations that the project comes with."""
    root = Path(__file__).resolve().parents[1]
    page = (root / "docs" / "data.md").read_text(encoding="utf-8")
    data = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    head, _, rest = CONFIGURATION.partition("\n\n")
    layers = rest[rest.index("[[") :]
    made = [
        CONFIGURATION,
        *(f"{CONFIGURATION}\n[train.loss]\nname = {name!r}\n" for name in LOSSES),
        *(f"{head}\n\n{section}\n{layers}" for section in data),
    ]
    return (*map(str.encode, made), *(path.read_bytes() for path in sorted((root / "configs").rglob("*.toml"))))


@cache
def build_files() -> Mapping[str, bytes]:
    return make_build(integers(network()), DEFAULT_FOLDING, None).files


def recordings() -> tuple[bytes, ...]:
    wav = io.BytesIO()
    with wave.open(wav, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(range(200)))
    nist = b"NIST_1A\n   1024\nsample_count -i 4\nsample_n_bytes -i 2\nchannel_count -i 1\nsample_rate -i 8000\n"
    nist += b"sample_byte_format -s2 01\nsample_coding -s3 pcm\nend_head\n"
    return wav.getvalue(), nist.ljust(1024) + bytes(8)


def sound_archives() -> tuple[bytes, ...]:
    buffer = io.BytesIO()
    two = np.array([1, 2])
    np.savez(
        buffer,
        audio=np.zeros(3, np.int16),
        length=two,
        label=two,
        take=two,
        speaker=np.array(["a", "b"]),
        rate=np.int64(8000),
    )
    return (buffer.getvalue(),)


def event_files() -> tuple[bytes, ...]:
    return tuple(_event_file(**stored) for stored in ({}, {"chunks": (2,), "compression": "gzip", "shuffle": True}))


def _event_file(**stored: Any) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        kinds = {"times": np.float32, "units": np.int32}
        for name, kind in kinds.items():
            lists = file.create_dataset(f"spikes/{name}", (2,), h5py.vlen_dtype(kind), **stored)
            lists[0], lists[1] = np.array([0.01, 0.02], kind), np.array([0.5], kind)
        file["labels"] = np.array([0, 1])
    return buffer.getvalue()


def digit_files() -> tuple[bytes, ...]:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for part, names in {
            "train": [f"man-ae-{take}-{digits}" for digits in ("1", "o", "z", "12") for take in "ab"],
            "test": ["woman-bh-b-z"],
        }.items():
            for name in names:
                file[f"{part}_timestamps/{name}"] = np.array([0.01, 0.02], np.float32)
                file[f"{part}_addresses/{name}"] = np.array([5, 63], np.int16)
            file[f"{part}_labels"] = np.array(names, "S")
    return (buffer.getvalue(),)


def read_digits(path: Path) -> None:
    NTidigits(str(path), split=Official(validation=0.5)).load()


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader, and where its hostile input comes from.

    Attributes:
        file: what the file is called.
        seeds: valid files.
        mutate: damage that knows the format, which two thirds of the inputs get; the others are cut, flipped, ...
        cases: crafted files, made from the first of the seeds.
        read: the reader.
        beside: what else lies in the folder.
    """

    file: str
    seeds: Callable[[], tuple[bytes, ...]]
    mutate: Mutation
    cases: Callable[[bytes], Cases]
    read: Callable[[Path], object]
    beside: Callable[[], Mapping[str, bytes]] = dict


READERS = {
    "checkpoint": Reader("ckpt.pt", checkpoints, zipped(pickled), crafted.checkpoints, read_checkpoint),
    "model": Reader(
        "m.safetensors", lambda: (store.to_bytes(integers(network())),), safetensors, crafted.models, export.load
    ),
    "spikes": Reader("s.npz", spike_files, zipped(npy), crafted.spikes, spikes.read),
    "config": Reader("c.toml", configurations, toml, crafted.configurations, config.read),
    "manifest": Reader(
        "manifest.json",
        lambda: (build_files()["manifest.json"],),
        json_text,
        crafted.manifests,
        lambda path: open_build(path.parent),
        beside=build_files,
    ),
    "sound archive": Reader(
        "a.npz",
        sound_archives,
        zipped(npy),
        lambda seed: {**crafted.special(seed), **crafted.arrays(seed, "audio.npy")},
        fsdd.read_recordings,
    ),
    "spike list": Reader("a_u1_c1.dat", lambda: (b"-1\t-1\n3\t7\n0\t1\n-1\t-1\n",), damaged, crafted.lists, read_rows),
    "IDX": Reader(
        "images-idx3-ubyte",
        lambda: (b"\0\0\x08\x03\0\0\0\1\0\0\0\x1c\0\0\0\x1c" + bytes(784),),
        damaged,
        crafted.images,
        lambda path: read_idx(path, 3),
    ),
    "recording": Reader("r.wav", recordings, damaged, crafted.sounds, read_sound),
    "HDF5 lists": Reader(
        "shd_train.h5",
        event_files,
        damaged,
        crafted.events,
        lambda path: heidelberg.read(path, ("0", "1"), TimeBins(clock=4)),
    ),
    "HDF5 groups": Reader("n-tidigits.hdf5", digit_files, damaged, crafted.digits, read_digits),
}


class Inputs:
    """The inputs of a reader by their number."""

    def __init__(self, name: str, reader: Reader, seed: int) -> None:
        self._reader, self._origin = reader, f"{seed} {name}"
        self._seeds = reader.seeds()
        self._cases = reader.cases(self._seeds[0])
        self.names = list(self._cases)

    def name(self, number: int) -> str:
        """What the input is called."""
        return self.names[number] if number < len(self.names) else "drawn"

    def place(self, number: int, path: Path) -> None:
        """Put the input where its reader will look for it."""
        self.clear(path)
        content = self._cases[self.names[number]] if number < len(self.names) else self._drawn(number)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)

    def clear(self, path: Path) -> None:
        """Take the input away."""
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)

    def _drawn(self, number: int) -> bytes:
        draw = Random(f"{self._origin} {number}")
        mutate = self._reader.mutate if draw.random() < 2 / 3 else damaged
        return mutate(draw, draw.choice(self._seeds))
