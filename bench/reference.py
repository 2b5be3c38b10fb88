"""docs/reference.md: every option of the configuration file and of every command, written from the code."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from hwgen.flow import scsr
from quant.command import Command
from trainer.config import Config
from trainer.schema import CachePath, FilePath, Named, Range

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference.md"
HEAD = """\
# Reference

Every option of the configuration file and of every command, written from the code by `make reference`. What our words
mean: [glossary](glossary.md).

## The configuration file

A table named `x.y` is the section `[x.y]`, or `y = { ... }` within `[x]`. Where a table is chosen by its `name`, the
name alone may stand for it (`loss = "cross_entropy"`). Paths begin at the folder of the file. A table that occurs in
several places is described once.

"""


def text() -> str:
    """The whole page."""
    command = Command("scsr", "", scsr.add_commands)
    tables = "\n".join(_tables(Config, "", set()))
    return f"{HEAD}{tables}\n## The commands\n\n" + "\n".join(
        _command(name, parser) for name, parser in sorted(command.parsers.items())
    )


def _tables(
    cls: type, where: str, known: set[type], name: str = "", siblings: Mapping[str, type] | None = None
) -> Iterator[str]:
    """The options of a dataclass as a table, then those of the dataclasses in it that are not `known` yet.

    The heading has the class's `name`, or those of the `siblings` of the table around it that have it, too.
    """
    known.add(cls)
    hints, meanings = get_type_hints(cls, include_extras=True), _meanings(cls)
    rows: list[str] = []
    inner: list[tuple[type, str, str, Mapping[str, type]]] = []
    for field in fields(cls):
        path, hint = f"{where}.{field.name}".lstrip("."), hints[field.name]
        kinds = _kinds(hint)
        inner += [(kind, path, chosen, kinds) for chosen, kind in kinds.items()]
        meaning = meanings.get(field.name, "").replace("|", r"\|")
        rows.append(f"| `{field.name}` | {_type(hint)} | {_default(field.default, hint)} | {meaning} |")
    if rows:
        title = f"`[{where}]`" if where else "The top of the file"
        owners = ", ".join(f"`{one}`" for one, kind in (siblings or {}).items() if one and _has(kind, cls))
        of_which = f' with `name = "{name}"`' if name else f" of {owners}" if owners else ""
        yield f"### {title}{of_which}\n"
        yield "| option | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    for kind, path, chosen, kinds in inner:
        if kind not in known:
            yield from _tables(kind, path, known, chosen, kinds if chosen else siblings)


def _has(cls: type, kind: type) -> bool:
    """Whether a dataclass has a field that may be of that kind."""
    return any(kind in _kinds(hint).values() for hint in get_type_hints(cls, include_extras=True).values())


def _named(hint: Any) -> bool:
    return get_origin(hint) is Annotated and isinstance(get_args(hint)[1], Named)


def _kinds(hint: Any) -> Mapping[str, type]:
    """The dataclasses that an option may be, by their names; "" where there is only one."""
    if _named(hint):
        return dict(get_args(hint)[1].kinds)
    inner = get_args(hint)[0] if get_origin(hint) is tuple else hint
    return {"": inner} if isinstance(inner, type) and is_dataclass(inner) else {}


def _type(hint: Any) -> str:
    if hint in (FilePath, CachePath):
        return "path"
    if _named(hint):
        return f"table, by name: {', '.join(f'`{one}`' for one in _kinds(hint))}"
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated and isinstance(arguments[1], Range):
        return f"{_type(arguments[0])}, {arguments[1].low:,} to {arguments[1].high:,}"
    if origin is Literal:
        return " or ".join(f"`{value!r}`".replace("'", '"') for value in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if isinstance(hint, type) and is_dataclass(hint):
        return "table"
    return {int: "whole number", float: "number", str: "text", bool: "true or false"}[hint]


def _default(value: Any, hint: Any) -> str:
    if value is MISSING:
        return "none: must be given"
    if is_dataclass(value):
        return f"`{get_args(hint)[1].name(value)}`" if _named(hint) else ""
    shown = str(value).lower() if isinstance(value, bool) else repr(list(value) if isinstance(value, tuple) else value)
    return f"`{shown}`".replace("'", '"')


def _meanings(cls: type) -> dict[str, str]:
    """What the docstrings of a dataclass and its bases say about its fields."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        _, _, listed = inspect.cleandoc(base.__doc__ or "").partition("Attributes:\n")
        for entry in re.findall(r"^ {4}(\S.*(?:\n {5,}.*)*)", listed, re.MULTILINE):
            names, _, meaning = entry.partition(": ")
            found |= {name.strip(): " ".join(meaning.split()) for name in names.split(",")}
    return found


def _command(name: str, parser: argparse.ArgumentParser) -> str:
    rows = []
    for action in parser._actions:
        if action.dest == "help":
            continue
        takes = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
        if action.choices:
            takes = f" {' or '.join(action.choices)}"
        needed = " (needed)" if action.required else ""
        rows.append(f"| `{action.option_strings[0]}{takes}` | {action.help or ''}{needed} |")
    about, example = parser.description or "", (parser.epilog or "").splitlines()[1].strip()
    lines = [f"### `scsr {name}`", "", f"{about[:1].upper()}{about[1:]}.", "", f"    {example}", ""]
    return "\n".join([*lines, "| option | meaning |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
