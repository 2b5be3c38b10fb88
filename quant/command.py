"""What the command lines of all packages share: subcommands, `--debug`, one-line errors, exit statuses.

A command's handler is named, not imported: `--help` takes no longer than it must, and torch is loaded only to train.
"""

from __future__ import annotations

import argparse
import importlib
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import NoReturn

from quant.errors import ScsrError, printable


class Command:
    """A command line with subcommands, which `add_commands` adds to it; each handler returns the exit status."""

    def __init__(self, prog: str, description: str, add_commands: Callable[[Command], None]) -> None:
        self._parser = _Parser(prog=prog, description=description)
        self._parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
        self._subcommands = self._parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
        add_commands(self)

    @property
    def parsers(self) -> Mapping[str, argparse.ArgumentParser]:
        """The parser of each subcommand."""
        return self._subcommands.choices

    def add(self, name: str, handler: str, summary: str, example: str) -> argparse.ArgumentParser:
        """Add a subcommand; the caller adds its arguments to the parser returned.

        Args:
            name: of the subcommand.
            handler: `module:function`, imported when the subcommand runs; it takes the parsed arguments, with `prog`
                and `given`, the words of the command itself, and returns the exit status.
            summary: what the subcommand does.
            example: its arguments in one use of it.
        """
        parser = self._subcommands.add_parser(name, help=summary, description=summary)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = (
            f"example:\n  {parser.prog} {example}\n\nwords: docs/glossary.md, all options: docs/reference.md"
        )
        parser.set_defaults(handler=handler, prog=parser.prog)
        return parser

    def run(self, argv: Sequence[str] | None = None) -> int:
        """Parse and run. A `ScsrError`, an operating-system error, a lack of memory: one line and status 2."""
        debug = False
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # names of files need not be text
        try:
            arguments = self._parser.parse_args(argv)
            words = sys.argv[1:] if argv is None else list(argv)
            arguments.given = words[words.index(arguments.subcommand) + 1 :]
            debug = arguments.debug
            module, _, function = arguments.handler.partition(":")
            status: int = getattr(importlib.import_module(module), function)(arguments)
            return status
        except (ScsrError, OSError, MemoryError, BrokenExecutor) as error:
            if debug:
                raise
            print(f"error: {printable(_one_line(error))}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130


def add_out(parser: argparse.ArgumentParser, summary: str, *, required: bool = True) -> None:
    """Add `--out` for a file, and `--force`, which lets it replace another."""
    parser.add_argument("--out", type=Path, required=required, help=summary)
    parser.add_argument("--force", action="store_true", help="replace a file that holds something else")


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are shown like all others (its subparsers are of this class too)."""

    def error(self, message: str) -> NoReturn:
        raise ScsrError(f"{message}; see {self.prog} --help")


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return "not enough memory for this input; give fewer or smaller samples or layers"
    if isinstance(error, BrokenExecutor):
        return "a worker process was killed, as happens where memory runs out; give it less at once, or start it again"
    return " ".join(str(error).split())
