"""Generated hardware against the golden model: random networks and corner cases, with stalls and malformed beats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from marks import later
from models import (
    Limits,
    changed,
    dense_layer,
    random_folding,
    random_layer,
    random_model,
    random_safety,
    recurrent_model,
    tiny_model,
)

from bench.injection import encode, simulate
from hwgen.core.build import make_build, write
from hwgen.core.folding import Folding
from hwgen.core.plan import NO_SAFETY, Safety
from quant import vectors
from quant.arithmetic import Widths
from quant.model import IntModel, Layer
from quant.neurons import Inhibition, Part, SelfWeight, Synapse
from quant.readouts import READOUTS, Packets
from quant.spikes import SpikeSet
from sim.tb import runner
from sim.verify import Stress, verify

pytestmark = pytest.mark.rtl


def check_model(
    folder: Path,
    model: IntModel,
    folding: Folding,
    samples: SpikeSet,
    seed: int,
    safety: Safety = NO_SAFETY,
    packets: Packets = "sample",
) -> int:
    """Verify at full rate, with stalls after a reset in mid-stream, and with malformed beats; returns the spikes."""
    write(make_build(model, folding, "core", safety, packets=packets), folder)
    reports = [
        verify(folder, samples),
        verify(folder, samples, stress=Stress(stall_percent=60, reset_after=17 + seed, seed=seed)),
        verify(folder, samples, stress=Stress(stall_percent=20, malformed=True, seed=seed)),
    ]
    for report in reports:
        assert report["first_difference"] is None, report["first_difference"]
        assert report["samples"] == len(samples)
    return min(int(report["output_spikes"]) for report in reports)


def random_case(seed: int, limits: Limits) -> tuple[IntModel, Folding, SpikeSet]:
    """A random network whose output is active, its folding, and samples: the first of this seed's draws that is."""
    rng = np.random.default_rng(seed)
    while True:
        model = random_model(rng, limits)
        folding = random_folding(rng, model)
        samples = vectors.random_samples(model, 25, 12, float(rng.choice([0.05, 0.3, 0.8])), seed)
        answers, sources = vectors.expected(model, samples), model.sources(len(model.layers))
        read = any(source == 0 or len(answers[f"layer_{source}"]) for source in sources)
        if answers["scores"].any() and read:  # a bias alone moves potentials, too
            return model, folding, samples


