"""Archives of arrays: what is too large is refused before it is unpacked, and no pickle is opened."""

from __future__ import annotations

import io
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quant import archive
from quant.errors import DataError


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


NUMBERS = npy(np.array([1, 2], "<i4"))


def written(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as file:
        warnings.simplefilter("ignore")  # a name that stands twice
        for name, content in members:
            file.writestr(name, content)
    return path


def test_arrays_are_read_as_they_were_written(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    given = {
        "matrix": draw.integers(0, 9, (3, 4)),
        "by_columns": np.asfortranarray(draw.random((3, 4))),
        "scalar": np.int32(7),
        "empty": np.zeros(0, np.int8),
        "text": np.array(["a", "bc"]),
    }
    np.savez_compressed(tmp_path / "a.npz", **given)  # type: ignore[arg-type]
    found = archive.arrays(tmp_path / "a.npz", DataError)
    assert list(found) == list(given)
    for name, array in given.items():
        assert found[name].dtype == np.asarray(array).dtype
        assert np.array_equal(found[name], array)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("a.npy", NUMBERS)] * 2, "'a' stands twice"),
        ([("a.txt", b"no array")], "magic string is not correct"),
        ([("a.npy", NUMBERS + b"x")], "'a' is longer than its header says"),
        ([("a.npy", NUMBERS.replace(b"(2,)", b"(9,)"))], "EOF|cannot reshape"),
        ([("a.npy", NUMBERS.replace(b"(2,), ", b"(-2,),"))], "negative|-2"),
        ([("a.npy", npy(np.array([None])))], "allow_pickle=False"),
    ],
)
def test_what_an_archive_says_is_checked(tmp_path: Path, members: list[tuple[str, bytes]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        archive.arrays(written(tmp_path / "a.npz", *members), DataError)


def test_a_single_array_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(NUMBERS)
    with pytest.raises(DataError, match="not a zip file"):
        archive.arrays(tmp_path / "a.npz", DataError)


def test_the_limit_is_that_of_what_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.npz", ("a.npy", npy(np.zeros(1 << 20))), method=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 15
    monkeypatch.setattr(archive, "memory_limit", lambda: (1 << 23) + 128)
    assert len(archive.arrays(path, DataError)["a"]) == 1 << 20
    monkeypatch.setattr(archive, "memory_limit", lambda: (1 << 23) + 127)
    with pytest.raises(DataError, match="8388736 bytes when unpacked; the limit on this machine is 8388735"):
        archive.arrays(path, DataError)


def test_a_member_that_unpacks_to_more_than_it_says_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.npz", ("a.npy", npy(np.zeros(1 << 20))), method=zipfile.ZIP_DEFLATED)
    real, said = ((1 << 23) + 128).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(real, said))
    with pytest.raises(DataError, match=r"CRC|EOF|cannot reshape"):
        archive.arrays(path, DataError)
