"""The serial protocol of docs/boards.md as pure functions: bytes of samples, and what a board's bytes say."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from quant.errors import ScsrError
from quant.formats import IntArray
from quant.spikes import SpikeSet

VERSION = 1
RESET = b"\xff"
MESSAGE_BYTES = 3
CREDIT_BYTES = 128

_TICK = 1 << 15
_CRC_START = 0xFFFF
_START_BIT = 0x80
_SPARE_BITS = 0x0C
_BYTES_MODULO = 1 << 16


class LinkError(ScsrError):
    """The line to a board lost or damaged something; a RESET and the unanswered samples again mend that."""


class ToBoard(IntEnum):
    """Kinds of messages to the board."""

    BEAT = 4
    LOAD = 5
    END = 6


class FromBoard(IntEnum):
    """Kinds of messages from the board."""

    READY = 0
    MODEL = 1
    CREDIT = 2
    FAULT = 3
    HIGH = 4
    LOW = 5
    END = 6


FAULTS = {
    1: "the host sent more than the window",
    2: "a byte had no stop bit",
    3: "a byte was lost or out of place",
    4: "a checksum was wrong",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its kind, a number of 3 bits, and 16 bits of data."""

    kind: int
    data: int


def crc16(content: bytes, crc: int = _CRC_START) -> int:
    """CRC-16/CCITT with start value 0xffff, highest bit first (rtl_templates/boards/lib/scsr_crc16.v)."""
    return binascii.crc_hqx(content, crc)


def encode(message: Message) -> bytes:
    """The three bytes of a message."""
    head = _START_BIT | message.kind << 4 | message.data >> 14
    return bytes((head, message.data >> 7 & 0x7F, message.data & 0x7F))


def sample_bytes(samples: SpikeSet, index: int) -> bytes:
    """All messages of one sample: a BEAT for each event and each TICK but the last; END is the last TICK."""
    events = slice(int(samples.offset[index]), int(samples.offset[index + 1]))
    counts = np.bincount(samples.step[events], minlength=int(samples.steps[index]))
    ends = np.cumsum(counts)[:-1]
    return _closed(ToBoard.BEAT, np.insert(samples.channel[events].astype(np.int64), ends, _TICK))


def load_bytes(words: bytes) -> bytes:
    """All messages of a core's weights: a LOAD for each 16-bit word (lower byte first in `words`), then END."""
    return _closed(ToBoard.LOAD, np.frombuffer(words, dtype="<u2").astype(np.int64))


def _closed(kind: ToBoard, data: IntArray) -> bytes:
    content = np.stack([_START_BIT | kind << 4 | data >> 14, data >> 7 & 0x7F, data & 0x7F], axis=1)
    body = content.astype(np.uint8).tobytes()
    return body + encode(Message(ToBoard.END, crc16(body)))


class Decoder:
    """Finds messages in a stream of bytes, whatever was lost from it: every message starts with a marked byte."""

    def __init__(self) -> None:
        self._partial = b""

    def feed(self, content: bytes) -> Iterator[Message]:
        """The messages that are complete with these bytes; bytes that belong to none are passed over."""
        for byte in content:
            if byte & _START_BIT:
                self._partial = bytes([byte])
            elif self._partial:
                self._partial += bytes([byte])
            if len(self._partial) == MESSAGE_BYTES:
                head, middle, low = self._partial
                self._partial = b""
                if not head & _SPARE_BITS:
                    yield Message(head >> 4 & 7, (head & 3) << 14 | middle << 7 | low)


class Receiver:
    """What a board has said since its READY: credit and packets.

    Attributes:
        window_bytes: how many bytes the board takes beyond those it has confirmed; 0 before its READY.
        model: the first 16 bits of its model's digest; None before it has said so.
        taken_bytes: how many bytes of the host's it has confirmed since its READY.
    """

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._restart()

    def _restart(self) -> None:
        self.window_bytes = 0
        self.model: int | None = None
        self.taken_bytes = 0
        self._crc = _CRC_START
        self._high: int | None = None
        self._beats: list[int] = []

    def feed(self, content: bytes) -> list[tuple[int, ...]]:
        """The packets, beats of 32 bits each, that are complete with these bytes.

        Raises:
            LinkError: if the board reports a fault, starts anew in the midst, or a message was damaged.
        """
        packets = []
        for message in self._decoder.feed(content):
            packet = self._take(message)
            if packet is not None:
                packets.append(packet)
        return packets

    def _take(self, message: Message) -> tuple[int, ...] | None:
        if message.kind == FromBoard.READY:
            self._ready(message)
        elif not self.window_bytes:
            return None  # the rest of what was said before the reset
        elif message.kind == FromBoard.END:
            return self._end(message)
        self._crc = crc16(encode(message), self._crc)
        match message.kind:
            case FromBoard.MODEL:
                self.model = message.data
            case FromBoard.CREDIT:
                self.taken_bytes += (message.data - self.taken_bytes) % _BYTES_MODULO
            case FromBoard.FAULT:
                raise LinkError(f"the board reports: {FAULTS.get(message.data, f'fault {message.data}')}")
            case FromBoard.HIGH:
                self._high = message.data
            case FromBoard.LOW:
                self._low(message)
        return None

    def _ready(self, message: Message) -> None:
        version, units = message.data >> 12, message.data & 0xFFF
        if version != VERSION:
            raise ScsrError(f"the board speaks version {version} of the protocol, not {VERSION}; build it again")
        if self.window_bytes:
            self._restart()
            raise LinkError("the board was reset")
        self.window_bytes = units * CREDIT_BYTES

    def _low(self, message: Message) -> None:
        if self._high is None:
            raise LinkError("a byte of the board's was lost")
        self._beats.append(self._high << 16 | message.data)
        self._high = None

    def _end(self, message: Message) -> tuple[int, ...]:
        if message.data != self._crc or self._high is not None or not self._beats:
            raise LinkError("a byte of the board's was lost or damaged")
        packet = tuple(self._beats)
        self._beats, self._crc = [], _CRC_START
        return packet
