"""`python -m hwgen host`: samples to a board over its serial line, classes and scores back."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from hwgen.boards.serial_protocol import RESET, LinkError, Receiver, load_bytes, sample_bytes
from hwgen.core.plan import LAST_STEP, STATUS
from quant import archive, spikes, store, vectors
from quant.errors import ScsrError, ToolError
from quant.files import check_new, write_new
from quant.formats import IntArray
from quant.manifest import MODEL, BuildFolder, open_folder
from quant.readouts import Packets
from quant.spikes import SpikeSet

_GREETING_SECONDS = 1.0
_GREETINGS = 4
_RESTARTS = 8
_SLOWEST_CLOCK_HZ = 1_000_000
_SILENCE_SECONDS = 2.0
_MOST_BAUD = 100_000_000
_READ_SECONDS = 0.02
_CHUNK_BYTES = 4096
_LAST_STEP_FLAG = 1 << STATUS.index(LAST_STEP)
_LAST_STEP = _LAST_STEP_FLAG << 16  # in a packet's last beat
_TIMED_OUT = 1 << 16 + STATUS.index("ended by the watchdog")

Packet = tuple[int, ...]


class Port(Protocol):
    """What the host needs of a serial port; `serial.Serial` has it."""

    timeout: float | None

    @property
    def in_waiting(self) -> int: ...

    def read(self, size: int = 1, /) -> bytes: ...

    def write(self, data: bytes, /) -> int | None: ...

    def reset_input_buffer(self) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a board answered.

    Attributes:
        scores: int64 `(P, N_L)`, of every packet.
        classes, flags: int64 `(P,)`; flags are the upper 16 bits of a packet's last beat.
        ends: int64 `(S,)`, the place of each sample's last packet.
        restarts: how often the line had to be reset in between.
    """

    scores: IntArray
    classes: IntArray
    flags: IntArray
    ends: IntArray
    restarts: int

    def to_bytes(self) -> bytes:
        return archive.to_bytes({"scores": self.scores, "classes": self.classes, "flags": self.flags})


@dataclass(frozen=True, slots=True)
class Job:
    """What to send to which board.

    Attributes:
        load: the messages that load the core's weights; empty where it takes none.
        packets: when the core gives one.
        classes: number of scores in each packet.
        model: the number that the board has to name.
        silence_seconds: after so long without a byte the board counts as hanging.
    """

    samples: SpikeSet
    load: bytes
    packets: Packets
    classes: int
    model: int
    silence_seconds: float


def ask(port: Port, job: Job, progress: Callable[[], object] = lambda: None) -> Answers:
    """Send all samples, each until it is answered; `progress` is called for each answer.

    Raises:
        ScsrError: if nothing answers, another model does, or the line fails again and again at the same sample.
    """
    answers: list[list[Packet]] = []
    restarts, failures = 0, 0
    while True:
        before = len(answers)
        try:
            receiver = _greet(port, job.model)
            for answer in _exchange(port, receiver, job, before, careful=failures > 0):
                answers.append(answer)
                progress()
            return _answers(answers, job.classes, restarts)
        except LinkError as error:
            restarts += 1
            failures = failures + 1 if len(answers) == before else 1
            if failures > _RESTARTS:
                place = f"after {len(answers)} of {len(job.samples)} samples"
                raise ScsrError(f"{place} the line failed {failures} times: {error}; check cable and port") from None


def _greet(port: Port, model: int) -> Receiver:
    """Reset the board and hear which it is.

    Raises:
        LinkError: if it fails right after its greeting.
        ScsrError: if it is another model's.
        ToolError: if nothing answers.
    """
    port.timeout = _READ_SECONDS
    for _ in range(_GREETINGS):
        receiver = Receiver()
        port.reset_input_buffer()
        port.write(RESET)
        end = time.monotonic() + _GREETING_SECONDS
        while time.monotonic() < end:
            receiver.feed(_read(port))
            if receiver.window_bytes and receiver.model is not None:
                if receiver.model != model:
                    names = f"{receiver.model:04x}, the build is {model:04x}"
                    raise ScsrError(f"the board holds another model: it is {names}; program the board with this build")
                return receiver
    raise ToolError("nothing answers; is the board programmed with this build, and this its port and its --baud?")


