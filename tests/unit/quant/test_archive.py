"""Archives that lie about themselves are refused before they are unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from bench.mutations import archive, bomb, npy_header, stored
from quant import archive as archives
from quant.errors import ScsrError
from quant.files import MAX_BYTES

NUMBERS = npy_header("<i4", "(2,)") + bytes(8)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "a.npz"
    path.write_bytes(content)
    return path


def test_arrays_are_read_as_numpy_reads_them(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    given = {
        "matrix": draw.integers(0, 9, (3, 4)),
        "by_columns": np.asfortranarray(draw.random((3, 4))),
        "scalar": np.int32(7),
        "empty": np.zeros(0, np.int8),
        "text": np.array(["a", "bc"]),
    }
    np.savez_compressed(tmp_path / "a.npz", **given)  # type: ignore[arg-type]
    found = archives.arrays(tmp_path / "a.npz")
    assert list(found) == list(given)
    for name, array in given.items():
        assert found[name].dtype == np.asarray(array).dtype
        assert np.array_equal(found[name], array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive([bomb("a.npy", MAX_BYTES)]), "bytes when unpacked; the limit is 268435456"),
        (archive([bomb("a.npy", 2**21, said=100)]), "CRC"),
        (archive([stored("a.npy", NUMBERS)] * 2), "'a.npy' stands twice"),
        (archive([stored("a.txt", b"")]), "'a.txt' is no array"),
        (archive([stored("a.npy", npy_header("<i4", f"({2**62},)"))]), "'a.npy' has 0 bytes; its header says"),
        (archive([stored("a.npy", npy_header("<i4", "(-2, -1)") + bytes(8))]), "'a.npy' has 8 bytes; its header says"),
        (archive([stored("a.npy", npy_header("|O", "(1,)") + bytes(8))]), "'a.npy' has 8 bytes; its header says"),
        (archive(stored(str(number), b"") for number in range(65535)) * 2, "more than 65536 members"),
    ],
)
def test_what_an_archive_says_is_checked(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises((ValueError, zipfile.BadZipFile)) as refused:
        archives.arrays(written(tmp_path, content))
    assert message in str(refused.value)


def test_a_packing_that_needs_gigabytes_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_LZMA) as file:
        file.writestr("a.npy", NUMBERS)
    with pytest.raises(ValueError, match="unusual way"):
        archives.arrays(tmp_path / "a.npz")


def test_a_file_of_holes_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.npz").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ScsrError, match="1099511627776 bytes; the limit is"):
        archives.arrays(tmp_path / "a.npz")
