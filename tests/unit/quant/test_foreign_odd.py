"""Networks from elsewhere that are legal and odd, or wrong: the right spikes, or one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nir_files import chain, lif, write

from quant import golden
from quant.calibration import calibrate, rounded
from quant.errors import ModelError, ScsrError
from quant.foreign import Assumed, lower, read
from quant.foreign.drift import drift
from quant.model import Layer, RealModel
from quant.neurons import Bias, Lif, Synapse
from quant.projections import Dense
from quant.spikes import from_dense

STEPS, SAMPLES, INPUTS, HIDDEN = 50, 8, 20, 16
DRAW = np.random.default_rng(0)
SPIKES = DRAW.random((STEPS, SAMPLES, INPUTS)) < 0.3
ENDS = np.full(SAMPLES, STEPS)
DATA = from_dense(SPIKES, ENDS, np.zeros(SAMPLES, dtype=np.int64))
WEIGHT = DRAW.normal(0.1, 0.5, (HIDDEN, INPUTS))
RECURRENT = DRAW.normal(0, 0.4, (HIDDEN, HIDDEN))
BETA, ALPHA, THETA = 0.8, 0.5, 2.0
INPUT: tuple[str, Any] = ("Input", {"shape": np.array([INPUTS])})
OUTPUT: tuple[str, Any] = ("Output", {})
LINEAR = ("Linear", {"weight": WEIGHT})
Step = Callable[[np.ndarray, dict[str, np.ndarray]], np.ndarray]


def each(**numbers: float) -> dict[str, np.ndarray]:
    return {name: np.full(HIDDEN, value) for name, value in numbers.items()}


def expect(path: Path, said: Assumed, step: Step) -> None:
    """The spikes of the last layer are those of `step`, fed with weighted input; `state` starts at 0."""
    state = dict.fromkeys("vi", np.zeros((SAMPLES, HIDDEN)))
    wanted = np.stack([step(spikes @ WEIGHT.T, state) for spikes in SPIKES.astype(float)]).astype(bool)
    found = golden.run(lower(read(path), said, "net").built(), SPIKES, ENDS).spikes[-1]
    assert wanted.sum() > 100
    assert int((found != wanted).sum()) == 0


def test_spyx_cubalif_subtracts_before_it_decays(tmp_path: Path) -> None:
    """spyx 1.0.0, nn.CuBaLIF.__call__: V = V - s * theta; I = alpha * I + x; V = beta * V + I."""

    def step(x: np.ndarray, state: dict[str, np.ndarray]) -> np.ndarray:
        spikes = state["v"] > THETA
        state["i"] = ALPHA * state["i"] + x
        state["v"] = BETA * (state["v"] - THETA * spikes) + state["i"]
        return spikes

    numbers = each(tau_mem=1 / (1 - BETA), tau_syn=1 / (1 - ALPHA), r=BETA, w_in=1, v_threshold=THETA, v_leak=0)
    expect(chain(tmp_path / "a.nir", LINEAR, ("CubaLIF", numbers), inputs=INPUTS), Assumed("spyx"), step)


@pytest.mark.parametrize("diagonal", [True, False])
def test_spyx_feeds_spikes_back_as_they_leave(tmp_path: Path, diagonal: bool) -> None:
    """spyx 1.0.0, nn.RLIF.__call__: only a neuron's own spikes are known so early here."""
    back = np.diag(np.diagonal(RECURRENT)) if diagonal else RECURRENT

    def step(x: np.ndarray, state: dict[str, np.ndarray]) -> np.ndarray:
        spikes = state["v"] > THETA
        state["v"] = BETA * state["v"] + x + spikes @ back.T - THETA * spikes
        return spikes

    nodes = {
        "input": INPUT, "w": LINEAR, "n": ("LIF", each(tau=1 / (1 - BETA), r=BETA, v_threshold=THETA, v_leak=0)),
        "back": ("Linear", {"weight": back}), "output": OUTPUT,
    }  # fmt: skip
    edges = [("input", "w"), ("w", "n"), ("n", "back"), ("back", "n"), ("n", "output")]
    path = write(tmp_path / "a.nir", nodes, edges)
    if diagonal:
        expect(path, Assumed("spyx"), step)
    else:
        with pytest.raises(ModelError, match="spyx feeds spikes back a step earlier than hardware can"):
            lower(read(path), Assumed("spyx"), "net").built()


