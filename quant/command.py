"""What the command lines of all packages share: subcommands, `--debug`, one-line errors, exit statuses."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from quant.errors import ScsrError

Handler = Callable[[argparse.Namespace], int]


class Command:
    """A command line with subcommands; each handler returns the exit status."""

    def __init__(self, prog: str, description: str) -> None:
        self._parser = _Parser(prog=prog, description=description)
        self._parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
        self._subcommands = self._parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")

    def add(self, name: str, handler: Handler, summary: str) -> argparse.ArgumentParser:
        """Add a subcommand; the caller adds its arguments to the parser returned."""
        parser = self._subcommands.add_parser(name, help=summary, description=summary)
        parser.set_defaults(handler=handler)
        return parser

    def run(self, argv: Sequence[str] | None = None) -> int:
        """Parse and run. A `ScsrError`, an operating-system error or a lack of memory becomes one line and status 2."""
        debug = False
        try:
            arguments = self._parser.parse_args(argv)
            debug = arguments.debug
            handler: Handler = arguments.handler
            return handler(arguments)
        except (ScsrError, OSError, MemoryError) as error:
            if debug:
                raise
            print(f"error: {_one_line(error)}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are shown like all others (its subparsers are of this class too)."""

    def error(self, message: str) -> NoReturn:
        raise ScsrError(f"{message}; see {self.prog} --help")


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return "not enough memory for this input; give fewer or smaller samples or layers"
    return " ".join(str(error).split())
