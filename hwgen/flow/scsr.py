"""The console command `scsr`: the subcommands of all packages under one name."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import hwgen.__main__
import quant.__main__
import sim.__main__
import trainer.__main__
from quant.command import Command


def main(argv: Sequence[str] | None = None) -> int:
    command = Command("scsr", "From your data to hardware that spikes as the network you trained.")
    trainer.__main__.add_commands(command, inspect="inspect-data")  # `inspect` looks at builds
    for package in (quant.__main__, hwgen.__main__, sim.__main__):
        package.add_commands(command)
    return command.run(argv)


if __name__ == "__main__":
    sys.exit(main())
