"""The calls of `import hwgen`: a mistake in their arguments is named in one line, before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import tiny_model

import hwgen
from quant import spikes, vectors
from quant.errors import ScsrError
from quant.files import write_new

MODEL = tiny_model()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lanes": [1.5] * len(MODEL.layers)}, "--lanes is [1.5, 1.5]; give whole numbers, one after another"),
        ({"units": 4}, "--units is 4; give whole numbers, one after another"),
        ({"loaded_layers": [1.5]}, "--loaded-layers is [1.5]; give whole numbers"),
        ({"watchdog": 2.5}, "--watchdog 2.5: allowed is 1..4294967295 cycles"),
        ({"budget": {"luts": 3}}, "--budget names 'luts'; allowed are lut, ff, bram, dsp"),
        ({"protect": "hamming"}, "--protect 'hamming' is unknown; allowed are none, parity, secded"),
        ({"rates": "nowhere.npz"}, "nowhere.npz"),
    ],
)
def test_a_request_that_cannot_be_is_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ScsrError) as caught:
        hwgen.build(MODEL, tmp_path / "core", hwgen.Request(**options))
    assert message in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_whole_numbers_may_be_those_of_numpy(tmp_path: Path) -> None:
    ours, theirs = (
        hwgen.build(MODEL, tmp_path / name, hwgen.Request(lanes=lanes, loaded_layers=layers, watchdog=cycles))
        for name, lanes, layers, cycles in (
            ("a", [4, 2], [1], 5000),
            ("b", np.array([4, 2]), np.array([1]), np.int64(5000)),
        )
    )
    assert ours.manifest == theirs.manifest


def test_rates_may_be_samples_or_a_file(tmp_path: Path) -> None:
    samples = vectors.random_samples(MODEL, 5, 10, 0.4, 1)
    write_new(tmp_path / "rates.npz", spikes.to_bytes(samples))
    folders = [
        hwgen.build(MODEL, tmp_path / name, hwgen.Request(rates=rates))
        for name, rates in (("set", samples), ("text", str(tmp_path / "rates.npz")), ("path", tmp_path / "rates.npz"))
    ]
    assert folders[0].manifest == folders[1].manifest == folders[2].manifest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "verilator"}, "--engine 'verilator' is unknown; allowed are cpp, cocotb"),
        ({"stall_percent": 96}, "--stall-percent is 96; allowed is 0..95"),
        ({"stall_percent": -1}, "--stall-percent is -1; allowed is 0..95"),
    ],
)
def test_a_verification_that_cannot_be_is_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    core = hwgen.build(MODEL, tmp_path / "core")
    with pytest.raises(ScsrError) as caught:
        hwgen.verify(core, vectors.random_samples(MODEL, 2, 5, 0.4, 1), **options)
    assert str(caught.value) == message


@pytest.mark.parametrize("threads", [0, 1025])
def test_training_with_impossible_threads_is_refused(tmp_path: Path, threads: int) -> None:
    config = {"name": "net", "data": {"name": "digits"}, "network": {"layers": [{"neurons": 10, "sources": [0]}]}}
    with pytest.raises(ScsrError, match=rf"--threads is {threads}; allowed is 1\.\.1024"):
        hwgen.train(config, tmp_path / "run", threads=threads)
    assert not list(tmp_path.iterdir())
