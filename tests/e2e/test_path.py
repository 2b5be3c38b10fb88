"""From real speech to verified hardware, by the commands a user types, with a network trained for a moment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from marks import later

pytestmark = pytest.mark.rtl

ROOT = Path(__file__).resolve().parents[2]

CONFIG = """
name = "moment"
[data]
name = "digits"
[network]
readout = "{readout}"
[[network.layers]]
neurons = 40
sources = [0]
self_weight = true
weight_bits = 4
[[network.layers]]
neurons = 24
sources = [1]
dense_recurrent = true
synapse = true
reset = "subtract"
weight_bits = 3
[[network.layers]]
neurons = 10
sources = [2, 0]
weight_bits = 4
[train]
epochs_float = 2
epochs_quantized = 1
"""


def _call(*arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("readout", ["spike_count", *later("membrane_sum")])
def test_what_was_trained_is_what_was_built(readout: str, tmp_path: Path) -> None:
    config, run, core, test = tmp_path / "c.toml", tmp_path / "run", tmp_path / "core", tmp_path / "test.npz"
    config.write_text(CONFIG.format(readout=readout))
    _call("trainer", "train", "--config", config, "--out", run)
    _call("trainer", "spikes", "--config", config, "--split", "test", "--out", test)
    _call("quant", "export", "--model", run / "ckpt.pt", "--out", tmp_path / "model.safetensors")
    _call("hwgen", "build", "--model", run / "ckpt.pt", "--out", core, "--lanes", "7,24,3")
    _call("hwgen", "build", "--model", tmp_path / "model.safetensors", "--out", tmp_path / "again", "--lanes", "7,24,3")
    assert (core / "manifest.json").read_bytes() == (tmp_path / "again" / "manifest.json").read_bytes()
    _call("sim", "verify", "--build", core, "--spikes", test)
    for shown, there in ((core / "index.html", "../run/summary.html"), (run / "summary.html", "../core/index.html")):
        assert f'href="{there}"' in shown.read_text()
    report = json.loads((core / "reports" / "verify.json").read_text())
    metrics = json.loads((run / "metrics.json").read_text())
    assert report["samples"] == 300
    assert report["output_spikes"] > 0
    assert all(count > 0 for count in report["layer_spikes"].values())
    assert report["accuracy_rtl"] == report["accuracy_golden"] == metrics["accuracy_quantized"] > 0.2
