"""The command line of benchmarks that take no options."""

from __future__ import annotations

import argparse


def no_options(doc: str | None) -> None:
    """Answer `--help` and refuse everything else, before minutes of work replace a record."""
    argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
