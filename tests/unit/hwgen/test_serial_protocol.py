"""The serial protocol: what is sent is found again, and whatever is lost is noticed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.boards.serial_protocol import (
    RESET,
    Decoder,
    FromBoard,
    LinkError,
    Message,
    Receiver,
    ToBoard,
    crc16,
    encode,
    load_bytes,
    sample_bytes,
)
from quant.errors import ScsrError
from quant.spikes import SpikeSet, from_dense

messages = st.builds(Message, st.integers(0, 6), st.integers(0, 0xFFFF))
packets = st.lists(st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=5).map(tuple), min_size=1, max_size=4)
READY = encode(Message(FromBoard.READY, 1 << 12 | 4)) + encode(Message(FromBoard.MODEL, 0xABCD))


def _said(*sent: tuple[int, ...], credit: int | None = None) -> bytes:
    """What a board says: its greeting, then packets."""
    stream, crc = READY, crc16(READY)
    for beats in sent:
        body = b"" if credit is None else encode(Message(FromBoard.CREDIT, credit))
        for beat in beats:
            body += encode(Message(FromBoard.HIGH, beat >> 16)) + encode(Message(FromBoard.LOW, beat & 0xFFFF))
        stream += body + encode(Message(FromBoard.END, crc16(body, crc)))
        crc = 0xFFFF
    return stream


def test_the_checksum_is_the_well_known_one() -> None:
    assert crc16(b"123456789") == 0x29B1


@given(st.lists(messages), st.binary(max_size=5))
def test_messages_are_found_again_behind_any_noise(sent: list[Message], noise: bytes) -> None:
    stream = b"".join(map(encode, sent))
    assert list(Decoder().feed(stream)) == sent
    # A message cut off before is the most that noise can hide: the next start is found by its mark.
    found = list(Decoder().feed(noise + stream))
    assert found[len(found) - len(sent) :] == sent


@given(messages)
def test_no_message_holds_a_reset(message: Message) -> None:
    assert RESET not in encode(message)
    assert len(encode(message)) == 3


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_a_sample_is_its_events_and_ticks(steps: int, channels: int, seed: int) -> None:
    dense = np.random.default_rng(seed).random((steps, 2, channels)) < 0.4
    samples = from_dense(dense, np.array([steps, steps]), np.array([-1, -1]))
    for index in range(2):
        *beats, end = Decoder().feed(sample_bytes(samples, index))
        expected = []
        for step in dense[:, index]:
            expected += [*map(int, np.flatnonzero(step)), 0x8000]
        assert beats == [Message(ToBoard.BEAT, beat) for beat in expected[:-1]]
        assert end == Message(ToBoard.END, crc16(b"".join(map(encode, beats))))


def test_a_silent_step_is_an_end_alone() -> None:
    none = np.zeros(0, dtype=np.int32)
    samples = SpikeSet(3, np.array([1]), np.array([-1]), np.array([0, 0]), none, none)
    assert sample_bytes(samples, 0) == encode(Message(ToBoard.END, 0xFFFF))


@given(st.lists(st.integers(0, 0xFFFF), min_size=1))
def test_weights_are_words_with_a_checksum(words: list[int]) -> None:
    *loads, end = Decoder().feed(load_bytes(np.array(words, dtype="<u2").tobytes()))
    assert loads == [Message(ToBoard.LOAD, word) for word in words]
    assert end.kind == ToBoard.END


@given(packets, st.integers(1, 7))
def test_packets_are_received_in_any_portions(sent: list[tuple[int, ...]], portion: int) -> None:
    stream, receiver, found = _said(*sent), Receiver(), []
    for start in range(0, len(stream), portion):
        found += receiver.feed(stream[start : start + portion])
    assert found == sent
    assert receiver.window_bytes == 512
    assert receiver.model == 0xABCD


@given(packets, st.data())
def test_no_lost_or_changed_byte_passes_as_an_answer(sent: list[tuple[int, ...]], data: st.DataObject) -> None:
    stream = _said(*sent)
    place = data.draw(st.integers(len(READY), len(stream) - 1))
    flip = data.draw(st.integers(0, 255))
    damaged = stream[:place] + (bytes([stream[place] ^ flip]) if flip else b"") + stream[place + 1 :]
    receiver, found = Receiver(), []
    try:
        for byte in damaged:
            found += receiver.feed(bytes([byte]))
    except (LinkError, ScsrError):
        pass
    # Those before the damage arrive; of the rest none does, or one is missing and the host waits in vain.
    assert found == sent[: len(found)]
    assert len(found) < len(sent)


def test_credit_counts_on_beyond_16_bits() -> None:
    receiver = Receiver()
    receiver.feed(READY)
    for taken in (128, 40_000, 65_535, 128, 40_000):
        receiver.feed(encode(Message(FromBoard.CREDIT, taken)))
    assert receiver.taken_bytes == 65_536 + 40_000


def test_what_was_said_before_the_greeting_is_passed_over() -> None:
    receiver = Receiver()
    assert receiver.feed(encode(Message(FromBoard.LOW, 5)) + encode(Message(FromBoard.END, 5))) == []
    assert receiver.feed(_said((1, 2), credit=128)) == [(1, 2)]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Message(FromBoard.FAULT, 4), "a checksum was wrong"),
        (Message(FromBoard.FAULT, 9), "fault 9"),
        (Message(FromBoard.READY, 1 << 12 | 4), "was reset"),
        (Message(FromBoard.LOW, 1), "was lost"),
    ],
)
def test_what_the_board_reports_ends_the_exchange(message: Message, text: str) -> None:
    receiver = Receiver()
    receiver.feed(READY)
    with pytest.raises(LinkError, match=text):
        receiver.feed(encode(message))


def test_another_version_is_refused_for_good() -> None:
    with pytest.raises(ScsrError, match="version 2") as caught:
        Receiver().feed(encode(Message(FromBoard.READY, 2 << 12 | 4)))
    assert not isinstance(caught.value, LinkError)
