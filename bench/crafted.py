"""Crafted files for `bench.hostile`, each with a name: what an attacker would try first.

A case is the content of the file, or makes the file itself, where it is none.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from bench.mutations import NAMES, SHAPES, TYPES, archive, bomb, nested, npy_header, stored
from quant.files import MAX_BYTES

Case = bytes | Callable[[Path], object]
Cases = Mapping[str, Case]

ODD: tuple[Any, ...] = (None, 3, [], {}, [[]], {3: 4}, "x", float("inf"))
GIB = 2**30
TIB = 2**40


def special(seed: bytes) -> dict[str, Case]:
    """What may lie where a file is expected, whatever the format."""

    def with_hole(path: Path) -> None:
        path.write_bytes(seed)
        os.truncate(path, TIB)

    return {
        "empty": b"",
        "zero": b"\0",
        "only zeros": bytes(4096),
        "text": b"hello\n",
        "folder": lambda path: path.mkdir(),
        "missing": lambda path: None,
        "pipe": lambda path: os.mkfifo(path),
        "link to itself": lambda path: path.symlink_to(path),
        "link to a device": lambda path: path.symlink_to("/dev/zero"),
        "terabyte of holes": with_hole,
        "twice": seed + seed,
        "seed behind noise": b"\xde\xad" * 50 + seed,
    }


def zips(seed: bytes, name: str) -> dict[str, Case]:
    """What an archive may do; `name` is a member that its reader wants."""
    with zipfile.ZipFile(io.BytesIO(seed)) as file:
        good = [stored(entry, file.read(entry)) for entry in file.namelist()]
    others = [member for member in good if member.name != name]
    chosen = next(member for member in good if member.name == name)
    one = bomb(name, 2**27)
    return {
        "bomb that says so": archive([*others, bomb(name, 10 * GIB)]),
        "bomb that says nothing": archive([*others, bomb(name, 3 * GIB, said=100)]),
        "bomb just allowed": archive([*others, bomb(name, MAX_BYTES - 2**20)]),
        "bomb of many members": archive(replace(one, name=f"{number}.npy") for number in range(100)),
        "members without end": archive(stored(str(number), b"") for number in range(65535)),
        "member twice": archive([*good, chosen]),
        "no member": archive([]),
        **{f"member called {other!r:.30}": archive([*good, stored(other + ".npy", chosen.packed)]) for other in NAMES},
    }


def arrays(seed: bytes, name: str) -> dict[str, Case]:
    """What the header of an array in an archive may say; `name` is the array's member."""
    with zipfile.ZipFile(io.BytesIO(seed)) as file:
        others = [stored(entry, file.read(entry)) for entry in file.namelist() if entry != name]

    def with_array(content: bytes) -> bytes:
        return archive([*others, stored(name, content)])

    pickled = io.BytesIO()
    np.save(pickled, np.array([Bait()], dtype=object), allow_pickle=True)
    return {
        **zips(seed, name),
        **{f"shape {shape:.30}": with_array(npy_header("<i4", shape) + bytes(8)) for shape in SHAPES},
        **{f"type {dtype}": with_array(npy_header(dtype, "(1,)") + bytes(8)) for dtype in TYPES},
        "array of a pickle": with_array(pickled.getvalue()),
        "array of version 9": with_array(b"\x93NUMPY\x09\0" + bytes(20)),
        "deep header": with_array(b"\x93NUMPY\1\0" + struct.pack("<H", 9000) + b"(" * 9000),
        "endless header": with_array(b"\x93NUMPY\2\0" + struct.pack("<I", 2**32 - 1)),
        "single array": npy_header("<i4", "(2,)") + bytes(8),
    }


