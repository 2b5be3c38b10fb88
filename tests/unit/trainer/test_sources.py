"""What all data sets have in common, by the examples of docs/data.md."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from trainer.data import SOURCES
from trainer.data.source import Source
from trainer.schema import Named, placed, unparse

PAGE = Path(__file__).resolve().parents[3] / "docs" / "data.md"
TABLES = [
    tomllib.loads(block)["data"] for block in re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
]


def parse(table: dict) -> Source:
    return Named(SOURCES).parse(table, "data")


def test_the_page_has_an_example_of_each_data_set() -> None:
    names = {table["name"] for table in TABLES}
    assert names | {"digits", "ti46_digits", "cues", "delayed_match", "patterns"} == set(SOURCES)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table["name"])
def test_an_example_is_read_and_read_again(table: dict) -> None:
    source = parse(table)
    assert parse({"name": table["name"], **unparse(source)}) == source


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table["name"])
def test_every_path_begins_at_the_folder_of_the_configuration(table: dict) -> None:
    given = {key: value for key, value in table.items() if key in ("path", "train", "test") and type(value) is str}
    found = placed(parse(table), Path("/somewhere"))
    assert given
    assert {key: getattr(found, key) for key in given} == {key: f"{Path('/somewhere') / given[key]}" for key in given}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table["name"])
def test_channels_and_classes_are_known_without_the_data(table: dict) -> None:
    source = parse(table)
    assert source.channels > 0
    assert len(set(source.classes)) == len(source.classes) > 1
