"""The command line: whatever goes wrong is one line, and status 2."""

from __future__ import annotations

import io
import sys
from concurrent.futures.process import BrokenProcessPool

import pytest

from quant.command import Command

PROBLEMS = {
    "worker": (BrokenProcessPool("abruptly"), "a worker process was killed"),
    "name": (FileNotFoundError(2, "no such file", "a\n\x1b[31mPASS"), r"a\n\x1b[31mPASS: no such file"),
    "memory": (MemoryError(), "not enough memory"),
}


def fail(arguments: object) -> int:
    raise PROBLEMS[vars(arguments)["problem"]][0]


def tell(arguments: object) -> int:
    print(vars(arguments)["problem"])
    return 0


def command(handler: str) -> Command:
    def add(made: Command) -> None:
        made.add("go", f"{__name__}:{handler}", "goes", "name").add_argument("problem")

    return Command("test", "", add)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_goes_wrong_is_one_line(problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("fail").run(["go", problem]) == 2
    shown = capsys.readouterr().err
    assert PROBLEMS[problem][1] in shown
    assert shown.count("\n") == 1
    assert shown.removesuffix("\n").isprintable()


def test_a_name_that_is_no_text_can_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "utf-8", errors="strict"))
    assert command("tell").run(["go", "o\udcff"]) == 0
    sys.stdout.flush()
    assert sys.stdout.buffer.getvalue() == b"o\\udcff\n"  # type: ignore[attr-defined]