class Bait:
    """A pickle of it writes a file when it is read by an ordinary reader."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return exec, ("open('hostile-was-here', 'w').close()",)


def spikes(seed: bytes) -> dict[str, Case]:
    """Spike files."""
    with np.load(io.BytesIO(seed)) as file:
        good = dict(file)

    def changed(**arrays: Any) -> bytes:
        buffer = io.BytesIO()
        np.savez(buffer, **{**good, **arrays})
        return buffer.getvalue()

    count, events = len(good["steps"]), len(good["step"])
    ends = np.array([2**63 - 1, -2, *[events] * (count - 2)], dtype=np.int64)
    return {
        **special(seed),
        **arrays(seed, "step.npy"),
        "offsets that overflow": changed(offset=np.concatenate([[0], ends])),
        "offsets below zero": changed(offset=-good["offset"]),
        "offsets beyond": changed(offset=good["offset"] * 2**40),
        "longest sample": changed(steps=np.full(count, 2**31 - 1, dtype=np.int32)),
        "not a number": changed(step=np.full(events, np.nan, dtype=np.float32)),
    }


def models(seed: bytes) -> dict[str, Case]:
    """Integer model files."""
    size = int.from_bytes(seed[:8], "little")
    header, rest = json.loads(seed[8 : 8 + size]), seed[8 + size :]
    document = json.loads(header["__metadata__"]["model"])

    def with_text(text: str | bytes) -> bytes:
        content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        return struct.pack("<Q", len(content)) + content + rest

    def with_document(text: str) -> bytes:
        return with_text(json.dumps({**header, "__metadata__": {"model": text}}))

    def with_model(**keys: Any) -> bytes:
        return with_document(json.dumps({**document, **keys}))

    def with_layer(**keys: Any) -> bytes:
        return with_model(layers=[{**document["layers"][0], **keys}, *document["layers"][1:]])

    def with_tensor(**keys: Any) -> bytes:
        first = next(name for name in header if name != "__metadata__")
        return with_text(json.dumps({**header, first: {**header[first], **keys}}))

    plain, nothing = json.dumps(document), {"dtype": "I8", "shape": [0], "data_offsets": [0, 0]}
    return {
        **special(seed),
        **{
            f"header of {length} bytes": struct.pack("<Q", length) + seed[8:] for length in (0, 2**27, 2**62, 2**64 - 1)
        },
        **{f"shape {shape}": with_tensor(shape=shape) for shape in ([2**62], [-1], [2**62, 4], [], [1.5], [0], None)},
        **{f"offsets {pair}": with_tensor(data_offsets=pair) for pair in ([0, 2**62], [-1, 4], [8, 4], [0, 0], [1])},
        **{f"dtype {dtype}": with_tensor(dtype=dtype) for dtype in ("F32", "BOOL", "F8_E4M3", "I128", "", 3)},
        **{f"model called {name!r:.30}": with_model(name=name) for name in NAMES},
        **{f"class called {name!r:.30}": with_model(classes=[name, "b"]) for name in NAMES},
        **{
            f"tensor called {name!r:.30}": with_text(json.dumps({**header, name: header["layers.1.leak"]}))
            for name in NAMES
        },
        **{
            f"neurons {number}": with_layer(neurons=number) for number in (2**62, -1, 0, 1.5, True, None, "4", 10**4000)
        },
        **{f"deep {depth}": with_document("[" * depth + "]" * depth) for depth in (*range(900, 1001, 5), 10**5)},
        **{f"deep name {depth}": with_model(name=nested(depth)) for depth in (3, 100, 300)},
        **{f"number {text}": with_document(plain.replace('"inputs": 3', f'"inputs": {text}')) for text in ODD_NUMBERS},
        "header deep": with_text("[" * 10**5),
        "tensor twice": with_text(
            json.dumps(header)[:-1] + ', "layers.1.leak": ' + json.dumps(header["layers.1.leak"]) + "}"
        ),
        "key twice": with_document(plain[:-1] + ', "name": "b"}'),
        "half a character": with_model(name="\ud800"),
        "no UTF-8": with_text(b'{"\xff\xfe": 1}'),
        "a million sources": with_layer(sources=[0] * 10**6),
        "a million layers": with_document(json.dumps(document)[:-1] + "," + '"x":{},' * 500_000 + '"y":0}'),
        "a million tensors": with_text(json.dumps({str(number): nothing for number in range(10**6)})),
        "thousands of tensors": with_text(json.dumps({str(number): nothing for number in range(10**5)})),
    }


ODD_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", "1" * 5000, "-0", "0x10", "1_000", "٣")


def checkpoints(seed: bytes) -> dict[str, Case]:
    """Checkpoints."""
    good = torch.load(io.BytesIO(seed), weights_only=True)
    with zipfile.ZipFile(io.BytesIO(seed)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    pickle_name = next(name for name in members if name.endswith("data.pkl"))

    def saved(content: object) -> bytes:
        buffer = io.BytesIO()
        torch.save(content, buffer)
        return buffer.getvalue()

    def with_pickle(content: bytes) -> bytes:
        return archive(stored(name, content if name == pickle_name else member) for name, member in members.items())

    def with_leak(tensor: object) -> bytes:
        integers = good["integers"]
        return saved({**good, "integers": {**integers, "tensors": {**integers["tensors"], "layers.1.leak": tensor}}})

    def with_model(**keys: Any) -> bytes:
        document = {**json.loads(good["integers"]["model"]), **keys}
        return saved({**good, "integers": {**good["integers"], "model": json.dumps(document)}})

    def with_config(**keys: Any) -> bytes:
        return saved({**good, "config": {**good["config"], **keys}})

    def laughs(levels: int) -> list[Any]:
        value: list[Any] = []
        for _ in range(levels):
            value = [value] * 10
        return value

    def calls(function: bytes, argument: bytes) -> bytes:
        return with_pickle(b"\x80\x02}X\x06\0\0\0format" + b"c" + function + b"\n" + argument + b"\x85Rs.")

    big = b"\x8a\x08" + struct.pack("<q", 2**33)
    versions = {"2": 2, "true": True, "text": "1", "deep": nested(200), "tensor": torch.ones(2), "laughs": laughs(12)}
    stretched = torch.zeros(1, dtype=torch.int8).expand(32768, 32768)
    weights = {"weight": torch.zeros(1).expand(2**20, 2**20)}
    network = good["config"]["network"]
    wide = {**network, "layers": [{**network["layers"][0], "neurons": 32768}, network["layers"][1]]}
    wider = {**wide, "layers": [wide["layers"][0], {**wide["layers"][0], "sources": [1]}, network["layers"][1]]}
    return {
        **special(seed),
        **zips(seed, pickle_name),
        **{f"model called {name!r:.30}": with_model(name=name) for name in NAMES},
        **{f"configuration called {name!r:.30}": with_config(name=name) for name in NAMES},
        **{f"version {name}": saved({**good, "version": value}) for name, value in versions.items()},
        **{f"entry {key!r:.30}": saved({**good, key: 1}) for key in ("x\ny", 3, None, (1, 2), ("a",) * 10**4)},
        **{f"leak {name}": with_leak(tensor) for name, tensor in ODD_TENSORS.items()},
        **{
            f"quantized {name}": saved({**good, "quantized": {"weight": tensor}})
            for name, tensor in ODD_TENSORS.items()
        },
        **{
            f"{phase} is {value!r}": saved({**good, phase: value})
            for phase in ("config", "float", "integers")
            for value in ODD
        },
        "pickle that runs code": pickle.dumps(Bait(), protocol=2),
        "archive that runs code": saved({**good, "config": Bait()}),
        "gigabytes of bytes": calls(b"__builtin__\nbytearray", big),
        "gigabytes of a tensor": calls(b"torch\nFloatTensor", big),
        "slow codec": calls(b"_codecs\nencode", b"X\x04\0\0\0aaaa"),
        "pickle with a far memo": with_pickle(b"\x80\x02}r\xff\xff\xff\xff."),
        "pickle without end": with_pickle(members[pickle_name][:-1]),
        "pickle of marks": with_pickle(b"\x80\x02" + b"(" * 10**6 + b"."),
        "deep pickle": with_pickle(b"\x80\x02" + b"]" * 10**5 + b"a" * (10**5 - 1) + b"."),
        "tuple that doubles": with_pickle(b"\x80\x02})" + doubling() + b"Ns."),
        "list that doubles": saved({**good, "config": laughs(30)}),
        "list in itself": with_pickle(b"\x80\x02]q\0h\0a."),
        "stretched model": saved(
            {**good, "integers": {**good["integers"], "tensors": {"layers.1.weight.0": stretched}}}
        ),
        "stretched state": saved({**good, "float": weights}),
        "32768 neurons": with_config(network=wide),
        "32768 by 32768 weights": with_config(network=wider),
        "two entries fewer": saved(dict(list(good.items())[:-2])),
        "byte order": archive(
            stored(name, b"big" if name.endswith("byteorder") else member) for name, member in members.items()
        ),
    }


def doubling() -> bytes:
    """The operations that make a tuple of two tuples of two tuples, 60 deep, and use it as a key."""
    steps = (b"q" + bytes([number]) + b"h" + bytes([number]) + b"\x86" for number in range(1, 61))
    return b"".join(steps)


ODD_TENSORS: Mapping[str, object] = {
    "not a number": torch.full((4,), torch.nan),
    "infinite": torch.full((4,), torch.inf),
    "complex": torch.ones(4, dtype=torch.complex64),
    "boolean": torch.ones(4, dtype=torch.bool),
    "empty": torch.ones(0, dtype=torch.int16),
    "sparse": torch.ones(4, dtype=torch.int16).to_sparse(),
    "meta": torch.ones(2**20, 2**20, dtype=torch.int16, device="meta"),
    "stretched": torch.ones(1, dtype=torch.int16).expand(2**40),
    "a parameter": torch.nn.Parameter(torch.ones(4)),
    "half": torch.ones(4, dtype=torch.float16),
    "a list": [1, 2, 3, 4],
    "nothing": None,
}


def configurations(seed: bytes) -> dict[str, Case]:
    """Training configurations."""
    text = seed.decode()

    def with_name(value: str) -> bytes:
        return text.replace('name = "hostile"', f"name = {value}", 1).encode("utf-8", "surrogatepass")

    def with_neurons(value: str) -> bytes:
        return text.replace("neurons = 4", f"neurons = {value}", 1).encode()

    return {
        **special(seed),
        **{f"name {name!r:.30}": with_name(json.dumps(name)) for name in NAMES},
        **{f"key {name!r:.30}": with_name(f'"a"\n{json.dumps(name)} = 1') for name in NAMES},
        **{f"neurons {value:.30}": with_neurons(value) for value in ODD_TOML},
        **{f"rate {value:.30}": f"{text}\n[train]\nrate_float = {value}\n".encode() for value in ODD_TOML},
        **{f"deep {depth}": with_name("[" * depth + "]" * depth) for depth in (10, *range(150, 500, 10), 900, 10**4)},
        **{f"deep table {depth}": with_name("{a=" * depth + "1" + "}" * depth) for depth in (10, 200, 330, 3000)},
        "deep keys": with_name('"a"\n' + "a." * 7000 + "a = 1"),
        "header of a long name": ("[" + "a." * 4000 + "a]\n" + "".join(f"b{n}=1\n" for n in range(900))).encode(),
        "key twice": with_name('"a"\nname = "b"'),
        "a megabyte": text.encode() + b"#" * 2**20,
        "no UTF-8": b'name = "\xff"',
        "half a character": with_name('"\ud800"'),
        "half a character, spelled out": with_name('"\\ud800"'),
        "path with a zero": text.replace('"train.npz"', '"a\\u0000b"').encode(),
        "32768 by 32768 weights": (with_neurons("32768") + b"\n[[network.layers]]\nneurons = 32768\nsources = [1]\n"),
    }


ODD_TOML = (
    *("-1", "0", "nan", "inf", "-inf", "true", '"4"', "[4]", "{}", "1e400", "9223372036854775808"),
    *("9" * 400, "9" * 5000, "0x" + "f" * 5000, "0x" + "f" * 400, "0b" + "1" * 9000),
    *("1979-13-40", "1979-05-27T25:99:00Z", "07:32:61", "4_", "+-4"),
)


def manifests(seed: bytes) -> dict[str, Case]:
    """The manifest of a build folder."""
    good = json.loads(seed)

    def changed(**keys: Any) -> bytes:
        return json.dumps({**good, **keys}).encode()

    def renamed(name: str) -> bytes:
        return changed(checksums={**good["checksums"], name: "0" * 64}, sources=[*good["sources"], name])

    return {
        **special(seed),
        **{f"top {name!r:.30}": changed(top=name, uart={**good["uart"], "top": f"{name}_uart"}) for name in NAMES},
        **{f"file {name!r:.30}": renamed(name) for name in NAMES},
        **{f"{key} is {value!r}": changed(**{key: value}) for key in good for value in ODD},
        **{f"deep {depth}": b"[" * depth + b"]" * depth for depth in (*range(900, 1001, 5), 10**5)},
        **{f"without {key}": json.dumps({k: v for k, v in good.items() if k != key}).encode() for key in good},
        "number of 5000 digits": seed.replace(b'"version": 1', b'"version": ' + b"1" * 5000),
        "long name": renamed("a" * 300),
    }


def sounds(seed: bytes) -> dict[str, Case]:
    """Sound files with sizes that lie, at every place of the header."""
    places = [(place, value) for place in range(0, 44, 2) for value in (0, 1, 2**31 - 1, 2**32 - 1)]
    return {
        **special(seed),
        **{
            f"{value} at {place}": seed[:place] + struct.pack("<I", value) + seed[place + 4 :]
            for place, value in places
        },
    }


def lists(seed: bytes) -> dict[str, Case]:
    """Spike lists."""
    lines = ("99999999999999999999\t1", "-2\t-2", "1\t", "1 1 1", "\u0663\t1", "nan\t1", "0x1\t1", "1\t1\0")
    return {
        **special(seed),
        **{f"line {line!r}": f"-1\t-1\n{line}\n-1\t-1\n".encode() for line in lines},
        "only marks": b"-1\t-1\n",
        "millions of lines": b"-1\t-1\n" + b"1\t1\n" * 2**20 + b"-1\t-1\n",
        "nothing but ends of lines": b"\n" * 2**22,
    }


def images(seed: bytes) -> dict[str, Case]:
    """Arrays in the IDX format."""
    sizes = [(2**32 - 1,) * 3, (2**31, 28, 28), (0, 28, 28), (2**32 - 1, 0, 0), (1, 2**14, 2**14)]
    return {
        **special(seed),
        **{f"size {size}": struct.pack(">4I", 0x803, *size) for size in sizes},
        **{f"type {kind:#x}": struct.pack(">4I", kind, 1, 28, 28) + bytes(784) for kind in (0, 0x801, 0xD03, 0x8FF)},
    }


def _changed(seed: bytes, change: Callable[[h5py.File], object]) -> bytes:
    buffer = io.BytesIO(seed)
    with h5py.File(buffer, "a") as file:
        change(file)
    return buffer.getvalue()


def events(seed: bytes) -> dict[str, Case]:
    """HDF5 files of event streams."""

    def replaced(name: str, **options: Any) -> bytes:
        return _changed(seed, lambda file: (file.__delitem__(name), file.create_dataset(name, **options)))

    def linked(name: str, link: object) -> bytes:
        return _changed(seed, lambda file: (file.__delitem__(name), file.__setitem__(name, link)))

    def heap(place: int, length: int) -> bytes:
        """The object at a place in the heap of lists says a length that it does not have."""
        start = seed.index(b"GCOL") + place + 8
        return seed[:start] + struct.pack("<Q", length) + seed[start + 8 :]

    def unwritten(file: h5py.File) -> None:
        del file["spikes"], file["labels"]
        for name, kind in (("labels", np.int32), *((f"spikes/{name}", kind) for name, kind in lists_of.items())):
            file.create_dataset(name, (2**18,), kind)

    def bomb(file: h5py.File) -> None:
        del file["labels"]
        labels = file.create_dataset("labels", (2,), "i4", chunks=(2,), compression="gzip")
        labels.id.write_direct_chunk((0,), zlib.compress(bytes(GIB)))

    def circle() -> bytes:
        """The tree of an array's chunks is its own branch."""
        content = bytearray(replaced("labels", data=np.zeros(40, np.int32), chunks=(1,)))
        node = content.rindex(b"TREE\x01\x00")
        content[node + 5] = 1
        for branch in range(40):
            place = node + 48 + 32 * branch
            content[place : place + 8] = struct.pack("<Q", node)
        return bytes(content)

    def shared(path: Path) -> None:
        """Many samples of one list, which the file holds once."""
        path.write_bytes(seed)
        with h5py.File(path, "a") as file:
            places = []
            del file["spikes"], file["labels"]
            file["labels"] = np.zeros(2000, np.int32)
            for name, kind in lists_of.items():
                lists = file.create_dataset(f"spikes/{name}", (2000,), kind)
                lists[:2] = [np.zeros(2**20, h5py.check_vlen_dtype(kind))] * 2
                lists[1999] = lists[0][:1]
                places.append(lists.id.get_offset())
        content = bytearray(path.read_bytes())
        for place in places:
            content[place : place + 16 * 2000] = content[place : place + 16] * 2000
        path.write_bytes(content)

    no_number = np.array([np.full(2, np.nan, np.float32), np.full(1, np.nan, np.float32)], dtype=object)
    lists_of = {"times": h5py.vlen_dtype(np.float32), "units": h5py.vlen_dtype(np.int32)}
    long = np.array([np.zeros(2**23, np.float32), np.zeros(1, np.float32)], dtype=object)
    packed = {"shape": (2**26,), "chunks": (2**26,), "maxshape": (None,), "compression": "gzip"}
    return {
        **special(seed),
        "labels without end": replaced("labels", shape=(2**40,), dtype="i4", chunks=(1024,)),
        "labels of text": replaced("labels", data=[b"a", b"b"]),
        "labels of two axes": replaced("labels", data=np.zeros((2, 2), np.int32)),
        "labels in one chunk": replaced("labels", dtype="i8", **packed),
        "labels in a million chunks": replaced("labels", shape=(2**20,), dtype="i4", chunks=(1,)),
        "labels that unpack to a gibibyte": _changed(seed, bomb),
        "chunks in a circle": circle(),
        "lists without end": replaced("spikes/times", shape=(2**40,), dtype=lists_of["times"], chunks=(1024,)),
        "lists of another kind": replaced("spikes/times", shape=(2,), dtype=lists_of["units"]),
        "lists never written": _changed(seed, unwritten),
        "list too long": replaced("spikes/times", data=long, dtype=lists_of["times"]),
        "one list for all": shared,
        "times not a number": replaced("spikes/times", data=no_number, dtype=lists_of["times"]),
        **{
            f"heap with {length} bytes at {place}": heap(place, length)
            for place in (0, 16)
            for length in (0, 2**16, 2**32, 2**63, 2**64 - 16, 2**64 - 1)
        },
        "link to a file": linked("labels", h5py.ExternalLink("/etc/passwd", "/")),
        "soft link to itself": linked("labels", h5py.SoftLink("/labels")),
        "array elsewhere": replaced("labels", shape=(2,), dtype="i4", external="/etc/passwd"),
    }


