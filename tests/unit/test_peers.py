"""bench.peers: what it counts, and what it says of a tool that gives nothing to count."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from bench import peer_network, peer_spikerplus, peers
from bench.peer_network import SILENCE, Found, Task
from bench.peers import Peer, differing, judge, measure, on_time, table
from quant.errors import ToolError
from quant.golden import BoolArray
from quant.spikes import from_dense

STEPS = np.array([5, 3])
INSIDE = np.arange(5)[:, None] < STEPS


def wanted() -> BoolArray:
    """Spikes of two samples and three classes, none behind a sample's end."""
    spikes = np.random.default_rng(1).random((5, 2, 3)) < 0.5
    assert spikes[INSIDE].any()
    return spikes & INSIDE[:, :, None]


def late(spikes: BoolArray, steps: int) -> BoolArray:
    return np.pad(spikes, ((steps, SILENCE - steps), (0, 0), (0, 0)))


def task(label: list[int]) -> Task:
    samples = from_dense(np.zeros((5, 2, 4), dtype=np.bool_), STEPS, np.array(label))
    inputs = np.zeros((5 + SILENCE, 2, 4), dtype=np.bool_)
    return Task(torch.nn.Sequential(), "zero", 1.0, samples, samples, inputs, wanted())


def test_bits_behind_a_samples_end_do_not_count() -> None:
    found = wanted()
    found[4] ^= True  # of sample 0 in its last step, of sample 1 behind its end
    assert differing(found, wanted(), INSIDE) == 3


@pytest.mark.parametrize("steps", [0, 1, 4, SILENCE])
def test_spikes_that_come_late_are_no_difference(steps: int) -> None:
    found = late(wanted(), steps)
    found[steps, 0, 0] ^= True
    lag, shifted = on_time(found, wanted(), INSIDE)
    assert (lag, differing(shifted, wanted(), INSIDE)) == (steps, 1)


def test_a_row_compares_hardware_software_and_snntorch() -> None:
    hardware, software = late(wanted(), 2), late(wanted(), 0)
    hardware[2, 0, :2] ^= True
    software[0, 0, 1:] ^= True
    classes = (hardware[2:7] & INSIDE[:, :, None]).sum(axis=0).argmax(axis=1)
    row = judge(task([int(classes[0]), int(classes[1] + 1) % 3]), Found("chosen", hardware, software))
    assert row == {
        "settings": "chosen",
        "late": 2,
        "hardware": 2,
        "software": 2,
        "hardware_software": 2,
        "accuracy": 0.5,
    }


def test_silent_hardware_is_no_result() -> None:
    silent = np.zeros((5 + SILENCE, 2, 3), dtype=np.bool_)
    with pytest.raises(AssertionError, match="no spikes"):
        judge(task([0, 0]), Found("", silent, silent))


def exact(task: Task, weight_bits: int, folder: Path) -> Found:
    if weight_bits == 16:
        raise ToolError("16 bits are too many")
    return Found("widths", late(task.wanted, 1), late(task.wanted, 0))


def test_a_missing_tool_is_named_and_skipped() -> None:
    absent = Peer("a-package-that-is-not-there", exact, ("zero",))
    (row,) = measure("absent", absent, {})
    assert row == {"tool": "absent", "version": None, "reason": "not installed"}
    without = Peer("numpy", exact, ("zero",), commands=("a-command-that-is-not-there",))
    (row,) = measure("without", without, {})
    assert row["reason"] == "a-command-that-is-not-there is missing"
    assert row["version"] == np.__version__


def test_the_table_has_counts_and_reasons() -> None:
    rows = list(measure("numpy", Peer("numpy", exact, ("zero",), (8, 16)), {"zero": task([0, 0])}))
    assert [row.get("hardware") for row in rows] == [0, None]
    rows.append({"tool": "absent", "version": None, "reason": "not installed"})
    _, _, *lines = table(rows, bits=24).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    tool = f"numpy {np.__version__}"
    assert cells[0][:5] == [tool, "zero", "8", "widths", "0 (0.00%)"]
    assert cells[1][:5] == [tool, "zero", "16", "16 bits are too many", ""]
    assert cells[2][:5] == ["absent", "", "", "not installed", ""]


def test_every_reset_of_a_peer_is_one_that_this_project_is_measured_with() -> None:
    resets = set(peers.PEERS["this project"].resets)
    assert all(set(peer.resets) <= resets for peer in peers.PEERS.values())


@pytest.mark.rtl
@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # of Spiker+
@pytest.mark.skipif(shutil.which("ghdl") is None, reason="ghdl is not installed")
def test_what_docs_say_of_spikerplus_explains_every_bit(tmp_path: Path) -> None:
    """A neuron that fires does not leak in that step, and a leak rounds down; nothing else differs."""
    pytest.importorskip("spikerplus")
    pytest.importorskip("snntorch")
    torch.manual_seed(1)
    net, bits = peer_network.network(10, 3, "subtract"), 8
    weights = peer_network.weights(net)
    for weight in weights:
        weight *= 5
    inputs = np.random.default_rng(2).random((12, 4, 10)) < 0.3
    own = peer_network.spikes(net, inputs)
    samples = from_dense(inputs, np.full(4, 12), np.zeros(4, dtype=np.int64))
    inputs = np.pad(inputs, ((0, SILENCE), (0, 0), (0, 0)))
    found = peer_spikerplus.run(Task(net, "subtract", 1.0, samples, samples, inputs, own), bits, tmp_path)
    decimals = int(found.settings.split()[-2])
    integers = [np.trunc(one.numpy() * 2**decimals).clip(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for one in weights]
    states, threshold = [np.zeros((4, len(one)), dtype=np.int64) for one in integers], 2**decimals
    for number, step in enumerate(inputs[:12].astype(np.int64)):
        for place, weight in enumerate(integers):
            state = states[place]
            left = np.where(state > threshold, state - threshold, state - (state >> peer_network.SHIFT))
            states[place] = left + step @ weight.T.astype(np.int64)
            step = (states[place] > threshold).astype(np.int64)
        assert (found.hardware[number + 4] == step).all()
    assert found.hardware.any()
    assert (found.hardware[4:16] != own).any()
