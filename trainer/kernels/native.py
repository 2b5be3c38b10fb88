"""The compiled kernels on the CPU: `walk.cpp`, built by the system's C++ compiler at first use and kept in the user's
cache folder.

Without a compiler, training runs on plain PyTorch, with the same results and more slowly.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import Tensor

_SOURCE = Path(__file__).with_name("walk.cpp")
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scsr-hwgen"
# Contraction would fuse multiplications with additions and round once where PyTorch rounds twice.
_FLAGS = "-std=c++17 -O3 -march=native -ffp-contract=off -fno-math-errno -fno-trapping-math -shared -fPIC -fopenmp"
if platform.machine() in ("x86_64", "AMD64"):
    _FLAGS += " -mprefer-vector-width=512"
COMPILER = "c++"
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)

_Pointer = ctypes.c_void_p
_ARRAYS = """
    ends currents numbers recurrent delay inhibition outputs potential
    synapse_state adaptation_state refractory_state
    d_outputs d_currents d_numbers
"""


class Walk(ctypes.Structure):
    """`struct Walk` of walk.cpp."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("steps", "batch", "neurons", "recurrent_stride", "threads")),
        *((name, ctypes.c_int32) for name in ("integer", "output", "surrogate", "padding")),
        *((name, ctypes.c_float) for name in ("low", "high")),
        *((name, _Pointer) for name in _ARRAYS.split()),
    )


class Product(ctypes.Structure):
    """`struct Product` of walk.cpp."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("rows", "inputs", "columns", "stride", "parts", "threads")),
        *((name, _Pointer) for name in ("x", "transposed", "out", "d_out", "d_transposed")),
    )


@functools.cache
def library() -> ctypes.CDLL | None:
    """The compiled kernels, or None, said once on standard error, where they cannot be compiled."""
    try:
        compiler = shutil.which(COMPILER)
        if compiler is None:
            raise OSError(f"no {COMPILER}")
        path = _CACHE / f"walk-{_key(compiler)}.so"
        if not path.exists():
            _compile(compiler, path)
        _keep_memory()
        return ctypes.CDLL(str(path))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"trainer: no compiled kernels ({error}); plain PyTorch gives the same results, slower", file=sys.stderr)
        return None


def call(function: str, argument: ctypes.Structure) -> None:
    """Run a kernel."""
    kernels = library()
    assert kernels is not None
    getattr(kernels, function)(ctypes.byref(argument))


def share_environment() -> None:
    """Let all threads treat subnormal numbers as this one does; only this one does so where there are no kernels."""
    threads = torch.get_num_threads()
    if threads > 1 and (kernels := library()) is not None:  # nothing is compiled for one thread, or a GPU's
        kernels.share_environment(ctypes.c_int64(threads))


def pointer(tensor: Tensor) -> int:
    """The address of a contiguous tensor's data."""
    assert tensor.is_contiguous()
    assert tensor.device.type == "cpu"
    assert tensor.dtype in (torch.float32, torch.int64)
    return tensor.data_ptr()


def _keep_memory() -> None:
    """Let the C library keep large blocks that are freed: every batch asks for the same ones, and fresh pages cost."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc
        mallopt(_MMAP_THRESHOLD, 1 << 30)
        mallopt(_TRIM_THRESHOLD, (1 << 31) - 1)


def _key(compiler: str) -> str:
    """Changes with the source, the compiler and the processor: `-march=native` code is at home on one kind only."""
    version = subprocess.run([compiler, "--version"], capture_output=True, check=True).stdout
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        processor = platform.processor()
    content = (_SOURCE.read_bytes(), _FLAGS.encode(), version, platform.machine().encode(), processor.encode())
    return hashlib.sha256(b"\0".join(content)).hexdigest()[:16]


def _compile(compiler: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Compiled beside its place and moved there, so that another process never loads half a library.
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        command = [compiler, *_FLAGS.split(), str(_SOURCE), "-o", str(made)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError((done.stderr.strip() or f"{compiler} failed").splitlines()[0])
        os.replace(made, path)
