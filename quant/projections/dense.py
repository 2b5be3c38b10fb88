"""The dense projection: a weight from every channel of its source to every neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from quant.arithmetic import Array


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """`x[i] = sum over j of W[i, j] * o[j]`.

    Attributes:
        source: what it reads: 0, the input, an earlier layer, or its own, which means recurrence.
        weight: `(N, N_source)`.
    """

    kind: ClassVar[str] = "dense"

    source: int
    weight: Array

    def expected_shape(self, shape: tuple[int, ...], source: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that the weights must have between a layer and its source of these shapes."""
        return int(np.prod(shape)), int(np.prod(source))

    def current(self, spikes: Array, dtype: Any) -> Array:
        """`(..., N)`: the input currents of spikes `(..., N_source)`.

        Floating point only borrows its fast product for integers: every sum is below 2**53.
        """
        product: Array = (spikes.astype(np.float64) @ self.weight.astype(np.float64).T).astype(dtype)
        return product

    def naive_current(self, i: int, spikes: list[int]) -> int:
        """The input current of neuron `i`."""
        return sum(int(self.weight[i, j]) for j, spike in enumerate(spikes) if spike)

    def sum_range(self) -> tuple[Array, Array]:
        """Of each neuron `(N,)`, the least and the largest current that any set of spikes can give."""
        low, high = np.minimum(self.weight, 0), np.maximum(self.weight, 0)
        return low.sum(axis=1, dtype=np.int64), high.sum(axis=1, dtype=np.int64)
