"""Hostile input: every reader on crafted files and on valid ones that were damaged (docs/hostile.md).

A reader gives a valid object or raises a `ScsrError` of one line, within limits of time and memory, and leaves no file.
The first inputs of a reader are crafted, the others drawn; input `n` is the same in every run. The figures are
committed as bench/results/hostile.json.
"""

from __future__ import annotations

import argparse
import base64
import io
import itertools
import os
import pickle
import random
import re
import resource
import sys
import tempfile
import time
import tomllib
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import soundfile
import torch
from tabulate import tabulate
from tqdm import tqdm

from bench.record import RESULTS, commit, write
from hwgen.core.build import make_build
from quant import export, foreign, reader, spikes, store, vectors
from quant.errors import ScsrError
from quant.manifest import open_folder
from trainer import checkpoint, config
from trainer.data import binning, columns, disk, fsdd, heidelberg, mnist, ntidigits, spikelists, splits
from trainer.integers import integers
from trainer.network import Network

READER_S = 2  # of processor time for a reader's own child process
LIMIT_BYTES = 1 << 32  # what a process may ask for; a reader's own limit is half of it
ROWS = np.ones((9, 4))
NUMBERS = (0, 1, -1, 127, 32769, 2**31 - 1, 2**31, 2**32, 2**62, -(2**63), 2**64 - 1, 10**400)
TOKENS = ("nan", "1e999", '""', '"../../x"', '"\\u0000"', f'"{5000 * "n"}"', "[]", "{}", "true", "\u202e")
MANIFEST = "manifest.json"
# What dv_processing 2.0.4 wrote of 20 events: t = 1.7e15 + 1500 i, x = i mod 16, y = i mod 12, p = i mod 2
AEDAT4 = zlib.decompress(
    base64.b85decode(
        "c-oCr&u<bz6n+caLbrgca=^qi>$EXFAWNIZ6A);jkyxx&(pIg}4NU7q*xAg^65CVb!ILLrq6fX`$y2W$Jn)Bj@ZcYyiHY&%TYf~O"
        "Yvd)feD9n0zPIycAM=+=m8~n~Qhg<pjce&JKneh=o7XDPGYyiULJXpa02Ev?TpMbC_g4rY*X$S_DqP0xJXy|UNkKEvayD;L!?xNq"
        "Pq-(m_C6<uW64K(Vh((B5IP>7Jr$T84ef<nQVQcSJ<O8^Z##mzetlxdLk9(1DVTjg3LAG<a;6{o&txvx0kf@EjW@j(y@BP&HEP`E"
        "Ysd?0M=(jngo2x%bUYa(NITS)?tf(blrnW2f;lqaU~8T$dE01O((3IPyjLzWfoiph<=H-?VqCPcUB4YDFmg34=o+&o8@tVb+Acey"
        "yTg*qmZY$BHK<xZ+MU1CmM2N$o@ktEeR+G=X>mct1J`OhEgE=Q(?9OWhdJU8an5XZ3R-^zU>b))CACzs*!_v_j|+Q9=!pD&;x>+s"
        "icbu}mGm=;bEySw8i$E|uITVi0i`!sAFu1M6oSw^ke9a*h9PVKadvb#t8T$6PThTEr(g=%#Rjs|9iLShvJr?N`^82Wh3G>dpCrN="
        "m_hdS5kd_#gz^~SEX*Rj`3x0ebG}0Qxen*!T_DjH2oeaszCv&YLHDf=p>qlby?Kw6g4B}_2to+zCpsL5A<}z!-v(W{hw%I5J?M8~"
        "y<S=!?}9Sy1SBAhe<&(?7hwSsNqE|C=z2H~p+)!>{?o4dN&nZk-~9m?cK"
    )
)
CONFIGURATION = b"""\
name = "hostile"
data = {name = "spike_files", train = "a.npz", test = "b.npz", raw_channels = 3, class_names = ["a", "b"]}
[[network.layers]]
neurons = 4
sources = [0]
[[network.layers]]
neurons = 2
sources = [1, 0]
"""

Content = bytes | Callable[[Path], object]  # of a file, or what makes something else in its place


