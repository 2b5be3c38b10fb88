"""What training minimizes, against values worked out by hand or by loops."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from toys import Toy, config

from trainer import loop
from trainer.config import GrowthConfig, TrainConfig
from trainer.losses import (
    LOSSES,
    Answer,
    CrossEntropy,
    RelativeCount,
    SpikeCount,
    SquaredError,
    StepCrossEntropy,
    VanRossum,
    growth,
    inactivity,
)


def answer() -> Answer:
    """Two samples of 6 and 4 steps, three classes, with spikes; traces that are a half in every step."""
    outputs = torch.zeros(6, 2, 3)
    outputs[[1, 3, 5], 0, 0] = 1.0
    outputs[2, 0, 1] = 1.0
    outputs[[0, 1, 2, 3], 1, 2] = 1.0
    traces = torch.full((6, 2, 3), 0.5)
    traces[4:, 1] = 0
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.0, 3.0]])
    return Answer(logits, outputs, torch.tensor([6, 4]), torch.tensor([0, 1]), traces=traces)


def test_cross_entropy() -> None:
    found = CrossEntropy()(answer())
    first = math.log(math.exp(2) + 1 + math.exp(-1)) - 2
    second = math.log(2 + math.exp(3))
    torch.testing.assert_close(found, torch.tensor([first, second]))
    assert CrossEntropy(smoothing=0.2)(answer())[0] > found[0]


def test_a_teacher_stands_for_the_labels() -> None:
    given = answer()
    right = torch.nn.functional.one_hot(given.labels, 3).float()
    torch.testing.assert_close(CrossEntropy()(replace(given, targets=right)), CrossEntropy()(given))
    unsure = CrossEntropy()(replace(given, targets=torch.full((2, 3), 1 / 3)))
    torch.testing.assert_close(unsure, -given.logits.log_softmax(dim=1).mean(dim=1))


def test_squared_error_is_a_mean_over_steps_and_outputs() -> None:
    given = answer()
    torch.testing.assert_close(SquaredError()(given), torch.tensor([0.25, 0.25]))
    given.outputs[5, 0] = torch.tensor([0.5, 3.5, 0.5])
    torch.testing.assert_close(SquaredError()(given), torch.tensor([(15 * 0.25 + 9) / 18, 0.25]))


def test_spike_count_is_the_distance_from_two_rates() -> None:
    found = SpikeCount(right=0.5, wrong=0.1)(answer())
    first = (3 / 6 - 0.5) ** 2 + (1 / 6 - 0.1) ** 2 + 0.1**2
    second = 0.1**2 + 0.5**2 + (1 - 0.1) ** 2
    torch.testing.assert_close(found, torch.tensor([first, second]))


def test_van_rossum_filters_both_trains() -> None:
    loss, given = VanRossum(tau=2.0, period=2), answer()
    expected = []
    for sample, (steps, label) in enumerate(zip([6, 4], [0, 1], strict=True)):
        total, state = 0.0, [0.0, 0.0, 0.0]
        for step in range(steps):
            for neuron in range(3):
                target = float(neuron == label and step % 2 == 1)
                spike = float(given.outputs[step, sample, neuron])
                state[neuron] = state[neuron] * math.exp(-1 / 2.0) + spike - target
                total += state[neuron] ** 2
        expected.append(total / steps)
    torch.testing.assert_close(loss(given), torch.tensor(expected))
    assert min(expected) > 0


def test_a_perfect_train_costs_nothing() -> None:
    outputs = torch.zeros(4, 1, 2)
    outputs[[1, 3], 0, 1] = 1.0
    perfect = Answer(torch.zeros(1, 2), outputs, torch.tensor([4]), torch.tensor([1]))
    assert VanRossum(period=2)(perfect).item() == 0


@pytest.mark.parametrize("loss", [kind() for kind in LOSSES.values()], ids=list(LOSSES))
def test_what_lies_beyond_the_end_does_not_count(loss: object) -> None:
    given = answer()
    assert given.traces is not None
    longer, traces = (torch.cat([one, torch.zeros(5, 2, 3)]) for one in (given.outputs, given.traces))
    again = Answer(given.logits, longer, given.steps, given.labels, traces=traces)
    torch.testing.assert_close(loss(given), loss(again))  # type: ignore[operator]


def test_a_margin_costs_nothing() -> None:
    """Rates (1/2, 1/6, 0) and (0, 0, 1): only distances of more than 0.2 count."""
    found = SpikeCount(right=0.6, wrong=0.0, margin=0.2)(answer())
    torch.testing.assert_close(found, torch.tensor([0.0, 0.6**2 + 1]))


def test_relative_count_is_the_distance_of_shares_and_its_gradient() -> None:
    """Counts (3, 1, 0) and (0, 0, 4) of classes 0 and 1."""
    given = answer()
    outputs = given.outputs.clone().requires_grad_()
    found = RelativeCount()(replace(given, outputs=outputs))
    torch.testing.assert_close(found, torch.tensor([0.5 / 9, 1.0]))
    found.sum().backward()
    expected = torch.tensor([[0.0, 1 / 3, 0.0], [0.0, -1.0, 1.0]])
    torch.testing.assert_close(outputs.grad, expected.expand(6, 2, 3))


def test_inactivity_is_the_distance_from_the_range() -> None:
    outputs = torch.zeros(10, 2, 3)
    outputs[:, :, 1] = 1.0
    outputs[0, :, 2] = 1.0
    outputs.requires_grad_()
    price = inactivity(outputs, torch.tensor([10, 10]), 0.05, 0.5)
    assert price.item() == pytest.approx((0.05**2 + 0.5**2 + 0) / 3)
    price.backward()
    assert outputs.grad is not None
    rows = outputs.grad[0, 0].tolist()
    assert rows[0] < 0 < rows[1]
    assert rows[2] == 0


def test_large_weights_have_a_price() -> None:
    """`1/2 sum exp(beta (|w|**2 / limit**2 - 1))`, whose gradient is that of Lee et al. 2016."""
    weight = torch.randn(4, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64).requires_grad_()
    growth(weight, beta=0.5, limit=2.0).backward()
    steep = torch.exp(0.5 * (weight.detach().square().sum(dim=1, keepdim=True) / 4 - 1))
    torch.testing.assert_close(weight.grad, 0.5 * weight.detach() / 4 * steep)


def test_the_price_of_weights_keeps_them_short() -> None:
    lengths = []
    for strength in (0.0, 1.0):
        train = TrainConfig(
            epochs_float=3, batch=8, rate_float=0.05, growth=GrowthConfig(strength, beta=2.0, limit=0.5)
        )
        progress = loop.start(config(train=train))
        loop.train(progress, Toy().load(), lambda batches, _: batches, lambda _: None, ("float",))
        lengths.append(progress.network.layers[0].weight.norm().item())
    assert lengths[1] < 0.7 * lengths[0]


def test_losses_of_every_step() -> None:
    """Of the last steps that count, against loops; nothing beyond a sample's end counts."""
    draw = torch.Generator().manual_seed(1)
    outputs, traces = torch.randn(6, 2, 3, generator=draw), torch.randn(6, 2, 3, generator=draw)
    given = replace(answer(), outputs=outputs, traces=traces, gain=2.0)
    for last in (0, 3, 100):
        errors, entropies = [], []
        for sample, steps in enumerate([6, 4]):
            counted = range(max(0, steps - last) if last else 0, steps)
            apart = [float(outputs[t, sample, k] - traces[t, sample, k]) for t in counted for k in range(3)]
            errors.append(sum(one**2 for one in apart) / len(apart))
            logits = [[2.0 * float(outputs[t, sample, k]) for k in range(3)] for t in counted]
            label = int(given.labels[sample])
            parts = [math.log(sum(map(math.exp, one))) - one[label] for one in logits]
            entropies.append(sum(parts) / len(parts))
        torch.testing.assert_close(SquaredError(last)(given), torch.tensor(errors))
        torch.testing.assert_close(StepCrossEntropy(last)(given), torch.tensor(entropies))
