"""MNIST: hand-made IDX files, the codes, and files that are not as expected."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from quant.errors import ConfigError, DataError
from trainer.data import mnist
from trainer.data.mnist import Mnist, read_idx
from trainer.data.splits import Official


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 0x800 | array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def images(count: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return draw.integers(0, 256, (count, 28, 28)) * (draw.random((count, 28, 28)) < 0.3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, count in (("train", 40), ("t10k", 20)):
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images(count, count))))
        (tmp_path / f"{name}-labels-idx1-ubyte").write_bytes(idx(np.arange(count) % 10))
    return tmp_path


@pytest.mark.parametrize("code", ["rate", "regular", "latency"])
def test_the_parts(folder: Path, code: str) -> None:
    options = Mnist(str(folder), code=code, steps=8, split=Official(validation=0.25))  # type: ignore[arg-type]
    assert (options.channels, options.classes) == (784, tuple("0123456789"))
    parts = options.load()
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 30, "validation": 10, "test": 20}
    for samples in parts.values():
        assert (samples.steps == 8).all()
        assert len(samples.step) > 1000
    np.testing.assert_array_equal(parts["test"].label, np.arange(20) % 10)


def test_latency_is_bright_first_and_black_never() -> None:
    image = np.arange(256, dtype=np.uint8).repeat(4)[:784][None]
    samples = Mnist("", code="latency", steps=10).encode(image, np.array([3]))
    value = image[0, samples.channel].astype(int)
    assert len(samples.step) == np.count_nonzero(image) > 700
    np.testing.assert_array_equal(samples.step, [(255 - v) * 10 // 255 for v in value])
    white = Mnist("", code="latency", steps=10).encode(np.full((1, 784), 255, np.uint8), np.array([0]))
    assert len(white.step) == 784
    assert not white.step.any()


@pytest.mark.parametrize("pixels", [1, 28])
def test_a_sequence_shows_some_pixels_after_others(pixels: int) -> None:
    given, levels, steps = images(3, 5).reshape(3, 784), 4, 784 // pixels
    reached = Mnist("", code="levels", pixels=pixels, levels=levels)
    shown = reached.encode(given, np.arange(3)).dense(slice(0, 3))
    assert shown.shape == (steps, 3, reached.channels)
    heights = shown.reshape(steps, 3, levels, pixels).sum(axis=2).transpose(1, 0, 2).reshape(3, 784)
    np.testing.assert_array_equal(heights, given.astype(int) * levels // 255)
    assert set(np.unique(heights)) == set(range(levels + 1))

    crossed = Mnist("", code="crossings", pixels=pixels, levels=levels)
    changes = crossed.encode(given, np.arange(3)).dense(slice(0, 3)).astype(int)
    assert changes.shape == (steps, 3, crossed.channels)
    up, down = np.split(changes, 2, axis=2)
    np.testing.assert_array_equal(np.cumsum(up - down, axis=0), shown)
    assert not (up & down).any()


def test_rows_of_unequal_length_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"data.pixels is 30; it must divide the 784 pixels"):
        Mnist("", code="levels", pixels=30)
    assert Mnist("", code="rate", pixels=30).channels == 784


def test_regular_spikes_are_as_many_as_the_pixels_say() -> None:
    image = np.arange(256, dtype=np.uint8).repeat(4)[:784][None]
    dense = Mnist("", code="regular", steps=40, rate=0.7).encode(image, np.array([3])).dense(slice(0, 1))[:, 0]
    assert (np.abs(dense.sum(axis=0) - 40 * 0.7 * image[0] / 255) < 1).all()
    assert dense.sum() > 5000
    (steps,) = np.nonzero(dense[:, image[0] == 195][:, 0])
    assert set(np.diff(steps)) <= {1, 2}  # 1.87 on average
    assert len(np.unique(dense[:, image[0] == 195], axis=1).T) > 1  # they begin anywhere


def test_rates_are_the_pixels() -> None:
    image = np.linspace(0, 255, 784).astype(np.uint8)[None]
    samples = Mnist("", steps=1000, rate=0.4).encode(image, np.array([0]))
    counts = np.bincount(samples.channel, minlength=784)
    np.testing.assert_allclose(counts / 1000, image[0] / 255 * 0.4, atol=0.08)
    assert counts.sum() / 784_000 == pytest.approx(0.2, abs=0.005)


def test_an_image_is_coded_alike_in_any_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    given, label = images(7, 3).reshape(7, 784).astype(np.uint8), np.arange(7)
    whole = Mnist("").encode(given, label)
    monkeypatch.setattr(mnist, "_AT_A_TIME", 2)
    parts = Mnist("").encode(given, label)
    assert len(whole.step) > 1000
    np.testing.assert_array_equal(parts.step, whole.step)
    np.testing.assert_array_equal(parts.channel, whole.channel)
    other = Mnist("", seed=2).encode(given, label)
    assert len(other.step) != len(whole.step) or (other.channel != whole.channel).any()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (idx(np.zeros((2, 28, 28)))[:-1], "shorter than its header says"),
        (idx(np.zeros((2, 28, 28))) + b"0", "longer than its header says"),
        (idx(np.zeros(5)), "not an IDX file of bytes with 3 axes"),
        (b"\0\0", "not an IDX file"),
        (struct.pack(">4I", 0x803, 2**31, 2**31, 2**31), "9903520314283042199192993792 bytes; the limit"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "packed.gz").write_bytes(gzip.compress(content))
    for name in ("plain", "packed.gz"):
        with pytest.raises(DataError, match=message):
            read_idx(tmp_path / name, 3)


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.gz"
    whole = gzip.compress(idx(images(3, 1)))
    for content in (whole[:-20], whole[:60] + bytes([whole[60] ^ 255]) + whole[61:], b"nothing"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"some.gz: "):
            read_idx(path, 3)


def test_labels_and_images_must_fit(folder: Path) -> None:
    path = folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(idx(np.zeros(19)))
    with pytest.raises(DataError, match=r"19 labels for images of shape \(20, 28, 28\)"):
        Mnist(str(folder)).load()
    path.write_bytes(idx(np.full(20, 10)))
    with pytest.raises(DataError, match="sample 0 has label 10"):
        Mnist(str(folder)).load()
    path.unlink()
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte: no such file; expected is a folder"):
        Mnist(str(folder)).load()