@pytest.mark.parametrize("parts", [(), (Inhibition(np.full(9, 3, dtype=np.int16)),)], ids=["plain", "inhibition"])
def test_weights_that_are_multiples_of_a_power_of_two(parts: tuple[Part, ...], tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    weight = {source: (rng.integers(-8, 8, (9, 9)) * 16).astype(np.int16) for source in (0, 1)}
    leak, threshold = np.full(9, 200, dtype=np.int16), rng.integers(20, 90, 9).astype(np.int16)
    model = IntModel(
        "coarse", (9,), (dense_layer(weight, leak, threshold, (8, 8, 14), "subtract", *parts),), "spike_count"
    )
    assert check_model(tmp_path / "core", model, Folding([4], [2]), vectors.random_samples(model, 10, 12, 0.3, 1), 1)


@pytest.mark.parametrize("seed", [0, 1, *later(*range(2, 6))])
def test_random_networks(seed: int, tmp_path: Path) -> None:
    safety = random_safety(np.random.default_rng(seed))
    assert check_model(tmp_path / "core", *random_case(seed, Limits()), seed, safety)


@pytest.mark.parametrize("steps", [*later(1), 12])
@pytest.mark.parametrize("readout", ["spike_count", "membrane_max", *later("membrane_sum", "membrane_last")])
def test_a_packet_after_every_step(readout: str, steps: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(steps)
    model, folding, _ = random_case(list(READOUTS).index(readout), Limits(layers=2))
    model = replace(model, readout=readout)  # type: ignore[arg-type]
    samples = vectors.random_samples(model, 25, steps, 0.5, seed=1)
    assert check_model(tmp_path / "core", model, folding, samples, 3, random_safety(rng), "step")
    last = np.cumsum(samples.steps) - 1
    by_step, whole = (vectors.expected(model, samples, packets)["scores"] for packets in ("step", "sample"))
    assert (by_step[last] == whole).all()
    assert steps == 1 or (by_step != np.repeat(whole, samples.steps, axis=0)).any()


@pytest.mark.check
def test_a_larger_random_network(tmp_path: Path) -> None:
    assert check_model(tmp_path / "core", *random_case(100, Limits(layers=5, inputs=700, neurons=200)), 100)


def _extremes() -> dict[str, IntModel]:
    """Networks at the ends of the format's ranges."""
    rng = np.random.default_rng(9)
    one = dense_layer(
        {0: np.array([[1]], dtype=np.int8), 1: np.array([[1]], dtype=np.int8)},
        np.array([1], dtype=np.int8),
        np.array([1], dtype=np.int8),
        (1, 1, 4),
        "zero",
        SelfWeight(np.array([-8], dtype=np.int8)),
        Synapse(np.array([1], dtype=np.int8)),
    )
    widest = dense_layer(
        {
            0: rng.integers(-(2**15), 2**15, (5, 9), dtype=np.int32),
            1: rng.integers(-(2**15), 2**15, (5, 5), dtype=np.int32),
        },
        np.full(5, 4095, dtype=np.int16),
        np.array([2**23 - 1, 2**20, 2**16, 30000, 1], dtype=np.int32),
        (16, 12, 24),
        "subtract",
        SelfWeight(np.array([-(2**23), 2**23 - 1, 5, -5, 0], dtype=np.int32)),
        Synapse(np.full(5, 4095, dtype=np.int16)),
    )
    synapse = widest.neuron.parts[1:]
    saturating = changed(widest, bits=Widths(16, 12, 6), threshold=np.full(5, 31, dtype=np.int8), parts=synapse)
    forgetting = changed(saturating, parts=(Synapse(np.zeros(5, dtype=np.int16)),))
    block, wide = one.projections[0].weight, widest.projections[0].weight
    silent = changed(one, {0: block}, threshold=np.array([7], dtype=np.int8), parts=one.neuron.parts[1:])
    unread = changed(widest, {0: wide}), changed(saturating, {0: wide})
    return {
        "one input, one neuron": IntModel("a", (1,), (one,), "spike_count"),
        "one neuron, potential": IntModel("b", (1,), (one,), "membrane_sum"),
        "widest": IntModel("c", (9,), (widest,), "spike_count"),
        "widest, potential": IntModel("d", (9,), (widest,), "membrane_sum"),
        "saturating": IntModel("e", (9,), (saturating,), "spike_count"),
        "saturating, a synapse that keeps nothing": IntModel("h", (9,), (forgetting,), "spike_count"),
        "behind a silent layer": IntModel("f", (1,), (silent, changed(one, {1: block, 0: block})), "spike_count"),
        "a layer nobody reads": IntModel("g", (9,), unread, "spike_count"),
    }


PLAINER = "one neuron, potential", "saturating"  # than the cases that stay


@pytest.mark.parametrize("case", [*later(*PLAINER), *(case for case in _extremes() if case not in PLAINER)])
def test_the_ends_of_every_range(case: str, tmp_path: Path) -> None:
    model = _extremes()[case]
    samples = vectors.random_samples(model, 20, 10, 0.7, seed=2)
    assert check_model(tmp_path / "core", model, Folding(), samples, seed=3)


def test_many_samples_of_one_step_and_of_none_but_ticks(tmp_path: Path) -> None:
    samples = vectors.random_samples(tiny_model(), 300, 1, 0.5, seed=4)
    assert (np.diff(samples.offset) == 0).any()
    assert check_model(tmp_path / "core", tiny_model(), Folding([3, 1]), samples, seed=5)


def test_more_steps_than_the_input_has_stamps(tmp_path: Path) -> None:
    samples = vectors.random_samples(recurrent_model(), 40, 60, 0.6, seed=6)
    assert samples.steps.sum() > 8 * 2**3
    assert check_model(tmp_path / "core", recurrent_model(), Folding([4, 2]), samples, seed=7)


def test_a_deep_chain_of_skips(tmp_path: Path) -> None:
    rng = np.random.default_rng(16)  # every layer of it spikes
    sizes, layers = [6], []
    for index in range(6):
        layer = random_layer(rng, sizes[-1:], 5, flat=True)
        block = layer.projections[0].weight
        chosen = {index: block}
        for skip in range(index):
            chosen[skip] = rng.choice(block.ravel(), (5, sizes[skip])).astype(np.int32)
        layers.append(changed(layer, chosen))
        sizes.append(5)
    model = IntModel("deep", (6,), tuple(layers), "spike_count")
    samples = vectors.random_samples(model, 30, 15, 0.6, seed=8)
    assert check_model(tmp_path / "core", model, Folding([2, 5, 1, 3, 4, 2]), samples, seed=9)


def small_states(
    rng: np.random.Generator, sizes: list[int], neurons: int, weight_bits: int, reach: int, weight: Any, source: int = 0
) -> Layer:
    """A random layer whose one projection has the given weights, with thresholds below `reach` and no self-weights."""
    layer = random_layer(rng, sizes, neurons, flat=True)
    return changed(
        layer,
        {source: weight},
        Widths(weight_bits, layer.integers.leak_bits, 12),
        threshold=rng.integers(1, reach, neurons, dtype=np.int32),
        parts=tuple(part for part in layer.neuron.parts if isinstance(part, Synapse)),
    )


@pytest.mark.parametrize("ports", [*later(1), 2])
@pytest.mark.parametrize("lanes", [*later(3), 5])
def test_weights_in_several_banks(lanes: int, ports: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    layer = small_states(rng, [700], 20, 6, 200, rng.integers(-32, 32, (20, 700), dtype=np.int32))
    model = IntModel("banks", (700,), (layer,), "spike_count")
    folding = Folding([lanes], ports=ports)
    assert make_build(model, folding, "core").plan.last.weights.banks > 1
    assert check_model(tmp_path / "core", model, folding, vectors.random_samples(model, 10, 8, 0.1, seed=1), seed=2)


@pytest.mark.parametrize("ports", [*later(1), 2])
def test_narrow_weights_in_one_deep_bank(ports: int, tmp_path: Path) -> None:
    """More words than the widest block has, fewer than the block that their few bits would fill."""
    rng = np.random.default_rng(14)
    layer = small_states(rng, [88], 44, 1, 6, rng.choice(np.array([-1, 1]), (44, 88)))
    model = IntModel("deep", (88,), (layer,), "spike_count")
    folding = Folding([2], ports=ports)
    weights = make_build(model, folding, "core").plan.last.weights
    assert weights.banks == 1
    assert weights.words > 1024
    assert check_model(tmp_path / "core", model, folding, vectors.random_samples(model, 10, 8, 0.2, seed=1), seed=2)


@pytest.mark.parametrize("lanes", [*later(1), 4])
def test_weights_loaded_at_run_time(lanes: int, tmp_path: Path) -> None:
    """Words of one slice in two banks, or of two slices in one; a chain of two loaders behind a layer with ROM."""
    rng = np.random.default_rng(13)
    sizes, layers = [400], []
    for neurons in (50, 12, 5):
        weight = rng.integers(-28, 32, (neurons, sizes[-1]), dtype=np.int32)
        layers.append(small_states(rng, sizes[-1:], neurons, 6, 90, weight, source=len(layers)))
        sizes.append(neurons)
    model = IntModel("loaded", (400,), tuple(layers), "spike_count")
    folding = Folding([lanes, 2, 1], ports=2, loaded=[1, 3])
    build = make_build(model, folding, "core")
    assert [layer.weights.banks * layer.weights.slices for layer in build.plan.loaded] == [2, 1]
    assert [layer.ports for layer in build.plan.layers] == [1, 2, 1]
    samples = vectors.random_samples(model, 8, 6, 0.1, seed=1)
    assert check_model(tmp_path / "core", model, folding, samples, seed=2)


def test_cocotb_loads_weights_too(tmp_path: Path) -> None:
    """A small network: a word takes cocotb some ms."""
    model = recurrent_model()
    write(make_build(model, Folding([3, 2], loaded=[1, 2])), tmp_path / "core")
    report = verify(tmp_path / "core", vectors.random_samples(model, 8, 6, 0.5, seed=1), engine="cocotb")
    assert report["equal"]
    assert report["output_spikes"] > 0


def test_a_reset_at_any_moment_leaves_nothing_behind(tmp_path: Path) -> None:
    """Over a skip link and a last layer that reads itself: every fork, FIFO and counter is caught in every state."""
    rng = np.random.default_rng(14)
    while True:  # until the output is active
        first, last = random_layer(rng, [6], 5, flat=True), random_layer(rng, [5, 6], 4, flat=True)
        sizes = {1: 5, 0: 6, 2: 4}
        weights = {source: rng.integers(-1, 2, (4, size), dtype=np.int32) for source, size in sizes.items()}
        last = changed(last, weights, replace(last.integers, weight_bits=4))
        model = IntModel("reset", (6,), (first, last), "spike_count")
        samples = vectors.random_samples(model, 6, 6, 0.6, seed=10)
        answers = vectors.expected(model, samples)
        if len(np.unique(answers["scores"])) > 2:
            break
    folder, beats = tmp_path / "core", encode(samples)
    write(make_build(model, Folding([2, 4], [1, 4])), folder)
    program = runner.build_harness(folder, tmp_path / "harness")
    for moment in range(1, len(beats)):
        for seed in range(3):
            stress = Stress(stall_percent=70, reset_after=moment, seed=seed)
            found = simulate(program, folder, beats, len(samples), stress)
            assert (found.scores == answers["scores"]).all(), (moment, seed)
            assert not found.flags.any()


def test_scores_are_clamped_in_hardware_too(tmp_path: Path) -> None:
    model = _extremes()["widest, potential"]
    layer = changed(model.layers[0], {0: np.full((5, 9), 2**15 - 1, dtype=np.int32)})
    model = IntModel("clamp", (9,), (layer,), "membrane_sum")
    samples = vectors.random_samples(model, 2, 600, 0.9, seed=2)
    assert vectors.expected(model, samples)["scores"].max() == 2**31 - 1
    assert check_model(tmp_path / "core", model, Folding([2]), samples, seed=0)


def test_a_wrong_weight_is_found_and_located(tmp_path: Path) -> None:
    folder = tmp_path / "core"
    write(make_build(tiny_model(), Folding([4, 2])), folder)
    samples = vectors.random_samples(tiny_model(), 20, 8, 0.5, seed=1)
    assert verify(folder, samples)["equal"]
    words = (folder / "mem/layer_2_weights_00.hex").read_text().split()
    wrong = [f"{int(word, 16) ^ 0b100:0{len(word)}x}" for word in words]
    (folder / "mem/layer_2_weights_00.hex").write_text("\n".join(wrong) + "\n")
    report = verify(folder, samples, allow_changed=True)
    assert not report["equal"]
    assert report["changed_files"] == ["mem/layer_2_weights_00.hex"]
    assert report["mismatching_spikes"] > 0
    assert "layer 2, neuron 0" in report["first_difference"]
