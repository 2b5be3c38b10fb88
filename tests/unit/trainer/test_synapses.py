"""Synapses: what becomes of a change that an optimizer wants."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from toys import config

from quant.errors import ConfigError
from trainer.config import TrainConfig
from trainer.synapses import Ideal, Metaplastic, Pcm
from trainer.synapses.pcm import Devices, Scheme


def changed(synapse: Ideal | Metaplastic, start: list[float], change: list[float]) -> torch.Tensor:
    weight = nn.Parameter(torch.tensor(start))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    weight.grad = -torch.tensor(change)
    synapse.store([weight], seed=1).write(optimizer.step)
    return weight.detach() - torch.tensor(start)


def test_an_ideal_synapse_takes_every_change() -> None:
    assert torch.allclose(changed(Ideal(), [0.5, -0.5], [0.1, 0.2]), torch.tensor([0.1, 0.2]))


def test_a_metaplastic_synapse_resists_changes_toward_zero() -> None:
    """By `1 - tanh(m |w|)**2` (Laborieux et al. 2021), and takes those away from zero."""
    found = changed(Metaplastic(m=1.35), [0.5, -0.5, 2.0, -2.0, 0.0], [-0.1, 0.1, -0.1, -0.1, 0.1])
    soft, hard = 1 - torch.tensor(1.35 * 0.5).tanh() ** 2, 1 - torch.tensor(1.35 * 2.0).tanh() ** 2
    torch.testing.assert_close(found, 0.1 * torch.stack([-soft, soft, -hard, -torch.ones(()), torch.ones(())]))
    assert 0 < hard < 0.05 < soft < 1


def test_without_metaplasticity_it_is_ideal() -> None:
    args = [0.5, -2.0], [-0.3, 0.3]
    assert torch.equal(changed(Metaplastic(m=0.0), *args), changed(Ideal(), *args))


PULSES = 20


def pulsed_devices(count: int, seed: int) -> np.ndarray:
    """`(20, count)` conductances after 1 to 20 pulses, one device after another, from the paper's figures."""
    draw = np.random.default_rng(seed)
    found = np.zeros((PULSES, count))
    for device in range(count):
        conductance, memory = 0.1, 1.0
        for pulse in range(PULSES):
            memory *= math.exp(-1 / 2.6)
            mean = -0.084 * conductance + 0.880 + 1.40 * memory
            deviation = 0.091 * conductance + 0.260 + 2.15 * memory
            conductance = min(max(conductance + draw.normal(mean, deviation), 0.1), 12.0)
            found[pulse, device] = conductance
    return found


def fresh(count: int) -> Devices:
    return Devices(torch.full((count,), 0.1), torch.ones(count), torch.zeros(count))


def test_pulses_add_what_the_device_model_says() -> None:
    """Mean and deviation after each of 20 pulses, within 2 % of 10,000 devices simulated one by one."""
    expected, draw = pulsed_devices(10_000, seed=1), torch.Generator().manual_seed(2)
    devices, everywhere = fresh(100_000), torch.ones(100_000, dtype=torch.bool)
    for pulse in range(PULSES):
        devices.pulse(everywhere, 0.0, Pcm(), draw)
        assert devices.conductance.mean().item() == pytest.approx(expected[pulse].mean(), rel=0.02)
        assert devices.conductance.std().item() == pytest.approx(expected[pulse].std(), rel=0.02)


def test_devices_drift_and_are_read_with_noise() -> None:
    devices, draw = fresh(50_000), torch.Generator().manual_seed(3)
    devices.conductance[:] = 5.0
    for age_s in (0.0005, 1.0, 38.6, 1000.0):
        read = devices.read(age_s, Pcm(step_s=1e-4), draw)
        drifted = 5.0 * (age_s / 38.6) ** -0.04
        assert read.mean().item() == pytest.approx(drifted, rel=0.005)
        assert read.std().item() == pytest.approx(0.03 * drifted + 0.13, rel=0.02)


