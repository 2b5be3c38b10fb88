"""What the leaf benches share: a clock, a reset, and streams with stalls on both sides, one cycle after the other."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly


async def start(dut: Any) -> None:
    """Start the clock and hold reset, where there is one, over one rising edge."""
    Clock(dut.clk, 10, unit="ns").start()
    if hasattr(dut, "rst"):
        dut.rst.value = 1
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    if hasattr(dut, "rst"):
        dut.rst.value = 0


class Source:
    """Offers items, a dict of signal values each, on a valid/ready stream; an item offered stays until it is taken."""

    def __init__(self, dut: Any, prefix: str, items: Sequence[dict[str, int]], stall: float, seed: int) -> None:
        self.dut, self.prefix, self.stall = dut, prefix, stall
        self.left = list(items)
        self.random = random.Random(seed)
        self.offered = False

    def drive(self) -> None:
        self.offered = bool(self.left) and (self.offered or self.random.random() >= self.stall)
        getattr(self.dut, f"{self.prefix}valid").value = int(self.offered)
        if self.offered:
            for name, value in self.left[0].items():
                getattr(self.dut, f"{self.prefix}{name}").value = value

    def settle(self) -> None:
        if self.offered and int(getattr(self.dut, f"{self.prefix}ready").value):
            self.left.pop(0)
            self.offered = False


class Sink:
    """Takes items from a valid/ready stream, and sees that one that was refused comes again unchanged."""

    def __init__(self, dut: Any, prefix: str, names: Sequence[str], stall: float, seed: int) -> None:
        self.dut, self.prefix, self.names, self.stall = dut, prefix, names, stall
        self.random = random.Random(seed)
        self.taken: list[dict[str, int]] = []
        self.held: dict[str, int] | None = None
        self.refused = 0
        self.ready = False

    def drive(self) -> None:
        self.ready = self.random.random() >= self.stall
        getattr(self.dut, f"{self.prefix}ready").value = int(self.ready)

    def settle(self) -> None:
        if not int(getattr(self.dut, f"{self.prefix}valid").value):
            assert self.held is None, "valid fell before the item was taken"
            return
        item = {name: int(getattr(self.dut, f"{self.prefix}{name}").value) for name in self.names}
        assert self.held in (None, item), "the item changed before it was taken"
        self.held = None if self.ready else item
        self.refused += not self.ready
        if self.ready:
            self.taken.append(item)


async def run(dut: Any, parts: Sequence[Source | Sink], cycles: int) -> None:
    """Let all parts drive, then look, in each of `cycles` cycles."""
    for _ in range(cycles):
        for part in parts:
            part.drive()
        await ReadOnly()
        for part in parts:
            part.settle()
        await FallingEdge(dut.clk)
