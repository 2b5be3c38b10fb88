"""Images of 28 x 28 pixels: MNIST and others in its format, coded into spikes, all pixels at once or one after another.

Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-based learning applied to document recognition, Proceedings of
the IEEE 86, 1998. The folder has `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
`t10k-labels-idx1-ubyte`, plain or with `.gz`.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from quant.errors import ConfigError, DataError, reason
from quant.files import memory_limit
from quant.formats import IntArray
from quant.spikes import SpikeSet, Split, from_dense
from trainer.data.disk import check_present
from trainer.data.labelled import check_labels, unnamed
from trainer.data.splits import PLAIN, Official, Partition, Seed, divide
from trainer.events import join
from trainer.schema import FilePath, Named, Range

SIDE = 28

_FILES = {"train": "train", "test": "t10k"}
_LAYOUT = "a folder with the four files of MNIST, plain or .gz"
_BYTES = 8  # the type "unsigned byte" of the IDX format
_AT_A_TIME = 250  # images; bounds the memory
_OF_A_LEVEL = {"levels": 1, "crossings": 2}  # channels for each level of a pixel, by the codes that make a sequence

Images = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Mnist:
    """Options of the data set.

    Attributes:
        path: the folder of the four files.
        code: "rate", in each step a pixel of value `v` spikes with probability `rate * v / 255`, drawn from `seed` and
            the image's number; "regular", it spikes as often, in even intervals, whose beginning `seed` draws for each
            pixel; "latency", a pixel spikes once, bright ones first, black ones never. The image as a sequence, with
            `pixels` in each step: "levels", a pixel has a channel for each of `levels` equal steps of brightness, and
            those that it reaches spike; "crossings", the same channels twice: the first half spikes where "levels"
            begins to since the step before, the second where it ends. Before the first step, all is black.
        steps: time steps per image, for "rate", "regular" and "latency".
        rate: of a white pixel, for "rate" and "regular".
        pixels: shown in each step of a sequence, a divisor of 784; 28 are a row.
        levels: of brightness, for sequences.
        seed: draws the spikes of "rate", and where "regular" begins.
        permutation: draws an order of the pixels, the same for all images; 0: as they are.
        split: which images test.
    """

    path: FilePath
    code: Literal["rate", "regular", "latency", "levels", "crossings"] = "rate"
    steps: Annotated[int, Range(1, 1000)] = 20
    rate: Annotated[float, Range(0.001, 1.0)] = 0.5
    pixels: Annotated[int, Range(1, SIDE * SIDE)] = SIDE
    levels: Annotated[int, Range(1, 255)] = 4
    seed: Seed = 1
    permutation: Seed = 0
    split: Annotated[Partition, Named(PLAIN)] = Official()

    def __post_init__(self) -> None:
        if self.code in _OF_A_LEVEL and SIDE * SIDE % self.pixels:
            raise ConfigError(f"data.pixels is {self.pixels}; it must divide the {SIDE * SIDE} pixels, as 28 does")

    @property
    def channels(self) -> int:
        return self.pixels * self.levels * _OF_A_LEVEL[self.code] if self.code in _OF_A_LEVEL else SIDE * SIDE

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(str(digit) for digit in range(10))

    def load(self) -> Mapping[Split, SpikeSet]:
        parts = {part: self._read(part) for part in _FILES}
        images = np.concatenate([part for part, _ in parts.values()])
        label = np.concatenate([part for _, part in parts.values()])
        names = np.repeat(list(parts), [len(part) for _, part in parts.values()])
        return divide(unnamed(self.encode(images, label), names), self.split)

    def encode(self, images: Images, label: IntArray) -> SpikeSet:
        """Spike trains of images `(S, 784)`."""
        if self.permutation:
            images = images[:, np.random.default_rng(self.permutation).permutation(images.shape[1])]
        starts = tqdm(range(0, len(images), _AT_A_TIME), desc="MNIST", unit="batch", leave=False, disable=None)
        coder = {
            "rate": self._by_rate,
            "regular": self._in_intervals,
            "latency": self._by_latency,
            "levels": self._by_level,
            "crossings": self._by_crossing,
        }[self.code]
        parts = []
        for start in starts:
            chosen = slice(start, start + _AT_A_TIME)
            coded = coder(images[chosen], start)
            parts.append(from_dense(coded, np.full(coded.shape[1], len(coded)), label[chosen]))
        return join(parts)

    def _by_rate(self, images: Images, first: int) -> Bools:
        spikes = np.empty((self.steps, *images.shape), dtype=np.bool_)
        for number, image in enumerate(images):
            draw = np.random.default_rng((self.seed, first + number))
            chance = image * np.float32(self.rate / 255)
            spikes[:, number] = draw.random((self.steps, image.size), dtype=np.float32) < chance
        return spikes

    def _in_intervals(self, images: Images, _: int) -> Bools:
        begin = np.random.default_rng(self.seed).random(images.shape[1])
        chance = images * (self.rate / 255)
        spikes: Bools = np.diff(np.floor(np.arange(self.steps + 1)[:, None, None] * chance + begin), axis=0) > 0
        return spikes

    def _by_latency(self, images: Images, _: int) -> Bools:
        step = (255 - images.astype(np.int64)) * self.steps // 255
        return step == np.arange(self.steps)[:, None, None]

    def _by_level(self, images: Images, _: int) -> Bools:
        shown = images.reshape(len(images), -1, 1, self.pixels).swapaxes(0, 1)
        reached = shown.astype(np.int64) * self.levels >= 255 * np.arange(1, self.levels + 1)[:, None]
        return reached.reshape(*reached.shape[:2], -1)

    def _by_crossing(self, images: Images, first: int) -> Bools:
        reached = self._by_level(images, first)
        before = np.concatenate([np.zeros_like(reached[:1]), reached[:-1]])
        return np.concatenate([reached & ~before, before & ~reached], axis=2)

    def _read(self, part: str) -> tuple[Images, IntArray]:
        folder = Path(self.path)
        images = read_idx(_present(folder / f"{_FILES[part]}-images-idx3-ubyte"), 3)
        path = _present(folder / f"{_FILES[part]}-labels-idx1-ubyte")
        label = read_idx(path, 1).astype(np.int64)
        if images.shape != (len(label), SIDE, SIDE):
            raise DataError(f"{path}: {len(label)} labels for images of shape {images.shape}; images are 28 x 28")
        check_labels(path, label, self.classes)
        return images.reshape(len(label), SIDE * SIDE), label


def read_idx(path: Path, axes: int) -> Images:
    """An array of bytes in the IDX format, plain or gzipped.

    Raises:
        DataError: if the file is damaged, or longer or shorter than its header says.
    """
    check_present(path, _LAYOUT)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            start = file.read(4 + 4 * axes)
            header = np.frombuffer(start[: len(start) // 4 * 4], dtype=">u4")
            if len(header) != 1 + axes or header[0] != _BYTES << 8 | axes:
                raise DataError(f"{path}: not an IDX file of bytes with {axes} axes")
            size = int(np.prod(header[1:].astype(object)))
            if size > memory_limit():
                raise DataError(f"{path}: its header says {size} bytes; the limit on this machine is {memory_limit()}")
            content = file.read(size + 1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DataError(f"{path}: not readable ({reason(error)})") from None
    if len(content) != size:
        raise DataError(
            f"{path}: {'longer' if len(content) > size else 'shorter'} than its header says; fetch it again"
        )
    return np.frombuffer(content, dtype=np.uint8).reshape(header[1:].astype(int))


def _present(path: Path) -> Path:
    """The file, or the file with `.gz`."""
    packed = path.with_name(f"{path.name}.gz")
    if not packed.is_file():
        check_present(path, _LAYOUT)
        return path
    return packed