def test_rockpool_decays_the_current_with_what_has_just_arrived(tmp_path: Path) -> None:
    """rockpool 3.1.0, LIFTorch.forward: isyn += x; vmem *= alpha; isyn *= beta; vmem += isyn."""
    membrane, synapse = np.exp(-1 / 5), np.exp(-1 / 2)

    def step(x: np.ndarray, state: dict[str, np.ndarray]) -> np.ndarray:
        state["i"] = (state["i"] + x) * synapse
        state["v"] = membrane * state["v"] + state["i"]
        spikes: np.ndarray = state["v"] >= THETA
        state["v"] = state["v"] - THETA * spikes
        return spikes

    numbers = each(tau_mem=5, tau_syn=2, r=5 * membrane, w_in=1, v_threshold=THETA, v_leak=0)
    path = chain(tmp_path / "a.nir", LINEAR, ("CubaLIF", numbers), inputs=INPUTS)
    expect(path, Assumed("rockpool", dt=1.0, single_spikes=True), step)


@pytest.mark.parametrize(("source", "r", "dt", "gain"), [("norse", 2.0, 1e-3, 1.0), ("nir", 1.0, 0.1, 0.1)])
def test_gains_of_if(tmp_path: Path, source: str, r: float, dt: float, gain: float) -> None:
    """Norse ignores r; the equation of NIR is dv/dt = r I, for r = 1 too."""

    def step(x: np.ndarray, state: dict[str, np.ndarray]) -> np.ndarray:
        v = state["v"] + gain * x
        state["v"] = np.where(v > THETA * gain, 0.0, v)
        return v > THETA * gain

    path = chain(tmp_path / "a.nir", LINEAR, ("IF", each(r=r, v_threshold=THETA * gain)), inputs=INPUTS)
    expect(path, Assumed(source, dt=dt), step)


def test_potentials_that_are_compared_keep_their_gains(tmp_path: Path) -> None:
    tau, weight = np.array([0.002, 0.005, 0.01, 0.03]), np.abs(DRAW.normal(0.3, 0.2, (4, INPUTS)))
    neurons = ("LI", {"tau": tau, "r": np.ones(4), "v_leak": np.zeros(4)})
    path = chain(tmp_path / "a.nir", ("Linear", {"weight": weight}), neurons, inputs=INPUTS)
    v, scores = np.zeros((SAMPLES, 4)), np.zeros((SAMPLES, 4))
    for spikes in SPIKES:
        v = v + 1e-3 / tau * (spikes @ weight.T - v)
        scores += v
    found = golden.run(lower(read(path), Assumed("norse"), "net").built(), SPIKES, ENDS)
    np.testing.assert_array_equal(found.classes, scores.argmax(axis=1))


@pytest.mark.parametrize("place", [0, 2])
def test_flatten_is_wires(tmp_path: Path, place: int) -> None:
    nodes: list[Any] = [LINEAR, lif(HIDDEN), ("Linear", {"weight": RECURRENT}), lif(HIDDEN)]
    nodes.insert(place, ("Flatten", {"start_dim": 0, "end_dim": -1}))
    lower(read(chain(tmp_path / "a.nir", *nodes, inputs=INPUTS)), Assumed("norse", dt=1e-4), "net").built()


def _graph(*between: tuple[str, tuple[str, Any]], edges: str) -> Callable[[Path], Path]:
    """A file of these nodes between `in`, of two channels, and `out`."""
    nodes = {"in": ("Input", {"shape": np.array([2])}), **dict(between), "out": OUTPUT}
    pairs = [(before, behind) for before, behind in (pair.split(">") for pair in edges.split())]
    return lambda path: write(path, nodes, pairs)


def _ones(out: int, into: int) -> tuple[str, Any]:
    return "Linear", {"weight": np.ones((out, into))}


