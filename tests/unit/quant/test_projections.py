"""The sums that a projection can give, which hardware's widths follow from."""

from __future__ import annotations

from itertools import product

import numpy as np

from quant.projections import Dense


def test_the_range_of_a_dense_sum_is_that_of_all_sets_of_spikes() -> None:
    dense = Dense(0, np.array([[3, -2, 0, 5], [-1, -4, -2, -7], [0, 0, 0, 0], [2, 6, 1, 1]]))
    sums = np.array([dense.current(np.array(spikes), np.int64) for spikes in product((0, 1), repeat=4)])
    low, high = dense.sum_range()
    assert (low.tolist(), high.tolist()) == (sums.min(axis=0).tolist(), sums.max(axis=0).tolist())
