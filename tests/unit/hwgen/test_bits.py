"""What `scsr bits` recommends, and what it refuses; the whole of it runs in tests/e2e/test_first_hour.py."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from hwgen.flow import scsr
from hwgen.flow.bits import _recommend
from hwgen.flow.widths import Study, Width, picture, table


def width(number: int, accuracy: float) -> Width:
    return Width(number, accuracy, 0.002, 900 + 20 * number, number, 1000 * number, 2.0)


def test_the_fewest_bits_that_cannot_be_told_from_the_best_are_recommended() -> None:
    widths = [width(1, 0.90), width(2, 0.975), width(4, 0.978), width(8, 0.98)]
    chosen, reason = _recommend(widths, 300, "xc7")
    assert chosen == 2
    assert "within one standard error (0.87% on 300 samples)" in reason
    assert "save 75% of the weight memory (8 -> 2 BRAM), but only 11% of the LUTs on xc7" in reason
    assert _recommend(widths, 1_000_000, "xc7")[0] == 8
    assert _recommend([width(2, 0.99), width(4, 1.0)], 42, "xc7")[0] == 2


def test_a_table_marks_what_is_recommended_and_a_picture_is_drawn() -> None:
    widths = [width(2, 0.97), Width(4, 0.98, math.nan, 980, 4, 4000, 2.0)]
    found = Study(0.985, 300, 1, widths, 4, "because")
    lines = table(found).splitlines()
    assert "4 *" in lines[-1]
    assert "97.00% ± 0.20%" in lines[-2]
    assert "±" not in lines[-1]
    assert picture(found).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--bits", "2,x"), "--bits is '2,x'; give whole numbers"),
        (("--bits", "2,9"), "weights of 1..8 bits can be trained"),
        (("--seeds", "0"), "--seeds is 0; allowed is 1..100"),
        (("--target", "abacus"), "abacus"),
    ],
)
def test_what_cannot_be_tried_is_refused(options: tuple[str, ...], message: str, tmp_path: Path, capsys) -> None:
    assert scsr.main(["bits", "--config", str(tmp_path / "c.toml"), "--out", str(tmp_path / "out"), *options]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_run_without_real_numbers_is_refused(tmp_path: Path, capsys) -> None:
    text = (Path(__file__).parents[3] / "configs" / "digits.toml").read_text(encoding="utf-8")
    config = tmp_path / "c.toml"
    config.write_text(text.replace("epochs_float = 50", "epochs_float = 0"), encoding="utf-8")
    assert scsr.main(["bits", "--config", str(config), "--out", str(tmp_path / "out")]) == 2
    assert "train.epochs_float is 0; bits compares widths" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_regression_is_refused(tmp_path: Path, capsys) -> None:
    config = Path(__file__).parents[3] / "configs" / "systems" / "patterns.toml"
    assert scsr.main(["bits", "--config", str(config), "--out", str(tmp_path / "out")]) == 2
    assert "data has traces and no classes; bits compares accuracies" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
