"""cocotb test bench of a generated core: drives and checks its streams, and compares every layer's spikes.

Files and seed come from the simulation runner (runner.py) through the environment, the only channel into a simulator.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
import streams
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

VECTORS = dict(np.load(os.environ["SCSR_VECTORS"], allow_pickle=False))
LAYERS = [streams.Layer(**layer) for layer in json.loads(os.environ["SCSR_LAYERS"])]
RESULTS = Path(os.environ["SCSR_RESULTS"])
LOAD = os.environ["SCSR_LOAD"]  # words of the weights that the core takes after a reset
PACKETS = os.environ["SCSR_PACKETS"]  # when they come: one per "sample" or "step"
SEED = int(os.environ["SCSR_SEED"])

# Those of the streams, and of what not every core has.
INPUTS = ("aresetn", "s_axis_tvalid", "s_axis_tdata", "s_axis_tlast", "m_axis_tready", "self_test_start")
INPUTS += ("s_load_tvalid", "s_load_tdata")
IDLE_LIMIT_CYCLES = int(os.environ["SCSR_IDLE_LIMIT"])
DRAIN_CYCLES = 50


class Bench:
    """Drives input beats and collects output beats, one clock cycle after the other.

    Inputs change at the falling edge; handshakes are read after that, when all is settled for the rising edge.
    """

    def __init__(self, dut: Any, stall: float, seed: int) -> None:
        self.dut = dut
        self.stall = stall
        self.rng = np.random.default_rng(seed)
        self.out_data: list[int] = []
        self.out_last: list[bool] = []
        self.unfinished = 0
        self.updates = [0] * len(LAYERS)
        self.spikes: list[list[int]] = [[] for _ in LAYERS]
        self.held: tuple[int, int] | None = None
        self.stalled_beats = 0

    async def reset(self) -> None:
        dut = self.dut
        Clock(dut.aclk, 10, unit="ns").start()
        for name in INPUTS:
            if hasattr(dut, name):
                getattr(dut, name).value = 0
        await FallingEdge(dut.aclk)
        await FallingEdge(dut.aclk)
        dut.aresetn.value = 1

    async def load(self) -> None:
        """Send the words of the weights; no event is taken before the last of them."""
        dut = self.dut
        dut.s_axis_tvalid.value = 1
        dut.s_load_tvalid.value = 1
        for word in np.fromfile(LOAD, dtype="<u2").tolist():
            dut.s_load_tdata.value = word
            await ReadOnly()
            if int(dut.s_load_tready.value) != 1 or int(dut.s_axis_tready.value) != 0:
                raise streams.StreamError("the core took an event before its weights, or not all its weights")
            await FallingEdge(dut.aclk)
        dut.s_axis_tvalid.value = 0
        dut.s_load_tvalid.value = 0

    async def run(self, beats: Iterator[int], packets: int) -> None:
        """Send all beats, receive `packets` packets, and see that nothing follows them."""
        dut = self.dut
        beat = next(beats, None)
        offered = False
        idle = drained = 0
        while drained < DRAIN_CYCLES:
            offered = beat is not None and (offered or self.rng.random() >= self.stall)
            ready = bool(self.rng.random() >= self.stall)
            dut.s_axis_tvalid.value = int(offered)
            if offered:
                dut.s_axis_tdata.value = beat & 0xFFFF
                dut.s_axis_tlast.value = beat >> streams.LAST_BIT
            dut.m_axis_tready.value = int(ready)
            await ReadOnly()
            taken = offered and int(dut.s_axis_tready.value) == 1
            received = self._watch_output(ready)
            self._watch_layers()
            if taken:
                beat, offered = next(beats, None), False
            idle = 0 if taken or received else idle + 1
            if idle > IDLE_LIMIT_CYCLES or self.unfinished > IDLE_LIMIT_CYCLES:
                raise streams.StreamError(
                    f"the core hangs: nothing moved for {idle} cycles, or {self.unfinished} beats came without an end"
                )
            if sum(self.out_last) > packets:
                raise streams.StreamError("beats came after the last sample's packet")
            drained = drained + 1 if beat is None and sum(self.out_last) == packets else 0
            await FallingEdge(dut.aclk)

    def _watch_output(self, ready: bool) -> bool:
        dut = self.dut
        valid = int(dut.m_axis_tvalid.value) == 1
        if not valid:
            if self.held is not None:
                raise streams.StreamError("m_axis_tvalid fell before the beat was taken")
            return False
        beat = (int(dut.m_axis_tdata.value), int(dut.m_axis_tlast.value))
        if self.held not in (None, beat):
            raise streams.StreamError("m_axis changed before the beat was taken")
        self.held = None if ready else beat
        self.stalled_beats += not ready
        if ready:
            self.out_data.append(beat[0])
            self.out_last.append(bool(beat[1]))
            self.unfinished = 0 if beat[1] else self.unfinished + 1
        return ready

    def _watch_layers(self) -> None:
        valid = int(self.dut.probe_valid.value)
        if not valid:
            return
        spike = int(self.dut.probe_spike.value)
        first_bit = 0
        for position, layer in enumerate(LAYERS):
            if valid >> position & 1:
                updates = self.updates[position]
                updated = layer.word_length(updates)
                found = (updates + unit for unit in range(updated) if spike >> (first_bit + unit) & 1)
                self.spikes[position].extend(found)
                self.updates[position] += updated
            first_bit += layer.units

    def compare(self, flags: np.ndarray) -> streams.Comparison:
        packets = streams.decode(
            np.array(self.out_data, dtype=np.uint32), np.array(self.out_last, dtype=np.bool_), LAYERS[-1].neurons
        )
        spikes = {
            layer.index: np.array(found, dtype=np.int64) for layer, found in zip(LAYERS, self.spikes, strict=True)
        }
        return streams.compare(VECTORS, packets, flags, spikes, LAYERS, self.updates)


async def _check(dut: Any, name: str, stall: float, *, malformed: bool) -> None:
    beats = streams.encode(VECTORS)
    found = None
    if malformed:
        beats, found = streams.malform(beats, int(VECTORS["channels"]), SEED)
    flags = streams.packet_flags(VECTORS, PACKETS, found)
    bench = Bench(dut, stall, SEED)
    try:
        await bench.reset()
        if LOAD:
            await bench.load()
        await bench.run(iter(beats.tolist()), len(flags))
        comparison = bench.compare(flags)
    except streams.StreamError as error:
        _record(name, {"broken_rule": str(error)})
        raise
    _record(name, asdict(comparison))
    assert comparison.equal, comparison.first_difference
    assert comparison.output_spikes, "the output was silent: nothing was shown"
    assert stall == 0 or bench.stalled_beats, "no output beat was ever stalled: nothing was shown about stalls"


def _record(name: str, result: dict[str, Any]) -> None:
    (RESULTS / f"{name}.json").write_text(json.dumps(result), encoding="utf-8")


@cocotb.test()
async def full_rate(dut: Any) -> None:
    """Source and sink never pause."""
    await _check(dut, "full_rate", 0.0, malformed=False)


@cocotb.test()
async def stalls(dut: Any) -> None:
    """Source and sink pause at random."""
    await _check(dut, "stalls", 0.5, malformed=False)


@cocotb.test()
async def malformed_beats(dut: Any) -> None:
    """Unknown channels, repeats and misplaced ends: flagged, and without effect on anything else."""
    await _check(dut, "malformed_beats", 0.3, malformed=True)
