"""From an integer model to a build folder of Verilog: plan, then render, then write.

For notebooks and scripts, the whole path as calls (hwgen/flow/interface.py): `train` or `tune`, `export` or `convert`,
`build`, `verify`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwgen.core.request import Request
    from hwgen.flow.interface import Run, build, convert, export, train, tune, verify

__version__ = "0.1.0"
__all__ = ["Request", "Run", "build", "convert", "export", "train", "tune", "verify"]


def __getattr__(name: str) -> Any:
    """The calls of the whole path, loaded when they are first asked for: they need PyTorch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from hwgen.flow import interface

    return getattr(interface, name)
