"""Packets hold the scores of every class over each sample, the first of the largest, and the flags."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from stream import Sink, Source, run, start

# Classes in each word, by WORDS; a group's last word may be short. Two words may come again before they are written.
LENGTHS = {5: [1, 1, 1, 1, 1], 4: [3, 2, 3, 1], 2: [2, 1]}
STAGES = 3
SAMPLES = 25
LAST_STEP = 1 << 6


async def _send(dut: Any, stall_in: float, stall_out: float, cycles: int) -> int:
    lengths, width = LENGTHS[dut.WORDS.value.to_unsigned()], dut.VALUE_W.value.to_unsigned()
    draw = random.Random(7)
    low, high = (0, 1) if width == 1 else (-(1 << (width - 1)), (1 << (width - 1)) - 1)
    items, expected, scored = [], [], 0
    every_step = dut.EVERY_STEP.value.to_unsigned()
    after = (lambda score, value: score + value, max, lambda score, value: value)[dut.MODE.value.to_unsigned()]
    for _ in range(SAMPLES):
        scores = [0 if dut.MODE.value.to_unsigned() == 0 else low] * sum(lengths)
        steps, flags = draw.randrange(1, 5), draw.randrange(8)
        for step in range(steps):
            done, tag = 0, 2 * flags + (step == steps - 1)
            for word, length in enumerate(lengths):
                values = [draw.randint(low, high) for _ in range(length)]
                for place, value in enumerate(values):
                    scores[done + place] = after(scores[done + place], value)
                done += length
                packed = sum((value % (1 << width)) << (width * place) for place, value in enumerate(values))
                last = int(word == len(lengths) - 1)
                items.append({"word": word, "final": length - 1, "last": last, "values": packed, "tag": tag})
            if every_step or step == steps - 1:
                status = flags + LAST_STEP * (every_step and step == steps - 1)
                expected += [(score % (1 << 32), 0) for score in scores]
                expected.append(((status << 16) + scores.index(max(scores)), 1))
        scored += any(scores)
    assert scored > SAMPLES // 2
    source = Source(dut, "r_", items, stall_in, 1)
    sink = Sink(dut, "m_axis_t", ["data", "last"], stall_out, 2)
    await start(dut)
    await run(dut, [source, sink], cycles)
    assert [(item["data"], item["last"]) for item in sink.taken] == expected
    return len(items)


@cocotb.test()
async def stalls_on_both_sides(dut: Any) -> None:
    await _send(dut, 0.3, 0.4, 4000)


@cocotb.test()
async def full_rate(dut: Any) -> None:
    """A packet takes a cycle for each of its beats and holds up nothing else."""
    lengths = LENGTHS[dut.WORDS.value.to_unsigned()]
    step = len(lengths) + (STAGES if len(lengths) <= STAGES else 0)
    packets = 3 if dut.EVERY_STEP.value.to_unsigned() else 1  # of a sample, at most, on the mean
    await _send(dut, 0.0, 0.0, SAMPLES * (3 * step + packets * (sum(lengths) + 1)) + 5)
