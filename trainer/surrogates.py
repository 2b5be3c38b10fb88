"""Surrogate derivatives of the spike, by name.

A neuron's distance from its threshold is measured in thresholds, `x = (u - theta) / theta`, so that the gradient does
not depend on the neuron's scale: it is the same in real numbers and in integers. With `z = |x| / width` the slope
`ds/dx` is 1 at the threshold and falls with z. trainer/kernels/walk.cpp computes the same, in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from torch import Tensor

Slope = Callable[[Tensor], Tensor]
Surrogate = Literal["fast_sigmoid", "arctan", "triangle", "rectangle"]


def fast_sigmoid(z: Tensor) -> Tensor:
    """`1 / (1 + z)**2`: Zenke & Ganguli 2018, SuperSpike."""
    return (1 + z).square().reciprocal()


def arctan(z: Tensor) -> Tensor:
    """`1 / (1 + (pi z / 2)**2)`: Fang et al. 2021, PLIF."""
    return (1 + (math.pi / 2 * z).square()).reciprocal()


def triangle(z: Tensor) -> Tensor:
    """`max(0, 1 - z)`: Bellec et al. 2018, LSNN."""
    return (1 - z).clamp(min=0)


def rectangle(z: Tensor) -> Tensor:
    """1 for `z < 1`: Wu et al. 2018, STBP."""
    return (z < 1).to(z.dtype)


SLOPES: dict[Surrogate, Slope] = {
    "fast_sigmoid": fast_sigmoid,
    "arctan": arctan,
    "triangle": triangle,
    "rectangle": rectangle,
}
