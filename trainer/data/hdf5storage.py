"""What lies in an HDF5 file: the bytes of its arrays and lists, read here and not by the HDF5 library.

libhdf5 2.0 believes what a file says. It unpacks a chunk as far as that goes, allocates the length of a list before it
looks for the list, and steps through a heap by sizes that it does not check, for ever if one is 0; no alarm of Python's
interrupts it. So it opens the file and finds things in it, and what they hold is read here, within bounds.

HDF5 File Format Specification 3.0: III.E "Disk Format: Level 1E - Global Heap", IV.A.2.l "Filter Pipeline".
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from quant.errors import reason

MAX_CHUNKS = 1 << 16  # of an array
MAX_LIST_BYTES = 1 << 24

Reference = tuple[int, int, int]  # the length of a list, the address of a heap, the number of an object in it
Count = Callable[[int], None]  # is told the bytes that will be read or given, and may refuse

REFERENCE = np.dtype([("length", "<u4"), ("heap", "<u8"), ("object", "<u4")])
_REMEDY = "write it anew with h5py"
_HEADER = 16  # bytes, of a heap and of an object in it
_USUAL_HEAP = 1 << 16  # bytes; only one that a single list needs is larger
_KEPT = 1 << 24  # bytes of heaps


def stored(dataset: h5py.Dataset, form: np.dtype[Any], count: Count) -> npt.NDArray[Any]:
    """The entries `(N,)` of an array of one axis, as they lie in the file; 0 where nothing was ever written.

    Args:
        form: what an entry is in the file.

    Raises:
        ValueError: if they are stored in a way that is not read here, or are damaged.
    """
    layout = dataset.id.get_create_plist()
    if layout.get_layout() == h5py.h5d.CHUNKED:
        return _chunks(dataset, layout, form, count)
    if layout.get_layout() != h5py.h5d.CONTIGUOUS:
        raise ValueError(f"its entries are stored in its header; {_REMEDY}")
    size = len(dataset) * form.itemsize
    count(size)
    start = dataset.id.get_offset()
    content = bytes(size) if start is None else _bytes(dataset.file.id.get_vfd_handle(), start, size)
    return np.frombuffer(content, form)


def _chunks(dataset: h5py.Dataset, layout: Any, form: np.dtype[Any], count: Count) -> npt.NDArray[Any]:
    (entries,) = dataset.chunks
    starts = range(0, len(dataset), entries)
    if len(starts) > MAX_CHUNKS:
        raise ValueError(f"it is in {len(starts)} chunks; the limit is {MAX_CHUNKS}, {_REMEDY}")
    size = entries * form.itemsize
    filters = [layout.get_filter(number)[0] for number in range(layout.get_nfilters())]
    packed = np.empty(2 * size + 64, np.uint8)
    found = np.zeros(len(dataset), form)
    for start in starts:
        try:  # by its place: asked for all chunks, libhdf5 would not end where their tree has a circle
            skipped, content = dataset.id.read_direct_chunk((start,), out=packed)
        except ValueError:
            raise ValueError(f"a chunk of {size} bytes is packed into more than {len(packed)}") from None
        except RuntimeError as error:
            if "not allocated" in str(error):  # never written
                continue
            raise ValueError(reason(error)) from None
        count(size)
        unpacked = _unpacked(content.tobytes(), filters, skipped, size, form.itemsize)
        found[start : start + entries] = np.frombuffer(unpacked, form)[: len(dataset) - start]
    return found


def _unpacked(content: bytes, filters: list[int], skipped: int, size: int, itemsize: int) -> bytes:
    for number, kind in reversed(list(enumerate(filters))):
        if skipped >> number & 1:
            continue
        if kind == h5py.h5z.FILTER_DEFLATE:
            content = _inflated(content, size)
        elif kind == h5py.h5z.FILTER_SHUFFLE:
            content = np.frombuffer(_whole(content, size), np.uint8).reshape(itemsize, -1).T.tobytes()
        else:
            raise ValueError(f"HDF5 filter {kind} is not known here; {_REMEDY}, with gzip or none")
    return _whole(content, size)


def _whole(content: bytes, size: int) -> bytes:
    if len(content) != size:
        raise ValueError(f"a chunk has {len(content)} bytes; {size} are expected")
    return content


def _inflated(content: bytes, most: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        unpacked = stream.decompress(content, most + 1)
    except zlib.error:
        raise ValueError("a chunk is damaged, or is not of gzip") from None
    if not stream.eof or len(unpacked) > most:
        raise ValueError(f"a chunk is cut, or unpacks to more than {most} bytes")
    return unpacked


@dataclass(frozen=True, slots=True, eq=False)
class _Heap:
    content: bytes
    objects: dict[int, tuple[int, int]]  # where each begins, and its bytes

    @property
    def cost(self) -> int:
        return max(len(self.content), _USUAL_HEAP)


class Heaps:
    """The heaps of an open file, in which its lists lie."""

    def __init__(self, file: h5py.File, count: Count) -> None:
        self._file, self._count = file, count
        self._kept: OrderedDict[int, _Heap] = OrderedDict()  # by address, the latest last
        self._room = _KEPT
        self._seen: set[int] = set()

    def references(self, dataset: h5py.Dataset) -> list[Reference]:
        """What an array of lists `(N,)` holds; a list that was never written has no length.

        Raises:
            ValueError: as `stored`.
        """
        if self._file.id.get_create_plist().get_sizes() != (8, 8) or self._file.userblock_size:
            raise ValueError(f"its file has a user block, or addresses of other than 8 bytes; {_REMEDY}")
        found = stored(dataset, REFERENCE, self._count)
        return list(zip(*(found[field].tolist() for field in ("length", "heap", "object")), strict=True))

    def read(self, reference: Reference, form: np.dtype[Any]) -> npt.NDArray[Any]:
        """The list that a reference leads to, whose numbers are `form`.

        Raises:
            ValueError: if it does not lead to a list of its length.
        """
        length, address, number = reference
        if not length:
            return np.empty(0, form)
        heap = self._heap(address)
        place, size = heap.objects.get(number, (0, 0))
        if length * form.itemsize != size:
            raise ValueError(
                f"a list of {length} numbers, for which object {number} of heap {address} has {size} bytes"
            )
        self._count(size)
        return np.frombuffer(heap.content, form, length, place).copy()

    def _heap(self, address: int) -> _Heap:
        """Lists that were written together lie together, but nothing demands that they be read in that order."""
        if address in self._kept:
            self._kept.move_to_end(address)
        else:
            heap = self._kept[address] = self._load(address)
            self._room -= heap.cost
            while self._room < 0 and len(self._kept) > 1:
                self._room += self._kept.popitem(last=False)[1].cost
        return self._kept[address]

    def _load(self, address: int) -> _Heap:
        """A heap is a chain of objects; number 0 is the free space that ends it."""
        descriptor = self._file.id.get_vfd_handle()
        signature, version, size = struct.unpack("<4sB3xQ", _bytes(descriptor, address, _HEADER))
        if signature != b"GCOL" or version != 1:
            raise ValueError(f"a list is said to lie at byte {address}, where no heap is")
        most = MAX_LIST_BYTES + _USUAL_HEAP
        if not _HEADER <= size <= most:
            raise ValueError(f"the lists at byte {address} say that they take {size} bytes; the limit is {most}")
        self._count(size // 64 if address in self._seen else size)  # again takes time, but no more memory
        self._seen.add(address)
        content = _bytes(descriptor, address, size)
        objects = {}
        place = _HEADER
        while place + _HEADER <= size:
            number, length = struct.unpack_from("<H6xQ", content, place)
            place += _HEADER
            if not number:
                break
            if length > size - place:
                raise ValueError(f"a list at byte {address + place} says that it takes {length} bytes, beyond its heap")
            objects[number] = place, length
            place += -(-length // 8) * 8
        return _Heap(content, objects)


def _bytes(descriptor: int, start: int, size: int) -> bytes:
    content = os.pread(descriptor, size, start) if start + size < 1 << 63 else b""
    if len(content) != size:
        raise ValueError(f"{size} bytes at {start} are expected, beyond the end of the file")
    return content
