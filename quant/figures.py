"""Matplotlib's figures as bytes: the same ones for the same figure."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Literal

import matplotlib as mpl
from matplotlib.figure import Figure

Kind = Literal["png", "svg"]
_UNDATED: Mapping[Kind, Mapping[str, None]] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}


def to_bytes(figure: Figure, kind: Kind = "png") -> bytes:
    """The content of a picture file without a date."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "scsr"}):
        figure.savefig(buffer, format=kind, metadata=_UNDATED[kind])
    return buffer.getvalue()
