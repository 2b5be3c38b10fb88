"""The data sets of events that the package tonic knows, by their names there; tonic downloads what is missing.

G. Lenz and others, Tonic: event-based datasets and transformations, 2021, doi.org/10.5281/zenodo.5079802.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from tqdm import tqdm

from quant.errors import ConfigError, DataError, ToolError, reason
from quant.spikes import SpikeSet, Split
from trainer.data.eventfiles import Events, Recording
from trainer.data.splits import PLAIN, Official, Partition
from trainer.schema import Named

# What makes a data set's parts, by the option that it has for them.
_PARTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "train": {"train": {"train": True}, "test": {"train": False}},
    "split": {"train": {"split": "train"}, "validation": {"split": "valid"}, "test": {"split": "test"}},
}


@dataclass(frozen=True, slots=True)
class Tonic(Events):
    """A data set of tonic. Its fields are `columns`, its targets indices into `class_names` or names among them.

    Attributes:
        dataset: its name, such as "NMNIST".
    """

    split: Annotated[Partition, Named(PLAIN)] = Official()
    dataset: str = field(kw_only=True)

    def load(self) -> Mapping[Split, SpikeSet]:
        return self.divided(self._recordings())

    def _recordings(self) -> Iterator[Recording]:
        make = _maker(self.dataset)
        takes = inspect.signature(make).parameters
        parts = next((parts for option, parts in _PARTS.items() if option in takes), {"": {}})
        for part, chosen in parts.items():
            try:
                found = make(save_to=self.path, **chosen)
            except Exception as error:  # a download that fails, a folder that cannot be written
                raise DataError(f"tonic's {self.dataset} in {self.path}: {reason(error)}") from None
            shown = tqdm(range(len(found)), desc=f"{self.dataset} {part}", unit="samples", leave=False, disable=None)
            for number in shown:
                events, target = found[number]
                where = f"tonic's {self.dataset}, {part} sample {number}"
                yield Recording(where, self._columns(where, events), self._class(where, target), part)

    def _columns(self, where: str, events: Any) -> dict[str, Any]:
        names = [name for name in self.columns if name != "_"]
        for name in names:
            if name not in (events.dtype.names or ()):
                raise DataError(f"{where} has no {name!r}; data.columns may have {', '.join(events.dtype.names or ())}")
        return {name: events[name].astype(np.float64) for name in names}

    def _class(self, where: str, target: Any) -> int:
        if isinstance(target, int | np.integer) and 0 <= target < len(self.class_names):
            return int(target)
        return self.label(where, str(target))


def _maker(name: str) -> Any:
    try:
        import tonic
    except ModuleNotFoundError:
        raise ToolError("data.name = 'tonic' needs the package tonic; `pip install tonic` installs it") from None
    make = getattr(tonic.datasets, name, None)
    if not (inspect.isclass(make) and issubclass(make, tonic.Dataset)):
        known = [key for key, kind in vars(tonic.datasets).items() if inspect.isclass(kind)]
        raise ConfigError(f"data.dataset is {name[:40]!r}; tonic has {', '.join(sorted(known))}")
    return make