def test_a_reset_device_is_near_the_least_and_grows_fast_again() -> None:
    devices, draw = fresh(50_000), torch.Generator().manual_seed(4)
    devices.conductance[:], devices.memory[:] = 5.0, 0.01
    devices.reset(torch.arange(50_000) > 0, 7.0, Pcm(), draw)
    reset = devices.conductance[1:]
    assert [reset.mean().item(), reset.std().item()] == pytest.approx([0.1, 0.01], rel=0.02)
    assert devices.memory[1:].unique().tolist() == [1.0]
    assert devices.pulsed_s[1:].unique().tolist() == [7.0]
    left = devices.conductance[0], devices.memory[0], devices.pulsed_s[0]
    assert [one.item() for one in left] == pytest.approx([5.0, 0.01, 0.0])


def test_weights_drift_while_time_goes_on_and_are_young_again_behind_a_pulse() -> None:
    """From 38.6 s on. The other side stays near the least conductance, where noise cannot lower a reading."""
    weight = nn.Parameter(torch.full((20_000,), 0.3))
    how = Pcm("multi_memristor", scale=12.0, step_s=1.0, refresh=0.0)
    store = how.store([weight], seed=1)
    devices = store._devices[0]
    written = devices.conductance[0].clone()
    assert written.unique().tolist() == pytest.approx([3.7])
    assert devices.memory[0].unique().tolist() == pytest.approx([math.exp(-3.7 / 0.75 / 2.6)])
    for steps, age_s in ((0, 38.6), (400, 438.6), (1600, 2038.6)):
        store.read(steps)
        assert weight.mean().item() * 12 + 0.15 == pytest.approx(3.7 * (age_s / 38.6) ** -0.04, rel=0.01)
    weight.grad = torch.full_like(weight, -1.01 * how.worth)
    store.write(torch.optim.SGD([weight], lr=1.0).step)
    grown = devices.conductance[0]
    assert grown.mean() > written.mean() + 0.5
    store.read(5)
    assert weight.mean().item() * 12 + 0.15 == pytest.approx(grown.mean().item() * (5 / 38.6) ** -0.04, rel=0.01)


