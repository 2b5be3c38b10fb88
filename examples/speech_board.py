"""Speech on a board without a board: the host program sends recordings over a serial line to a simulated one.

Run it where `configs/digits.toml` is; it needs the package pyserial.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import hwgen
from quant import spikes
from quant.files import write_atomic
from sim.board import simulated_board


def main(config: Path, out: Path, samples: int) -> int:
    run = hwgen.train(config, out / "run")
    core = hwgen.build(run, out / "core", hwgen.Request(target_step_us=3))
    write_atomic(out / "test.npz", spikes.to_bytes(run.samples("test").head(samples)))
    with simulated_board(core.path, bit_cycles=4) as port:
        host = [sys.executable, "-m", "hwgen", "host", "--port", port, "--build", core.path, "--check"]
        return subprocess.run([*host, "--spikes", out / "test.npz"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path("configs/digits.toml"), Path("runs/speech_board"), samples=50))
