"""Reading somebody's file in a child process with limits of memory and time.

Some libraries believe what a file says: they allocate what it asks for, unpack as far as it goes, follow a damaged list
for ever, or crash. In a child process that ends the child, and becomes one line here. The child is a fork, so that it
costs milliseconds and imports nothing again; what it sends back is numbers, never a pickle.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt

from quant.errors import ScsrError, reason
from quant.files import memory_limit

Array = npt.NDArray[Any]
T = TypeVar("T")

SECONDS = 20  # of processor time for a file, and one more per MiB: a hundred times what a usual file takes
_WALL = 10  # times that, in case the child waits for something that never happens
_KINDS = "fiuS"  # of the numbers and texts that the child may send: an object would be an address


def arrays(path: Path, read: Callable[[], Iterable[Array]], error: type[ScsrError]) -> Iterator[Array]:
    """The one-dimensional arrays that `read` gives in a child process.

    Args:
        path: the file that `read` reads, for messages and for the time that its size allows.
        error: what is raised here for whatever goes wrong there.

    Raises:
        ScsrError: of the type `error`, with what `read` says, or with the limit that the child has reached.
    """
    found = path.stat()
    seconds = SECONDS + (min(found.st_size, 512 * found.st_blocks) >> 20)  # holes cost their maker nothing
    memory = memory_limit()
    receiver, sender = os.pipe()
    child = os.fork()
    if not child:
        os.close(receiver)
        _serve(path, read, sender, seconds, memory)
    os.close(sender)
    try:
        with os.fdopen(receiver, "rb") as pipe:
            problem = yield from _received(path, pipe, memory)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    _, status = os.waitpid(child, 0)
    if problem is None:
        problem = f"{path}: {_end(status, seconds)}; it is damaged, or too large for this machine: write it anew"
    if problem:
        raise error(problem)


def rehearse(path: Path, read: Callable[[], T], error: type[ScsrError]) -> T:
    """What `read` returns, after it was called in a child process, so that calling it here is known to end well.

    Raises:
        ScsrError: as `arrays`.
    """

    def nothing() -> list[Array]:
        read()
        return []

    list(arrays(path, nothing, error))
    return read()


def _serve(path: Path, read: Callable[[], Iterable[Array]], sender: int, seconds: int, memory: int) -> NoReturn:
    """The child sends each array as a line, its dtype and bytes, and the bytes; last what went wrong, or ""."""
    try:
        _limit(seconds, memory)
        with os.fdopen(sender, "wb") as pipe:
            try:
                for array in read():
                    pipe.write(json.dumps([array.dtype.str, array.nbytes]).encode() + b"\n")
                    pipe.write(array.tobytes())
                problem = ""
            except ScsrError as error:
                problem = str(error)
            except MemoryError:
                problem = f"{path}: reading it takes more than {memory >> 20} MiB; give a smaller file"
            except Exception as error:  # damaged bytes can make a library raise anything
                problem = f"{path}: damaged, or not of its kind ({reason(error)})"
            pipe.write(json.dumps(problem).encode() + b"\n")
    finally:
        os._exit(0)  # nothing of the parent's is finished twice


def _limit(seconds: int, memory: int) -> None:
    faulthandler.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the C library's last words
    if "torch" in sys.modules:  # a fork has none of its parent's threads, and would wait for them
        sys.modules["torch"].set_num_threads(1)
    for number in (signal.SIGALRM, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)
    signal.alarm(_WALL * seconds)
    statm = Path("/proc/self/statm")
    if statm.exists():  # elsewhere than on Linux, a limit of the address space is not kept
        has = int(statm.read_text().split()[0]) * resource.getpagesize()
        _lower(resource.RLIMIT_AS, has + memory)
    _lower(resource.RLIMIT_CPU, seconds)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(which: int, limit: int) -> None:
    _, hard = resource.getrlimit(which)
    resource.setrlimit(which, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _received(path: Path, pipe: BinaryIO, memory: int) -> Generator[Array, None, str | None]:
    """The arrays; returns the child's last line, or None if it died before."""
    left = memory
    for line in iter(pipe.readline, b""):
        head = json.loads(line)
        if isinstance(head, str):
            return head
        dtype, size = np.dtype(head[0]), int(head[1])
        assert dtype.kind in _KINDS, f"{dtype} is not for sending"
        left -= size
        if left < 0:
            return f"{path}: its arrays take more than {memory >> 20} MiB; give a smaller file"
        content = pipe.read(size)
        if len(content) < size:
            return None
        yield np.frombuffer(content, dtype)
    return None


def _end(status: int, seconds: int) -> str:
    """How the child died."""
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number in (signal.SIGXCPU, signal.SIGALRM):
        return f"reading it takes more than {seconds} s, the limit for its size"
    if number == signal.SIGKILL:
        return "reading it was stopped by the system, as when memory runs out"
    return f"reading it crashed ({signal.Signals(number).name if number else 'unexpected end'})"
