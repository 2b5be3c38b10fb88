"""E-prop step by step has the gradients of e-prop over whole samples."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest
import torch
from test_equality import compare
from torch import Tensor
from toys import Toy, scramble, stimulus

from quant.errors import ConfigError
from trainer import loop, online
from trainer.config import (
    ActivityConfig,
    Config,
    GrowthConfig,
    LayerConfig,
    NetworkConfig,
    PlasticityConfig,
    SurrogateConfig,
    TrainConfig,
)
from trainer.data.batches import in_order
from trainer.data.patterns import Patterns
from trainer.integers import integers
from trainer.losses import CrossEntropy, Loss, SquaredError, StepCrossEntropy
from trainer.network import Network
from trainer.rules import Eprop

LEARNED = PlasticityConfig(leak=False, adaptation_leak=False)


def settings(rule: Eprop, loss: Loss, *, adaptation: bool) -> Config:
    """Two hidden layers, skips, both resets, all parts that the rule trains."""
    features = {"adaptation": adaptation, "dense_recurrent": True, "bias": True}
    first = LayerConfig(9, (0,), reset="late_subtract", refractory=2, **features)  # type: ignore[arg-type]
    second = LayerConfig(7, (1, 0), reset="subtract", **features)  # type: ignore[arg-type]
    regression = isinstance(loss, SquaredError)
    source = Patterns(steps=40, channels=11, rate=0.2) if regression else Toy(channels=11)
    last = LayerConfig(len(source.classes), (2, 1, 0), bias=True)
    train = TrainConfig(
        rule=rule,
        loss=loss,
        batch=3,
        surrogate=SurrogateConfig("triangle", 1.0),
        activity=ActivityConfig(2.0, 0.05, 0.05),
        growth=GrowthConfig(1e-3),
    )
    network = NetworkConfig((first, second, last), readout="membrane_last")
    return Config("online", source, network, train, LEARNED)  # type: ignore[arg-type]


@pytest.mark.parametrize("quantized", [False, True], ids=["real", "integers"])
@pytest.mark.parametrize("adaptation", [False, True], ids=["LIF", "ALIF"])
@pytest.mark.parametrize("feedback", ["symmetric", "random"])
@pytest.mark.parametrize("loss", [SquaredError(), StepCrossEntropy(last=5)], ids=lambda one: type(one).__name__)
def test_gradients_are_those_of_whole_samples(quantized: bool, adaptation: bool, feedback: str, loss: Loss) -> None:
    """In double precision, to a millionth; samples of several lengths; every parameter, scales and the gain too."""
    chosen = settings(Eprop(feedback, dampening=0.4), loss, adaptation=adaptation)  # type: ignore[arg-type]
    network = Network(chosen)
    scramble(network, 3, strength=0.7)
    for layer in network.layers:
        layer.leak_logit.data.fill_(1.5)
    network = network.double()
    batch = next(in_order(chosen.data.load()["train"], 3))
    steps = torch.tensor([len(batch.inputs), 5, 3])
    batch = replace(batch, inputs=batch.inputs.double(), steps=steps, weights=batch.weights.double())

    trace = network(batch.inputs, batch.steps, quantized=quantized)
    assert min(int(states.outputs.sum()) for states in trace.states[:-1]) > 15
    whole, price = loop.batch_loss(network, trace, batch)
    (whole + price).backward()
    expected = {name: one.grad for name, one in network.named_parameters() if one.grad is not None}
    network.zero_grad()
    last, found = online.learn(network, batch, quantized=quantized)
    torch.testing.assert_close(found.double(), whole.detach(), rtol=1e-6, atol=0)
    torch.testing.assert_close(last.scores, trace.scores)
    for name, one in network.named_parameters():
        if name in expected:
            given, largest = torch.zeros_like(one) if one.grad is None else one.grad, float(expected[name].abs().max())
            torch.testing.assert_close(given, expected[name], rtol=1e-6, atol=1e-6 * largest, msg=name)
            assert largest > 0 or name in ("logit_gain_log", "stack.2.threshold_log"), name


def test_memory_does_not_grow_with_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tensors that live in a late step take as much as in an early one."""
    chosen = settings(Eprop(online=True), SquaredError(), adaptation=True)
    network, batch, held = Network(chosen), next(in_order(chosen.data.load()["train"], 3)), {}
    judge = online._Judge.__call__

    def watched(self: online._Judge, t: int, potentials: Tensor) -> Tensor:
        if t in (5, 39):
            gc.collect()
            tensors = (one for one in gc.get_objects() if type(one) is Tensor and one.layout is torch.strided)
            storages = (one.untyped_storage() for one in tensors)
            held[t] = sum({one.data_ptr(): one.nbytes() for one in storages}.values())
        return judge(self, t, potentials)

    monkeypatch.setattr(online._Judge, "__call__", watched)
    online.learn(network, batch, quantized=False)
    assert 10_000 < held[39] <= held[5]


@pytest.mark.parametrize("step_by_step", [False, True])
def test_what_diverges_is_named_with_its_layer_and_step(step_by_step: bool) -> None:
    chosen = settings(Eprop(online=step_by_step), SquaredError(), adaptation=True)
    network, data = Network(chosen), chosen.data.load()["train"]
    batch = next(in_order(data, 3))
    batch.inputs[17] = torch.inf
    trace, loss = loop.learn(network, batch, "float")
    assert not loss.isfinite()
    assert loop._origin(network, trace) == "layer 1 has a potential that is not finite from time step 17 on"


def test_it_trains_in_both_phases_and_the_golden_model_agrees() -> None:
    chosen = settings(Eprop(online=True), SquaredError(), adaptation=True)
    train = replace(chosen.train, epochs_float=15, epochs_quantized=10, rate_float=0.01, activity=ActivityConfig())
    progress = loop.start(replace(chosen, train=train))
    data = chosen.data.load()
    loop.train(progress, data, lambda batches, _: batches, lambda _: None)
    assert progress.best_epoch("quantized").loss_train < 0.8 * progress.history[0].loss_train
    inputs, steps = stimulus(1, 11, longest=40)
    assert min(compare(progress.network, integers(progress.network), inputs, steps)) > 20


def test_what_has_no_online_form_is_refused() -> None:
    good = settings(Eprop(online=True), StepCrossEntropy(), adaptation=True)
    for message, change in (
        ("train.loss", {"train": replace(good.train, loss=CrossEntropy())}),
        ("plasticity.leak", {"plasticity": PlasticityConfig()}),
        ("plasticity.adaptation_leak", {"plasticity": PlasticityConfig(leak=False)}),
        ("network.imported", {"network": replace(good.network, imported="0" * 64)}),
        ("network.readout", {"network": replace(good.network, readout="membrane_sum")}),
    ):
        with pytest.raises(ConfigError, match=f"{message}: train.rule eprop has no online form"):
            replace(good, **change)  # type: ignore[arg-type]