class Bait:
    """A pickle of it writes a file when an ordinary reader opens it."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return exec, ("open('hostile-was-here', 'w').close()",)


def saved(write: Callable[[Any, Any], object], content: Any) -> bytes:
    """What `write(content, file)` writes."""
    write(content, buffer := io.BytesIO())
    return buffer.getvalue()


@cache
def network() -> Network:
    return Network(config.from_table(tomllib.loads(CONFIGURATION.decode())))


@cache
def build() -> Mapping[str, bytes]:
    return make_build(integers(network())).files


def product() -> bytes:
    return saved(torch.save, checkpoint.product(network(), network().state_dict(), finished=True))


def spike_file() -> bytes:
    return spikes.to_bytes(vectors.random_samples(integers(network()), 4, 6, 0.3, seed=1))


def arrays() -> bytes:
    two, names = np.array([1, 2]), np.array(["a", "b"])
    given = {"audio": np.zeros(3, np.int16), "length": two, "label": two, "take": two, "speaker": names, "rate": 8000}
    return saved(lambda given, file: np.savez(file, **given), given)


def sound() -> bytes:
    return saved(
        lambda samples, file: soundfile.write(file, samples, 8000, format="WAV"), np.arange(99, dtype=np.int16)
    )


def hdf5(**labels: Any) -> bytes:
    """A file with the layouts of both data sets; `labels` says how its labels are stored."""
    with h5py.File(buffer := io.BytesIO(), "w") as file:
        stored = file.create_dataset("labels", **{"shape": (2,), "dtype": "i4", **labels})
        if "compression" in labels:
            stored.id.write_direct_chunk((0,), zlib.compress(bytes(1 << 30), 1))
        names = [f"man-ae-{take}-{digits}" for digits in ("1", "o", "z", "12") for take in "ab"]
        file["train_labels"] = file["test_labels"] = np.array(names, "S")
        for name, other, kind in (("times", "timestamps", np.float32), ("units", "addresses", np.int32)):
            lists = file.create_dataset(f"spikes/{name}", (2,), h5py.vlen_dtype(kind))
            lists[0], lists[1] = np.array([0.01, 0.02], kind), np.array([0.5], kind)
            for recording in names:
                file[f"train_{other}/{recording}"] = file[f"test_{other}/{recording}"] = np.array([0.1, 0.2], kind)
    return buffer.getvalue()


def nir_graph() -> bytes:
    """A network of two populations in NIR."""
    with h5py.File(buffer := io.BytesIO(), "w") as file:
        numbers = {"tau": 5e-4, "r": 5.0, "v_leak": 0.0, "v_threshold": 1.0}
        nodes: Mapping[str, tuple[str, Mapping[str, Any]]] = {
            "input": ("Input", {"shape": np.array([3])}),
            "w": ("Affine", {"weight": np.ones((2, 3), np.float32), "bias": np.ones(2, np.float32)}),
            "n": ("LIF", {name: np.full(2, value, np.float32) for name, value in numbers.items()}),
            "output": ("Output", {"shape": np.array([2])}),
        }
        file["node/type"] = "NIRGraph"
        for name, (kind, values) in nodes.items():
            file[f"node/nodes/{name}/type"] = kind
            for key, value in values.items():
                file[f"node/nodes/{name}/{key}"] = value
        file["node/edges"] = np.array([*itertools.pairwise(nodes)], dtype=h5py.string_dtype())
    return buffer.getvalue()


def read_nir(path: Path) -> None:
    """Read a graph, and make a network of it."""
    foreign.lower(foreign.read(path), foreign.Assumed("snntorch", reset="zero"), "net").built()


def read_checkpoint(path: Path) -> None:
    """Read the integers of a checkpoint, then its networks."""
    export.load(path)
    checkpoint.restore(export.read_checkpoint(path), path)


def read_events(path: Path) -> None:
    """Read the columns of a file of events."""
    columns.read(path, ("t", "x", "y", "p"))


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader, the name of its file, a valid file, and the other files in the folder."""

    read: Callable[[Path], object]
    file: str
    seed: Callable[[], bytes]
    beside: Callable[[], Mapping[str, bytes]] = dict


