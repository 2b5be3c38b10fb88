"""A board without a board: the core behind its serial line in simulation, on a port that any program can open."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quant.errors import ScsrError
from sim.tb import runner
from sim.verify import check_folder

HARNESS = Path(__file__).resolve().parent / "uart" / "board.cpp"
MIN_BIT_CYCLES = 4
MAX_BIT_CYCLES = 4096


@contextmanager
def simulated_board(folder: Path, *, bit_cycles: int, lose_every: int = 0) -> Iterator[str]:
    """Runs a build folder's core behind a simulated serial line as long as the context lasts.

    Args:
        folder: the build folder.
        bit_cycles: length of a bit in cycles of the core's clock.
        lose_every: of the bytes in each direction every so many-th is lost; 0: none.

    Yields:
        The name of the serial port, a pseudo-terminal.

    Raises:
        BuildError: if the folder is no build folder.
        ScsrError: if `bit_cycles` is out of range.
    """
    if not MIN_BIT_CYCLES <= bit_cycles <= MAX_BIT_CYCLES:
        raise ScsrError(f"--bit-cycles is {bit_cycles}; allowed is {MIN_BIT_CYCLES}..{MAX_BIT_CYCLES}")
    folder = folder.resolve()
    manifest = check_folder(folder)[0].manifest
    program = runner.build_program(
        folder,
        folder / "tb" / "build" / f"board_{bit_cycles}",
        top=manifest.uart.top,
        sources=[*manifest.sources, *manifest.uart.sources],
        harness=HARNESS,
        prefix="Vboard",
        parameters={"BIT_CYCLES": bit_cycles, "COUNT_W": bit_cycles.bit_length()},
    )
    arguments = [str(program), str(bit_cycles), str(lose_every)]
    with subprocess.Popen(arguments, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            if not port:
                raise runner.SimulationError("the simulated board did not start")
            yield port
        finally:
            process.terminate()
