"""The console command `scsr`: the subcommands of all packages under one name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import hwgen.__main__
import quant.__main__
import sim.__main__
import trainer.__main__
from quant.command import Command


def main(argv: Sequence[str] | None = None) -> int:
    return Command("scsr", "From your data to hardware that spikes as the network you trained.", add_commands).run(argv)


def add_commands(command: Command) -> None:
    """Add the subcommands of all packages."""
    trainer.__main__.add_commands(command, inspect="inspect-data")  # `inspect` looks at builds
    for package in (quant.__main__, hwgen.__main__, sim.__main__):
        package.add_commands(command)
    _add_bits(command)


def _add_bits(command: Command) -> None:
    bits = command.add(
        "bits",
        "hwgen.flow.bits:command",
        "how many bits a weight needs: accuracy, area and time of several widths, and a recommendation",
        "--config configs/digits.toml --bits 1,2,3,4,6,8 --out runs/bits",
    )
    bits.add_argument("--config", type=Path, required=True, help="the configuration (.toml)")
    bits.add_argument("--bits", default="1,2,3,4,6,8", help="widths to try (default 1,2,3,4,6,8)")
    bits.add_argument("--out", type=Path, required=True, help="folder of the runs and the results")
    bits.add_argument("--seeds", type=int, default=3, help="trainings of each width (default 3)")
    bits.add_argument("--target", default="xc7", help="FPGA whose area is estimated (default xc7; docs/folding.md)")


if __name__ == "__main__":
    sys.exit(main())