READERS = {
    "checkpoint": Reader(read_checkpoint, "ckpt.pt", product),
    "model": Reader(export.load, "m.safetensors", lambda: store.to_bytes(integers(network()))),
    "NIR": Reader(read_nir, "n.nir", nir_graph),
    "spikes": Reader(spikes.read, "s.npz", spike_file),
    "config": Reader(config.read, "c.toml", lambda: CONFIGURATION),
    "manifest": Reader(lambda path: open_folder(path.parent), MANIFEST, lambda: build()[MANIFEST], build),
    "sound archive": Reader(fsdd.read_recordings, "a.npz", arrays),
    "spike list": Reader(spikelists.read_rows, "a_u1_c1.dat", lambda: b"-1\t-1\n3\t7\n0\t1\n-1\t-1\n"),
    "events, text": Reader(read_events, "e.csv", lambda: b"t,x,y,p\n" + b"10,2,3,1\n25,0,1,-1\n" * 9),
    "events, array": Reader(read_events, "e.npy", lambda: saved(lambda rows, file: np.save(file, rows), ROWS)),
    "events, AEDAT4": Reader(read_events, "e.aedat4", lambda: AEDAT4),
    "IDX": Reader(lambda path: mnist.read_idx(path, 1), "labels", lambda: b"\0\0\x08\1\0\0\0\4" + bytes(4)),
    "recording": Reader(disk.read_sound, "r.wav", sound),
    "HDF5 lists": Reader(lambda path: heidelberg.read(path, ("0", "1"), binning.TimeBins(clock=4)), "shd.h5", hdf5),
    "HDF5 groups": Reader(
        lambda path: ntidigits.NTidigits(str(path), split=splits.Official(0.5)).load(), "n.hdf5", hdf5
    ),
}


def crafted(seed: bytes) -> dict[str, Content]:
    """Files that an attacker would try first, by name; `seed` is a valid file."""

    def with_holes(path: Path) -> None:
        path.write_bytes(seed)
        os.truncate(path, 2**40)

    cases: dict[str, Content] = {
        "seed": seed,
        "empty": b"",
        "folder": lambda path: path.mkdir(),
        "pipe": lambda path: os.mkfifo(path),
        "link to a device": lambda path: path.symlink_to("/dev/zero"),
        "terabyte of holes": with_holes,
        "deep": re.sub(rb'"[^"]*"', b"[" * 10**5, seed, count=1),
        "bare code": pickle.dumps(Bait()),
    }
    if seed.startswith(b"PK"):
        cases |= {"bomb": bomb(seed), "bomb that lies": bomb(seed, said=100)}
    if b"data.pkl" in seed:
        good, doubled = torch.load(io.BytesIO(seed), weights_only=True), list[Any]()
        for _ in range(40):
            doubled = [doubled, doubled]
        wide = {"weight": torch.ones(1).expand(2**40)}
        for entry, value in (("config", Bait()), ("config", doubled), ("float", wide)):
            cases[f"{entry} is {type(value)}"] = saved(torch.save, {**good, entry: value})
    if seed == CONFIGURATION:
        cases["long name"] = b"[" + b"a." * 30_000 + b"a]\n" + b"".join(b"b%d=1\n" % key for key in range(30_000))
    if seed.startswith(b"\x89HDF"):
        place = seed.index(b"GCOL") + 24  # the size of a heap's first object, which the library steps over
        cases |= {f"{size}": seed[:place] + size.to_bytes(8, "little") + seed[place + 8 :] for size in (0, 2**64 - 16)}
        cases |= {"never written": hdf5(shape=(2**40,), chunks=(1024,)), "elsewhere": hdf5(external="/etc/passwd")}
        cases["packed"] = hdf5(chunks=(2,), compression="gzip")
    return cases


