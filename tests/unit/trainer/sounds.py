"""Sound for the tests: synthetic recordings, and where the shared ones are, which may be absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainer.frontend.ear import Sound

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"


def shared(name: str) -> Path:
    """A file or folder of `../shared/data`; the test is skipped where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return path


def tone(hz: float, rate_hz: int = 12_500, seconds: float = 0.2) -> np.ndarray:
    """float64, amplitude 0.5, starting softly."""
    time = np.arange(round(rate_hz * seconds)) / rate_hz
    return 0.5 * np.sin(2 * np.pi * hz * time) * np.minimum(1, time / 0.02)


def babble(seed: int, seconds: float = 0.2, rate_hz: int = 8000) -> Sound:
    """A few tones with noise, as int16."""
    draw = np.random.default_rng(seed)
    wave = sum(tone(hz, rate_hz, seconds) for hz in draw.uniform(150, 3500, 4))
    return Sound(np.int16(6000 * (wave + 0.1 * draw.normal(size=len(wave)))), rate_hz)
