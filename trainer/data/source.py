"""The interface of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

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