def _exchange(port: Port, receiver: Receiver, job: Job, done: int, *, careful: bool) -> Iterator[list[Packet]]:
    """Send the samples from `done` on, no more than the window at once; yields the packets of each.

    After a failure, `careful`, the first sample goes alone: on a bad line the fewest bytes have the best chance.
    """
    chunks = _chunks(job, done)
    waiting = False
    missing, sent, left = len(job.samples) - done, 0, b""
    answer: list[Packet] = []
    heard = time.monotonic()
    while missing:
        room = receiver.window_bytes - (sent - receiver.taken_bytes)
        while len(left) < room and not waiting and (chunk := next(chunks, b"")):
            left += chunk
            waiting = careful
        if left and room > 0:
            port.write(left[:room])
            sent += min(len(left), room)
            left = left[room:]
        content = _read(port)
        for packet in receiver.feed(content):
            if len(packet) != job.classes + 1 or not missing:
                raise LinkError("the board sent a packet of another network")
            answer.append(packet)
            if not _complete(answer, job, len(job.samples) - missing):
                continue
            missing -= 1
            waiting = careful = False
            yield answer
            answer = []
        now = time.monotonic()
        heard = now if content else heard
        if now - heard > job.silence_seconds:
            raise LinkError(f"the board said nothing for {job.silence_seconds:.0f} s")


def _complete(answer: Sequence[Packet], job: Job, sample: int) -> bool:
    """Whether these are all packets of a sample.

    Raises:
        LinkError: if the core ended it in another step than the sample does. (Where the line paused for too long, its
            watchdog may have: what comes then would be taken for the next sample.)
    """
    if answer[-1][-1] & _TIMED_OUT:
        raise LinkError("the core's watchdog ended a sample")
    if job.packets == "sample":
        return True
    steps, last = int(job.samples.steps[sample]), bool(answer[-1][-1] & _LAST_STEP)
    if last != (len(answer) == steps):
        raise LinkError(f"the board gave {len(answer)} packets for a sample of {steps} steps")
    return last


def _chunks(job: Job, done: int) -> Iterator[bytes]:
    yield job.load + sample_bytes(job.samples, done)
    for index in range(done + 1, len(job.samples)):
        yield sample_bytes(job.samples, index)


def _read(port: Port) -> bytes:
    return port.read(min(_CHUNK_BYTES, port.in_waiting) or 1)


def _answers(answers: Sequence[Sequence[Packet]], classes: int, restarts: int) -> Answers:
    ends = np.cumsum([len(answer) for answer in answers], dtype=np.int64) - 1
    packets = [packet for answer in answers for packet in answer]
    beats = np.array(packets, dtype=np.uint32).reshape(len(packets), classes + 1)
    scores = np.ascontiguousarray(beats[:, :classes]).view(np.int32).astype(np.int64)
    last = beats[:, classes].astype(np.int64)
    return Answers(scores, last & 0xFFFF, last >> 16, ends, restarts)


def host(arguments: argparse.Namespace) -> int:
    folder = open_folder(arguments.build)
    job = _job(arguments, folder)
    if arguments.out is not None:
        check_new(arguments.out, force=arguments.force)
    port = _open_port(arguments.port, arguments.baud)
    start = time.monotonic()
    try:
        with tqdm(total=len(job.samples), unit="sample", disable=not sys.stderr.isatty()) as bar:
            answers = ask(port, job, bar.update)
    except ScsrError as error:
        raise type(error)(f"{arguments.port}: {error}") from None
    except OSError as error:  # pyserial's own errors are of this class
        raise ToolError(f"{arguments.port}: the port failed ({error}); is the board still connected?") from None
    finally:
        port.close()
    if arguments.out is not None:
        write_new(arguments.out, answers.to_bytes(), force=arguments.force)
    return _report(answers, job, time.monotonic() - start, folder if arguments.check else None)


