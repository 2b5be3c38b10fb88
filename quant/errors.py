"""The project's one error tree. Each message is one line: what, where, the limit, the remedy."""

from __future__ import annotations


class ScsrError(Exception):
    """A mistake of the user or of the user's files: printed as one line, exit status 2, no traceback."""


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
