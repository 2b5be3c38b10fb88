"""cocotb bench of a core with watchdog and self-test: sources that stop, and tests after a reset and between samples.

Stands on the bench that travels with build folders, and takes its variables. The samples: one sent whole, one whose
last TICK never comes, and three more.
"""

from __future__ import annotations

import os
from typing import Any

import cocotb
import numpy as np
import streams
from cocotb.triggers import FallingEdge
from test_core import PACKETS, VECTORS, Bench

TIMED_OUT = int(os.environ["SCSR_TIMED_OUT"])


class Tests:
    """Counts the core's self-tests, and the cycles that they take."""

    def __init__(self, dut: Any) -> None:
        self.dut, self.count, self.cycles = dut, 0, 0
        cocotb.start_soon(self._watch())

    async def _watch(self) -> None:
        before = 0
        while True:
            await FallingEdge(self.dut.aclk)
            running = int(self.dut.self_test_running.value)
            self.count += running and not before
            self.cycles += running
            assert not (running and int(self.dut.s_axis_tready.value)), "an event is taken while the core tests itself"
            assert not int(self.dut.self_test_failed.value)
            before = running


def _samples() -> list[list[int]]:
    beats = streams.encode(VECTORS).tolist()
    found: list[list[int]] = [[]]
    for beat in beats:
        found[-1].append(beat)
        if beat & streams.LAST:
            found.append([])
    return found[:-1]


@cocotb.test()
async def a_source_that_stops_and_tests_between_samples(dut: Any) -> None:
    first, stopped, *others = _samples()
    steps = streams.packet_steps(VECTORS, "sample") + 1  # behind each sample
    due = np.searchsorted(streams.packet_steps(VECTORS, PACKETS), steps).tolist()
    bench = Bench(dut, 0.0, 1)
    await bench.reset()
    tests = Tests(dut)
    await bench.run(iter(first), due[0])
    assert tests.count == 1, "after a reset the core tests itself"
    await bench.run(iter(stopped[:-1]), due[1])
    await bench.run(iter(others[0]), due[2])
    assert tests.count == 1
    dut.self_test_start.value = 1
    await FallingEdge(dut.aclk)
    dut.self_test_start.value = 0
    await bench.run(iter(others[1]), due[3])
    assert tests.count == 2
    dut.self_test_start.value = 1  # held: a test between any two samples
    await bench.run(iter(others[2] + others[3] + others[4]), due[6])
    assert tests.count >= 5
    flags = np.zeros(steps[-1], dtype=np.int64)
    flags[steps[1] - 1] = TIMED_OUT
    comparison = bench.compare(streams.packet_flags(VECTORS, PACKETS, flags))
    assert comparison.equal, comparison.first_difference
    assert comparison.output_spikes
