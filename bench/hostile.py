"""Hostile input: every reader on damaged and crafted files, while somebody watches what it does.

A reader gives a valid object or raises a `ScsrError` of one line. Nothing else may happen: no other exception, no
warning, no hang, not more than 1 GiB of memory, no file written or read elsewhere, no process, no code. The first
inputs of a reader are crafted ones with a name, the others are drawn (bench/crafted.py, bench/mutations.py); input
`n` is the same in every run of one --seed. The figures are committed as bench/results/hostile.json.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

from tqdm import tqdm

from bench.readers import READERS, Inputs, Reader, build_files
from bench.record import RESULTS, commit
from quant import export, spikes
from quant.errors import ScsrError
from quant.files import write_atomic
from trainer import config

LIMIT_S = 10
LIMIT_BYTES = 1 << 30
SEED = 1


_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = (
    "chmod chown exec fork forkpty kill link mkdir posix_spawn remove rename rmdir spawn symlink system truncate utime"
)
_EVENTS = frozenset(f"os.{name}" for name in _CHANGES.split())
_FAMILIES = ("subprocess.", "socket.", "shutil.", "tempfile.", "pty.", "urllib.")
_LIBRARIES = tuple({str(Path(folder).resolve()) for folder in (sys.prefix, sys.base_prefix, Path(__file__).parents[1])})


class Hang(BaseException):
    """The time is up. No `Exception`, so that no reader takes it for damage."""


class Watch:
    """Notes what a reader does besides reading its file."""

    def __init__(self, folder: Path) -> None:
        self._allowed = (str(folder), *_LIBRARIES)
        self._on = False
        self.seen: list[str] = []
        sys.addaudithook(self._note)

    def judge(self, read: Callable[[Path], object], path: Path, limit_s: float) -> tuple[bool, float, str]:
        """Whether `read` accepts the file, the seconds it takes, and what it does wrong, "" if nothing."""
        self.seen.clear()
        accepted, problem = False, ""
        start = time.perf_counter()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                try:
                    signal.setitimer(signal.ITIMER_REAL, limit_s)
                    self._on = True
                    read(path)
                finally:
                    self._on = False
                    signal.setitimer(signal.ITIMER_REAL, 0)
                accepted = True
            except ScsrError as error:
                problem = "" if str(error).isprintable() else f"not one printable line: {error!r}"
            except BaseException as error:
                problem = f"{type(error).__name__}: {error}"
        found = [problem, *self.seen, *(f"warning: {one.message}" for one in warned)]
        return accepted, time.perf_counter() - start, "; ".join(filter(None, found))

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._on and self._wrong(event, arguments):
            self.seen.append(f"{event} {arguments!r:.200}")

    def _wrong(self, event: str, arguments: tuple[Any, ...]) -> bool:
        match event:
            case "open":
                path, _, flags = arguments
                elsewhere = isinstance(path, str | bytes) and not os.fsdecode(path).startswith(self._allowed)
                return elsewhere or bool(flags & _WRITES)
            case "exec":  # libraries that are imported only now come from their own files
                return not str(arguments[0].co_filename).startswith(_LIBRARIES)
            case "compile":  # "<unknown>" is `ast.literal_eval`, by which NumPy reads headers: it runs nothing
                return arguments[1] not in (None, "<unknown>") and not str(arguments[1]).startswith(_LIBRARIES)
        return event in _EVENTS or event.startswith(_FAMILIES)


@dataclass(slots=True)
class Tally:
    """What became of a reader's inputs.

    Attributes:
        longest_s: seconds of the input that took longest.
        peak_mib: memory beyond what the process had before.
        failures: number, name, and what went wrong.
    """

    inputs: int = 0
    crafted: int = 0
    accepted: int = 0
    refused: int = 0
    longest_s: float = 0.0
    peak_mib: float = 0.0
    failures: list[tuple[int, str, str]] = field(default_factory=list)


def examine(name: str, reader: Reader, numbers: range, *, seed: int = SEED, limit_s: float = LIMIT_S) -> Tally:
    """Give a reader its inputs, in a process of its own: one that dies is an input's fault, and another goes on."""
    context = multiprocessing.get_context("fork")
    inputs = Inputs(name, reader, seed)
    tally = Tally(crafted=len(inputs.names))
    with tempfile.TemporaryDirectory() as folder, tqdm(total=len(numbers), desc=name, disable=None) as bar:
        for file, content in reader.beside().items():
            write_atomic(Path(folder) / file, content)
        todo = list(numbers)
        while todo:
            here, there = context.Pipe(duplex=False)
            arguments = (inputs, reader, todo, Path(folder) / reader.file, limit_s, there)
            worker = context.Process(target=_work, args=arguments, daemon=True)
            worker.start()
            there.close()
            done = 0
            try:
                while here.poll(6 * limit_s):
                    result = here.recv()
                    _count(tally, inputs, todo[done], *result)
                    done += 1
                    bar.update()
                worker.kill()  # it hangs where no alarm reaches it
            except EOFError:
                pass
            worker.join()
            todo = todo[done:]
            if todo:
                _count(tally, inputs, todo.pop(0), False, 0.0, f"the process ended with {worker.exitcode}", 0.0)
        left = {str(path.relative_to(folder)) for path in Path(folder).rglob("*") if not path.is_dir()}
        if left - {*reader.beside(), reader.file}:
            tally.failures.append((-1, "", f"files were left: {sorted(left)}"))
    return tally


