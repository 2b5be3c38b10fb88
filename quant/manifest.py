"""A build folder's `manifest.json`, and the folder as it lies on disk: one typed record for all who read or write it.

Names from a folder go into scripts of outside tools: only names that a build gives are taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

import msgspec

from quant.errors import BuildError
from quant.files import check_size
from quant.page.records import PAGE, SYNTHESIZED, TRAINING_LINK
from quant.readouts import Packets

FORMAT: Final = "scsr-build"
VERSION: Final = 1
MANIFEST = "manifest.json"
_MAX_BYTES = 1 << 22  # of it; a file of the build takes a hundred of them
MODEL = "model.safetensors"

# What simulation, synthesis, bitstreams and projects leave in a build folder; a new build takes it away.
_PRODUCT_FILES = (PAGE, "reports/verify.json", "reports/verify_cocotb.json", SYNTHESIZED, TRAINING_LINK)
_PRODUCT_FOLDERS = ("tb/build/", "tb/__pycache__/", "synth/", "boards/", "projects/")
# What tools leave wherever they run, files and folders by their own names: a new build takes it away and says so.
_DROPPED = (
    *("__pycache__", ".pytest_cache", "sim_build", "results.xml"),  # Python, cocotb
    *("obj_dir", "a.out", "*.vvp", "*.vcd", "*.fst", "*.ghw"),  # Verilator, Icarus, waves
    *(".Xil", "xsim.dir", "*.wdb", "vivado*.jou", "vivado*.log", "transcript", "*.wlf"),  # Vivado, Questa
)

Identifier = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]{0,79}\Z")]
FileName = Annotated[str, msgspec.Meta(pattern=r"\A([A-Za-z0-9_]{1,80}/)?[A-Za-z0-9_]{1,80}(\.[A-Za-z0-9]{1,20})?\Z")]
Digest = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Port(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A port of the core: its width is in bits."""

    name: Identifier
    direction: Literal["input", "output"]
    width: Annotated[int, msgspec.Meta(ge=1)]


class Serial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The core behind a serial line: its top module, the number that it names itself by, and its own Verilog."""

    top: Identifier
    model: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{4}\Z")]
    sources: list[FileName]


class Load(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of words that the core takes after a reset, 16 bits each, lower byte first, and how many they are."""

    file: FileName
    words: int


class LayerRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a test bench must know of a layer, in the order of the probe's bits: how many neurons are updated per cycle
    and accumulate at once, whether they spike, and which layers it reads (0: the input)."""

    index: int
    neurons: int
    lanes: int
    units: int
    spiking: bool
    sources: list[int]


class SafetyRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the core has against faults in the field."""

    code: str
    watchdog_cycles: int | None
    self_test: bool


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a build made.

    Attributes:
        generator: name and version of what built it.
        top: name of the core's top module.
        model_digest: of the model.
        sources: the core's Verilog, leaf modules first.
        uart: the core behind a serial line.
        memories: the files that the core's memories are loaded from.
        ports: of the top module, in its order.
        packets: when it gives one; folders of earlier builds do not say so.
        load: what it takes after a reset; None where that is nothing.
        idle_limit_cycles: cycles after which a core that moves nothing hangs.
        probe, vectors: files of the test bench.
        checksums: SHA-256 of every file that was built, by its name.
    """

    format: Literal["scsr-build"]
    version: Literal[1]
    generator: str
    top: Identifier
    model_digest: Digest
    sources: list[FileName]
    uart: Serial
    memories: list[FileName]
    ports: list[Port]
    packets: Packets = "sample"
    load: Load | None
    layers: list[LayerRecord]
    safety: SafetyRecord
    idle_limit_cycles: int
    probe: FileName
    vectors: FileName
    checksums: dict[FileName, Digest]

    def to_bytes(self) -> bytes:
        """The file's content."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


@dataclass(frozen=True, slots=True)
class BuildFolder:
    """A build folder: where it lies, absolute, and what its manifest says."""

    path: Path
    manifest: Manifest

    @property
    def streams(self) -> Sequence[Port]:
        """The core's ports that move: all but the constant outputs that name it."""
        return [port for port in self.manifest.ports if port.name not in ("model_digest", "tool_version")]

    def load_words(self) -> bytes:
        """The words that the core takes after a reset, 16 bits each, lower byte first; empty where it takes none."""
        load = self.manifest.load
        return b"" if load is None else (self.path / load.file).read_bytes()


def read_folder(path: Path) -> BuildFolder:
    """What a build folder's manifest says; whether its files are so is not looked at.

    Raises:
        BuildError: if it is no build folder of this version.
    """
    if not path.is_dir():
        raise BuildError(f"{path}: there is no such folder; `python -m hwgen build` makes one")
    file = path / MANIFEST
    try:
        if not file.is_file():  # a pipe or a device would never end
            raise FileNotFoundError
        check_size(file, _MAX_BYTES)
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except (OSError, ValueError, RecursionError):
        raise BuildError(f"{path} is no build folder of this version; `python -m hwgen build` makes one") from None
    used = {*manifest.sources, *manifest.memories, *manifest.uart.sources, manifest.probe, manifest.vectors}
    if manifest.load is not None:
        used.add(manifest.load.file)
    if unknown := sorted(used - manifest.checksums.keys()):
        raise BuildError(f"{path / MANIFEST} names {unknown[0]!r}, which no build made; build the folder again")
    return BuildFolder(path.resolve(), manifest)


def open_folder(path: Path) -> BuildFolder:
    """Read a build folder whose files are as they were built.

    Raises:
        BuildError: if it is no build folder of this version, or a file is missing or not as it was built.
    """
    folder = read_folder(path)
    found = differences(folder.path, folder.manifest.checksums)
    for problem, names in (("is missing", found.missing), ("was changed since it was built", found.changed)):
        if names:
            raise BuildError(f"{path / names[0]} {problem}; build the folder again")
    return folder


@dataclass(frozen=True, slots=True)
class Differences:
    """Files of a build folder that are not as its manifest says, by their paths in it.

    Attributes:
        dropped: what tools left outside of the folders for it, a folder of theirs once; no difference.
    """

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]
    dropped: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.added)


def differences(folder: Path, checksums: Mapping[str, str]) -> Differences:
    """How a build folder differs from the SHA-256 `checksums` of its manifest; what later commands made is left out."""
    paths = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    found = {path.relative_to(folder).as_posix(): path for path in paths}
    others = {
        name: path
        for name, path in sorted(found.items())
        if name != MANIFEST and name not in _PRODUCT_FILES and not name.startswith(_PRODUCT_FOLDERS)
    }
    dropped = {name: _dropped(name) for name in others if name not in checksums}
    built = {name: path for name, path in others.items() if not dropped.get(name)}
    return Differences(
        changed=tuple(name for name, path in built.items() if name in checksums and _sha256(path) != checksums[name]),
        missing=tuple(sorted(checksums.keys() - built.keys())),
        added=tuple(name for name in built if name not in checksums),
        dropped=tuple(dict.fromkeys(filter(None, dropped.values()))),
    )


def _dropped(name: str) -> str | None:
    """The file or folder of a tool that a path is or lies in; None where it is no tool's."""
    path = PurePosixPath(name)
    for place in (*reversed(path.parents), path):
        if any(fnmatchcase(place.name, pattern) for pattern in _DROPPED):
            return place.as_posix()
    return None


def _sha256(path: Path) -> str | None:
    """Of a regular file; None of anything else: a build makes no links."""
    if path.is_symlink() or not path.is_file():
        return None
    check_size(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