WRONG = {
    "a way without weights to another number of neurons": _graph(
        ("w", _ones(3, 2)), ("n", lif(3)), edges="in>w w>n in>n n>out"
    ),
    "linear nodes around a circle": _graph(
        ("a", _ones(2, 2)), ("b", _ones(2, 2)), ("n", lif(2)), edges="in>a a>b b>a b>n n>out"
    ),
    "the last population delayed for itself only": _graph(
        ("a", _ones(2, 2)), ("n", lif(2)), ("d", ("Delay", {"delay": np.full(2, 2e-4)})), ("r", _ones(2, 2)),
        edges="in>a a>n n>d d>r r>n n>out",
    ),
    "ways without weights twice": _graph(("f", ("Scale", {"scale": 1.0})), ("n", lif(2)), edges="in>f f>n in>n n>out"),
    "weights of two sizes": _graph(
        ("a", _ones(3, 2)), ("b", _ones(2, 2)), ("n", lif(3)), edges="in>a in>b a>n b>n n>out"
    ),
    "a bias that is too long": _graph(
        ("a", ("Affine", {"weight": np.ones((1, 2)), "bias": np.ones(3)})), ("n", lif(1)), edges="in>a a>n n>out"
    ),
    "no number": _graph(
        ("a", _ones(3, 2)), ("n", ("LIF", {"tau": 1.0, "v_threshold": 1.0, "v_leak": np.zeros(0)})),
        edges="in>a a>n n>out",
    ),
    "a delay of another size": _graph(
        ("a", _ones(3, 2)), ("n", lif(3)), ("d", ("Delay", {"delay": np.full(2, 1e-4)})), ("b", _ones(2, 3)),
        ("m", lif(2)), edges="in>a a>n n>d d>b b>m m>out",
    ),
    "an unclear size before a way without weights": _graph(
        ("a", _ones(3, 2)), ("n", lif(4)), ("m", lif(3)), edges="in>a a>n n>m m>out"
    ),
    "a shape that is no number": lambda path: write(
        path, {"in": ("Input", {"shape": np.array([np.nan])}), "n": lif(2), "out": OUTPUT}, [("in", "n"), ("n", "out")]
    ),
    "a shape of two axes": lambda path: write(
        path, {"in": ("Input", {"shape": np.array([[1, 2]])}), "n": lif(2), "out": OUTPUT}, [("in", "n"), ("n", "out")]
    ),
    "no nodes": lambda path: write(path, {}, []),
    "1,500 nodes in a chain": lambda path: chain(path, *([("Output", {})] * 1500), _ones(3, 2), lif(3), inputs=2),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_wrong_graphs_are_refused_in_one_line(tmp_path: Path, what: str) -> None:
    path = WRONG[what](tmp_path / "a.nir")
    if what.startswith("1,500"):
        lower(read(path), Assumed("snntorch", reset="zero"), "net").built()
    else:
        with pytest.raises(ScsrError):
            lower(read(path), Assumed("snntorch", reset="zero"), "net").built()


def test_unknown_nodes_do_not_hide_wrong_parameters(tmp_path: Path) -> None:
    path = chain(tmp_path / "a.nir", ("Conv2d", {}), LINEAR, lif(HIDDEN, v_leak=0.1), inputs=INPUTS)
    problems = lower(read(path), Assumed("snntorch", reset="zero"), "net").problems
    assert [problem.split(":")[0] for problem in problems] == ["0 (Conv2d)", "2 (LIF)"]


def test_the_order_of_layers_does_not_depend_on_hashes(tmp_path: Path) -> None:
    nodes: dict[str, Any] = {"in": ("Input", {"shape": np.array([2])}), "w": _ones(2, 2), "z": lif(2), "out": OUTPUT}
    edges = [("w", "z"), ("z", "out")]
    for key in "abcd":
        nodes |= {f"w{key}": ("Linear", {"weight": np.full((2, 2), float(ord(key)))}), key: lif(2)}
        edges += [("in", f"w{key}"), (f"w{key}", key), (key, "w")]
    write(tmp_path / "a.nir", nodes, edges)
    code = (
        "import sys; from pathlib import Path; from quant.foreign import Assumed, lower, read;"
        "m = lower(read(Path(sys.argv[1])), Assumed('norse', dt=1e-4), 'n').built();"
        "print([one.projections[0].weight.flat[0] for one in m.layers])"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "a.nir")],
            env={**os.environ, "PYTHONHASHSEED": str(seed)}, capture_output=True, text=True, check=True,
        ).stdout
        for seed in range(2)
    }  # fmt: skip
    assert len(found) == 1