def bomb(seed: bytes, said: int = 3 << 30) -> bytes:
    """The archive with its largest member replaced by 3 GiB of zeros, compressed; `said` is its stated size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first, block = (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    with zipfile.ZipFile(io.BytesIO(seed)) as old, zipfile.ZipFile(buffer := io.BytesIO(), "w") as new:
        largest = max(old.infolist(), key=lambda entry: entry.file_size).filename
        for name in old.namelist():
            new.writestr(name, old.read(name) if name != largest else first + 3071 * block + packer.flush())
        new.getinfo(largest).compress_type, new.getinfo(largest).file_size = zipfile.ZIP_DEFLATED, said
    return buffer.getvalue()


def damaged(draw: random.Random, content: bytes) -> bytes:
    """The content cut, flipped, spliced, or with a value exchanged; in an archive, mostly inside a member."""
    if content.startswith(b"PK") and draw.random() < 0.7:
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer := io.BytesIO(), "w") as new:
            chosen = draw.choice(old.namelist())
            for name in old.namelist():
                new.writestr(name, damaged(draw, old.read(name)) if name == chosen else old.read(name))
        return buffer.getvalue()
    data = bytearray(content or b"\0")
    start, stop = sorted((draw.randrange(len(data)), draw.randrange(len(data))))
    match draw.randrange(7):
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
            data[start : start + 8] = (draw.choice(NUMBERS) % 2**64).to_bytes(8, draw.choice(("little", "big")))
        case _ if places := list(re.finditer(rb'-?\d+|"[^"]*"|\[[^\[\]]*\]', data)):
            place = draw.choice(places)
            data[place.start() : place.end()] = str(draw.choice((*NUMBERS, *TOKENS))).encode()
            if content[8:9] == b"{":  # a header whose length stands before it
                size = int.from_bytes(content[:8], "little") + len(data) - len(content)
                data[:8] = (size % 2**64).to_bytes(8, "little")
    return bytes(data)


def examine(name: str, reader: Reader, numbers: range) -> tuple[dict[str, Any], list[str]]:
    """Count how many inputs a reader accepts and refuses; list its failures."""
    seed = reader.seed()
    cases, failures, counts = list(crafted(seed).items()), [], Counter[str]()
    longest_s = 0.0
    for number in tqdm(numbers, desc=name, disable=None):
        draw = random.Random(f"{name} {number}")
        case, content = cases[number] if number < len(cases) else ("drawn", damaged(draw, seed))
        with tempfile.TemporaryDirectory() as folder:
            for file, beside in reader.beside().items():
                (Path(folder) / file).parent.mkdir(exist_ok=True)
                (Path(folder) / file).write_bytes(beside)
            path = Path(folder) / reader.file
            path.unlink(missing_ok=True)
            _ = path.write_bytes(content) if isinstance(content, bytes) else content(path)
            before = sorted(Path(folder).rglob("*"))
            start = time.perf_counter()
            verdict = judge(reader.read, path)
            longest_s = max(longest_s, time.perf_counter() - start)
            if sorted(Path(folder).rglob("*")) != before:
                verdict = "it left files"
        counts[verdict] += 1
        if verdict not in ("accepted", "refused"):
            failures.append(f"--only '{name}:{number}' ({case}): {verdict[:300]}")
    row = {"reader": name, "inputs": len(numbers), "crafted": sum(number < len(cases) for number in numbers)}
    row |= {"accepted": counts["accepted"], "refused": counts["refused"], "failures": len(failures)}
    return {**row, "longest_s": round(longest_s, 2)}, failures


def judge(read: Callable[[Path], object], path: Path) -> str:
    """The verdict on a file, read in a child process: "accepted", "refused", or what went wrong."""

    def watched() -> list[reader.Array]:
        reader.SECONDS = READER_S
        os.chdir(path.parent)
        try:
            with warnings.catch_warnings(record=True, action="always") as warned:
                read(path)
        except ScsrError:  # a line whatever it says
            raise ScsrError("refused") from None
        if warned:
            raise ScsrError(f"warning: {warned[0].message}")
        return []

    try:
        list(reader.arrays(path.parent, watched, ScsrError))
    except ScsrError as error:
        return str(error)
    return "accepted"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.hostile", description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=2000, help="inputs per reader (default 2000)")
    parser.add_argument("--only", default="", help="a reader, or one input, such as spikes:17; nothing is recorded")
    arguments, state = parser.parse_args(), commit()
    # Readers' own limits follow from this process's: else a bomb could take half of the machine's memory.
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (has + LIMIT_BYTES, resource.RLIM_INFINITY))
    name, _, number = arguments.only.partition(":")
    if arguments.only and (name not in READERS or not (number or "0").isdecimal()):
        parser.error(f"--only {arguments.only}: readers are {', '.join(READERS)}, and inputs are numbered from 0")
    numbers = range(int(number), int(number) + 1) if number else range(arguments.inputs)
    found = [examine(each, READERS[each], numbers) for each in READERS if name in ("", each)]
    rows, failures = [row for row, _ in found], [failure for _, several in found for failure in several]
    if not name:
        content = {"command": f"python -m bench.hostile --inputs {arguments.inputs}", "commit": state}
        write(RESULTS / "hostile.json", {**content, "readers": rows, "failures": failures})
    print(tabulate(rows, "keys", "github"), *failures, sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