def digits(seed: bytes) -> dict[str, Case]:
    """HDF5 files of events with an array for each recording."""

    def again(count: int, entries: int = 2**21) -> Callable[[h5py.File], object]:
        """One recording under many names."""

        def change(file: h5py.File) -> None:
            names = [f"man-a{number}-a-1" for number in range(count)]
            for kind in ("timestamps", "addresses"):
                data = np.zeros(entries, np.float32 if kind == "timestamps" else np.int32)
                stored = {"chunks": (2**21,), "maxshape": (None,), "compression": "gzip"}
                file.create_dataset("long/" + kind, data=data, **stored)
                for other in names:
                    file[f"train_{kind}/{other}"] = file["long/" + kind]
            del file["train_labels"]
            file["train_labels"] = np.array(names, "S")

        return change

    def unwritten(file: h5py.File) -> None:
        del file["train_labels"]
        file.create_dataset("train_labels", (2**22,), "S16", chunks=(2**16,))

    def unsigned(file: h5py.File) -> None:
        del file["train_addresses/man-ae-a-1"]
        file["train_addresses/man-ae-a-1"] = np.array([5, 2**64 - 1], np.uint64)

    def labelled(*names: str) -> bytes:
        return _changed(
            seed,
            lambda file: (
                file.__delitem__("train_labels"),
                file.create_dataset("train_labels", data=np.array(names, "S")),
            ),
        )

    return {
        **special(seed),
        "recording twice": labelled("man-ae-a-1", "man-ae-b-1", "man-ae-a-1"),
        "recording a million times": labelled(*["man-ae-a-1"] * 2**20),
        "four million recordings": _changed(seed, unwritten),
        "recordings in one chunk": _changed(seed, again(1000, 1)),
        "channels without a sign": _changed(seed, unsigned),
        "recordings that are one": _changed(seed, again(20)),
        "recordings that are one, 1000 times": _changed(seed, again(1000)),
        **{f"recording called {other!r:.30}": labelled(other) for other in ("../../labels", "/etc/passwd", "")},
        "links in a circle": _changed(seed, lambda file: file.__setitem__("train_timestamps/self", file["/"])),
    }
