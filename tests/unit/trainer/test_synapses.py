"""Synapses: what becomes of a change that an optimizer wants."""

from __future__ import annotations

import torch
from torch import nn

from trainer.synapses import SYNAPSES, Ideal, Metaplastic


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


def test_every_kind_is_registered() -> None:
    assert set(SYNAPSES.values()) >= {Ideal, Metaplastic}