@pytest.mark.parametrize("scheme", ["sign", "stochastic"])
def test_pairs_take_turns(scheme: Scheme) -> None:
    weight = nn.Parameter(torch.zeros(1))
    store = Pcm(scheme, pairs=3, chance=1e6, ideal=True).store([weight], seed=1)
    weight.grad = torch.full((1,), -0.5)
    found = []
    for _ in range(4):
        store.write(torch.optim.SGD([weight], lr=1.0).step)
        found.append(store._devices[0].conductance[0, :, 0].tolist())
    one, two = 0.1 + 0.75, 0.1 + 1.5
    expected = [[one, 0.1, 0.1], [one, one, 0.1], [one, one, one], [two, one, one]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_an_ideal_device_adds_the_same_with_every_pulse_up_to_its_bound() -> None:
    devices, draw = fresh(3), torch.Generator()
    for _ in range(20):
        devices.pulse(torch.tensor([True, True, False]), 0.0, Pcm(ideal=True), draw)
    assert devices.read(5.0, Pcm(ideal=True), draw).tolist() == pytest.approx([12.0, 12.0, 0.1])


def written(how: Pcm, changes: list[list[float]], start: float = 0.0) -> list[list[float]]:
    """What weights read as after each change that an optimizer wants."""
    weight = nn.Parameter(torch.full((len(changes[0]),), start))
    store, optimizer = how.store([weight], seed=1), torch.optim.SGD([weight], lr=1.0)
    found = []
    for change in changes:
        weight.grad = -torch.tensor(change)
        store.write(optimizer.step)
        store.read(1000)
        found.append(weight.tolist())
    return found


def test_mixed_precision_writes_what_has_added_up() -> None:
    """Toward zero: small negative changes write nothing, either."""
    how = Pcm(scale=12.0, pulse=0.75, granularity=0.125, ideal=True)
    found = written(how, [[0.1, -0.1], [0.1, -0.1], [0.02, -0.3]])
    assert found[0] == [0.0, 0.0]
    assert found[1] == pytest.approx([0.125, -0.125])
    assert found[2] == pytest.approx([0.125, -0.5])
    three = Pcm(scale=20.0, pulse=0.75, pairs=8, granularity=3 * 0.75 / 20 / 8, ideal=True)
    assert written(three, [[three.granularity + 1e-6]])[0] == pytest.approx([three.granularity])


def test_a_change_beyond_all_devices_fills_them() -> None:
    how = Pcm("multi_memristor", scale=12.0, pulse=0.75, pairs=2, ideal=True)
    assert written(how, [[1e9, -1e9]])[0] == pytest.approx([11.9 / 12, -11.9 / 12])


def test_other_schemes() -> None:
    ideal = {"scale": 12.0, "pulse": 0.75, "ideal": True}
    assert written(Pcm("sign", threshold=0.01, **ideal), [[0.5, -0.02, 0.005]])[0] == pytest.approx(
        [0.0625, -0.0625, 0]
    )
    four = Pcm("multi_memristor", pairs=4, **ideal)
    assert written(four, [[0.05, -0.001]])[0] == pytest.approx([3 * 0.0625 / 4, 0.0])
    often = written(Pcm("stochastic", **ideal), [[0.0625 / 4] * 4000])[0]
    assert sum(often) / 4000 == pytest.approx(0.0625 / 4, rel=0.1)
    rarely = written(Pcm("stochastic", chance=0.25, **ideal), [[0.0625 / 4] * 4000])[0]
    assert sum(rarely) / 4000 == pytest.approx(0.0625 / 16, rel=0.15)
    assert sorted(set(torch.tensor(often).round(decimals=4).tolist())) == pytest.approx([0.0, 0.0625])


def test_full_pairs_are_written_anew() -> None:
    """Both sides of a weight that goes up and down fill; a refresh keeps their difference."""
    changes = [[0.25], [-0.25]] * 30
    kept = written(Pcm(scale=12.0, granularity=0.0625, ideal=True), changes)
    assert max(abs(one[0] - wanted) for one, wanted in zip(kept, [0.25, 0.0] * 30, strict=True)) < 0.07
    stuck = written(Pcm(scale=12.0, granularity=0.0625, ideal=True, refresh=0.0), changes)
    assert stuck[-2][0] == stuck[-1][0]


@pytest.mark.parametrize("wanted", [0.05, 0.2, -0.4, 0.0])
def test_a_refresh_of_real_devices_keeps_their_difference(wanted: float) -> None:
    weight = nn.Parameter(torch.full((4000,), wanted))
    store = Pcm(scale=12.0).store([weight], seed=1)
    devices = store._devices[0]
    devices.conductance += 11 - devices.conductance.amax()  # both sides are nearly full
    store.write(lambda: None)
    assert devices.conductance.amin(dim=0).mean() < 4  # of nearly 11
    assert abs((devices.conductance[0] - devices.conductance[1]).mean().item() / 12 - wanted) < 0.02


def test_a_large_weight_alone_is_not_refreshed() -> None:
    """A reset would bring no room."""
    weight = nn.Parameter(torch.full((100,), 0.95))
    store = Pcm(scale=12.0).store([weight], seed=1)
    before = store._devices[0].conductance.clone()
    store.write(lambda: None)
    assert torch.equal(store._devices[0].conductance, before)


def test_a_granularity_below_a_pulse_is_refused() -> None:
    """Every step of it would be taken from the digital memory, and none reach the devices."""
    with pytest.raises(ConfigError, match=r"train.synapse.granularity is 0.05; a pulse is worth 0.06342"):
        config(train=TrainConfig(synapse=Pcm(granularity=0.05)))
    config(train=TrainConfig(synapse=Pcm(granularity=0.05, pairs=2)))
    config(train=TrainConfig(synapse=Pcm("sign", granularity=0.05)))


def test_devices_are_restored_to_the_bit() -> None:
    first, second = (nn.Parameter(torch.linspace(-0.5, 0.5, 8)) for _ in range(2))
    stores = [Pcm("stochastic", pairs=2).store([weight], seed=5) for weight in (first, second)]
    for turn in range(6):
        for weight, store in zip((first, second), stores, strict=True):
            weight.grad = torch.full((8,), 0.05)
            store.read(100)
            store.write(torch.optim.SGD([weight], lr=1.0).step)
        if turn == 2:
            stores[1] = Pcm("stochastic", pairs=2).store([second], seed=5)
            stores[1].restore(stores[0].state())
    assert not torch.equal(first, torch.linspace(-0.5, 0.5, 8))
    assert torch.equal(first, second)
