"""The bridge on its serial line: greeting, beats, weights, packets, and the way back from every kind of damage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly
from stream import Sink, Source, start

from hwgen.boards.serial_protocol import (
    RESET,
    Decoder,
    FromBoard,
    Message,
    Receiver,
    ToBoard,
    crc16,
    encode,
    load_bytes,
)

BIT_CYCLES = 4
BYTE_CYCLES = 10 * BIT_CYCLES
GREETING_CYCLES = 8 * BYTE_CYCLES
MODEL = 0x1234


class Bench:
    """Bytes to the bridge, its streams, and the bytes that it sends, cycle by cycle."""

    def __init__(self, dut: Any, packet: Sequence[dict[str, int]] = (), stall: float = 0.3) -> None:
        self.dut = dut
        self.beats = Sink(dut, "m_axis_t", ["data", "last"], stall, 1)
        self.words = Sink(dut, "m_load_t", ["data"], stall, 2)
        self.packet = Source(dut, "s_axis_t", packet, stall, 3)
        self.parts = (self.beats, self.words, self.packet)
        self.said = b""
        self.resets = 0
        self.frame = [1] * (BYTE_CYCLES // 2)

    async def begin(self) -> None:
        self.dut.uart_rx.value = 1
        await start(self.dut)
        await self.idle(GREETING_CYCLES)

    async def send(self, content: bytes) -> None:
        for byte in content:
            for bit in (0, *(byte >> place & 1 for place in range(8)), 1):
                await self.level(bit, BIT_CYCLES)

    async def level(self, value: int, cycles: int) -> None:
        self.dut.uart_rx.value = value
        for _ in range(cycles):
            for part in self.parts:
                part.drive()
            await ReadOnly()
            if int(self.dut.faulty.value) or int(self.dut.core_rst.value):
                self.beats.held = self.words.held = None  # a fault may take back what was offered
                self.resets += 1
            for part in self.parts:
                part.settle()
            self._listen(int(self.dut.uart_tx.value))
            await FallingEdge(self.dut.clk)

    async def idle(self, cycles: int) -> None:
        await self.level(1, cycles)

    def _listen(self, value: int) -> None:
        self.frame.append(value)
        # A byte begins with the first low after a stop bit; its bits are read in their middles.
        if len(self.frame) > BYTE_CYCLES and self.frame[-BYTE_CYCLES] == 0 and self.frame[-BYTE_CYCLES - 1] == 1:
            bits = self.frame[-BYTE_CYCLES + BIT_CYCLES // 2 :: BIT_CYCLES]
            assert bits[0] == 0
            assert bits[9] == 1
            self.said += bytes([sum(bit << place for place, bit in enumerate(bits[1:9]))])
            self.frame = [1]

    def heard(self) -> list[Message]:
        """The messages since the last call."""
        said, self.said = self.said, b""
        return list(Decoder().feed(said))


GREETING = [Message(FromBoard.READY, 1 << 12 | 4), Message(FromBoard.MODEL, MODEL)]


def _sample(beats: Sequence[int]) -> bytes:
    body = b"".join(encode(Message(ToBoard.BEAT, beat)) for beat in beats)
    return body + encode(Message(ToBoard.END, crc16(body)))


def _taken(beats: Sequence[int]) -> list[dict[str, int]]:
    return [*({"data": beat, "last": 0} for beat in beats), {"data": 0x8000, "last": 1}]


BEATS = [0, 5, 0x8000, 0x7FFF, 0xFFFF, 77, 0x8000]


@cocotb.test()
async def it_greets_after_reset_and_after_a_reset_byte(dut: Any) -> None:
    bench = Bench(dut)
    await bench.begin()
    assert bench.heard() == GREETING
    before = bench.resets
    await bench.send(RESET)
    await bench.idle(GREETING_CYCLES)
    assert bench.heard() == GREETING
    assert bench.resets > before


@cocotb.test()
async def beats_and_words_arrive_where_they_belong(dut: Any) -> None:
    bench = Bench(dut)
    await bench.begin()
    words = bytes(range(24))
    await bench.send(load_bytes(words) + _sample(BEATS) + _sample([]))
    await bench.idle(200)
    assert [item["data"] for item in bench.words.taken] == [
        words[place] | words[place + 1] << 8 for place in range(0, len(words), 2)
    ]
    assert bench.beats.taken == _taken(BEATS) + _taken([])
    assert not int(dut.faulty.value)


@cocotb.test()
async def a_packet_becomes_bytes(dut: Any) -> None:
    packet = [0xFFFFFFFF, 0, 0x12345678, 0x80000000]
    items = [{"data": beat, "last": int(place == 3)} for place, beat in enumerate(packet)]
    bench = Bench(dut, [*items, {"data": 9, "last": 1}])
    await bench.begin()
    await bench.idle(50 * BYTE_CYCLES)
    assert Receiver().feed(bench.said) == [tuple(packet), (9,)]


@cocotb.test()
async def credit_counts_what_was_taken(dut: Any) -> None:
    bench = Bench(dut)
    await bench.begin()
    content = _sample([1] * 130)
    await bench.send(content)
    await bench.idle(8 * BYTE_CYCLES)
    credits = [message.data for message in bench.heard() if message.kind == FromBoard.CREDIT]
    assert len(credits) == len(content) // 128 == 3
    assert all(place * 128 <= credit < (place + 1) * 128 for place, credit in enumerate(credits, start=1))


async def _fails(dut: Any, fault: int, damage: bytes, *, stall: float = 0.3, level: bool = False) -> None:
    """Damage, then a good sample: no end of a sample comes out, and a RESET mends all."""
    bench = Bench(dut, stall=stall)
    await bench.begin()
    bench.heard()
    before = bench.resets
    if level:
        await bench.level(0, 5 * BYTE_CYCLES)
        await bench.idle(BYTE_CYCLES)
    await bench.send(damage + _sample(BEATS))
    await bench.idle(8 * BYTE_CYCLES)
    faults = [message for message in bench.heard() if message.kind != FromBoard.CREDIT]
    assert faults == [Message(FromBoard.FAULT, fault)]
    assert int(dut.faulty.value)
    assert not any(item["last"] for item in bench.beats.taken)
    assert bench.resets > before + 100
    bench.beats.stall, bench.beats.taken = 0.3, []
    await bench.send(RESET + _sample(BEATS))
    await bench.idle(8 * BYTE_CYCLES)
    assert bench.heard() == GREETING
    assert not int(dut.faulty.value)
    assert bench.beats.taken[-len(BEATS) - 1 :] == _taken(BEATS)


@cocotb.test()
async def a_lost_byte_is_noticed_in_every_place(dut: Any) -> None:
    content = _sample([3, 4])
    for place in range(len(content) - 3):
        damaged = content[:place] + content[place + 1 :]
        await _fails(dut, 3, damaged)


@cocotb.test()
async def a_changed_byte_is_noticed(dut: Any) -> None:
    content = _sample([3, 4])
    for place in (2, 4):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        await _fails(dut, 4, bytes(damaged))


@cocotb.test()
async def a_lost_message_is_noticed(dut: Any) -> None:
    await _fails(dut, 4, _sample([3, 4])[3:])
    await _fails(dut, 4, _sample([3, 4])[:-3])


@cocotb.test()
async def a_broken_line_is_noticed(dut: Any) -> None:
    await _fails(dut, 2, b"", level=True)


@cocotb.test()
async def more_than_the_window_is_noticed(dut: Any) -> None:
    await _fails(dut, 1, _sample([1] * 200), stall=1.0)


@cocotb.test()
async def a_host_that_dies_in_a_message_costs_nothing(dut: Any) -> None:
    for left in (1, 2, 4):
        bench = Bench(dut)
        await bench.begin()
        bench.heard()
        await bench.send(_sample([3, 4])[:left])
        await bench.idle(3000)
        await bench.send(RESET)
        await bench.idle(GREETING_CYCLES)
        assert bench.heard() == GREETING
        bench.beats.taken = []
        await bench.send(_sample(BEATS))
        await bench.idle(200)
        assert bench.beats.taken == _taken(BEATS)
