"""The fewest bits with which calibration alone keeps what a network can do.

First all weights get one width, from wide to narrow. From the narrowest that is good enough, one width after another
falls bit by bit: of each layer's weights, the largest layer first, then what states are finer than weights, leaks, and
states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np

from quant import golden
from quant.arithmetic import LEAK_BITS, STATE_BITS
from quant.calibration import calibrate, default_fraction_bits, largest_states, most_fraction_bits, saturated
from quant.formats import IntArray
from quant.model import IntModel, RealModel
from quant.spikes import SpikeSet

WIDEST = 8  # bits of a weight tried


@dataclass(frozen=True, slots=True)
class Choice:
    """Widths of a whole network, by the names of `calibrate`'s arguments."""

    weight_bits: tuple[int, ...]
    leak_bits: int
    fraction_bits: int
    state_bits: int

    @property
    def options(self) -> str:
        """On the command line."""
        bits = ",".join(map(str, self.weight_bits))
        return (
            f"--weight-bits {bits} --leak-bits {self.leak_bits} --fraction-bits {self.fraction_bits} "
            f"--state-bits {self.state_bits}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """A choice, the network that it gives, and the share of the samples to which that gives the class wanted."""

    choice: Choice
    model: IntModel
    accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a search has tried.

    Attributes:
        labelled: whether the class wanted is the sample's label; else it is that of the real network.
        accuracy_real: of the network in real numbers.
        uniform: one width for all weights, from wide to narrow.
        chosen: the narrowest of them that is good enough, or None.
        narrowed: with every width as narrow as is good enough, or None.
        saturated: the share of its states, of all steps, that stand at a bound of their range.
    """

    labelled: bool
    accuracy_real: float
    uniform: tuple[Tried, ...]
    chosen: Tried | None
    narrowed: Tried | None
    saturated: float


def search(real: RealModel, samples: SpikeSet, loss: float, after_try: Callable[[], None] = lambda: None) -> Found:
    """Try widths on samples.

    Args:
        real: the network.
        samples: typical input, the more the surer.
        loss: how much less accurate than the real network the integers may be, as a fraction of 1.
        after_try: called after each try.
    """
    classes = _classes(real, samples)
    labelled = bool((samples.label >= 0).all())
    wanted = samples.label if labelled else classes
    accuracy_real = float((classes == wanted).mean())
    reached = largest_states(real, samples)
    least = accuracy_real - loss - 1e-9  # differences of floats are rounded

    def tried(choice: Choice) -> Tried:
        model = calibrate(real, samples, **asdict(choice), reached=reached)
        after_try()
        needed = max(layer.integers.state_bits for layer in model.layers)
        return Tried(replace(choice, state_bits=needed), model, float((_classes(model, samples) == wanted).mean()))

    uniform = []
    for bits in range(WIDEST, 0, -1):
        widths = (bits,) * len(real.layers)
        uniform.append(tried(Choice(widths, LEAK_BITS[1], default_fraction_bits(widths), STATE_BITS[1])))
    enough = [one for one in uniform if one.accuracy >= least]
    chosen = narrowed = min(enough, key=lambda one: one.choice.weight_bits, default=None)
    for narrower in _falls(real):
        while narrowed is not None and (choice := narrower(narrowed.choice)) is not None:
            candidate = tried(choice)
            if candidate.accuracy < least:
                break
            narrowed = candidate
    beyond = 0.0 if narrowed is None else saturated(narrowed.model, samples)
    return Found(labelled, accuracy_real, tuple(uniform), chosen, narrowed, beyond)


def _classes(model: IntModel | RealModel, samples: SpikeSet) -> IntArray:
    return np.concatenate([trace.classes for _, trace in golden.run_set(model, samples)])


def _falls(real: RealModel) -> Iterator[Callable[[Choice], Choice | None]]:
    """Each makes one width of a choice a bit narrower, or cannot."""

    def weights(place: int) -> Callable[[Choice], Choice | None]:
        def fall(one: Choice) -> Choice | None:
            bits = tuple(bits - (k == place) for k, bits in enumerate(one.weight_bits))
            fits = bits[place] >= 1 and one.fraction_bits <= min(map(most_fraction_bits, bits))
            return replace(one, weight_bits=bits) if fits else None

        return fall

    sizes = [sum(one.weight.size for one in layer.projections) for layer in real.layers]
    yield from map(weights, sorted(range(len(sizes)), key=lambda place: -sizes[place]))
    yield lambda one: replace(one, fraction_bits=one.fraction_bits - 1) if one.fraction_bits else None
    yield lambda one: replace(one, leak_bits=one.leak_bits - 1) if one.leak_bits > LEAK_BITS[0] else None
    yield lambda one: replace(one, state_bits=one.state_bits - 1) if one.state_bits > STATE_BITS[0] else None
