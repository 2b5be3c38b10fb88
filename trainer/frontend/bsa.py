"""Ben's spiker algorithm: spikes whose convolution with a kernel approximates a signal.

B. Schrauwen and J. Van Campenhout, BSA, a fast and accurate spike train encoding scheme, IJCNN 2003.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

TAPS = 24


def kernel() -> FloatArray:
    """`exp(-(i - 12)**2 / 25)` for `i = 0..23`, divided by its sum."""
    taps = np.exp(-((np.arange(TAPS) - 12.0) ** 2) / 25)
    return np.asarray(taps / taps.sum())


def encode(signal: FloatArray, threshold: float) -> npt.NDArray[np.bool_]:
    """Spikes of each signal of non-negative values.

    A step `t` spikes if that brings the signal nearer to the kernel `h` by the threshold:
    `sum |s[t+i] - h[i]| <= sum |s[t+i]| - threshold`; then `h` is taken off the signal. After its end, a signal is 0.

    Args:
        signal: float64 `(steps, ...)`, each entry along the other axes a signal by itself.
        threshold: 0..1 in the unit of the signal.

    Returns:
        bool of the shape of `signal`.
    """
    steps = len(signal)
    rest = np.zeros((steps + TAPS, signal[0].size))
    rest[:steps] = signal.reshape(steps, -1)
    taps = kernel()[:, None]
    spikes = np.empty((steps, rest.shape[1]), dtype=np.bool_)
    without, with_spike = np.empty((2, TAPS, rest.shape[1]))
    for t in range(steps):
        window = rest[t : t + TAPS]
        np.abs(window, out=without)
        np.subtract(window, taps, out=with_spike)
        np.abs(with_spike, out=with_spike)
        spikes[t] = with_spike.sum(axis=0) <= without.sum(axis=0) - threshold
        window[:, spikes[t]] -= taps
    return spikes.reshape(signal.shape)