def _job(arguments: argparse.Namespace, folder: BuildFolder) -> Job:
    samples = spikes.read(arguments.spikes)
    model = store.read(folder.path / MODEL)
    count = len(samples) if arguments.samples is None else arguments.samples
    samples.check_channels(model.inputs)
    if not 1 <= count <= len(samples):
        raise ScsrError(f"--samples is {count}; allowed is 1..{len(samples)}, what {arguments.spikes} holds")
    return Job(
        samples=samples.head(count),
        packets=folder.manifest.packets,
        load=load_bytes(folder.load_words()) if folder.manifest.load else b"",
        classes=model.layers[-1].neurons,
        model=int(folder.manifest.uart.model, 16),
        silence_seconds=_SILENCE_SECONDS + folder.manifest.idle_limit_cycles / _SLOWEST_CLOCK_HZ,
    )


def _open_port(name: str, baud: int) -> Any:
    try:
        import serial
    except ImportError:
        raise ToolError("pyserial is missing; `pip install pyserial` installs it") from None
    if not 1 <= baud <= _MOST_BAUD:
        raise ScsrError(f"--baud is {baud}; allowed is 1..{_MOST_BAUD}")
    try:
        return serial.serial_for_url(name, baudrate=baud, timeout=_READ_SECONDS)
    except (OSError, ValueError) as error:
        raise ToolError(f"{name} cannot be opened as a serial port at {baud} baud ({error})") from None


def _report(answers: Answers, job: Job, seconds: float, check: BuildFolder | None) -> int:
    samples, flags = job.samples, answers.flags & ~_LAST_STEP_FLAG
    labelled = samples.label >= 0
    shown: dict[str, object] = {"samples": len(samples), "samples per second": f"{len(samples) / seconds:.1f}"}
    if answers.restarts:
        shown["restarts"] = answers.restarts
    if flags.any():
        shown["flagged samples"] = _flagged(flags[answers.ends])
    if labelled.any():
        right = answers.classes[answers.ends] == samples.label
        shown["accuracy board"] = f"{np.mean(right[labelled]):.4f}"
    wrong = 0 if check is None else _compare(answers, job, check, shown)
    for name, value in shown.items():
        print(f"{name:20} {value}")
    if wrong:
        print(f"FAIL: {wrong} of {len(samples)} samples differ from the golden model", file=sys.stderr)
    elif check is not None and not answers.scores.any():
        print("FAIL: every score is zero, which shows nothing; send other samples, or train further", file=sys.stderr)
        wrong = 1
    return 1 if wrong else 0


def _flagged(flags: IntArray) -> str:
    """How many samples have a status flag, and which."""
    counts = {name: int(np.count_nonzero(flags >> bit & 1)) for bit, name in enumerate(STATUS)}
    found = ", ".join(f"{name}: {count}" for name, count in counts.items() if count)
    return f"{np.count_nonzero(flags)} ({found})"


def _compare(answers: Answers, job: Job, folder: BuildFolder, shown: dict[str, object]) -> int:
    """How many samples differ from the golden model, in the class or in any score of a packet."""
    expected = vectors.expected(store.read(folder.path / MODEL), job.samples, job.packets)
    flags = np.zeros_like(answers.flags)
    flags[answers.ends] = _LAST_STEP_FLAG if job.packets == "step" else 0
    scores = (answers.scores != expected["scores"]).any(axis=1)
    other = (answers.classes != expected["classes"]) | (answers.flags != flags)
    starts = np.concatenate([[0], answers.ends[:-1] + 1])
    shown["mismatches"] = wrong = int(np.count_nonzero(np.logical_or.reduceat(scores | other, starts)))
    return wrong
