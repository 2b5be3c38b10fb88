"""The interface of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from quant.spikes import SpikeSet, Split


class Source(Protocol):
    """A data set with its options filled in: a frozen dataclass with these members."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def channels(self) -> int:
        """Number of input channels."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; a label is an index into them."""

    def load(self) -> Mapping[Split, SpikeSet]:
        """The three disjoint splits. Whatever is fitted to data is fitted to "train" alone.

        Raises:
            DataError: if the data are missing or not as expected.
        """


@runtime_checkable
class Traced(Source, Protocol):
    """A data set for regression: `classes` names the outputs, and a sample's label is a row of its traces."""

    def traces(self) -> npt.NDArray[np.float32]:
        """`(patterns, T, outputs)`, what the outputs are to be in every step; T: the steps of the longest sample.

        Every batch asks for them.
        """


def for_hardware(source: Source, samples: SpikeSet) -> SpikeSet:
    """Samples of a data set as other packages may read them: a label that is no class is left out."""
    return replace(samples, label=np.full_like(samples.label, -1)) if isinstance(source, Traced) else samples


def label_names(source: Source) -> tuple[str, ...]:
    """What each label stands for."""
    if not isinstance(source, Traced):
        return source.classes
    return tuple(f"pattern {number}" for number in range(1, len(source.traces()) + 1))
