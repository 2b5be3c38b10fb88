"""SC-NeuroCore by its bridge from NIR: snnTorch's own exporter, its compiler, its Verilog in Icarus."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.peer_network import Found, Task
from quant.errors import ToolError
from quant.golden import BoolArray

SNNTORCH_STEP = 1e-4  # seconds that its exporter takes a step to be

_BENCH = """`timescale 1ns / 1ps
module tb;
    reg clk = 0, rst_n = 1;
    reg [{channels} - 1:0] steps [0:{samples} * {steps} - 1];
    reg [{channels} - 1:0] now;
    reg [{channels} * {bits} - 1:0] current;
    wire [{neurons} - 1:0] spikes;
    integer sample, step, channel;
    {top} dut (.clk(clk), .rst_n(rst_n), .en(1'b1), .I_ext_flat(current), .spike_bus(spikes));
    initial begin
        $readmemb("steps.txt", steps);
        for (sample = 0; sample < {samples}; sample = sample + 1) begin
            #1 rst_n = 0;
            #5 rst_n = 1;
            for (step = 0; step < {steps}; step = step + 1) begin
                now = steps[sample * {steps} + step];
                for (channel = 0; channel < {channels}; channel = channel + 1)
                    current[channel * {bits} +: {bits}] = now[channel] << {fraction};
                #5 clk = 1;
                #1 $display("%b", spikes[{neurons} - 1 -: {classes}]);
                #4 clk = 0;
            end
        end
        $finish;
    end
endmodule
"""


def run(task: Task, bits: int, folder: Path) -> Found:
    """Half of the bits are behind the point, as its documentation has it: Q8.8, Q16.16. Raises ToolError."""
    from sc_neurocore.nir_bridge import compile_network_to_fpga, from_nir, from_scnetwork

    parsed = from_nir(_graph(task), dt=1.0)
    made = compile_network_to_fpga(from_scnetwork(parsed, dt=1.0), data_width=bits, fraction=bits // 2)
    if made.warnings:
        raise ToolError(f"SC-NeuroCore: {made.warnings[0]}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.v").write_text("\n".join([*made.neuron_modules.values(), made.top_module]), encoding="utf-8")
    hardware = _simulate(task, folder, made.module_name, made.total_neurons, bits)
    return Found(f"Q{bits // 2}.{bits // 2}, {made.interconnect}", hardware, _software(parsed, task.inputs))


def _graph(task: Task) -> Any:
    """snnTorch's graph, with time constants in steps: 0.1 ms is 0 in Q8.8."""
    from snntorch.export_nir import export_to_nir

    graph = export_to_nir(task.net, torch.zeros(task.inputs.shape[2]))
    for node in graph.nodes.values():
        if hasattr(node, "tau"):
            node.tau = node.tau / SNNTORCH_STEP
    return graph


def _software(network: Any, inputs: BoolArray) -> BoolArray:
    (source,), (sink,) = network.input_nodes, network.output_nodes
    samples = []
    for sample in inputs.transpose(1, 0, 2).astype(np.float64):
        network.reset()
        samples.append([network.step({source: step})[sink] > 0 for step in sample])
    return np.array(samples).transpose(1, 0, 2)


def _simulate(task: Task, folder: Path, top: str, neurons: int, bits: int) -> BoolArray:
    steps, samples, channels = task.inputs.shape
    classes = task.wanted.shape[2]
    sizes = {"samples": samples, "steps": steps, "channels": channels, "neurons": neurons, "classes": classes}
    (folder / "tb.v").write_text(_BENCH.format(**sizes, top=top, bits=bits, fraction=bits // 2), encoding="ascii")
    ordered = task.inputs.transpose(1, 0, 2).reshape(-1, channels).astype(int)
    text = "".join("".join("01"[bit] for bit in step[::-1]) + "\n" for step in ordered)
    (folder / "steps.txt").write_text(text, encoding="ascii")
    printed = ""
    for command in (["iverilog", "-g2012", "-o", "tb", "network.v", "tb.v"], ["vvp", "tb"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError(f"{command[0]}: {done.stderr.strip().splitlines()[0]}")
        printed = done.stdout
    rows = [line for line in printed.split("\n") if len(line) == classes]
    return np.array([[bit == "1" for bit in reversed(row)] for row in rows]).reshape(samples, steps, -1).swapaxes(0, 1)
