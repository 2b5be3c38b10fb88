"""What the subcommands of `python -m sim` do."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping

from quant import page, spikes
from quant.errors import ScsrError, SpikeFileError, VerificationError
from quant.files import write_atomic
from sim.board import simulated_board
from sim.verify import COCOTB_DEFAULT_SAMPLES, Stress
from sim.verify import verify as against_golden


def verify(arguments: argparse.Namespace) -> int:
    """Verify, print a table and write the report; the exit status is 1 where something differs.

    The report is `reports/verify.json`, with cocotb `reports/verify_cocotb.json`, of a netlist
    `synth/<target>/verify.json`.
    """
    samples = spikes.read(arguments.spikes)
    if not len(samples):
        raise SpikeFileError(f"{arguments.spikes} holds no samples; verification needs at least one")
    if arguments.stall_percent and arguments.engine != "cpp":
        raise ScsrError("--stall-percent is for --engine cpp; cocotb always runs its own cases, stalls among them")
    if arguments.netlist and arguments.engine != "cpp":
        raise ScsrError("--netlist is for --engine cpp; cocotb looks at spikes inside, which a netlist does not show")
    count = arguments.samples
    if count is None:
        count = len(samples) if arguments.engine == "cpp" else min(COCOTB_DEFAULT_SAMPLES, len(samples))
    if not 1 <= count <= len(samples):
        raise ScsrError(f"--samples is {count}; {arguments.spikes} holds {len(samples)}, allowed is 1..{len(samples)}")
    if not 0 <= arguments.stall_percent <= 95:
        raise ScsrError(f"--stall-percent is {arguments.stall_percent}; allowed is 0..95")
    netlist = arguments.netlist
    try:
        report = against_golden(
            arguments.build,
            samples.head(count),
            engine=arguments.engine,
            stress=Stress(stall_percent=arguments.stall_percent),
            netlist=netlist,
            allow_changed=arguments.allow_changed,
        )
    except VerificationError as error:
        report = {"equal": False, "engine": arguments.engine, "samples": count, "first_difference": str(error)}
    name = "verify.json" if arguments.engine == "cpp" else f"verify_{arguments.engine}.json"
    path = arguments.build / "reports" / name if netlist is None else arguments.build / "synth" / netlist / name
    write_atomic(path, (json.dumps(report, indent=2) + "\n").encode())
    page.update(arguments.build)
    for key, value in report.items():
        if key != "details":  # they are for the page
            print(f"{key.replace('_', ' '):22} {_shown(value)}")
    print(f"{'report':22} {path}")
    if report["equal"]:
        print(f"PASS: {count} samples, every {'spike' if netlist is None else 'score'} equal")
        return 0
    print(f"FAIL: {report['first_difference'] or 'the output was silent: nothing was shown'}", file=sys.stderr)
    return 1


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
