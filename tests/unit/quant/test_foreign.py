"""NIR files against the equations of the frameworks that write them, step by step in plain loops of float64."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir_files
import numpy as np
import pytest
from nir_files import chain, lif

from quant import golden
from quant.calibration import calibrate
from quant.errors import ModelError, ScsrError
from quant.foreign import Assumed, Foreign, lower, read
from quant.neurons import Bias, Delay, SelfWeight
from quant.spikes import from_dense

STEPS, SAMPLES, INPUTS, HIDDEN, OUTPUTS = 40, 10, 12, 9, 5
DRAW = np.random.default_rng(3)
SPIKES = DRAW.random((STEPS, SAMPLES, INPUTS)) < 0.3
FIRST = DRAW.normal(0.1, 0.6, (HIDDEN, INPUTS)).astype(np.float32)
SECOND = DRAW.normal(0.1, 0.9, (OUTPUTS, HIDDEN)).astype(np.float32)
BIAS = DRAW.normal(0.1, 0.05, HIDDEN).astype(np.float32)
V = DRAW.normal(0, 0.5, HIDDEN).astype(np.float32)
ONES = np.ones(SAMPLES, dtype=np.int64)


def understood(path: Path, source: str = "snntorch", **said: Any) -> Foreign:
    if source == "snntorch":
        said = {"reset": "zero", **said}
    return lower(read(path), Assumed(source, **said), "net")


def ours(foreign: Foreign) -> tuple[np.ndarray, ...]:
    return golden.run(foreign.built(), SPIKES, STEPS * ONES).spikes[1:]


def same(one: tuple[np.ndarray, ...], two: list[np.ndarray]) -> None:
    """Every spike of every layer; and there were some, though not everywhere."""
    assert len(one) == len(two)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b.astype(bool))
        assert 0.02 * a.size < a.sum() < 0.98 * a.size


def snntorch_leaky(beta: float, theta: float, reset: str) -> Callable[[np.ndarray], np.ndarray]:
    """`Leaky` with its default, reset_delay = True: the spike of the step before resets."""
    state = {"v": 0.0}

    def step(x: np.ndarray) -> np.ndarray:
        before = np.asarray(state["v"] > theta, dtype=float)
        v = beta * state["v"] + x
        state["v"] = v - before * (theta if reset == "late_subtract" else beta * state["v"])
        return state["v"] > theta

    return step


def norse_box(tau: float, theta: float) -> Callable[[np.ndarray], np.ndarray]:
    state = {"v": 0.0}

    def step(x: np.ndarray) -> np.ndarray:
        v = state["v"] + 1e-3 / tau * (x - state["v"])
        state["v"] = np.where(v > theta, 0.0, v)
        return v > theta

    return step


def spikingjelly_lif(tau: float, theta: float) -> Callable[[np.ndarray], np.ndarray]:
    state = {"v": 0.0}

    def step(x: np.ndarray) -> np.ndarray:
        v = state["v"] + (x - state["v"]) / tau
        state["v"] = np.where(v >= theta, 0.0, v)
        return v >= theta

    return step


def spyx_lif(beta: float, theta: float) -> Callable[[np.ndarray], np.ndarray]:
    state = {"v": 0.0}

    def step(x: np.ndarray) -> np.ndarray:
        spikes = np.asarray(state["v"] > theta, dtype=float)
        state["v"] = beta * state["v"] + x - spikes * theta
        return np.broadcast_to(spikes, x.shape)

    return step


def run(*layers: tuple[np.ndarray, np.ndarray | float, Callable[[np.ndarray], np.ndarray]]) -> list[np.ndarray]:
    """Layers one behind the other, each with weights, a bias and a step."""
    found: list[list[np.ndarray]] = [[] for _ in layers]
    for given in SPIKES:
        spikes = given.astype(np.float64)
        for (weight, bias, step), into in zip(layers, found, strict=True):
            spikes = np.asarray(step(spikes @ weight.astype(np.float64).T + bias), dtype=np.float64)
            into.append(spikes)
    return [np.stack(one) for one in found]


AFFINE = ("Affine", {"weight": FIRST, "bias": BIAS})
LINEAR = ("Linear", {"weight": SECOND})


@pytest.mark.parametrize("scalar", [False, True], ids=["shapes", "scalars"])
@pytest.mark.parametrize("reset", ["zero", "late_subtract"])
def test_snntorch(tmp_path: Path, reset: str, scalar: bool) -> None:
    sizes = (None, None) if scalar else (HIDDEN, OUTPUTS)
    path = chain(tmp_path / "a.nir", AFFINE, lif(sizes[0]), LINEAR, lif(sizes[1], v_threshold=1.5))
    wanted = run((FIRST, BIAS, snntorch_leaky(0.8, 1.0, reset)), (SECOND, 0.0, snntorch_leaky(0.8, 1.5, reset)))
    same(ours(understood(path, reset=reset)), wanted)


def test_norse(tmp_path: Path) -> None:
    first, second = lif(HIDDEN, tau=4e-3, r=7.0, v_threshold=0.2), lif(OUTPUTS, tau=5e-3, v_threshold=0.25)
    path = chain(tmp_path / "a.nir", AFFINE, first, LINEAR, second)
    wanted = run(
        (FIRST, BIAS, norse_box(float(np.float32(4e-3)), float(np.float32(0.2)))),
        (SECOND, 0.0, norse_box(float(np.float32(5e-3)), float(np.float32(0.25)))),
    )
    same(ours(understood(path, "norse")), wanted)


def test_spikingjelly(tmp_path: Path) -> None:
    first, second = lif(HIDDEN, tau=2e-4, r=1.0, v_threshold=0.5), lif(OUTPUTS, tau=4e-4, r=1.0, v_threshold=0.25)
    path = chain(tmp_path / "a.nir", AFFINE, first, LINEAR, second)
    wanted = run((FIRST, BIAS, spikingjelly_lif(2.0, 0.5)), (SECOND, 0.0, spikingjelly_lif(4.0, 0.25)))
    same(ours(understood(path, "spikingjelly")), wanted)


def test_what_a_framework_leaves_out_of_its_files_is_said(tmp_path: Path) -> None:
    path = chain(tmp_path / "a.nir", AFFINE, lif(HIDDEN, tau=4.0), LINEAR)
    assert understood(path, "spyx").notes == ("what spyx leaves out of its files is missing: layers of LI and ALIF",)
    assert not understood(path).notes


def test_spyx_is_a_step_late(tmp_path: Path) -> None:
    path = chain(tmp_path / "a.nir", AFFINE, lif(HIDDEN, tau=4.0), LINEAR, lif(OUTPUTS, tau=2.0))
    foreign = understood(path, "spyx")
    same(ours(foreign), run((FIRST, BIAS, spyx_lif(0.75, 1.0)), (SECOND, 0.0, spyx_lif(0.5, 1.0))))
    assert all(any(isinstance(part, Delay) for part in layer.neuron.parts) for layer in foreign.built().layers)


@pytest.mark.parametrize("diagonal", [True, False])
def test_a_nested_graph_that_feeds_itself(tmp_path: Path, diagonal: bool) -> None:
    """As snnTorch writes RLeaky; its reset takes effect at once there (reset_delay = False)."""
    recurrent = np.diag(V) if diagonal else DRAW.normal(0, 0.3, (HIDDEN, HIDDEN)).astype(np.float32)
    inner = {"input": ("Input", {}), "lif": lif(HIDDEN), "w_rec": ("Linear", {"weight": recurrent})}
    edges = [("w_rec", "lif"), ("lif", "output"), ("input", "lif"), ("lif", "w_rec")]
    nodes = {
        "output": ("Output", {}),
        "1": ("NIRGraph", {"nodes": {"output": ("Output", {}), **inner}, "edges": edges}),
        "0": AFFINE,
        "input": ("Input", {"shape": np.array([INPUTS])}),
    }
    path = nir_files.write(tmp_path / "a.nir", nodes, [("1", "output"), ("0", "1"), ("input", "0"), ("0", "1")])
    state = {"v": 0.0, "s": np.zeros((SAMPLES, HIDDEN))}

    def step(x: np.ndarray) -> np.ndarray:
        v = 0.8 * state["v"] + x + state["s"] @ recurrent.T.astype(np.float64)
        state["s"] = (v > 1).astype(np.float64)
        state["v"] = v * (1 - state["s"])
        return state["s"]

    foreign = understood(path)
    same(ours(foreign), run((FIRST, BIAS, step)))
    assert any(isinstance(part, SelfWeight) for part in foreign.built().layers[0].neuron.parts) == diagonal


def test_skips_scales_and_chains_of_linear_nodes_become_weights_and_biases(tmp_path: Path) -> None:
    scale = DRAW.uniform(0.5, 2, HIDDEN)
    nodes = {
        "input": ("Input", {"shape": np.array([INPUTS])}),
        "a": AFFINE,
        "scale": ("Scale", {"scale": scale}),
        "n1": lif(HIDDEN),
        "b": LINEAR,
        "skip": ("Linear", {"weight": SECOND @ FIRST}),
        "n2": lif(OUTPUTS),
        "output": ("Output", {}),
    }
    edges = [("input", "a"), ("a", "scale"), ("scale", "n1"), ("n1", "b"), ("b", "n2"), ("input", "skip")]
    path = nir_files.write(tmp_path / "a.nir", nodes, [*edges, ("skip", "n2"), ("n2", "output")])
    model = understood(path).built()
    assert model.sources(2) == (1, 0)
    np.testing.assert_allclose(model.layers[0].projections[0].weight, scale[:, None] * FIRST, rtol=1e-6)
    (bias,) = (part.value for part in model.layers[0].neuron.parts if isinstance(part, Bias))
    np.testing.assert_allclose(bias, scale * BIAS, rtol=1e-6)


def test_delays_and_filters(tmp_path: Path) -> None:
    cuba = ("CubaLIF", {**dict(lif(OUTPUTS)[1]), "tau_mem": 5e-4, "tau_syn": 2e-4, "w_in": 2.0})
    delay = ("Delay", {"delay": np.full(HIDDEN, 3e-4)})
    model = understood(chain(tmp_path / "a.nir", AFFINE, lif(HIDDEN), delay, LINEAR, cuba)).built()
    assert [part.label for part in model.layers[0].neuron.parts] == ["bias", "axonal delay"]
    assert [part.label for part in model.layers[1].neuron.parts] == ["synaptic filter"]
    assert {part.steps.max() for part in model.layers[0].neuron.parts if isinstance(part, Delay)} == {3}
    assert set(model.layers[1].neuron.parts[0].leak) == {0.5}


@pytest.mark.parametrize(
    ("nodes", "said", "expected"),
    [
        ([AFFINE, lif(HIDDEN, v_leak=0.1)], {}, "its v_leak is not 0; hardware resets to 0 and decays to 0"),
        ([AFFINE, lif(HIDDEN, v_reset=0.1)], {}, "its v_reset is not 0"),
        ([AFFINE, lif(HIDDEN, v_threshold=0.0)], {}, "its threshold is not positive"),
        ([AFFINE, lif(HIDDEN, tau=5e-5)], {}, "its time constant is below the time step, 0.0001"),
        ([AFFINE, lif(HIDDEN, tau=np.nan)], {}, "its tau is not finite"),
        ([AFFINE, lif(HIDDEN + 1)], {}, "its number of neurons is not clear: [9, 10]"),
        ([AFFINE, lif(HIDDEN), ("Conv2d", {})], {}, "2 (Conv2d): no engine for it yet"),
        ([AFFINE, lif(HIDDEN), ("Magic", {})], {}, "2 (Magic): no node that hardware has an equivalent for"),
        ([AFFINE], {}, "output (Output): does not show one population of neurons as it is"),
        ([AFFINE, ("LI", dict(lif(HIDDEN)[1])), LINEAR], {}, "1 (LI): puts out potentials to other neurons"),
        ([AFFINE, lif(HIDDEN), LINEAR], {"readout": "spike_count"}, "output (Output): has no spikes for the read-out"),
        ([AFFINE, ("LI", dict(lif(HIDDEN)[1])), LINEAR, lif(OUTPUTS)], {}, "puts out potentials to other neurons"),
        ([AFFINE, lif(HIDDEN)], {"source": "sinabs"}, "may fire several times in a step"),
        ([("Delay", {"delay": np.full(INPUTS, 1e-4)}), AFFINE, lif(HIDDEN)], {}, "let it follow them directly"),
        ([AFFINE, lif(HIDDEN), ("Delay", {"delay": np.full(HIDDEN, 2.5e-4)}), LINEAR, lif(OUTPUTS)], {}, "2.5"),
        ([AFFINE, ("LI", dict(lif(HIDDEN)[1]))], {"readout": "spike_count"}, "has no spikes for the read-out"),
        ([AFFINE, ("LIF", {"tau": 1.0})], {}, "its parameter v_threshold is missing"),
        ([("Linear", {"weight": np.ones(3)}), lif(1)], {}, "its weight has shape (3,); it must be (out, in)"),
        ([("Linear", {"weight": np.ones((2, 3))}), lif(2)], {}, "12"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_named(tmp_path: Path, nodes: list[Any], said: dict[str, Any], expected: str) -> None:
    foreign = understood(chain(tmp_path / "a.nir", *nodes, inputs=INPUTS), **said)
    with pytest.raises(ModelError) as caught:
        foreign.built()
    assert expected in str(caught.value)


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = chain(tmp_path / "a.nir", AFFINE, lif(HIDDEN, v_leak=0.1), LINEAR, lif(OUTPUTS, v_reset=0.2))
    assert [problem.split(":")[0] for problem in understood(path).problems] == ["1 (LIF)", "3 (LIF)"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"source": "tensorflow"}, "--source is 'tensorflow'; allowed is snntorch or norse"),
        ({"source": "rockpool"}, "--dt is missing"),
        ({"source": "snntorch", "reset": None}, "--reset is missing: snntorch has zero and late_subtract"),
        ({"source": "norse", "reset": "subtract"}, "--reset is subtract; neurons of norse have zero"),
        ({"source": "norse", "dt": -1.0}, "--dt is -1.0; a time step is a positive number"),
    ],
)
def test_missing_assumptions_are_asked_for(tmp_path: Path, said: dict[str, Any], expected: str) -> None:
    path = chain(tmp_path / "a.nir", AFFINE, lif(HIDDEN))
    with pytest.raises(ModelError, match=expected.replace("(", r"\(")):
        understood(path, **said)


def test_populations_around_a_circle_are_refused(tmp_path: Path) -> None:
    nodes = {
        "input": ("Input", {}), "a": AFFINE, "n1": lif(HIDDEN), "b": LINEAR, "n2": lif(OUTPUTS),
        "back": ("Linear", {"weight": SECOND.T}), "output": ("Output", {}),
    }  # fmt: skip
    edges = [("input", "a"), ("a", "n1"), ("n1", "b"), ("b", "n2"), ("n2", "back"), ("back", "n1"), ("n2", "output")]
    foreign = understood(nir_files.write(tmp_path / "a.nir", nodes, edges))
    assert "feeds itself through" in foreign.problems[0]


def test_without_leaks_integers_give_the_same_spikes_where_the_numbers_lie_on_a_grid(tmp_path: Path) -> None:
    """Also those of a framework whose neurons fire above the threshold only, and take the threshold from the rest."""
    weights = [DRAW.integers(-3, 5, one.shape) * 0.25 for one in (FIRST, SECOND)]
    memoryless = {"tau": 1e-4, "r": 1.0}
    path = chain(
        tmp_path / "a.nir",
        ("Linear", {"weight": weights[0]}), lif(HIDDEN, **memoryless),
        ("Linear", {"weight": weights[1]}), lif(OUTPUTS, **memoryless, v_threshold=0.5),
    )  # fmt: skip
    samples = from_dense(SPIKES, STEPS * ONES, 0 * ONES)
    for reset in ("zero", "late_subtract"):
        real = understood(path, reset=reset).built()
        integers = calibrate(real, samples, weight_bits=4, leak_bits=8)
        found = golden.run(integers, SPIKES, STEPS * ONES).spikes[1:]
        wanted = [snntorch_leaky(0.0, 1.0, reset), snntorch_leaky(0.0, 0.5, reset)]
        same(found, run(*((weight, 0.0, step) for weight, step in zip(weights, wanted, strict=True))))


def test_finer_states_lose_less_of_what_decays(tmp_path: Path) -> None:
    weights = [DRAW.integers(-3, 5, one.shape) * 0.25 for one in (FIRST, SECOND)]
    path = chain(
        tmp_path / "a.nir",
        ("Linear", {"weight": weights[0]}), lif(HIDDEN), ("Linear", {"weight": weights[1]}), lif(OUTPUTS),
    )  # fmt: skip
    real, samples = understood(path).built(), from_dense(SPIKES, STEPS * ONES, 0 * ONES)
    wanted = golden.run(real, SPIKES, STEPS * ONES).spikes[1:]
    differ = []
    for bits in (0, 4, 10):
        model = calibrate(real, samples, weight_bits=4, leak_bits=12, fraction_bits=bits)
        found = golden.run(model, SPIKES, STEPS * ONES).spikes[1:]
        differ.append(sum(int((a != b).sum()) for a, b in zip(found, wanted, strict=True)))
    assert wanted[0].sum() > 100
    assert differ[0] > 4 * differ[1] > 4 * differ[2]


def test_damaged_files_are_refused_in_one_line(tmp_path: Path) -> None:
    whole = chain(tmp_path / "a.nir", AFFINE, lif(HIDDEN), LINEAR, lif(OUTPUTS)).read_bytes()
    draw, refused = random.Random(5), 0
    for number in range(60):
        damaged = bytearray(whole[: draw.randrange(len(whole))] if number % 3 == 0 else whole)
        for _ in range(draw.randrange(1, 40)):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256) if damaged else 0
        path = tmp_path / "damaged.nir"
        path.write_bytes(bytes(damaged))
        try:
            understood(path).built()
        except ScsrError:
            refused += 1
    assert refused > 20
