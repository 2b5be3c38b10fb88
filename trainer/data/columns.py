"""Events as columns of numbers, from the files that people have: text, NumPy's arrays, AEDAT4.

Columns are found by their names where the file gives names (a header line, fields of a structured array, arrays of an
`.npz` file), by their places elsewhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quant import archive, reader
from quant.errors import DataError, ToolError, reason
from quant.files import check_size, memory_limit
from trainer.data.disk import check_present

Columns = Mapping[str, npt.NDArray[Any]]

TEXTS = ("label", "sample", "speaker", "part")  # columns that may hold words
IGNORED = "_"
_TIMES = 8  # what NumPy makes of a line takes so many times its memory


def read(path: Path, names: Sequence[str]) -> Columns:
    """The columns `names` of a file of events, float64 `(E,)` each; those of `TEXTS` as str.

    Args:
        path: its suffix says of which kind it is, one of `READERS`.
        names: of the columns, in the file's order where the file does not name them; "_" is one to leave out.

    Raises:
        DataError: if the file is damaged, holds anything but numbers, or lacks a column.
    """
    check_present(path, "a file of events")
    check_size(path)
    return READERS[path.suffix.lower()](path, names)


def _text(path: Path, names: Sequence[str]) -> Columns:
    check_size(path, memory_limit() // _TIMES)
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = _first_line(file)
        separator = next((mark for mark in ",;\t" if mark in first), None)
        heads = [head.strip().strip('"').lower() for head in first.split(separator)]
        has_header = not any(_is_number(head) for head in heads)
        wanted = _wanted(names)
        named = has_header and set(wanted) <= set(heads)
        places = {name: (heads if named else list(names)).index(name) for name in wanted}
        moved = [name for name in wanted if has_header and name in heads and heads.index(name) != places[name]]
        if moved:
            raise DataError(
                f"{path}: its header has {moved[0]!r} as column {heads.index(moved[0]) + 1}, data.columns as column "
                f"{places[moved[0]] + 1}; let data.columns name all columns as the header does, or in their order"
            )
        if first and max(places.values()) >= len(heads):
            raise DataError(f"{path}: {len(heads)} columns, {first.strip()[:40]!r}; data.columns names {len(names)}")

        def columns(chosen: list[str], kind: type) -> Columns:
            # NumPy warns of a file without events, which is a silent recording
            with warnings.catch_warnings(action="ignore"), path.open(encoding="utf-8-sig") as file:
                if has_header:
                    _first_line(file)
                own = [places[name] for name in chosen]
                rows: npt.NDArray[Any] = np.loadtxt(
                    file, kind, delimiter=separator, usecols=own, ndmin=2, quotechar='"'
                )
            return dict(zip(chosen, rows.reshape(-1, len(chosen)).T, strict=True))

        texts = [name for name in wanted if name in TEXTS]
        numbers = columns([name for name in wanted if name not in TEXTS], float)
        return {**numbers, **(columns(texts, str) if texts else {})}
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not lines of numbers ({reason(error)})") from None


def _first_line(file: Iterable[str]) -> str:
    """The first line that is neither empty nor a comment; empty where there is none."""
    return next((line for line in file if line.strip() and not line.startswith("#")), "")


def _npy(path: Path, names: Sequence[str]) -> Columns:
    try:
        with path.open("rb") as file, warnings.catch_warnings(action="error"):
            array = np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:  # damaged bytes can make NumPy raise anything
        raise DataError(f"{path}: not a readable .npy file of plain numbers ({reason(error)})") from None
    return _of_array(path, array, names)


def _npz(path: Path, names: Sequence[str]) -> Columns:
    arrays = archive.arrays(path, DataError)
    if len(arrays) == 1:
        return _of_array(path, next(iter(arrays.values())), names)
    return _of_fields(path, arrays, names)


def _of_array(path: Path, array: npt.NDArray[Any], names: Sequence[str]) -> Columns:
    """The columns of a structured array, or of a matrix with a row per event."""
    if array.dtype.names:
        return _of_fields(path, {name: array[name] for name in array.dtype.names}, names)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise DataError(
            f"{path}: an array of shape {array.shape}; expected is (events, {len(names)}) for the columns "
            f"{', '.join(names)} of data.columns"
        )
    return _of_fields(path, {name: array[:, place] for place, name in enumerate(names)}, names)


def _of_fields(path: Path, fields: Mapping[str, npt.NDArray[Any]], names: Sequence[str]) -> Columns:
    columns = {}
    for name in _wanted(names):
        if name not in fields:
            raise DataError(f"{path}: no column {name!r}; there are {', '.join(map(repr, list(fields)[:8]))}")
        column = fields[name]
        if column.ndim != 1 or column.dtype.kind not in ("biufU" if name in TEXTS else "biuf"):
            raise DataError(f"{path}: {name} is {column.dtype} of shape {column.shape}; expected is a row of numbers")
        columns[name] = column.astype(str if name in TEXTS else np.float64)
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{name}: {len(column)}" for name, column in columns.items())
        raise DataError(f"{path}: columns of different lengths ({lengths})")
    return columns


def _aedat4(path: Path, names: Sequence[str]) -> Columns:
    try:
        import aedat
    except ModuleNotFoundError:
        raise ToolError(f"{path}: AEDAT4 needs the package aedat; `pip install aedat` installs it") from None
    own = {"t": "t", "x": "x", "y": "y", "p": "on"}  # by these names the file knows them
    for name in _wanted(names):
        if name not in own:
            raise DataError(f"{path}: no column {name!r}; AEDAT4 has t, x, y and p")

    def packets() -> Iterator[npt.NDArray[Any]]:
        for packet in aedat.Decoder(path):
            if "events" in packet:
                for name in _wanted(names):
                    yield packet["events"][own[name]].astype(np.float64)

    found = list(reader.arrays(path, packets, DataError))
    count = len(_wanted(names))
    return {name: np.concatenate([np.empty(0), *found[place::count]]) for place, name in enumerate(_wanted(names))}


def _wanted(names: Sequence[str]) -> list[str]:
    return [name for name in names if name != IGNORED]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


READERS: Mapping[str, Callable[[Path, Sequence[str]], Columns]] = {
    ".csv": _text,
    ".txt": _text,
    ".npy": _npy,
    ".npz": _npz,
    ".aedat4": _aedat4,
}
