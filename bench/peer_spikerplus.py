"""Spiker+ by its own flow: its description of the network, its quantizer, its VHDL in its own test bench, in GHDL.

Its test bench is for Vivado's simulator, but is plain VHDL-2008. It runs one sample after the other, each for
`n_cycles + 1` steps, and writes a line per step; the first line stands for the state before the first step.
"""

from __future__ import annotations

import copy
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.peer_network import BETA, HIDDEN, Found, Task, spikes, weights
from quant.errors import ToolError
from quant.golden import BoolArray

MARGIN = 8  # more bits in a neuron than in a weight, so that no potential saturates
CHOSEN_BY = 100  # validation samples
CLOCK_NS = 20
STEP_CYCLES = 2 * HIDDEN + 30  # more than any step takes


def run(task: Task, weight_bits: int, folder: Path) -> Found:
    """Raises ToolError if GHDL refuses the VHDL."""
    steps = len(task.inputs)
    description = _description(task, steps)
    net = _network(task, description)
    decimals = _decimals(task, net, description, weight_bits)
    software = _software(_quantized(net, description, weight_bits, decimals), task.inputs)
    _write(net, weight_bits, decimals, folder)
    padded = np.pad(task.inputs, ((0, 1), (0, 0), (0, 0)))  # it takes one step more than it was made for
    lines = _simulate(folder, padded.transpose(1, 0, 2).reshape(-1, padded.shape[2]))
    hardware = lines.reshape(padded.shape[1], steps + 1, -1).transpose(1, 0, 2)[:steps]
    settings = f"neurons {weight_bits + MARGIN} bits, {decimals} decimals"
    return Found(settings, hardware, software)


def _description(task: Task, steps: int) -> dict[str, Any]:
    fixed = {"neuron_model": "lif", "beta": BETA, "threshold": 1.0, "reset_mechanism": task.reset}
    sizes = [len(weight) for weight in weights(task.net)]
    layers = {f"layer_{place}": {**fixed, "n_neurons": size} for place, size in enumerate(sizes)}
    return {"n_cycles": steps, "n_inputs": task.inputs.shape[2], **layers}


def _network(task: Task, description: dict[str, Any]) -> Any:
    from spikerplus import NetBuilder

    net = NetBuilder(description).build()
    with torch.no_grad():
        for place, weight in enumerate(weights(task.net), start=1):
            net.layers[f"fc{place}"].weight.copy_(weight)
    same = _software(net, task.inputs)[: len(task.wanted)]
    assert (same == spikes(task.net, task.inputs)[: len(task.wanted)]).all(), "not the network that was trained"
    return net


def _quantized(net: Any, description: dict[str, Any], weight_bits: int, decimals: int) -> Any:
    from spikerplus import Optimizer

    optimizer = Optimizer(net, description, {})
    optimizer.state_dict = copy.deepcopy(net.state_dict())
    optimizer.build_quant_snn(weight_bits, weight_bits + MARGIN, decimals)
    return optimizer.net


def _software(net: Any, inputs: BoolArray) -> BoolArray:
    with torch.no_grad():
        net(torch.from_numpy(inputs).float())
    found: BoolArray = net.spk_rec[list(net.layers)[-1]].numpy() > 0
    return found


def _decimals(task: Task, net: Any, description: dict[str, Any], weight_bits: int) -> int:
    """The number of binary decimals with which its own model is nearest to snnTorch on validation."""
    inputs = task.validation.dense(slice(0, CHOSEN_BY))
    wanted = spikes(task.net, inputs)

    def wrong(decimals: int) -> int:
        quantized = _quantized(net, {**description, "n_cycles": len(inputs)}, weight_bits, decimals)
        return int((_software(quantized, inputs) != wanted).sum())

    return min(range(1, weight_bits + 3), key=wrong)  # beyond the width itself, large weights saturate


def _write(net: Any, weight_bits: int, decimals: int, folder: Path) -> None:
    from spikerplus import VhdlGenerator
    from spikerplus.vhdl import Network_tb, write_vhdl

    chosen = {"weights_bw": weight_bits, "neurons_bw": weight_bits + MARGIN, "fp_dec": decimals}
    made = VhdlGenerator(net, chosen).generate()
    bench = Network_tb(made, CLOCK_NS, file_output=True, file_input=True, input_signal_list=["in_spikes"])
    folder.mkdir(parents=True, exist_ok=True)
    write_vhdl(bench, output_dir=str(folder), rm=True)


def _simulate(folder: Path, steps: BoolArray) -> BoolArray:
    """Feed all steps `(steps, channels)` in turn; the outputs `(steps, classes)`."""
    text = "".join("".join("01"[bit] for bit in step[::-1]) + "\n" for step in steps.astype(int))
    (folder / "in_spikes.txt").write_text(text, encoding="ascii")
    sources = sorted(file.name for file in folder.glob("*.vhd"))
    for command in (["ghdl", "-i", "--std=08", *sources], ["ghdl", "-m", "--std=08", "network_tb"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError(f"ghdl: {(done.stderr or done.stdout).strip().splitlines()[0]}")
    out = folder / "out_spikes.txt"
    out.unlink(missing_ok=True)
    limit = f"--stop-time={len(steps) * STEP_CYCLES * CLOCK_NS}ns"
    command = ["ghdl", "-r", "--std=08", "network_tb", limit, "--ieee-asserts=disable"]
    with subprocess.Popen(command, cwd=folder) as process:
        while process.poll() is None and _lines(out) <= len(steps):  # it never stops, but goes on with silence
            time.sleep(0.5)
        process.kill()
    rows = out.read_text(encoding="ascii").split("\n")[: len(steps)]
    if len(rows) < len(steps):
        raise ToolError(f"ghdl: the network took {len(rows)} of {len(steps)} steps within {limit}")
    return np.array([[bit == "1" for bit in reversed(row)] for row in rows])


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0
