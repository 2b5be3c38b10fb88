"""From a TOML table to a frozen dataclass: the annotations of the fields are the schema."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from quant import reader
from quant.errors import ConfigError, brief, reason

_LONGEST_KEY = 40
_NUMBER_BITS = 63  # TOML's numbers have no more, and a sign

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Range:
    """The values allowed for a number, both ends included: `Annotated[int, Range(1, 8)]`."""

    low: float
    high: float

    def check(self, value: float, where: str) -> None:
        if not self.low <= value <= self.high:  # not a number compares false and is refused
            raise ConfigError(f"{where} is {brief(value)}; allowed is {self.low}..{self.high}")


@dataclass(frozen=True, slots=True)
class Named:
    """A table whose key `name` decides which dataclass the rest of it fills: `Annotated[Source, Named(SOURCES)]`.

    A name alone stands for a table with nothing else. `unnamed` is the kind of a table without a name, as from times
    when there was no other.
    """

    kinds: Mapping[str, type]
    unnamed: str | None = None

    def name(self, value: object) -> str:
        """The name under which the type of `value` is known."""
        return next(name for name, kind in self.kinds.items() if type(value) is kind)

    def parse(self, table: object, where: str) -> Any:
        """The dataclass that the table names, filled from it."""
        options = {"name": table} if isinstance(table, str) else dict(_table(table, where))
        name = options.pop("name", self.unnamed)
        if not isinstance(name, str) or name not in self.kinds:
            raise ConfigError(f"{where}.name is {brief(name)}; allowed is {' or '.join(map(repr, self.kinds))}")
        return parse(self.kinds[name], options, where)


class _Place:
    """Marks a text that names a file or a folder."""


FilePath = Annotated[str, _Place()]
"""A file or a folder; in a configuration file, from its folder on."""


CachePath = Annotated[str, _Place()]
"""A folder of what can be computed again, from the working directory on; results do not depend on it."""


def placed(value: T, folder: Path) -> T:
    """The dataclass `value` with the relative paths in it taken from `folder` on, as absolute ones."""
    return _with_paths(value, lambda path: os.path.abspath(folder / path), lambda cache: cache)


def portable(value: T) -> T:
    """The dataclass `value` with the last parts of the paths in it alone: what it says on any machine."""
    return _with_paths(value, lambda path: Path(path).name, lambda _: "")


def _with_paths(value: T, of_file: Callable[[str], str], of_cache: Callable[[str], str]) -> T:
    hints = _hints(type(value))  # type: ignore[arg-type]
    changed = {name: _with_path(hint, getattr(value, name), of_file, of_cache) for name, hint in hints.items()}
    return replace(value, **changed)  # type: ignore[type-var]


def _with_path(hint: Any, item: Any, of_file: Callable[[str], str], of_cache: Callable[[str], str]) -> Any:
    if hint == CachePath:
        return of_cache(item)
    if hint == FilePath:
        return of_file(item) if item else item
    if isinstance(item, tuple):
        return tuple(_with_path(get_args(hint)[0], one, of_file, of_cache) for one in item)
    return _with_paths(item, of_file, of_cache) if is_dataclass(item) else item


def read_toml(path: Path) -> dict[str, Any]:
    """The table in a TOML file.

    Raises:
        ConfigError: if the file is not TOML, or takes too long to read.
    """
    # A table of long names takes time that grows with the square of the file.
    return reader.rehearse(path, lambda: _toml(path), ConfigError)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # dates and numbers that cannot be are no TOMLDecodeError
        raise ConfigError(f"{path}: not TOML ({reason(error)})") from None


def parse(cls: type[T], table: object, where: str = "") -> T:
    """Build the dataclass `cls` from a table of the same shape.

    Args:
        cls: a dataclass of bools, ints, floats, strings, `Literal`s, tuples of one type, and dataclasses; `RENAMED`
            in it maps the keys that fields had in earlier versions to those of today.
        table: what `tomllib` read.
        where: the key path of the table, for messages; "" is the top.

    Raises:
        ConfigError: naming the key path, what stands there, and what is allowed.
    """
    entries = dict(_table(table, where))
    hints = _hints(cls)  # type: ignore[arg-type] # mypy does not know that classes can be hashed
    prefix = f"{where}." if where else ""
    for old, new in getattr(cls, "RENAMED", {}).items():
        if old in entries and new in entries:
            raise ConfigError(f"{prefix}{old} is the old name of {new}, which is there too; leave {old} out")
        if old in entries:
            entries[new] = entries.pop(old)
    for key in entries:
        if key not in hints:
            raise ConfigError(f"{prefix}{str(key)[:_LONGEST_KEY]} is unknown; allowed are {', '.join(hints)}")
    for field in fields(cls):  # type: ignore[arg-type]
        if field.name not in entries and field.default is MISSING:
            raise ConfigError(f"{prefix}{field.name} is missing")
    return cls(**{key: _value(hints[key], item, f"{prefix}{key}") for key, item in entries.items()})


def unparse(value: Any) -> dict[str, Any]:
    """The table that describes a dataclass in full, defaults spelled out; the inverse of `parse`."""
    hints = _hints(type(value))  # type: ignore[arg-type]
    return {field.name: _plain(hints[field.name], getattr(value, field.name)) for field in fields(value)}


@cache
def _hints(cls: type) -> Mapping[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in fields(cls)}


def _plain(hint: Any, item: Any) -> Any:
    """`item`, of the type `hint`, as a table holds it."""
    if isinstance(item, tuple):
        return [_plain(get_args(hint)[0], entry) for entry in item]
    if not is_dataclass(item):
        return item
    rule = get_args(hint)[1] if get_origin(hint) is Annotated else None
    named = {"name": rule.name(item)} if isinstance(rule, Named) else {}
    return {**named, **unparse(item)}


def _value(hint: Any, item: Any, where: str) -> Any:
    """`item` as the type that `hint` asks for."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1], item, where)
    if origin is Literal:
        if item not in arguments:
            raise ConfigError(f"{where} is {brief(item)}; allowed is {' or '.join(map(repr, arguments))}")
        return item
    if origin is tuple:
        if not isinstance(item, list | tuple):
            raise ConfigError(f"{where} is {brief(item)}; it must be a list")
        return tuple(_value(arguments[0], entry, f"{where}[{i}]") for i, entry in enumerate(item, start=1))
    if isinstance(hint, type) and is_dataclass(hint):
        return parse(hint, item, where)
    return _scalar(hint, item, where)


def _annotated(hint: Any, rule: Range | Named | _Place, item: Any, where: str) -> Any:
    if isinstance(rule, Named):
        return rule.parse(item, where)
    value = _value(hint, item, where)
    if isinstance(rule, Range):
        rule.check(value, where)
    return value


def _table(item: object, where: str) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise ConfigError(f"{where} is {brief(item)}; it must be a table")
    return item


def _scalar(kind: type, item: Any, where: str) -> Any:
    if type(item) is int and item.bit_length() > _NUMBER_BITS:
        raise ConfigError(f"{where} is {brief(item)}; the limit is {_NUMBER_BITS}")
    if kind is float and type(item) is int:
        return float(item)
    if type(item) is not kind:  # not isinstance: TOML's true is no integer
        raise ConfigError(f"{where} is {brief(item)}; it must be of type {kind.__name__}")
    if isinstance(item, str) and "\0" in item:
        raise ConfigError(f"{where} is {brief(item)}; no text has a character 0")
    return item
