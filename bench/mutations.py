"""Damage for `bench.hostile`: a valid file goes in, what an attacker makes of it comes out.

Everything is drawn from one `random.Random`, so the number that seeds it reproduces the file.
"""

from __future__ import annotations

import io
import json
import pickletools
import struct
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import Any

import tomli_w

from quant.files import MAX_BYTES

Mutation = Callable[[Random, bytes], bytes]

NAMES = (
    *("", "../../x", "/etc/passwd", "a; endmodule", "\\x ", "$finish", "`include", "-rf", "nul\0", "n" * 5000),
    *("x\ny", "\x1b[2J", "\u202ex", "e\u0301", "\U0001f600"),
)
NUMBERS = (0, 1, -1, 2, 127, 255, 32768, 32769, 2**31 - 1, 2**31, 2**32, 2**62, -(2**62), 2**63 - 1, -(2**63))
FLOATS = (0.0, -0.0, 0.5, 1e308, -1e-320, float("nan"), float("inf"), float("-inf"))
SHAPES = (
    "()",
    "(0,)",
    "(-1,)",
    f"({2**62},)",
    f"({2**62}, 4)",
    "(1, 2)",
    "(1e3,)",
    "(True,)",
    "[3]",
    "(" * 200,
    "x",
    "{[]: 1}",
)
TYPES = ("<i4", "<i8", ">i4", "|O", "<f8", "<M8[ns]", "|V0", "<U2147483647", "|S0", "i4,i4", "\\N{x}", "a8")
SIZES = (0, 1, 2**16, 2**31, 2**32 - 1)
OPERATIONS = (
    *(b"J" + struct.pack("<i", number) for number in (-1, 2**31 - 1)),
    *(b"\x8a\x08" + struct.pack("<q", number) for number in (2**62, -(2**62))),
    *(b"cbuiltins\nexec\n", b"cbuiltins\nbytearray\n", b"ctorch\nTensor\n", b"ctorch._utils\n_rebuild_parameter\n"),
    *(b"G" + struct.pack(">d", number) for number in FLOATS),
    *(
        b"R",
        b"b",
        b"Q",
        b"u",
        b"t",
        b"\x86",
        b"\x85",
        b"h\0",
        b"]",
        b"}",
        b")",
        b"N",
        b"2",
        b"0",
        b"\x93",
        b"X\xff\xff\xff\x7f",
    ),
)


def damaged(draw: Random, content: bytes) -> bytes:
    """Cut, flipped, overwritten, or put together anew."""
    data = bytearray(content or b"\0")
    start, stop = sorted((draw.randrange(len(data)), draw.randrange(len(data))))
    match draw.randrange(6):
        case 0:
            del data[start:]
        case 1:
            for _ in range(draw.choice((1, 2, 8, 64))):
                data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        case 2:
            del data[start:stop]
        case 3:
            data[stop:stop] = data[start:stop]
        case 4:
            data[start : start + 8] = struct.pack("<q", draw.choice(NUMBERS))
        case 5:
            data[start:start] = draw.randbytes(draw.randrange(1, 40))
    return bytes(data)


def odd(draw: Random) -> Any:
    """A value that nobody expects."""
    match draw.randrange(8):
        case 0 | 1:
            return draw.choice(NAMES)
        case 2 | 3:
            return draw.choice(NUMBERS)
        case 4:
            return draw.choice(FLOATS)
        case 5:
            return draw.choice((True, False, [], {}, 10**400, -(10**4000)))
        case 6:
            return [draw.choice(NUMBERS)] * draw.choice((1, 3, 1000))
        case _:
            return nested(draw.choice((1, 5, 100, 200)))


def nested(depth: int) -> list[Any]:
    """A list in a list in a list."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def varied(draw: Random, tree: Any) -> Any:
    """Tables and lists in which one entry is left out, doubled, renamed or odd."""
    if not isinstance(tree, dict | list) or not tree or draw.random() < 0.1:
        return odd(draw)
    turn = draw.randrange(8)
    if isinstance(tree, dict):
        key = draw.choice(list(tree))
        rest = {other: value for other, value in tree.items() if other != key}
        if turn < 2:
            return rest if turn else {**rest, draw.choice(NAMES): tree[key]}
        return {**tree, key: varied(draw, tree[key])}
    place = draw.randrange(len(tree))
    items = [varied(draw, tree[place])] if turn > 1 else [tree[place]] * 2 * turn
    return [*tree[:place], *items, *tree[place + 1 :]]


def json_text(draw: Random, content: bytes) -> bytes:
    """A JSON document, varied in structure."""
    return json.dumps(varied(draw, _json(content))).encode()


def toml(draw: Random, content: bytes) -> bytes:
    """A TOML document, varied in structure; what is no table at the top is put into one."""
    tree = varied(draw, tomllib.loads(content.decode()))
    return tomli_w.dumps(tree if isinstance(tree, dict) else {"name": tree}).encode()


def safetensors(draw: Random, content: bytes) -> bytes:
    """A model file whose header, or the document in it, is varied, with its length put right."""
    size = int.from_bytes(content[:8], "little")
    header = _json(content[8 : 8 + size])
    if draw.random() < 0.6:
        document = varied(draw, json.loads(header["__metadata__"]["model"]))
        header = {**header, "__metadata__": {"model": json.dumps(document)}}
    else:
        header = varied(draw, header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


@lru_cache(maxsize=64)
def _json(content: bytes) -> Any:
    return json.loads(content)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a zip archive, which may say of itself what it likes."""

    name: str
    packed: bytes
    size: int
    crc: int
    method: int = zipfile.ZIP_STORED


