"""The lists of an HDF5 file, whose entries are references into heaps, read here and not by the HDF5 library.

libhdf5 2.0 believes what a file says of a list: it allocates the length before it looks for the list, and steps through
a heap by sizes that it does not check, for ever if one is 0. No alarm of Python's interrupts it.

HDF5 File Format Specification 3.0, III.E "Global Heap"; a reference is as in its appendix on variable-length data.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

MAX_HEAP = 1 << 24  # bytes; libhdf5 makes a heap larger than 64 KiB only for one list that needs it

Reference = tuple[int, int, int]  # the length of a list, the address of a heap, the number of an object in it
Count = Callable[[int], None]  # is told what will be read or given, in bytes, and may refuse

_REFERENCE = np.dtype([("length", "<u4"), ("heap", "<u8"), ("object", "<u4")])
_HEADER = 16  # bytes, of a heap and of an object in it


def references(dataset: h5py.Dataset, count: Count) -> list[Reference]:
    """What an array of lists holds.

    Raises:
        ValueError: if they are stored in a way that is not read here.
    """
    if dataset.file.id.get_create_plist().get_sizes() != (8, 8) or dataset.file.userblock_size:
        raise ValueError("its file has addresses of another size or origin; write it anew with h5py")
    found = np.zeros(len(dataset), _REFERENCE)
    descriptor = dataset.file.id.get_vfd_handle()
    layout = dataset.id.get_create_plist()
    if layout.get_layout() == h5py.h5d.CONTIGUOUS:
        start = dataset.id.get_offset()
        if start is not None:
            found[:] = np.frombuffer(_bytes(descriptor, start, found.nbytes), _REFERENCE)
    elif layout.get_layout() == h5py.h5d.CHUNKED:
        filters = [layout.get_filter(number)[0] for number in range(layout.get_nfilters())]
        size = dataset.chunks[0] * _REFERENCE.itemsize
        chunks: list[Any] = []
        dataset.id.chunk_iter(chunks.append)
        for chunk in chunks:
            if chunk.size > 2 * size:
                raise ValueError(f"a chunk of {size} bytes is packed into {chunk.size}")
            count(size + chunk.size)
            content = _unpacked(_bytes(descriptor, chunk.byte_offset, chunk.size), filters, chunk.filter_mask, size)
            (first,) = chunk.chunk_offset
            part = found[first : first + dataset.chunks[0]]
            part[:] = np.frombuffer(content, _REFERENCE)[: len(part)]
    else:
        raise ValueError("its lists are stored in its header; write it anew with h5py")
    return list(zip(*(found[field].tolist() for field in ("length", "heap", "object")), strict=True))


def _unpacked(content: bytes, filters: list[int], skipped: int, size: int) -> bytes:
    for number, kind in reversed(list(enumerate(filters))):
        if skipped >> number & 1:
            continue
        if kind == h5py.h5z.FILTER_DEFLATE:
            content = zlib.decompressobj().decompress(content, size)
        elif kind == h5py.h5z.FILTER_SHUFFLE:
            content = np.frombuffer(content, np.uint8).reshape(_REFERENCE.itemsize, -1).T.tobytes()
        else:
            raise ValueError(f"HDF5 filter {kind} is not known for lists; write it anew with gzip or none")
    if len(content) != size:
        raise ValueError(f"a chunk of {len(content)} bytes; {size} are expected")
    return content


class Heaps:
    """The heaps of the open file `descriptor`."""

    def __init__(self, descriptor: int, count: Count) -> None:
        self._descriptor, self._count = descriptor, count
        self._address, self._heap = -1, b""  # the last one; neighbours in an array lie in one heap
        self._objects: dict[int, tuple[int, int]] = {}

    def read(self, reference: Reference, entry: np.dtype[Any]) -> npt.NDArray[Any]:
        """The list that one of the `references` leads to, whose numbers are `entry`.

        Raises:
            ValueError: if it does not lead to a list of its length.
        """
        length, address, number = reference
        if not length:
            return np.empty(0, entry)
        if address != self._address:
            self._load(address)
        place, size = self._objects.get(number, (0, 0))
        if length * entry.itemsize != size:
            raise ValueError(
                f"a list of {length} numbers, for which object {number} of heap {address} has {size} bytes"
            )
        self._count(size)
        return np.frombuffer(self._heap, entry, length, place).copy()

    def _load(self, address: int) -> None:
        """Find the objects of a heap, which is a chain of them; number 0 is the free space that ends it."""
        signature, version, size = struct.unpack("<4sB3xQ", _bytes(self._descriptor, address, _HEADER))
        if signature != b"GCOL" or version != 1:
            raise ValueError(f"no heap at byte {address}")
        if not _HEADER <= size <= MAX_HEAP:
            raise ValueError(f"the heap at byte {address} says {size} bytes; the limit is {MAX_HEAP}")
        self._count(size)
        self._address, self._heap, self._objects = address, _bytes(self._descriptor, address, size), {}
        place = _HEADER
        while place + _HEADER <= size:
            number, length = struct.unpack_from("<H6xQ", self._heap, place)
            place += _HEADER
            if not number:
                break
            if length > size - place:
                raise ValueError(f"the heap at byte {address} has an object of {length} bytes beyond its end")
            self._objects[number] = place, length
            place += -(-length // 8) * 8


def _bytes(descriptor: int, start: int, size: int) -> bytes:
    content = os.pread(descriptor, size, start) if start < 1 << 63 else b""
    if len(content) != size:
        raise ValueError(f"{size} bytes at {start} are expected, beyond the end of the file")
    return content
