"""A look at a data set before training: samples per class, lengths, rates, channels that never spike, a raster."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np
from tabulate import tabulate

from quant import page
from quant.formats import IntArray
from quant.spikes import SpikeSet, Split
from trainer import pictures
from trainer.config import Config
from trainer.data.source import Traced, label_names

_TEMPLATE = Path(__file__).with_name("inspection.html.j2")
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people: its title, the names of its columns, and its rows, the first entry naming each."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]

    def __str__(self) -> str:
        return f"{self.title}\n{tabulate(self.rows, self.columns, disable_numparse=True, stralign='right')}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is to be seen of a data set.

    Attributes:
        tables: figures.
        warnings: what a user should look at before training.
        raster: PNG, one training sample of each class.
    """

    tables: Sequence[Table]
    warnings: Sequence[str]
    raster: bytes

    def text(self) -> str:
        """For a terminal."""
        return "\n\n".join([*map(str, self.tables), *(f"warning: {warning}" for warning in self.warnings)]) + "\n"

    def page(self, title: str) -> str:
        """For a browser, in one file."""
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True)
        raster = base64.b64encode(self.raster).decode()
        return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
            style=page.STYLE, title=title, tables=self.tables, warnings=self.warnings, raster=raster
        )


def inspect(config: Config) -> Inspection:
    """Load the data of a configuration and look at them.

    Raises:
        DataError: if they are missing or not as expected.
    """
    data, classes = config.data.load(), label_names(config.data)
    kind = "pattern" if isinstance(config.data, Traced) else "class"
    return Inspection(
        tables=(_labels(data, classes, kind), _lengths(data), _activity(data)),
        warnings=_warnings(data, classes),
        raster=pictures.data_raster(data["train"], classes),
    )


def _labels(data: Mapping[Split, SpikeSet], classes: Sequence[str], kind: str) -> Table:
    counts = {split: _per_class(samples, classes) for split, samples in data.items()}
    rows = [[name, *(count[label] for count in counts.values())] for label, name in enumerate(classes)]
    return Table(f"samples per {kind}", [kind, *data], [*rows, ["all", *map(len, data.values())]])


def _per_class(samples: SpikeSet, classes: Sequence[str]) -> IntArray:
    return np.bincount(samples.label, minlength=len(classes))


def _lengths(data: Mapping[Split, SpikeSet]) -> Table:
    rows = [[name, *map(int, np.quantile(samples.steps, (0, 0.5, 1)))] for name, samples in data.items()]
    return Table("steps per sample", ["part", "shortest", "median", "longest"], rows)


def _activity(data: Mapping[Split, SpikeSet]) -> Table:
    rows = []
    for name, samples in data.items():
        events = np.diff(samples.offset)
        cells = int(samples.steps.sum()) * samples.channels
        rows.append(
            [
                name,
                f"{np.median(events):,.0f}",
                f"{len(samples.step) / samples.steps.sum():.2f}",
                f"{len(samples.step) / cells:.4f}",
                int((events == 0).sum()),
                f"{len(_silent(samples))} of {samples.channels}",
            ]
        )
    heads = ["part", "spikes per sample", "per step", "per step and channel", "silent samples", "silent channels"]
    return Table("activity (spikes per sample: the median)", heads, rows)


def _silent(samples: SpikeSet) -> IntArray:
    """Channels that never spike."""
    return np.flatnonzero(np.bincount(samples.channel, minlength=samples.channels) == 0)


def _warnings(data: Mapping[Split, SpikeSet], classes: Sequence[str]) -> list[str]:
    found = []
    silent = _silent(data["train"])
    if len(silent):
        shown = ", ".join(map(str, silent[:_SHOWN])) + (", ..." if len(silent) > _SHOWN else "")
        found.append(f"{len(silent)} channels never spike in the train part ({shown}): is size, or pooling, right?")
    for split, samples in data.items():
        absent = [name for name, count in zip(classes, _per_class(samples, classes), strict=True) if not count]
        if absent:
            found.append(f"the {split} part has no sample of {', '.join(absent[:_SHOWN])}")
        still = int((np.diff(samples.offset) == 0).sum())
        if still:
            found.append(f"{still} samples of the {split} part have no spike")
    return found