def stored(name: str, content: bytes) -> Member:
    """A member that tells the truth."""
    return Member(name, content, len(content), zlib.crc32(content))


def archive(members: Iterable[Member]) -> bytes:
    """A zip archive (APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16)."""
    body, listing, count = bytearray(), bytearray(), 0
    for member in members:
        name = member.name.encode()[: 2**16 - 1]
        sizes = len(member.packed), member.size % 2**32
        common = struct.pack("<HHHHHIIIHH", 20, 0x800, member.method, 0, 0, member.crc, *sizes, len(name), 0)
        listing += b"PK\x01\x02\x14\0" + common + bytes(10) + struct.pack("<I", len(body)) + name
        body += b"PK\x03\x04" + common + name + member.packed
        count += 1
    return bytes(body + listing + struct.pack("<4s4xHHIIH", b"PK\5\6", count, count, len(listing), len(body), 0))


def bomb(name: str, size: int, *, said: int | None = None) -> Member:
    """An array of `size` bytes, all 0, packed a thousandfold; it says that it has `said` bytes, or the truth."""
    start, zeros = npy_header("<i4", f"({size // 4},)"), bytes(2**20)
    crc, packer = zlib.crc32(start), zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(size // 2**20 if size <= MAX_BYTES else 0):
        crc = zlib.crc32(zeros, crc)
    packed += block * (size // 2**20) + zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    return Member(name, packed, len(start) + size if said is None else said, crc, zipfile.ZIP_DEFLATED)


def npy_header(dtype: str, shape: str, order: str = "False") -> bytes:
    """The header of an array on disk (numpy.lib.format, version 1.0)."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text


def npy(draw: Random, content: bytes) -> bytes:
    """An array whose header says something else."""
    start = 10 + int.from_bytes(content[8:10], "little")
    if draw.random() < 0.3:
        return content[:start] + damaged(draw, content[start:])
    if draw.random() < 0.3:
        return damaged(draw, content[:start]) + content[start:]
    return npy_header(draw.choice(TYPES), draw.choice(SHAPES), draw.choice(("False", "True", "0"))) + content[start:]


def pickled(draw: Random, content: bytes) -> bytes:
    """A pickle with one operation more, less or other."""
    if not content.startswith(b"\x80"):
        return damaged(draw, content)
    places = _operations(content)
    start, stop = draw.choice(places)
    other = draw.choice((b"", *OPERATIONS)) if draw.random() < 0.6 else content[slice(*draw.choice(places))]
    return content[:start] + other + content[stop if draw.random() < 0.7 else start :]


@lru_cache(maxsize=64)
def _operations(content: bytes) -> list[tuple[int, int]]:
    return list(pairwise([place or 0 for _, _, place in pickletools.genops(content)] + [len(content)]))


def zipped(inner: Mutation) -> Mutation:
    """Mutations of an archive: `inner` of a member, or of the list of members."""

    def mutate(draw: Random, content: bytes) -> bytes:
        members = [stored(name, member) for name, member in _members(content)]
        place = draw.randrange(len(members))
        chosen = members[place]
        match draw.randrange(12):
            case 0:
                del members[place]
            case 1:
                members.insert(draw.randrange(len(members)), chosen)
            case 2:
                members[place] = replace(chosen, name=draw.choice((*NAMES, draw.choice(members).name)))
            case 3:
                members[place] = replace(chosen, size=draw.choice(SIZES))
            case 4:
                members[place] = replace(chosen, method=draw.choice((1, 8, 12, 14, 99)))
            case 5:
                members[place] = stored(chosen.name, draw.choice(members).packed)
            case 6:
                return damaged(draw, content)
            case _:
                members[place] = stored(chosen.name, inner(draw, chosen.packed))
        return archive(members)

    return mutate


@lru_cache(maxsize=64)
def _members(content: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return [(entry.filename, file.read(entry)) for entry in file.infolist()]
