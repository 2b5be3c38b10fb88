"""What the subcommands of `python -m sim` do."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Mapping
from typing import Any

from quant import spikes, store, vectors
from quant.errors import ScsrError, SpikeFileError
from quant.files import check_new, write_new
from quant.manifest import MODEL
from quant.spikes import SpikeSet
from sim.board import simulated_board
from sim.verify import COCOTB_DEFAULT_SAMPLES, Stress, check_folder, judge, verify_and_record

_SILENT = "the output was silent, which shows nothing; take other samples, or train further"


def verify(arguments: argparse.Namespace) -> int:
    """Verify, print a table and write the report; the exit status is 1 where something differs.

    With `--wave` only waves are written: the report of a whole set stays as it is.
    """
    cpp, netlist, wave = arguments.engine == "cpp", arguments.netlist, arguments.wave
    for given, option in ((arguments.stall_percent, "stall-percent"), (netlist, "netlist"), (wave, "wave")):
        if given and not cpp:
            raise ScsrError(f"--{option} is for --engine cpp; cocotb has cases and ways of its own")
    if wave is not None and wave.suffix not in (".vcd", ".fst"):
        raise ScsrError(f"--wave {wave}: the name must end in .vcd or .fst")
    if wave is not None:
        check_new(wave, force=arguments.force)
    stress = Stress(stall_percent=arguments.stall_percent)
    samples = _samples(arguments, None if cpp else COCOTB_DEFAULT_SAMPLES)
    build, engine, changed = arguments.build, arguments.engine, arguments.allow_changed
    if wave is None:
        report, path = verify_and_record(
            build, samples, engine=engine, stress=stress, netlist=netlist, allow_changed=changed
        )
    else:
        report = judge(build, samples, stress=stress, netlist=netlist, allow_changed=changed, wave=wave)
        path = wave
    for key, value in report.items():
        if key != "details":  # they are for the page
            print(f"{key.replace('_', ' '):22} {_shown(value)}")
    print(f"{'report' if wave is None else 'wave':22} {path}")
    if report["equal"]:
        print(f"PASS: {len(samples)} samples, every {'spike' if netlist is None else 'score'} equal")
        return 0
    print(f"FAIL: {report['first_difference'] or _SILENT}", file=sys.stderr)
    if wave is None and netlist is None and (sample := _first_differing(report)) is not None:
        again = ["--build", arguments.build, "--spikes", arguments.spikes, "--first", arguments.first + sample]
        again += ["--samples", 1, "--wave", "difference.vcd"]
        again += ["--stall-percent", arguments.stall_percent] if arguments.stall_percent else []
        again += ["--allow-changed"] if report["changed_files"] else []
        print(f"to see it: {arguments.prog} {shlex.join(map(str, again))}", file=sys.stderr)
    return 1


def run(arguments: argparse.Namespace) -> int:
    """Write what the golden model says about samples."""
    check_new(arguments.out, force=arguments.force)
    folder, _ = check_folder(arguments.build)
    samples, model = _samples(arguments, None), store.read(folder.path / MODEL)
    samples.check_channels(model.inputs)
    answers = vectors.expected(model, samples, folder.manifest.packets)
    write_new(arguments.out, vectors.to_bytes(samples, answers), force=arguments.force)
    counts = [f"{len(answers[f'layer_{index}']):,} of layer {index}" for index in range(1, len(model.layers) + 1)]
    print(f"{arguments.out}: {len(samples)} samples; spikes: {', '.join(counts)}")
    return 0


def _samples(arguments: argparse.Namespace, most: int | None) -> SpikeSet:
    """Those that are asked for: from `--first` on, `--samples` of them, or all, or the first `most`."""
    found = spikes.read(arguments.spikes)
    if not len(found):
        raise SpikeFileError(f"{arguments.spikes} holds no samples; one is needed at least")
    left = len(found) - arguments.first
    if not 0 <= arguments.first < len(found):
        allowed = f"{arguments.spikes} holds {len(found)}, allowed is 0..{len(found) - 1}"
        raise ScsrError(f"--first is {arguments.first}; {allowed}")
    count = min(most or left, left) if arguments.samples is None else arguments.samples
    if not 1 <= count <= left:
        raise ScsrError(f"--samples is {count}; {arguments.spikes} holds {left} from --first on, allowed is 1..{left}")
    return found.part(arguments.first, count)


def _first_differing(report: Mapping[str, Any]) -> int | None:
    """The first sample that differs inside, where that was seen."""
    found = [one["sample"] for one in report.get("details", {}).get("differences", [])]
    return min(found, default=None)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"layer {key}: {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if value is None:
        return "-"
    return f"{value:,}" if type(value) is int else str(value)


def board(arguments: argparse.Namespace) -> int:
    with simulated_board(arguments.build, bit_cycles=arguments.bit_cycles) as port:
        print(f"{port}: the simulated board's serial port; end with Ctrl-C", flush=True)
        while True:
            time.sleep(1)