def test_names_from_a_file_are_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from hwgen.__main__ import main

    path = tmp_path / "a.nir"
    name = "\x1b[31m\nno such row"
    nodes = {"in": INPUT, name: LINEAR, "n": lif(HIDDEN), "out": OUTPUT}
    write(path, nodes, [("in", name), (name, "n"), ("n", "out")])
    assert main(["check", "--model", str(path), "--source", "snntorch", "--reset", "zero"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 2 + len(nodes)


def _net(weight: np.ndarray, **changes: Any) -> RealModel:
    size = len(weight)
    neuron = Lif(**{"leak": np.full(size, 0.9), "threshold": np.full(size, 1.0), **changes})
    return RealModel("net", (INPUTS,), (Layer((size,), (Dense(0, weight),), neuron),), "spike_count")


def test_few_different_weights_do_not_make_states_coarse() -> None:
    weight = np.where(
        DRAW.random((HIDDEN, INPUTS)) < 0.4, DRAW.choice([-0.37, 0.37], (HIDDEN, INPUTS), p=[0.3, 0.7]), 0
    )
    real = _net(weight)
    wanted, found = (
        golden.run(one, SPIKES, ENDS).spikes[1] for one in (real, calibrate(real, DATA, leak_bits=12, fraction_bits=4))
    )
    assert wanted.sum() > 100
    assert (wanted != found).sum() < 0.02 * wanted.sum()


@pytest.mark.parametrize("strict", [False, True])
def test_a_neuron_without_weights_keeps_widths_sane(strict: bool) -> None:
    weight, bias = WEIGHT.copy(), DRAW.normal(0.13, 0.01, HIDDEN).astype(np.float32).astype(float)
    weight[3] = 0
    threshold = DRAW.uniform(0.8, 1.1, HIDDEN).astype(np.float32).astype(float)
    real = _net(weight, threshold=threshold, parts=(Bias(bias),), reset="late_subtract", strict=strict)
    assert calibrate(real, DATA).layers[0].integers.state_bits < 20


@pytest.mark.parametrize("factor", [1e-2, 1e-4, 3e-5, 1e-9])
@pytest.mark.parametrize(("bits", "fraction_bits"), [(8, 4), (4, 4), (6, 0), (1, 0)])
def test_a_neuron_with_hardly_any_weights_fires_as_before(bits: int, fraction_bits: int, factor: float) -> None:
    """Its threshold and its bias, many weights large, still fit into a state."""
    weight = WEIGHT.copy()
    weight[3] *= factor
    real = _net(weight, leak=np.full(HIDDEN, 0.5), parts=(Bias(np.full(HIDDEN, 0.3)),))
    wanted = golden.run(real, SPIKES, ENDS).spikes[1]
    model = calibrate(real, DATA, weight_bits=bits, fraction_bits=fraction_bits)
    found = golden.run(model, SPIKES, ENDS).spikes[1]
    assert wanted[..., 2].sum() > 50
    assert wanted[..., 3].sum() == found[..., 3].sum() == 0
    assert model.layers[0].neuron.threshold.max() < 2**23 - 1


def test_what_a_spike_takes_too_much_behind_a_filter_is_not_called_exact() -> None:
    weight = DRAW.integers(-3, 5, (HIDDEN, INPUTS)).astype(float)
    said: dict[str, Any] = {"leak": np.zeros(HIDDEN), "threshold": np.full(HIDDEN, 4.0), "reset": "late_subtract"}
    widths = {"weight_bits": 4, "leak_bits": 8, "fraction_bits": 0}
    for parts, strict, expected in (
        ((), True, []),
        ((Synapse(np.zeros(HIDDEN)),), False, []),
        ((Synapse(np.zeros(HIDDEN)),), True, ["threshold"]),
    ):
        real = _net(weight, parts=parts, strict=strict, **said)
        assert rounded(real, **widths) == [expected]
        wanted = golden.run(real, SPIKES, ENDS).spikes[1]
        found = golden.run(calibrate(real, DATA, **widths), SPIKES, ENDS).spikes[1]
        assert wanted.sum() > 100
        assert (wanted != found).any() == bool(expected)


@pytest.mark.parametrize("bits", [1, 7, 15])
def test_weights_of_one_bit_have_no_finer_states(bits: int) -> None:
    weight = np.where(DRAW.random((HIDDEN, INPUTS)) < 0.3, -0.4, 0.4)
    with pytest.raises(ModelError, match=f"fraction_bits of weights of 1 bits is {bits}"):
        calibrate(_net(weight), DATA, weight_bits=1, fraction_bits=bits)


@pytest.mark.parametrize(("strict", "threshold"), [(True, 2.6), (False, 2.4)])
def test_blame_is_nothing_where_integers_are_exact(strict: bool, threshold: float) -> None:
    weight = DRAW.integers(-3, 5, (HIDDEN, INPUTS)).astype(float)
    real = _net(weight, leak=np.zeros(HIDDEN), threshold=np.full(HIDDEN, threshold), strict=strict)
    found = drift(real, DATA, weight_bits=8, leak_bits=12, fraction_bits=0)
    assert found.layers[0].spikes > 100
    assert set(found.blame.values()) == {0}
