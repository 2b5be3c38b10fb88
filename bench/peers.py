"""The same trained networks through this project and its peers: how many output bits differ from snnTorch's spikes.

A network of snnTorch is trained on spoken digits with each reset (`bench/peer_network.py`). Every tool makes hardware
of it by its own flow, the hardware is simulated on the same test spikes, and the spikes of the last layer are compared
bit by bit. A tool that is not installed, or refuses, is named with the reason. Writes bench/results/peers.json;
docs/peers.md says what was found. Needs `pip install -e '.[generators]'`, as `make peers` does.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tabulate import tabulate
from tqdm import tqdm

import hwgen
from bench import peer_network, peer_neurocore, peer_spikerplus, record
from bench.options import no_options
from bench.peer_network import Found, Reset, Task
from quant import golden
from quant.errors import ToolError
from quant.golden import BoolArray

ROOT = Path("build/bench/peers")
LIBRARIES = ("numpy", "snntorch", "torch")

Run = Callable[[Task, int, Path], Found]


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool.

    Attributes:
        package: its name on PyPI.
        run: makes hardware of a task with weights of so many bits, in a folder, and simulates it; raises ToolError.
        resets: those that its hardware has.
        bits: widths of weights to try.
        commands: other programs that it needs, with the words of their versions.
    """

    package: str
    run: Run
    resets: tuple[Reset, ...]
    bits: tuple[int, ...] = (6, 8, 16)
    commands: tuple[str, ...] = ()


def ours(task: Task, weight_bits: int, folder: Path) -> Found:
    """The hardware's spikes are the golden model's where `hwgen.verify` finds that no spike of any layer differs."""
    model = hwgen.convert(task.net, task.validation, weight_bits=weight_bits)
    report = hwgen.verify(hwgen.build(model, folder), task.samples)
    if record.mismatches(dict(report)) or not report["equal"]:
        raise AssertionError(f"{folder}: {report['first_difference']}")
    trace = golden.run(model, task.inputs, np.full(task.inputs.shape[1], len(task.inputs)))
    states = ", ".join(str(layer.integers.state_bits) for layer in model.layers)
    return Found(f"states {states} bits", trace.spikes[-1], trace.spikes[-1])


def hls4ml(task: Task, weight_bits: int, folder: Path) -> Found:
    """Asks whether the installed release takes the network, by its documented flow."""
    import hls4ml as tool

    options = {"backend": "Vitis", "default_precision": f"ap_fixed<{weight_bits},6>"}
    shape = (task.inputs.shape[2],)
    try:
        config = tool.utils.config_from_pytorch_model(task.net, shape, granularity="name", **options)
        tool.converters.convert_from_pytorch_model(
            task.net, hls_config=config, output_dir=str(folder), backend="Vitis", io_type="io_parallel"
        )
    except Exception as error:
        raise ToolError(f"refuses snnTorch's Leaky: {type(error).__name__}: {error}") from None
    raise ToolError("takes snnTorch's Leaky now; its emulation is not compared here")


PEERS: Mapping[str, Peer] = {
    "this project": Peer("scsr-hwgen", ours, ("subtract", "zero")),
    "Spiker+": Peer("spikerplus", peer_spikerplus.run, ("subtract",), commands=("ghdl",)),
    "SC-NeuroCore": Peer("sc-neurocore", peer_neurocore.run, ("zero",), (16, 32), ("iverilog",)),
    "hls4ml": Peer("hls4ml", hls4ml, ("subtract",), (16,)),
}


