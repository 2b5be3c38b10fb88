"""The folding chosen for a goal, against all foldings of small networks."""

from __future__ import annotations

import itertools
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from models import recurrent_model, tiny_model

from bench.networks import Case, Layer, random_network
from hwgen.__main__ import main
from hwgen.core import area
from hwgen.core.choice import Goal, choose
from hwgen.core.folding import Folding
from hwgen.core.planner import make_plan
from hwgen.core.rates import assumed_events, cycles_per_step, measured_events
from hwgen.core.timing import Events
from hwgen.fpga import targets
from quant import spikes, store, vectors
from quant.errors import BuildError, ScsrError, SpikeFileError
from quant.model import IntModel

LARGER = random_network(Case("larger", 78, (Layer(128, (0,), 1, True), Layer(10, (1, 0), 1)), 0.2))


def _foldings(model: IntModel):
    """All foldings whose lanes fill their groups evenly."""
    per_layer = []
    for layer in model.layers:
        lanes = {-(-layer.neurons // groups) for groups in range(1, layer.neurons + 1)}
        per_layer.append([(count, unit) for count in lanes for unit in range(1, count + 1)])
    for ports in (1, 2):
        for folds in itertools.product(*per_layer):
            yield Folding([lanes for lanes, _ in folds], [units for _, units in folds], ports)


def _cost(found: area.Area) -> float:
    limits = asdict(targets.find("xc7").capacity)
    return sum(value / limits[name] for name, value in asdict(found).items() if limits[name])


def _measured(model: IntModel, seed: int = 1) -> Events:
    return measured_events(model, vectors.random_samples(model, 5, 10, 0.4, seed))


@pytest.mark.parametrize("model", [tiny_model(), recurrent_model()], ids=lambda model: model.name)
def test_no_other_folding_that_is_fast_enough_costs_less(model: IntModel) -> None:
    events = _measured(model)
    plans = [make_plan(model, folding) for folding in _foldings(model)]
    speeds = sorted({cycles_per_step(plan, events) for plan in plans})
    assert len(speeds) > 3
    for limit in speeds[:: max(1, len(speeds) // 5)]:
        choice = choose(model, events, Goal(interval=limit + 0.5), "xc7")
        assert choice.interval <= limit + 0.5
        least = min(_cost(area.estimate(plan, "xc7")) for plan in plans if cycles_per_step(plan, events) <= limit + 0.5)
        assert _cost(choice.area) <= 1.1 * least


def test_a_faster_goal_costs_more() -> None:
    events = _measured(LARGER)
    slow, fast = (choose(LARGER, events, Goal(latency=limit), "xc7") for limit in (3000, 300))
    assert fast.latency <= 300 < slow.latency <= 3000
    assert fast.area.lut > slow.area.lut


def test_a_budget_is_kept_and_used() -> None:
    events = _measured(LARGER)
    choices = [choose(LARGER, events, Goal(budget={"lut": lut, "bram": 60}), "xc7") for lut in (1000, 2000)]
    for choice, lut in zip(choices, (1000, 2000), strict=True):
        assert choice.area.lut <= lut
        assert choice.area == area.estimate(make_plan(LARGER, choice.folding), "xc7")
    assert choices[1].interval < choices[0].interval


def test_a_budget_leaves_the_devices_other_limits() -> None:
    model = random_network(Case("small", 40, (Layer(48, (0,), 1), Layer(10, (1,), 1)), 0.2))
    choice = choose(model, assumed_events(model), Goal(budget={"lut": 4000}), "ice40up5k")
    assert choice.area.lut <= 4000
    assert not choice.area.beyond(asdict(targets.find("ice40up5k").capacity))
    large = random_network(Case("large", 300, (Layer(128, (0,), 1),), 0.2))
    with pytest.raises(BuildError, match="--target ice40up5k: a small folding needs bram"):
        choose(large, assumed_events(large), Goal(budget={"lut": 4000}), "ice40up5k")


def test_loaded_layers_and_layers_of_one_group_keep_to_one_event_per_cycle() -> None:
    events = assumed_events(LARGER)
    for loaded, lanes, ports in (((), [16, 2], [2, 2]), ((1,), [16, 2], [1, 2]), ((), [16, 10], [2, 1])):
        choice = choose(LARGER, events, Goal(), "xc7", ports=2, loaded=loaded, lanes=lanes)
        assert [layer.ports for layer in make_plan(LARGER, choice.folding).layers] == ports


@pytest.mark.parametrize(
    ("goal", "message"),
    [
        (Goal(interval=1), "no folding found takes at most 1 cycles per time step; the fastest takes"),
        (Goal(latency=1), "no folding found has a latency of at most 1 cycles; one takes"),
        (Goal(budget={"lut": 10}), "--budget: a small folding needs lut"),
        (Goal(interval=100, budget={"lut": 800}), "within the budget; the fastest takes"),
    ],
)
def test_what_cannot_be_is_told_with_what_can(goal: Goal, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        choose(LARGER, assumed_events(LARGER), goal, "xc7")


def test_what_a_device_cannot_hold_is_to_be_loaded_where_that_helps() -> None:
    model = random_network(Case("large", 700, (Layer(200, (0,), 16), Layer(20, (1,), 4)), 0.1, 6))
    events, goal = assumed_events(model), Goal(interval=2000)
    with pytest.raises(
        BuildError, match=r"--target ice40up5k: .* bram .* of 30; give --loaded-layers 1, whose weights"
    ):
        choose(model, events, goal, "ice40up5k")
    chosen = choose(model, events, goal, "ice40up5k", loaded=[1])
    assert 0 < chosen.area.spram <= 4
    assert chosen.area.bram <= 30


def test_a_target_without_estimates_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(area, "fitted", lambda: {"xc7": {}})
    with pytest.raises(ScsrError, match="there are some for xc7"):
        choose(tiny_model(), assumed_events(tiny_model()), Goal(interval=100), "gowin")


def test_rates_of_other_data_are_refused() -> None:
    samples = vectors.random_samples(recurrent_model(), 2, 3, 0.5, seed=1)
    with pytest.raises(SpikeFileError, match="channels; the network has"):
        measured_events(tiny_model(), samples)


def test_rates_count_what_the_golden_model_spikes() -> None:
    samples = vectors.random_samples(tiny_model(), 6, 7, 0.5, seed=1)
    answers = vectors.expected(tiny_model(), samples)
    events = measured_events(tiny_model(), samples)
    assert sum(events.ends) == len(samples)
    assert sum(events.counts[0]) == len(samples.channel) > 0
    assert sum(events.counts[1]) == len(answers["layer_1"]) > 0
    assert all(len(counts) == samples.steps.sum() for counts in events.counts.values())


def _build(monkeypatch: pytest.MonkeyPatch, folder: Path, *options: str) -> int:
    model = folder / "m.safetensors"
    model.write_bytes(store.to_bytes(tiny_model()))
    rates = folder / "s.npz"
    rates.write_bytes(spikes.to_bytes(vectors.random_samples(tiny_model(), 5, 8, 0.5, seed=1)))
    empty = folder / "e.npz"
    empty.write_bytes(spikes.to_bytes(spikes.from_dense(np.zeros((1, 0, 3), np.bool_), *np.zeros((2, 0), np.int64))))
    files = {"RATES": str(rates), "EMPTY": str(empty)}
    filled = [files.get(option, option) for option in options]
    monkeypatch.setattr("sys.argv", ["hwgen", "build", "--model", str(model), "--out", str(folder / "core"), *filled])
    return main()


def test_the_command_builds_what_it_chose(tmp_path: Path, monkeypatch, capsys) -> None:
    assert _build(monkeypatch, tmp_path, "--target-step-us", "0.5", "--rates", "RATES") == 0
    shown = capsys.readouterr().out
    assert "estimated for xc7" in shown
    assert "cycles per time step" in shown
    assert (tmp_path / "core" / "manifest.json").is_file()


def test_rates_choose_the_units_for_given_lanes(tmp_path: Path, monkeypatch, capsys) -> None:
    assert _build(monkeypatch, tmp_path, "--lanes", "3,2", "--rates", "RATES") == 0
    assert re.search(r"lanes 3,2, units \d,1, 1 event per cycle; estimated for xc7", capsys.readouterr().out)


def test_the_fastest_within_a_budget_is_ranked_by_the_whole_pipeline() -> None:
    model = random_network(Case("small", 40, (Layer(100, (0,), 1), Layer(20, (1,), 1)), 0.2, 6))
    events = measured_events(model, vectors.random_samples(model, 4, 40, 0.2, seed=1))
    choice = choose(model, events, Goal(budget={"lut": 5000}), "xc7")
    for lanes, units, ports in (([100, 20], [13, 3], 1), ([50, 20], [13, 2], 2), ([34, 20], [12, 2], 2)):
        plan = make_plan(model, Folding(lanes, units, ports))
        assert area.estimate(plan, "xc7").lut <= 5000
        assert choice.interval <= 1.02 * cycles_per_step(plan, events)
    assert choose(model, events, Goal(interval=choice.interval), "xc7").interval <= choice.interval


def test_own_spikes_are_events_where_they_have_rows_and_none_where_they_have_slots() -> None:
    model = random_network(Case("sparse", 40, (Layer(400, (0,), 1, sparse_recurrent=11), Layer(10, (1,), 1)), 0.2))
    events = measured_events(model, vectors.random_samples(model, 5, 20, 0.2, seed=1))
    choices = [choose(model, events, Goal(interval=limit), "xc7", ports=1) for limit in (200, 90)]
    assert [make_plan(model, choice.folding).layers[0].slots for choice in choices] == [11, 0]


def test_the_goal_that_cannot_be_reached_is_the_one_that_is_named() -> None:
    events = _measured(LARGER)
    with pytest.raises(BuildError, match=r"no folding found takes at most 1 cycles per time step; the fastest takes"):
        choose(LARGER, events, Goal(interval=1, latency=10_000), "xc7")
    small = random_network(Case("small", 40, (Layer(96, (0,), 1), Layer(10, (1,), 1)), 0.2))
    events = _measured(small)
    with pytest.raises(BuildError, match=r"a latency of at most 1 cycles; one takes ([0-9.]+): relax") as refused:
        choose(small, events, Goal(interval=10_000, latency=1), "ice40up5k")
    found = re.search(r"one takes ([0-9.,]+):", str(refused.value))
    assert found is not None
    least = float(found[1].replace(",", "")) + 0.1
    assert choose(small, events, Goal(latency=least), "ice40up5k").latency <= least


def test_rates_alone_ask_for_no_device_that_is_large_enough() -> None:
    large = random_network(Case("large", 700, (Layer(300, (0,), 10), Layer(10, (1,), 1)), 0.05, 8))
    events = measured_events(large, vectors.random_samples(large, 2, 4, 0.05, seed=1))
    choice = choose(large, events, Goal(), "ice40up5k", ports=1, lanes=[10, 1])
    assert choice.folding.lanes == [10, 1]
    with pytest.raises(BuildError, match=r"--target ice40up5k: a small folding needs bram"):
        choose(large, events, Goal(interval=1e6), "ice40up5k", ports=1)


def test_given_lanes_get_the_fewest_units_that_lose_no_time() -> None:
    events = _measured(LARGER)
    fewest = make_plan(LARGER, Folding([64, 10], [1, 1]))
    most = make_plan(LARGER, Folding([64, 10], [64, 1]))
    choice = choose(LARGER, events, Goal(), "xc7", ports=1, lanes=[64, 10])
    assert choice.folding.lanes == [64, 10]
    assert 1 < choice.folding.units[0] < 64
    assert choice.interval <= 1.02 * cycles_per_step(most, events) < cycles_per_step(fewest, events)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--target-step-us", "1", "--lanes", "2,2"), "--target-step-us chooses the lanes; leave out --lanes"),
        (("--target-step-us", "1", "--units", "2,1"), "--target-step-us chooses the units; leave out --units"),
        (("--rates", "RATES", "--units", "2,1"), "--rates chooses the units; leave out --units"),
        (("--rates", "RATES", "--lanes", "5,1"), "--lanes: 5 for layer 1; allowed is 1..4"),
        (("--target-step-us", "nan"), "--target-step-us is nan; it must be more than 0"),
        (("--target-step-us", "1", "--clock-mhz", "0"), "--clock-mhz is 0.0; it must be more than 0"),
        (("--clock-mhz", "-5"), "--clock-mhz is -5.0; it must be more than 0"),
        (("--target", "foo"), "--target 'foo' is unknown; known are xc7"),
        (("--rates", "EMPTY"), "the spike file holds no samples"),
        (("--units", "x"), "argument --units"),
        (("--budget", "lut=many"), "--budget is 'lut=many': give whole numbers of lut, ff, bram, dsp"),
        (("--budget", "lut=5,lut=6"), "give whole numbers of lut, ff, bram, dsp"),
    ],
)
def test_the_command_refuses(options: tuple[str, ...], message: str, tmp_path: Path, monkeypatch, capsys) -> None:
    assert _build(monkeypatch, tmp_path, *options) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "core").exists()
