"""A process that runs one Yosys script: `python yosys.py SCRIPT`. Yosys ends the process that it fails in."""

from __future__ import annotations

import sys


def main() -> int:
    from pyosys import libyosys

    libyosys.run_pass(f"script {sys.argv[1]}", libyosys.Design())
    return 0


if __name__ == "__main__":
    sys.exit(main())