def missing(peer: Peer) -> str | None:
    """What keeps a tool from running here, if anything."""
    try:
        importlib.metadata.version(peer.package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
    return next((f"{command} is missing" for command in peer.commands if shutil.which(command) is None), None)


def differing(one: BoolArray, two: BoolArray, inside: BoolArray) -> int:
    """How many bits `(T, S, N)` differ in the samples' own steps `(T, S)`."""
    return int(((one != two) & inside[:, :, None]).sum())


def on_time(late: BoolArray, wanted: BoolArray, inside: BoolArray) -> tuple[int, BoolArray]:
    """By how many steps hardware is late, and its spikes `(T, S, N)` put right: where the fewest bits differ."""
    shifted = [late[lag : lag + len(wanted)] for lag in range(len(late) - len(wanted) + 1)]
    lag = min(range(len(shifted)), key=lambda chosen: differing(shifted[chosen], wanted, inside))
    return lag, shifted[lag]


def judge(task: Task, found: Found) -> dict[str, Any]:
    """The row of one result. Silence is no result: asserts that hardware spikes."""
    inside = peer_network.inside(task.samples)
    lag, hardware = on_time(found.hardware, task.wanted, inside)
    software = found.software[: len(task.wanted)]
    counted = hardware & inside[:, :, None]
    assert counted.any(), "no spikes to compare"
    assert task.wanted.any(), "snnTorch is silent"
    return {
        "settings": found.settings,
        "late": lag,
        "hardware": differing(hardware, task.wanted, inside),
        "software": differing(software, task.wanted, inside),
        "hardware_software": differing(hardware, software, inside),
        "accuracy": _accuracy(counted, task),
    }


def _accuracy(spikes: BoolArray, task: Task) -> float:
    """By the most spikes of the last layer, `(T, S, classes)`, in the samples' own steps."""
    return float((spikes.sum(axis=0).argmax(axis=1) == task.samples.label).mean())


def measure(name: str, peer: Peer, tasks: Mapping[Reset, Task]) -> Iterator[dict[str, Any]]:
    """The rows of one tool, or one with the reason why there are none."""
    reason = missing(peer)
    version = None if reason == "not installed" else importlib.metadata.version(peer.package)
    said = {"tool": name, "version": version}
    if reason:
        yield {**said, "reason": reason}
        return
    for reset in peer.resets:
        for bits in peer.bits:
            folder = ROOT / re.sub(r"\W+", "_", f"{name} {reset} {bits}")
            try:
                found = peer.run(tasks[reset], bits, folder)
            except ToolError as error:
                yield {**said, "reset": reset, "weight_bits": bits, "reason": str(error)}
            else:
                yield {**said, "reset": reset, "weight_bits": bits, **judge(tasks[reset], found)}


def table(rows: list[dict[str, Any]], bits: int) -> str:
    """For a terminal and for Markdown; shares are of the `bits` compared."""

    def cells(row: dict[str, Any]) -> list[str]:
        tool = " ".join(filter(None, (row["tool"], row["version"])))
        first = [tool, row.get("reset", ""), str(row.get("weight_bits", ""))]
        if "reason" in row:
            return [*first, row["reason"], "", "", "", ""]
        counts = (row[key] for key in ("hardware", "software", "hardware_software"))
        return [*first, row["settings"], *(f"{one:,} ({one / bits:.2%})" for one in counts), f"{row['accuracy']:.3f}"]

    heads = ["tool", "reset", "weight bits", "settings", "hardware ≠ snnTorch", "its software ≠ snnTorch"]
    heads += ["hardware ≠ its software", "accuracy"]
    return str(tabulate(map(cells, rows), heads, "github", disable_numparse=True))


def main() -> int:
    no_options(__doc__)
    torch.set_num_threads(1)
    begun = record.commit()
    tasks = {reset: peer_network.task(reset) for reset in PEERS["this project"].resets}
    results = [measure(name, peer, tasks) for name, peer in PEERS.items()]
    total = sum(1 if missing(peer) else len(peer.resets) * len(peer.bits) for peer in PEERS.values())
    rows = list(tqdm((row for result in results for row in result), "networks", total))
    example = tasks["subtract"]
    bits = int(example.samples.steps.sum()) * example.wanted.shape[2]
    content: dict[str, Any] = {
        "command": "make peers",
        "commit": begun,
        "versions": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "commands": {name: _version(name) for peer in PEERS.values() if not missing(peer) for name in peer.commands},
        "network": "-".join(map(str, (example.inputs.shape[2], peer_network.HIDDEN, example.wanted.shape[2]))),
        "seed": peer_network.SEED,
        "epochs": peer_network.EPOCHS,
        "samples": len(example.samples),
        "output bits": bits,
        "snnTorch": {
            reset: {
                "spikes": int(task.wanted.sum()),
                "accuracy": _accuracy(task.wanted, task),
                "accuracy on the whole test part": task.accuracy,
            }
            for reset, task in tasks.items()
        },
        "rows": rows,
    }
    record.write(record.RESULTS / "peers.json", content)
    print(f"\n{len(example.samples)} samples, {bits:,} output bits\n\n{table(rows, bits)}\n")
    for reset, said in content["snnTorch"].items():
        print(f"snnTorch, reset {reset}: {said['spikes']:,} spikes, accuracy {said['accuracy']:.3f}")
    return 0


def _version(command: str) -> str:
    option = "-V" if command == "iverilog" else "--version"
    done = subprocess.run([command, option], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
