"""Messages are one printable line, whatever the user's files are called and hold."""

from __future__ import annotations

from typing import Any

from quant.errors import ModelError, brief


def test_a_message_is_one_printable_line() -> None:
    assert str(ModelError("a\nb\x1b[2J\u202e\ud800 ä")) == r"a b\x1b[2J\u202e\ud800 ä"


def test_a_value_is_shown_short_however_large_it_is() -> None:
    doubled: list[Any] = []
    for _ in range(200):
        doubled = [doubled, doubled]
    for value in (doubled, "x" * 10**6, list(range(10**6)), 10**5000, {"a": doubled}):
        assert len(brief(value)) < 200
    assert brief(10**5000) == "a number of 16610 bits"
    assert brief("digits") == "'digits'"
    assert brief([1, True, 0.5]) == "[1, True, 0.5]"
