"""Memory and time of one update against the steps of a sample: e-prop online, over whole samples, and BPTT.

Each point is a process of its own; its memory is the peak beyond what it held when the network and the input spikes
stood in memory.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl
from tabulate import tabulate

from bench import record
from bench.options import no_options
from quant import figures
from quant.files import write_atomic

RESULT = record.RESULTS / "eprop_memory.json"
PICTURE = Path("docs/systems/eprop-memory.svg")
RULES = {"e-prop, online": {"name": "eprop", "online": True}, "e-prop, whole samples": "eprop", "BPTT": "surrogate"}
STEPS = (250, 500, 1000, 2000, 4000)
_BATCH, _NEURONS, _CHANNELS = 16, 100, 100


def measure(rule: str, steps: int) -> dict[str, Any]:
    """One update of a recurrent network of adaptive neurons, in this process."""
    import torch

    from trainer import config as configuration
    from trainer import loop
    from trainer.data.batches import Batch
    from trainer.network import Network

    torch.set_num_threads(1)
    torch.manual_seed(1)
    hidden = {
        "neurons": _NEURONS,
        "sources": [0],
        "dense_recurrent": True,
        "adaptation": True,
        "reset": "late_subtract",
    }
    network = {"layers": [hidden, {"neurons": 1, "sources": [1]}], "readout": "membrane_last", "threshold": 0.5}
    train = {"rule": RULES[rule], "loss": "squared_error", "surrogate": {"kind": "triangle", "width": 1.0}}
    data = {"name": "patterns", "patterns": _BATCH, "channels": _CHANNELS, "steps": steps}
    frozen = {"leak": False, "adaptation_leak": False}
    settings = configuration.from_table(
        {"name": "memory", "data": data, "network": network, "train": train, "plasticity": frozen}
    )
    learner = Network(settings)
    inputs = (torch.rand(steps, _BATCH, _CHANNELS) < 0.05).float()
    batch = Batch(inputs, torch.full((_BATCH,), steps), torch.arange(_BATCH), torch.full((_BATCH,), 1 / _BATCH))
    loop.learn(learner, Batch(inputs[:2].clone(), batch.steps.clamp(max=2), batch.labels, batch.weights), "float")
    before, began = _peak_mib(), time.perf_counter()
    trace, _ = loop.learn(learner, batch, "float")
    assert trace.states[0].outputs.sum() > 0, "the hidden layer is silent"
    return {"rule": rule, "steps": steps, "mib": _peak_mib() - before, "seconds": time.perf_counter() - began}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def draw(points: list[dict[str, Any]]) -> bytes:
    """An SVG: memory over the steps."""
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(5, 3), layout="constrained")
        axes = figure.subplots()
        for rule in RULES:
            mine = [one for one in points if one["rule"] == rule]
            axes.plot([one["steps"] for one in mine], [one["mib"] for one in mine], "o-", label=rule)
        axes.set(xlabel="steps", ylabel="memory of one update, MiB", ylim=(0, None))
        axes.grid(alpha=0.25, lw=0.5)
        axes.legend(frameon=False)
        return figures.to_bytes(figure, "svg")


def main() -> int:
    no_options(__doc__)
    points, begun = [], record.commit()
    for steps in STEPS:
        for rule in RULES:
            command = [sys.executable, "-m", "bench.eprop_memory", rule, str(steps)]
            points.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    rows = [[one["rule"], one["steps"], f"{one['mib']:.0f}", f"{one['seconds']:.2f}"] for one in points]
    print(tabulate(rows, ["rule", "steps", "MiB", "s"]))
    setting = {"batch": _BATCH, "neurons": _NEURONS, "channels": _CHANNELS, "threads": 1}
    record.write(RESULT, {"command": "make eprop-memory", "commit": begun, "setting": setting, "points": points})
    write_atomic(PICTURE, draw(points))
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in RULES:  # one point
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
        sys.exit(0)
    sys.exit(main())
