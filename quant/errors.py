"""The project's one error tree. Each message is one line: what, where, the limit, the remedy."""

from __future__ import annotations

import reprlib

_LONGEST_REASON = 120


def printable(text: str) -> str:
    """A text in which whatever is no printable character is spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class ScsrError(Exception):
    """A mistake of the user or of the user's files: printed as one line, exit status 2, no traceback.

    What files and folders are called goes into messages: whatever is no printable character there is spelled out.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(" ".join(message.splitlines())))


class ModelError(ScsrError):
    """An integer model or a checkpoint that breaks its format."""


class SpikeFileError(ScsrError):
    """A spike file that breaks its format or does not fit the model."""


class ConfigError(ScsrError):
    """A training configuration with an unknown key, a wrong type or an impossible value."""


class DataError(ScsrError):
    """A data set that is missing, incomplete or not as expected."""


class DivergenceError(ScsrError):
    """A training run whose numbers are no longer finite."""


class BuildError(ScsrError):
    """A build that cannot be made or written, or a build folder that cannot be used."""


class VerificationError(ScsrError):
    """Hardware that breaks a rule of its streams or never answers: a failed verification, exit status 1."""


class ToolError(ScsrError):
    """An outside tool that is missing or failed."""


class _Brief(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 3, 40, 40

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() <= 64 else f"a number of {x.bit_length()} bits"

    def repr_Tensor(self, x: object, level: int) -> str:  # PyTorch loads a good part of itself to show one
        return "a tensor"


brief = _Brief().repr
"""A value from a file for a message: short, however long, deep or large the value is."""


def reason(error: Exception) -> str:
    """What another library says about a damaged file, short."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0] if len(lines[0]) <= _LONGEST_REASON else lines[0][: _LONGEST_REASON - 3] + "..."
