"""Networks from elsewhere that end in a linear node: their scores are sums of what it puts out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from nir_files import chain, lif, write

from quant import golden
from quant.calibration import calibrate, rounded
from quant.foreign import Assumed, Foreign, lower, of_modules, read
from quant.model import Layer, RealModel
from quant.neurons import Lif, Reset, SelfWeight
from quant.projections import Dense
from quant.spikes import from_dense

STEPS, SAMPLES, INPUTS, HIDDEN, CLASSES = 40, 10, 12, 9, 5
DRAW = np.random.default_rng(5)
SPIKES = DRAW.random((STEPS, SAMPLES, INPUTS)) < 0.3
ENDS = np.full(SAMPLES, STEPS)
FIRST, SECOND, SKIP = (  # on a grid: sums of them are exact in any order
    DRAW.integers(-3, 6, shape) / 8 for shape in ((HIDDEN, INPUTS), (CLASSES, HIDDEN), (CLASSES, INPUTS))
)
BIAS = DRAW.integers(-4, 5, CLASSES) / 8
LINEAR, AFFINE = ("Linear", {"weight": FIRST}), ("Affine", {"weight": SECOND, "bias": BIAS})
MEMORY: dict[str, Any] = {"tau": 2e-4, "r": 2.0}  # a leak of a half


def hidden() -> np.ndarray:
    """The spikes of neurons that keep half of their potential, and fire and are reset at 1."""
    v, found = np.zeros((SAMPLES, HIDDEN)), []
    for spikes in SPIKES.astype(float):
        v = v / 2 + spikes @ FIRST.T
        found.append(v > 1)
        v = np.where(found[-1], 0, v)
    return np.stack(found)


def understood(path: Path, **said: Any) -> Foreign:
    return lower(read(path), Assumed("snntorch", reset="zero", **said), "net")


def expect(foreign: Foreign, potentials: np.ndarray, steps: Any = "sum") -> None:
    """`potentials` are `(steps, samples, classes)`; the hidden layer spikes, the last does not."""
    found, spikes = golden.run(foreign.built(), SPIKES, ENDS), hidden()
    assert 0.05 * spikes.size < spikes.sum() < 0.95 * spikes.size
    np.testing.assert_array_equal(found.spikes[1], spikes)
    assert not found.spikes[2].any()
    wanted = getattr(potentials, steps)(axis=0) if isinstance(steps, str) else potentials[steps]
    assert len(np.unique(wanted)) > CLASSES
    np.testing.assert_array_equal(found.scores, wanted)


@pytest.mark.parametrize(("readout", "steps"), [(None, "sum"), ("membrane_max", "max"), ("membrane_last", -1)])
def test_scores_are_what_arrives(tmp_path: Path, readout: Any, steps: Any) -> None:
    foreign = understood(
        chain(tmp_path / "a.nir", LINEAR, lif(HIDDEN, **MEMORY), AFFINE, inputs=INPUTS), readout=readout
    )
    expect(foreign, hidden() @ SECOND.T + BIAS, steps)
    said = {one.node: one.becomes for one in foreign.findings}
    assert said["output"] == f"the scores: {readout or 'membrane_sum'} of 5 neurons without memory, which never spike"
    assert said["2"] == "weights 9 to 5, bias"


def test_ways_from_the_input_and_behind_delays_are_added(tmp_path: Path) -> None:
    nodes = {
        "input": ("Input", {"shape": np.array([INPUTS])}), "a": LINEAR, "n": lif(HIDDEN, **MEMORY),
        "delay": ("Delay", {"delay": np.full(HIDDEN, 3e-4)}), "b": AFFINE, "skip": ("Linear", {"weight": SKIP}),
        "output": ("Output", {}),
    }  # fmt: skip
    edges = [("input", "a"), ("a", "n"), ("n", "delay"), ("delay", "b"), ("b", "output")]
    path = write(tmp_path / "a.nir", nodes, [*edges, ("input", "skip"), ("skip", "output")])
    late = np.concatenate([np.zeros((3, SAMPLES, HIDDEN), dtype=bool), hidden()[:-3]])
    found = golden.run(understood(path).built(), SPIKES, ENDS)
    np.testing.assert_array_equal(found.spikes[1], late)
    np.testing.assert_array_equal(found.scores, (late @ SECOND.T + BIAS + SPIKES @ SKIP.T).sum(axis=0))
    assert late.sum() > 100


def test_integers_of_a_grid_give_the_same_scores(tmp_path: Path) -> None:
    """Neurons without memory lose nothing; the scores are in units of one weight, the same for all classes."""
    real = understood(chain(tmp_path / "a.nir", LINEAR, lif(HIDDEN, tau=1e-4, r=1.0), AFFINE, inputs=INPUTS)).built()
    samples = from_dense(SPIKES, ENDS, np.zeros(SAMPLES, dtype=np.int64))
    wanted = golden.run(real, SPIKES, ENDS)
    found = golden.run(calibrate(real, samples, weight_bits=4, leak_bits=8), SPIKES, ENDS)
    assert wanted.spikes[1].sum() > 100
    np.testing.assert_array_equal(found.scores, wanted.scores * 8)


class LIFNode(torch.nn.Module):
    """Has what that of SpikingJelly has, and computes what it does with `decay_input = False` and `v_reset = 0`."""

    tau, decay_input, v_threshold, v_reset = 2.0, False, 1.0, 0.0

    def __init__(self) -> None:
        super().__init__()
        self.v: torch.Tensor | float = 0.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        v = self.v / 2 + x
        spikes = v >= 1
        self.v = torch.where(spikes, 0.0, v)
        return spikes.double()


def test_modules_may_end_in_a_linear_one() -> None:
    first, last = torch.nn.Linear(INPUTS, HIDDEN, bias=False), torch.nn.Linear(HIDDEN, CLASSES)
    net = torch.nn.Sequential(first, LIFNode(), torch.nn.Dropout(), last).double().eval()
    with torch.no_grad():
        for layer, values in ((first.weight, FIRST), (last.weight, SECOND), (last.bias, BIAS)):
            layer.copy_(torch.from_numpy(values))
        wanted = torch.stack([net(spikes) for spikes in torch.from_numpy(SPIKES).double()]).sum(dim=0)
    found = golden.run(lower(*of_modules(net), "net").built(), SPIKES, ENDS)
    assert found.spikes[1].sum() > 100
    np.testing.assert_array_equal(found.scores, wanted.numpy())


class RLeaky(torch.nn.Module):
    """Has what that of snnTorch has; one `V` feeds all neurons back to themselves."""

    beta, threshold, graded_spikes_factor = 0.5, 1.0, 1.0
    reset_mechanism, reset_delay, inhibition, state_quant = "zero", False, False, False

    def __init__(self) -> None:
        super().__init__()
        self.recurrent = SimpleNamespace(V=0.25)


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.input, self.output = torch.nn.Linear(INPUTS, HIDDEN, bias=False), RLeaky()


def test_modules_may_have_any_name_and_share_a_self_weight() -> None:
    real = lower(*of_modules(Net()), "net").built()
    (own,) = real.layers[0].neuron.parts
    assert isinstance(own, SelfWeight)
    assert own.weight.tolist() == [0.25] * HIDDEN


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"back": ("Linear", {"weight": np.eye(CLASSES) / 2})}, "n (LI): feeds its potentials back to itself; hard"),
        ({"delay": ("Delay", {"delay": np.full(CLASSES, 2e-4)})}, "n (LI): its potentials are read behind a delay"),
    ],
)
def test_what_potentials_cannot_do_is_refused(more: dict[str, Any], problem: str, tmp_path: Path) -> None:
    leaky = ("LI", {"tau": np.full(CLASSES, 2e-4), "r": np.full(CLASSES, 2.0), "v_leak": np.zeros(CLASSES)})
    nodes = {"input": ("Input", {"shape": np.array([INPUTS])}), "w": ("Linear", {"weight": SKIP}), "n": leaky, **more}
    edges = [("input", "w"), ("w", "n")]
    edges += (
        [("n", "back"), ("back", "n"), ("n", "output")] if "back" in more else [("n", "delay"), ("delay", "output")]
    )
    (found,) = understood(write(tmp_path / "a.nir", {**nodes, "output": ("Output", {})}, edges)).problems
    assert found.startswith(problem)


def test_metadata_of_any_depth_is_passed_over(tmp_path: Path) -> None:
    path = chain(tmp_path / "a.nir", LINEAR, lif(HIDDEN, **MEMORY), AFFINE, inputs=INPUTS)
    with h5py.File(path, "a") as file:
        file["node/metadata/training/epochs"] = 3
    expect(understood(path), hidden() @ SECOND.T + BIAS)


@pytest.mark.parametrize("threshold", [0.7, 1e5])
def test_a_threshold_that_is_never_reached_costs_nothing(threshold: float) -> None:
    def model(layer_reset: Reset, value: float) -> RealModel:
        first = Layer((HIDDEN,), (Dense(0, FIRST),), Lif(np.full(HIDDEN, 0.5), np.ones(HIDDEN), "zero"))
        last = Lif(np.full(CLASSES, 0.5), np.full(CLASSES, value), layer_reset)
        return RealModel("net", (INPUTS,), (first, Layer((CLASSES,), (Dense(1, SECOND),), last)), "membrane_sum")

    widths = {"weight_bits": 4, "leak_bits": 8, "fraction_bits": 2}
    real, plain = model("subtract", threshold), model("zero", 1.0)
    assert rounded(real, **widths) == [[], []]
    samples = from_dense(SPIKES, ENDS, np.zeros(SAMPLES, np.int64))
    one, two = (calibrate(each, samples, **widths) for each in (real, plain))
    assert one.layers[1].integers == two.layers[1].integers
    scores = [golden.run(each, SPIKES, ENDS).scores for each in (one, two)]
    assert scores[0].any()
    np.testing.assert_array_equal(scores[0], scores[1])
