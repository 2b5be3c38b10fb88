"""The whole path on real speech: train, export, build, verify. Writes build/demo/summary.json and prints it as a table.

Each stage is the command a user would type, in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tabulate import tabulate

from bench import record
from bench.options import no_options

CONFIG = Path("configs/digits.toml")
ROOT = Path("build/demo")
RUN, CORE = ROOT / "run", ROOT / "core"
CHECKPOINT, MODEL, SPIKES = RUN / "ckpt.pt", RUN / "model.safetensors", RUN / "test.npz"
SUMMARY = ROOT / "summary.json"

LEAST_ACCURACY = 0.95
MOST_LOSS = 0.015

STAGES: dict[str, tuple[object, ...]] = {
    "train": ("trainer", "train", "--config", CONFIG, "--out", RUN),
    "spikes": ("trainer", "spikes", "--config", CONFIG, "--split", "test", "--out", SPIKES),
    "export": ("quant", "export", "--model", CHECKPOINT, "--out", MODEL, "--force"),
    "build": ("hwgen", "build", "--model", CHECKPOINT, "--out", CORE),
    "verify": ("sim", "verify", "--build", CORE, "--spikes", SPIKES),
    "cocotb": ("sim", "verify", "--build", CORE, "--spikes", SPIKES, "--engine", "cocotb", "--samples", 3),
}


def main() -> int:
    no_options(__doc__)
    seconds: dict[str, float] = {}
    for name, arguments in STAGES.items():
        start = time.perf_counter()
        status = run(*arguments)
        seconds[name] = round(time.perf_counter() - start, 1)
        if status:
            print(f"error: the demo stopped at {name} (status {status})", file=sys.stderr)
            return status
    summary = summarize(seconds)
    record.write(SUMMARY, summary)
    rows = [(key.replace("_", " "), value) for key, value in summary.items() if key != "seconds"]
    rows += [(f"seconds {stage}", value) for stage, value in summary["seconds"].items()]
    shown = [(key, f"{value:.4f}" if isinstance(value, float) and value < 1 else value) for key, value in rows]
    print(f"\n{tabulate(shown, tablefmt='plain', disable_numparse=True)}\n\n{SUMMARY}")
    return 0 if _holds(summary) else 1


def run(*arguments: object) -> int:
    """Show and run a command of the project; its exit status."""
    command = [str(argument) for argument in arguments]
    print(f"\n== python -m {' '.join(command)}", flush=True)
    return subprocess.run([sys.executable, "-m", *command], check=False).returncode


def is_missing() -> bool:
    """Whether the demo's network or test set is missing; stderr says which."""
    missing = [path for path in (CHECKPOINT, SPIKES) if not path.is_file()]
    for path in missing:
        print(f"error: {path} is missing; `make demo` makes it", file=sys.stderr)
    return bool(missing)


def summarize(seconds: dict[str, float]) -> dict[str, Any]:
    """The demo's figures, each from the stage that measured it."""
    reports = (RUN / "metrics.json", CORE / "reports/verify.json", CORE / "reports/verify_cocotb.json")
    metrics, rtl, cocotb = (json.loads(path.read_text(encoding="utf-8")) for path in reports)
    return {
        "samples": rtl["samples"],
        "steps": rtl["steps"],
        "output_spikes": rtl["output_spikes"],
        "mismatches": record.mismatches(rtl),
        "cocotb_samples": cocotb["samples"],
        "cocotb_mismatches": record.mismatches(cocotb),
        "accuracy_float": metrics["accuracy_float"],
        "accuracy_quantized": metrics["accuracy_quantized"],
        "accuracy_golden": rtl["accuracy_golden"],
        "accuracy_rtl": rtl["accuracy_rtl"],
        "weight_bits": max(metrics["weight_bits"]),
        "cycles_per_step": rtl["cycles_per_step_mean"],
        "seconds": {**seconds, "total": round(sum(seconds.values()), 1)},
    }


def _holds(summary: dict[str, Any]) -> bool:
    """Whether every claim of the demo holds; stderr names those that do not."""
    quantized = summary["accuracy_quantized"]
    one_accuracy = quantized == summary["accuracy_golden"] == summary["accuracy_rtl"]
    claims = {
        "no mismatch": summary["mismatches"] == 0 == summary["cocotb_mismatches"],
        "an active output": summary["output_spikes"] > 0,
        "one accuracy in PyTorch, golden model and RTL": one_accuracy,
        f"accuracy of at least {LEAST_ACCURACY}": quantized >= LEAST_ACCURACY,
        f"within {MOST_LOSS} of float": abs(summary["accuracy_float"] - quantized) <= MOST_LOSS,
    }
    for claim, holds in claims.items():
        if not holds:
            print(f"error: the demo did not show {claim}", file=sys.stderr)
    return all(claims.values())


if __name__ == "__main__":
    sys.exit(main())
