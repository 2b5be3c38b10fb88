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

CONFIG = Path("configs/digits.toml")
ROOT = Path("build/demo")
RUN, CORE = ROOT / "run", ROOT / "core"
CHECKPOINT, MODEL, SPIKES = RUN / "ckpt.pt", RUN / "model.safetensors", RUN / "test.npz"
SUMMARY = ROOT / "summary.json"

LEAST_ACCURACY = 0.95
MOST_LOSS = 0.015

STAGES: dict[str, list[str]] = {
    "train": ["trainer", "train", "--config", str(CONFIG), "--out", str(RUN)],
    "spikes": ["trainer", "spikes", "--config", str(CONFIG), "--split", "test", "--out", str(SPIKES)],
    "export": ["quant", "export", "--model", str(CHECKPOINT), "--out", str(MODEL), "--force"],
    "build": ["hwgen", "build", "--model", str(CHECKPOINT), "--out", str(CORE)],
    "verify": ["sim", "verify", "--build", str(CORE), "--spikes", str(SPIKES)],
    "cocotb": ["sim", "verify", "--build", str(CORE), "--spikes", str(SPIKES), "--engine", "cocotb", "--samples", "3"],
}


def main() -> int:
    seconds: dict[str, float] = {}
    for name, arguments in STAGES.items():
        print(f"\n== {name}: python -m {' '.join(arguments)}", flush=True)
        start = time.perf_counter()
        status = subprocess.run([sys.executable, "-m", *arguments], check=False).returncode
        seconds[name] = round(time.perf_counter() - start, 1)
        if status:
            print(f"error: the demo stopped at {name} (status {status})", file=sys.stderr)
            return status
    summary = summarize(seconds)
    record.write(SUMMARY, summary)
    print(f"\n{table(summary)}\n\n{SUMMARY}")
    return 0 if _holds(summary) else 1


def is_missing() -> bool:
    """Whether the demo's network or test set is missing; stderr says which."""
    missing = [path for path in (CHECKPOINT, SPIKES) if not path.is_file()]
    for path in missing:
        print(f"error: {path} is missing; `make demo` makes it", file=sys.stderr)
    return bool(missing)


def summarize(seconds: dict[str, float]) -> dict[str, Any]:
    """The demo's figures, each from the stage that measured it."""
    metrics, rtl, cocotb = (
        _read(path)
        for path in (RUN / "metrics.json", CORE / "reports/verify.json", CORE / "reports/verify_cocotb.json")
    )
    return {
        "samples": rtl["samples"],
        "steps": rtl["steps"],
        "output_spikes": rtl["output_spikes"],
        "mismatches": _mismatches(rtl),
        "cocotb_samples": cocotb["samples"],
        "cocotb_mismatches": _mismatches(cocotb),
        "accuracy_float": metrics["accuracy_float"],
        "accuracy_quantized": metrics["accuracy_quantized"],
        "accuracy_golden": rtl["accuracy_golden"],
        "accuracy_rtl": rtl["accuracy_rtl"],
        "weight_bits": max(metrics["weight_bits"]),
        "cycles_per_step": rtl["cycles_per_step_mean"],
        "seconds": {**seconds, "total": round(sum(seconds.values()), 1)},
    }


def table(summary: dict[str, Any]) -> str:
    """The summary as a table."""
    rows = [(key.replace("_", " "), value) for key, value in summary.items() if key != "seconds"]
    rows += [(f"seconds {stage}", value) for stage, value in summary["seconds"].items()]
    return str(tabulate([(key, _shown(value)) for key, value in rows], tablefmt="plain", disable_numparse=True))


def _holds(summary: dict[str, Any]) -> bool:
    """Whether every claim of the demo holds; stderr names those that do not."""
    quantized = summary["accuracy_quantized"]
    claims = {
        "no mismatch": summary["mismatches"] == 0 == summary["cocotb_mismatches"],
        "an active output": summary["output_spikes"] > 0,
        "one accuracy in PyTorch, golden model and RTL": quantized
        == summary["accuracy_golden"]
        == summary["accuracy_rtl"],
        f"accuracy of at least {LEAST_ACCURACY}": quantized >= LEAST_ACCURACY,
        f"within {MOST_LOSS} of float": abs(summary["accuracy_float"] - quantized) <= MOST_LOSS,
    }
    for claim, holds in claims.items():
        if not holds:
            print(f"error: the demo did not show {claim}", file=sys.stderr)
    return all(claims.values())


def _mismatches(report: dict[str, Any]) -> int:
    return sum(int(report[f"mismatching_{what}"]) for what in ("scores", "classes", "flags", "spikes"))


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _shown(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) and value < 1 else str(value)


if __name__ == "__main__":
    sys.exit(main())
