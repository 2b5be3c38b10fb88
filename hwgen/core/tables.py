"""Tables in plain text."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate


def lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table's lines, its columns aligned on the left; the first row is the head."""
    return [line.rstrip() for line in tabulate(rows, tablefmt="plain", disable_numparse=True).splitlines()]
