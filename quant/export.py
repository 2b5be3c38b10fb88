"""From a training checkpoint to the integer model. The one file in `quant` that sees torch, and only when called.

A checkpoint is somebody's file: it is unpickled with `weights_only=True`, which runs no code, in a child process with
limits first (quant/reader.py), and every integer in it is checked like those of a model file.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from quant import reader, store
from quant.errors import ModelError, brief, reason
from quant.formats import IntArray
from quant.model import IntModel

FORMAT = "scsr-checkpoint"
PROGRESS_FORMAT = "scsr-progress"  # of last.pt, which holds the best network so far as its entry "product"
VERSION = 1

_KEYS = ("format", "version", "config", "float", "quantized", "integers")
_FINISHED = "finished"  # left out by earlier versions, which wrote the checkpoint at the end

T = TypeVar("T")


def load(path: Path) -> IntModel:
    """Read a model from an integer model file (`.safetensors`, without torch) or a checkpoint (`.pt`).

    Raises:
        ModelError: if the name ends in something else, or the file breaks its format in any way.
    """
    if path.suffix not in _READERS:
        raise ModelError(f"{path}: the name must end in {' or '.join(_READERS)}")
    return _READERS[path.suffix](path)


def from_checkpoint(path: Path) -> IntModel:
    """Read and validate the integers in a checkpoint written by `python -m trainer train`.

    Raises:
        ModelError: if the file is missing, truncated, unsafe, not a checkpoint, or holds impossible numbers.
    """
    return _rehearsed(path, _model)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, `ckpt.pt` or `last.pt` of a run: plain data and tensors, the best network so far.

    Of the content, only the keys and the version are checked.

    Raises:
        ModelError: if the file cannot be read safely or is no checkpoint.
    """
    return _rehearsed(path, _content)


def unpickle(path: Path) -> object:
    """What a file of `torch.save` holds, as long as it is plain data and tensors. No code in it is ever run.

    Raises:
        ModelError: if the file is missing, damaged, or asks for anything but plain data.
    """
    return _rehearsed(path, _unpickle)


def _rehearsed(path: Path, read: Callable[[Path], T]) -> T:
    """What `read` makes of the file, after a child process with limits has come to its end."""
    if not path.is_file():
        raise ModelError(f"{path}: no such file; `python -m trainer train` writes ckpt.pt")
    import torch  # noqa: F401 - once, and not in the child; reading a .safetensors file never pays for it

    return reader.rehearse(path, lambda: read(path), ModelError)


def _model(path: Path) -> IntModel:
    content = _content(path)
    try:
        _refuse_not_finite(content)
        document, tensors = _integers(content["integers"])
        return store.assemble(document, tensors)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def _content(path: Path) -> dict[str, Any]:
    content = _unpickle(path)
    if isinstance(content, dict) and content.get("format") == PROGRESS_FORMAT:
        content = content.get("product")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelError(f"{path}: not a checkpoint of `python -m trainer train` (ckpt.pt)")
    version = content.get("version")
    if type(version) is not int or version != VERSION:
        raise ModelError(f"{path}: version is {brief(version)}; this reader knows version {VERSION}")
    for key in _KEYS:
        if key not in content:
            raise ModelError(f"{path}: entry {key!r} is missing; train again")
    content.setdefault(_FINISHED, True)
    for key in content:
        if key not in (*_KEYS, _FINISHED):
            raise ModelError(f"{path}: entry {brief(key)} is unknown; allowed are {', '.join(_KEYS)}")
    return content


def _unpickle(path: Path) -> object:
    import torch

    try:
        # Warnings about pickle protocols come before a refusal that says all there is to say
        with warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except pickle.UnpicklingError:
        raise ModelError(
            f"{path}: damaged, or it asks for more than plain tensors, which is never run; train again"
        ) from None
    except Exception as error:  # damaged bytes can make an unpickler raise anything
        raise ModelError(f"{path}: damaged, or no checkpoint ({reason(error)}); train again") from None


def _integers(entry: object) -> tuple[object, Mapping[str, IntArray]]:
    if not isinstance(entry, dict) or set(entry) != {"model", "tensors"}:
        raise ModelError("integers: must hold exactly 'model' and 'tensors'; train again")
    document, tensors = entry["model"], entry["tensors"]
    if not isinstance(document, str) or not isinstance(tensors, dict):
        raise ModelError("integers: 'model' must be a string and 'tensors' a dictionary; train again")
    return store.parse_document(document), {str(name): _array(str(name), tensor) for name, tensor in tensors.items()}


def _array(name: str, tensor: object) -> IntArray:
    import torch

    if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided:
        raise ModelError(f"{name} is no dense tensor")
    if tensor.dtype not in (torch.int8, torch.int16, torch.int32):
        raise ModelError(f"{name}: dtype is {tensor.dtype}; it must be int8, int16 or int32")
    array: IntArray = tensor.detach().numpy()
    return array


def _refuse_not_finite(content: Mapping[str, Any]) -> None:
    """The real-valued parameters are not read, but where they are broken the training was, and so are the integers."""
    import torch

    for phase in ("float", "quantized"):
        for name, tensor in content[phase].items() if isinstance(content[phase], dict) else ():
            if isinstance(tensor, torch.Tensor) and not tensor.isfinite().all():
                raise ModelError(f"{phase}.{name} holds a value that is not finite; train again")


_READERS: dict[str, Callable[[Path], IntModel]] = {".pt": from_checkpoint, ".safetensors": store.read}
