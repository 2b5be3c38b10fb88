"""The host program against a board in Python: weights, window, every way a line or a board can fail."""

from __future__ import annotations

import json
import os
import pty
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from models import tiny_model

from hwgen.__main__ import main
from hwgen.boards import host
from hwgen.boards.host import Job, ask
from hwgen.boards.serial_protocol import RESET, Decoder, FromBoard, Message, ToBoard, crc16, encode, load_bytes
from hwgen.core.build import make_build, write
from quant import spikes, vectors
from quant.errors import BuildError, ScsrError, ToolError
from quant.manifest import open_folder

MODEL = 0xBEEF
WINDOW = 512
WORDS = np.arange(700, dtype="<u2")


class FakeBoard:
    """A serial port with a board behind it that answers a sample with its number of beats, by the protocol.

    Args:
        words: how many words it must be loaded with before it takes samples.
        fault_at: bytes after which it faults, once for each number.
        answers: how many packets it sends before it falls silent.
    """

    def __init__(self, *, model: int = MODEL, words: int = 0, fault_at: tuple[int, ...] = (), answers: int = 10**9):
        self.model, self.words, self.faults, self.answers = model, words, list(fault_at), answers
        self.timeout: float | None = None
        self.out = b""
        self.resets = self.received = self.loads = 0
        self.most_waiting = 0
        self._reset()

    def _reset(self) -> None:
        self.decoder, self.pending, self.taken, self.said = Decoder(), b"", 0, 0
        self.loaded: list[int] = []
        self.beats, self.crc, self.crc_out = 0, 0xFFFF, 0xFFFF
        self.dead = False

    @property
    def in_waiting(self) -> int:
        self._work()
        return len(self.out)

    def read(self, size: int = 1) -> bytes:
        self._work()
        found, self.out = self.out[:size], self.out[size:]
        return found

    def reset_input_buffer(self) -> None:
        self.out = b""

    def write(self, data: bytes) -> int:
        if RESET in data:
            self.resets += 1
            self._reset()
            self._say(FromBoard.READY, 1 << 12 | WINDOW // 128)
            self._say(FromBoard.MODEL, self.model)
            data = data.rpartition(RESET)[2]
        self.pending += data
        self.most_waiting = max(self.most_waiting, len(self.pending))
        return len(data)

    def _say(self, kind: FromBoard, data: int) -> None:
        if kind == FromBoard.END:
            data = self.crc_out
        content = encode(Message(kind, data))
        self.crc_out = 0xFFFF if kind == FromBoard.END else crc16(content, self.crc_out)
        self.out += content

    def _work(self) -> None:
        """Take up to 100 bytes, so that the window matters."""
        part, self.pending = self.pending[:100], self.pending[100:]
        if self.dead:
            return
        self.received += len(part)
        if part and self.faults and self.received >= self.faults[0]:
            self.faults.pop(0)
            self._say(FromBoard.FAULT, 3)
            self.dead = True
            return
        for message in self.decoder.feed(part):
            self._take(message)
        self.taken += len(part)
        if self.taken // 128 > self.said:
            self.said = self.taken // 128
            self._say(FromBoard.CREDIT, self.taken % 65536)

    def _take(self, message: Message) -> None:
        if message.kind == ToBoard.END:
            assert message.data == self.crc
            self.crc = 0xFFFF
            if self.loaded and self.loads < self.resets:
                assert self.loaded == WORDS.tolist()
                self.loads = self.resets
                return
            assert len(self.loaded) == self.words
            self._answer(self.beats + 1)
            self.beats = 0
            return
        self.crc = crc16(encode(message), self.crc)
        if message.kind == ToBoard.LOAD:
            self.loaded.append(message.data)
        else:
            self.beats += 1

    def _answer(self, beats: int) -> None:
        if not self.answers:
            return
        self.answers -= 1
        for beat in (beats, 0xFFFFFFFF - beats, 1):
            self._say(FromBoard.HIGH, beat >> 16)
            self._say(FromBoard.LOW, beat & 0xFFFF)
        self._say(FromBoard.END, 0)


@pytest.fixture
def job() -> Job:
    samples = vectors.random_samples(tiny_model(), 30, 40, 0.5, seed=2)
    return Job(samples, load=b"", packets="sample", classes=2, model=MODEL, silence_seconds=0.2)


def _beats(job: Job) -> list[int]:
    return [int(steps + events) for steps, events in zip(job.samples.steps, np.diff(job.samples.offset), strict=True)]


def test_every_sample_is_answered_in_order_and_within_the_window(job: Job) -> None:
    board, seen = FakeBoard(), []
    answers = ask(board, job, lambda: seen.append(1))
    assert answers.scores[:, 0].tolist() == _beats(job)
    assert (answers.scores[:, 1] == -1 - answers.scores[:, 0]).all()
    assert set(answers.classes) == {1}
    assert not answers.flags.any()
    assert answers.restarts == 0
    assert len(seen) == 30
    assert board.received > 65536 or board.received > 4 * WINDOW
    assert WINDOW - 128 < board.most_waiting <= WINDOW


def test_credit_lasts_beyond_16_bits(job: Job) -> None:
    long = replace(job, samples=vectors.random_samples(tiny_model(), 100, 300, 0.9, seed=2))
    board = FakeBoard()
    assert ask(board, long).scores[:, 0].tolist() == _beats(long)
    assert board.received > 2 * 65536


def test_weights_go_before_the_samples_again_after_every_reset(job: Job) -> None:
    board = FakeBoard(words=len(WORDS), fault_at=(3000, 6000))
    answers = ask(board, replace(job, load=load_bytes(WORDS.tobytes())))
    assert answers.scores[:, 0].tolist() == _beats(job)
    assert answers.restarts == 2
    assert board.loads == board.resets == 3


def test_faults_cost_no_answer(job: Job) -> None:
    answers = ask(FakeBoard(fault_at=tuple(range(700, 4000, 700))), job)
    assert answers.scores[:, 0].tolist() == _beats(job)
    assert answers.restarts == 5


def test_a_line_that_always_fails_is_given_up(job: Job) -> None:
    with pytest.raises(
        ScsrError, match=r"after 0 of 30 samples the line failed 9 times: the board reports: a byte was"
    ):
        ask(FakeBoard(fault_at=tuple(range(1, 1000))), job)


def test_a_board_that_falls_silent_is_given_up(job: Job, monkeypatch) -> None:
    monkeypatch.setattr(host, "_RESTARTS", 1)
    with pytest.raises(ScsrError, match=r"after 4 of 30 samples .* said nothing for 0 s"):
        ask(FakeBoard(answers=4), job)


def test_another_model_is_refused(job: Job) -> None:
    with pytest.raises(ScsrError, match="it is 0001, the build is beef"):
        ask(FakeBoard(model=1), job)


@pytest.mark.parametrize("ends", [True, False])
def test_a_packet_that_ends_its_sample_in_another_step_is_a_fault(ends: bool, job: Job, monkeypatch) -> None:
    """The board here answers every sample by one packet, whatever its steps."""
    board, every = FakeBoard(), replace(job, packets="step", samples=job.samples.part(0, 2))
    monkeypatch.setattr(host, "_RESTARTS", 1)
    monkeypatch.setattr(host, "_LAST_STEP", int(ends))  # bit 0, which all of its packets have, or none
    assert job.samples.steps[0] > 1
    with pytest.raises(
        ScsrError, match=f"1 packets for a sample of {job.samples.steps[0]}" if ends else "said nothing"
    ):
        ask(board, every)


def test_a_sample_that_the_watchdog_ended_is_no_answer(job: Job, monkeypatch) -> None:
    """What the core takes for the next sample would be given that one's place."""
    monkeypatch.setattr(host, "_RESTARTS", 1)
    monkeypatch.setattr(host, "_TIMED_OUT", 1)  # bit 0, which all of its packets have
    with pytest.raises(ScsrError, match=r"after 0 of 30 samples .* the core's watchdog ended a sample"):
        ask(FakeBoard(), job)


def test_a_packet_of_another_network_is_refused(job: Job) -> None:
    with pytest.raises(ScsrError, match="a packet of another network"):
        ask(FakeBoard(), replace(job, classes=5))


def _files(folder: Path) -> tuple[Path, Path]:
    write(make_build(tiny_model()), folder / "core")
    samples = vectors.random_samples(tiny_model(), 3, 4, 0.5, seed=1)
    (folder / "s.npz").write_bytes(spikes.to_bytes(samples))
    return folder / "core", folder / "s.npz"


def _main(monkeypatch: pytest.MonkeyPatch, port: str, build: Path, samples: Path, *options: str) -> int:
    arguments = ["host", "--port", port, "--build", str(build), "--spikes", str(samples), *options]
    monkeypatch.setattr("sys.argv", ["hwgen", *arguments])
    return main()


def test_a_port_where_nobody_answers_is_told(tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("serial", reason="the extra `host` is not installed")
    monkeypatch.setattr(host, "_GREETING_SECONDS", 0.05)
    board, line = pty.openpty()
    try:
        assert _main(monkeypatch, os.ttyname(line), *_files(tmp_path)) == 2
    finally:
        os.close(board)
        os.close(line)
    shown = capsys.readouterr().err
    assert "nothing answers" in shown
    assert shown.count("\n") == 1
    for baud in ("0", "4294967296"):
        assert _main(monkeypatch, "/dev/null", *_files(tmp_path), "--baud", baud) == 2
        assert capsys.readouterr().err == f"error: --baud is {baud}; allowed is 1..100000000\n"


def test_what_cannot_be_sent_is_refused(tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("serial", reason="the extra `host` is not installed")
    build, samples = _files(tmp_path)
    wide = spikes.from_dense(np.ones((2, 1, 9), dtype=bool), np.array([2]), np.array([0]))
    (tmp_path / "wide.npz").write_bytes(spikes.to_bytes(wide))
    for port, file, options, text in [
        ("/dev/none", samples, (), "cannot be opened as a serial port"),
        ("/dev/none", tmp_path / "wide.npz", (), "9 channels; the network has 3 inputs"),
        ("/dev/none", samples, ("--samples", "4"), "--samples is 4; allowed is 1..3"),
        ("/dev/none", samples, ("--samples", "0"), "--samples is 0; allowed is 1..3"),
    ]:
        assert _main(monkeypatch, port, build, file, *options) == 2
        shown = capsys.readouterr().err
        assert text in shown
        assert shown.count("\n") == 1


def test_a_missing_pyserial_is_told(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(ToolError, match="pyserial is missing"):
        host._open_port("/dev/none", 9600)


def test_a_folder_that_is_no_untouched_build_is_refused(tmp_path: Path) -> None:
    build, _ = _files(tmp_path)
    assert open_folder(build).manifest.uart.top == "tiny_uart"
    manifest = json.loads((build / "manifest.json").read_text())
    breaks = [
        {**manifest, "top": "tiny; exec"},
        {**manifest, "sources": ["../x.v"]},
        {**manifest, "sources": ["rtl/none.v"]},
        {**manifest, "checksums": {**manifest["checksums"], "/etc/passwd": "0"}},
        {**manifest, "load": {"file": "mem/load.bin", "words": 1}},
        {**manifest, "uart": None},
        {**manifest, "format": "other"},
    ]
    for broken in breaks:
        (build / "manifest.json").write_text(json.dumps(broken))
        with pytest.raises(BuildError, match=r"no build folder of this version|which no build made"):
            open_folder(build)
    with pytest.raises(BuildError, match="no build folder"):
        open_folder(tmp_path)


def test_flagged_samples_are_counted_by_flag() -> None:
    """A board must not be wrong in silence: what its packets say of memories and watchdog reaches the user."""
    assert host._flagged(np.array([0, 0b1000, 0b101000, 0b10000])) == (
        "3 (damaged memory: 2, ended by the watchdog: 1, self-test failed: 1)"
    )