def _count(tally: Tally, inputs: Inputs, number: int, accepted: bool, seconds: float, problem: str, mib: float) -> None:
    tally.inputs += 1
    tally.accepted += accepted
    tally.refused += not (accepted or problem)
    tally.longest_s, tally.peak_mib = max(tally.longest_s, seconds), max(tally.peak_mib, mib)
    if problem:
        tally.failures.append((number, inputs.name(number), problem))


def _work(
    inputs: Inputs, reader: Reader, numbers: Iterable[int], path: Path, limit_s: float, report: Connection
) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # C libraries have much to say
    signal.signal(signal.SIGALRM, _raise)
    watch = Watch(path.parent)
    for seed in reader.seeds():  # what is loaded only now is no input's doing
        path.write_bytes(seed)
        watch.judge(reader.read, path, limit_s)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak of memory so far
    before = _kib("VmRSS")
    most = _kib("VmSize") * 1024 + 4 * LIMIT_BYTES  # saves the machine; the limit that counts is the peak's
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    allowed = LIMIT_BYTES // 1024
    for number in numbers:
        inputs.place(number, path)
        accepted, seconds, problem = watch.judge(reader.read, path, limit_s)
        peak = _kib("VmHWM") - before
        if peak > allowed:
            problem, allowed = f"{problem} {peak // 1024} MiB of memory", peak
        report.send((accepted, seconds, problem, peak / 1024))


def _raise(number: int, frame: FrameType | None) -> None:
    raise Hang


def _kib(key: str) -> int:
    """A line of the process's status."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(f"{key}:"))


def commands(seed: int = SEED) -> Tally:
    """Crafted files that are refused, at the command line: status 2, one line, nothing written."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in build_files().items():
            write_atomic(folder / "build" / file, content)
        asked = [(reader, inputs, number) for reader in COMMANDS for inputs, number in _refused(reader, folder, seed)]
        for reader, inputs, number in tqdm(asked, desc="commands", disable=None):
            path = folder / READERS[reader].file
            inputs.place(number, path)
            before = _listing(folder)
            words = [word.format(file=path, folder=folder) for word in COMMANDS[reader][1:]]
            start = time.perf_counter()
            done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, timeout=60)
            lines = done.stderr.splitlines()
            good = done.returncode == 2 and len(lines) == 1 and lines[0].startswith("error: ")
            problem = "" if good else f"status {done.returncode}: {done.stderr[-300:]}"
            if _listing(folder) != before:
                problem += " it left files"
            _count(tally, inputs, number, False, time.perf_counter() - start, problem, 0.0)
            inputs.clear(path)
    tally.crafted = tally.inputs
    return tally


COMMANDS: dict[str, tuple[Callable[[Path], object], str, *tuple[str, ...]]] = {
    "checkpoint": (export.load, "quant", "export", "--model", "{file}", "--out", "{folder}/out/m.safetensors"),
    "model": (export.load, "hwgen", "build", "--model", "{file}", "--out", "{folder}/out"),
    "spikes": (spikes.read, "sim", "verify", "--build", "{folder}/build", "--spikes", "{file}"),
    "config": (config.read, "trainer", "train", "--config", "{file}", "--out", "{folder}/out"),
}
_COMMAND_CASES = 12


def _refused(name: str, folder: Path, seed: int) -> list[tuple[Inputs, int]]:
    """Some crafted files that the command's reader refuses."""
    reader, read, found = READERS[name], COMMANDS[name][0], []
    inputs, path = Inputs(name, reader, seed), folder / reader.file
    for number in range(0, len(inputs.names), len(inputs.names) // _COMMAND_CASES):
        inputs.place(number, path)
        try:
            read(path)
        except ScsrError:
            found.append((inputs, number))
        inputs.clear(path)
    return found


def _listing(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def record(found: Mapping[str, Tally], inputs: int, seed: int) -> None:
    """Write what is committed; readers that were not examined now keep what they have."""
    path = RESULTS / "hostile.json"
    known = json.loads(path.read_text())["readers"] if path.exists() else {}
    now = {
        name: {"commit": commit(), "inputs_asked": inputs, "seed": seed, **asdict(one)} for name, one in found.items()
    }
    kept = {name: one for name, one in known.items() if name in (*READERS, "commands")}
    content = {"command": "python -m bench.hostile", "readers": {**kept, **now}}
    write_atomic(path, (json.dumps(content, indent=1) + "\n").encode())


def show(found: Mapping[str, Tally]) -> None:
    """The table of docs/hostile.md, and every failure."""
    print("| reader | inputs | crafted | accepted | refused | longest, s | memory, MiB | failures |")
    print("|---|---|---|---|---|---|---|---|")
    for name, one in found.items():
        counts = f"{one.inputs:,} | {one.crafted} | {one.accepted:,} | {one.refused:,}"
        print(f"| {name} | {counts} | {one.longest_s:.2f} | {one.peak_mib:.0f} | {len(one.failures)} |")
    for name, one in found.items():
        for number, case, problem in one.failures[:20]:
            print(f"--only '{name}:{number}' ({case}): {problem[:300]}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.hostile", description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="inputs per reader (default 100000)")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the drawn inputs (default {SEED})")
    parser.add_argument(
        "--only", help="a reader, 'commands', or one input, such as spikes:17, of which nothing is recorded"
    )
    arguments = parser.parse_args()
    name, _, number = (arguments.only or "").partition(":")
    found = {}
    for each, reader in READERS.items():
        if name in ("", each):
            numbers = range(int(number), int(number) + 1) if number else range(arguments.inputs)
            found[each] = examine(each, reader, numbers, seed=arguments.seed)
    if name in ("", "commands"):
        found["commands"] = commands(arguments.seed)
    if not number:
        record(found, arguments.inputs, arguments.seed)
    show(found)
    return 1 if any(tally.failures for tally in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
