"""Differential fuzzing: random networks and streams through every implementation, `make fuzz N=200 SEED=0`.

Hypothesis draws them, so what fails is shrunk to a small network that still does, and is drawn again from its seed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from models import without_part
from strategies import Case, cases

from hwgen.core.build import make_build, write
from hwgen.core.plan import CorePlan
from hwgen.core.rates import measured_events
from hwgen.core.timing import predict_cycles
from hwgen.fpga.synth import synthesize
from quant import golden, naive, vectors
from quant.model import IntModel
from quant.neurons import PARTS
from quant.spikes import SpikeSet
from sim.tb import runner
from sim.verify import Stress, verify

pytestmark = [pytest.mark.rtl, pytest.mark.slow, pytest.mark.usefixtures("slots_everywhere")]

AT_ONCE = 25  # networks per test: each test is a search of its own and ends with its first failure
SLOW_STEPS = 150  # of a stream, for the naive model
SLOW_CYCLES = 20_000  # of a stream, for simulation in four states


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    first, count = metafunc.config.getoption("--fuzz-seed"), metafunc.config.getoption("--fuzz-count")
    metafunc.parametrize("number", range(first, first + -(-count // AT_ONCE)))


def verilator(folder: Path, case: Case) -> list[Mapping[str, Any]]:
    """At full rate; with stalls, after a reset in mid-sample; with malformed beats."""
    runs = (
        Stress(seed=case.seed),
        Stress(stall_percent=60, reset_after=17 + case.seed, seed=case.seed),
        Stress(stall_percent=20, malformed=True, seed=case.seed),
    )
    return [verify(folder, case.samples, stress=stress) for stress in runs]


def icarus(folder: Path, case: Case) -> list[Mapping[str, Any]]:
    """The folder's own bench in four states: full rate, stalls, malformed beats. No unknown may reach an output."""
    path = folder / "tb" / "build" / "fuzz.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(vectors.to_bytes(case.samples, vectors.expected(case.model, case.samples, case.packets)))
    result = runner.run_cocotb(folder, path, path.parent, seed=case.seed, simulator="icarus")
    assert set(result["cases"]) == set(runner.COCOTB_CASES), f"cocotb: {result['failures']} failures"
    assert not any("broken_rule" in found for found in result["cases"].values()), result["cases"]
    return list(result["cases"].values())


def netlist(folder: Path, case: Case) -> list[Mapping[str, Any]]:
    """What Yosys makes of it for 7 series, with stalls."""
    synthesize(folder, "xc7", seeds=0)
    return [verify(folder, case.samples, netlist="xc7", stress=Stress(stall_percent=30, seed=case.seed))]


IMPLEMENTATIONS: dict[str, Callable[[Path, Case], list[Mapping[str, Any]]]] = {
    "verilator": verilator,
    "icarus": icarus,
    "netlist": netlist,
}


def head(samples: SpikeSet) -> SpikeSet:
    """The first samples, at least one, of about `SLOW_STEPS` steps together."""
    return samples.head(1 + int(np.searchsorted(np.cumsum(samples.steps[:-1]), SLOW_STEPS)))


def shortened(case: Case, plan: CorePlan) -> Case:
    """The case with its first samples, at least one, that take about `SLOW_CYCLES` cycles at full rate."""
    samples = head(case.samples)
    ends = predict_cycles(plan, measured_events(case.model, samples))
    taken = np.asarray(ends)[np.cumsum(samples.steps[:-1]) - 1]
    return replace(case, samples=samples.head(1 + int(np.searchsorted(taken, SLOW_CYCLES))))


def check_naive(case: Case) -> None:
    """The golden model against the naive one."""
    samples = head(case.samples)
    dense = samples.dense(slice(0, len(samples)))
    trace = golden.run(case.model, dense, samples.steps)
    for sample, length in enumerate(samples.steps):
        history, by_step, best = naive.run(case.model, dense[:length, sample].astype(int).tolist())
        for layer in range(len(case.model.layers)):
            assert trace.spikes[layer + 1][:length, sample].astype(int).tolist() == [step[layer] for step in history]
        assert trace.scores_by_step[:length, sample].tolist() == by_step
        assert trace.classes[sample] == best


def felt(case: Case) -> list[str]:
    """The parts of the network's neurons without which it would have spiked or answered otherwise."""
    samples = head(case.samples)
    dense, found = samples.dense(slice(0, len(samples))), []

    def answer(model: IntModel) -> list[bytes]:
        trace = golden.run(model, dense, samples.steps)
        return [each.tobytes() for each in (*trace.spikes, trace.scores)]

    for kind in PARTS:
        without = replace(case.model, layers=tuple(without_part(layer, kind) for layer in case.model.layers))
        if answer(without) != answer(case.model):
            found.append(kind.key)
    return found


def test_every_implementation_gives_the_golden_models_spikes(number: int, request: pytest.FixtureRequest) -> None:
    engine = request.config.getoption("--fuzz-engine")
    total = {"networks": 0, "active": 0, "samples": 0, "steps": 0, "output_spikes": 0}
    total |= {"with_slots": 0, **{f"felt_{part.key}": 0 for part in PARTS}}
    start = time.monotonic()

    @seed(number)
    @settings(max_examples=AT_ONCE, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(cases())
    def check(case: Case) -> None:
        check_naive(case)
        with tempfile.TemporaryDirectory(prefix="scsr_fuzz_") as folder:
            build = make_build(case.model, case.folding, "core", case.safety, packets=case.packets)
            if engine == "icarus":
                case = shortened(case, build.plan)
            write(build, Path(folder) / "core")
            reports = IMPLEMENTATIONS[engine](Path(folder) / "core", case)
        for report in reports:
            assert report["first_difference"] is None, report["first_difference"]
            assert report["samples"] == len(case.samples)
        total["networks"] += 1
        for key in felt(case):
            total[f"felt_{key}"] += 1
        total["with_slots"] += any(layer.slots for layer in build.plan.layers)
        total["active"] += all(report["output_spikes"] for report in reports)
        for count in ("samples", "steps", "output_spikes"):
            total[count] += min(int(report[count]) for report in reports)

    check()
    assert total["active"] > 0
    request.node.user_properties.append(("fuzzed", {**total, "seconds": round(time.monotonic() - start)}))
