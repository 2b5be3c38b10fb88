"""A layer's neurons in hardware: the fields of their words, the parameters of scsr_neuron.v, and its latency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

import quant.neurons
from quant.formats import IntArray, signed_bits, unsigned_bits
from quant.model import Layer
from quant.neurons import Lif
from quant.neurons.part import Tensor


@dataclass(frozen=True, slots=True)
class InVerilog:
    """How scsr_neuron.v knows a part.

    Attributes:
        parameter: what switches it on.
        tensor: the tensor whose width that parameter is; without, it is 1.
        cycles: how much later the potential is there.
    """

    parameter: str
    tensor: str | None = None
    cycles: int = 0


# By the keys of quant.neurons. A part or reset that is missing here has no hardware yet.
PARTS: Mapping[str, InVerilog] = {
    "self_weight": InVerilog("SELF_WEIGHT_W", tensor="self_weight"),
    "bias": InVerilog("BIAS_W", tensor="bias"),
    "inhibition": InVerilog("INHIBITION_W", tensor="inhibition", cycles=2),
    "synapse": InVerilog("SYNAPSE", cycles=2),
    "adaptation": InVerilog("STEP_W", tensor="adaptation_step"),
    "delay": InVerilog("DELAY_W", tensor="delay"),
    "refractory": InVerilog("REFRACTORY_W", tensor="refractory"),
}
RESETS: Mapping[str, int] = {"zero": 0, "subtract": 1, "late_subtract": 2}


@dataclass(frozen=True, slots=True)
class NeuronPlan:
    """What every neuron of a layer computes with (scsr_neuron.v). Widths are in bits.

    Attributes:
        spiking: whether they spike; else the potential is what leaves.
        shift: whether leaks are coded as shifts (scsr_decay.v).
        sum_bits: width of the sum of weights.
        zero_bits: its lowest bits that are always 0; they are not brought to the neurons.
        current_bits: width of the input current, all that is added to that sum included.
        fields: name and width of each parameter, as they lie in a word, the lowest first.
        parts: keys of the parts that act.
        states: number of states of `state_bits`.
        history: number of past spikes that are kept.
        count_bits: width of the number of the layer's spikes in the step before, which comes with the sum; 0: it does
            not.
    """

    spiking: bool
    shift: bool
    leak_bits: int
    state_bits: int
    sum_bits: int
    zero_bits: int
    current_bits: int
    reset: str
    fields: tuple[tuple[str, int], ...]
    parts: tuple[str, ...]
    states: int
    history: int
    count_bits: int

    def width(self, field: str) -> int:
        """Width of a parameter; 0 where there is none."""
        return dict(self.fields).get(field, 0)

    @property
    def brought_bits(self) -> int:
        """Width of the sum of weights as it comes to the neurons."""
        return self.sum_bits - self.zero_bits

    @property
    def code_bits(self) -> int:
        """Width of a leak's code."""
        return self.width("leak")

    @property
    def param_bits(self) -> int:
        """Width of one neuron's parameters."""
        return sum(bits for _, bits in self.fields)

    @property
    def state_word_bits(self) -> int:
        """Width of one neuron's states and past spikes."""
        return self.states * self.state_bits + self.history

    @property
    def value_bits(self) -> int:
        """Width of what leaves: a spike, or the potential."""
        return 1 if self.spiking else self.state_bits

    @property
    def cycles(self) -> int:
        """Cycles from sum, state and parameters to the next state and the value: scsr_neuron.v's latency."""
        return 3 + sum(PARTS[key].cycles for key in self.parts) + self.spiking

    @property
    def verilog(self) -> dict[str, int]:
        """The parameters of scsr_neuron.v that this layer uses; the others keep their defaults."""
        present = [PARTS[key] for key in self.parts]
        switches = {part.parameter: self.width(part.tensor) if part.tensor else 1 for part in present}
        return {
            "SUM_W": self.sum_bits,
            "X_W": self.current_bits,
            "STATE_W": self.state_bits,
            "LEAK_W": self.leak_bits,
            "CODE_W": self.code_bits,
            "SHIFT": int(self.shift),
            "THRESHOLD_W": self.width("threshold"),
            "RESET": RESETS[self.reset] if self.spiking else 0,
            "HISTORY": self.history,
            **({"COUNT_W": self.count_bits} if self.count_bits else {}),
            **switches,
            "VALUE_W": self.value_bits,
            "STATE_WORD_W": self.state_word_bits,
            "PARAM_W": self.param_bits,
        }


def refuses(layer: Layer) -> str | None:
    """What in the layer's neurons has no hardware; None where all has."""
    if missing := [part.key for part in layer.neuron.parts if part.key not in PARTS]:
        return f"neurons with {missing[0]!r}"
    return None if layer.neuron.reset in RESETS else f"the reset {layer.neuron.reset!r}"


def plan_neuron(
    layer: Layer, low: IntArray, high: IntArray, sum_bits: int, zero_bits: int = 0, *, spiking: bool
) -> NeuronPlan:
    """The neurons of a layer whose sums of weights lie in `low .. high`, `(N,)` each; see `NeuronPlan`."""
    widths, neuron = layer.integers, acting(layer, spiking=spiking)
    count_bits = unsigned_bits(layer.neurons) if neuron.lateral else 0
    for part in neuron.parts:
        low, high = part.current_range(low, high)
    if spiking:
        low, high = quant.neurons.RESETS[neuron.reset].current_range(low, high, neuron.threshold)
    shifted = leak_shifts(neuron, widths.leak_bits)
    code_bits = widths.leak_bits if shifted is None else unsigned_bits(widths.leak_bits)
    fields = tuple(
        (name, code_bits if quantity.code else quantity.bits(values, widths))
        for name, values, quantity in _stored(neuron, spiking=spiking)
    )
    product_bits = count_bits and count_bits + dict(fields)["inhibition"] + 1  # with a sign
    return NeuronPlan(
        spiking=spiking,
        shift=shifted is not None,
        leak_bits=widths.leak_bits,
        state_bits=widths.state_bits,
        sum_bits=sum_bits,
        zero_bits=zero_bits,
        current_bits=max(sum_bits, product_bits, signed_bits(int(low.min()), int(high.max()))),
        reset=neuron.reset,
        fields=fields,
        parts=tuple(part.key for part in neuron.parts),
        states=1 + sum(len(part.states) for part in neuron.parts),
        history=neuron.history if spiking else 0,
        count_bits=count_bits,
    )


def acting(layer: Layer, *, spiking: bool) -> Lif:
    """The layer's neurons `(N,)` with the parts that act: with numbers other than 0, or a state, which saturates."""
    neuron = layer.spread()
    present = neuron.acting(spiking=spiking)
    parts = (part for part in present if part.states or any(one.values.any() for one in part.own_tensors()))
    return Lif(neuron.leak, neuron.threshold, neuron.reset, tuple(parts))


def parameters(layer: Layer, plan: NeuronPlan) -> list[IntArray]:
    """The numbers of each field of the plan, `(N,)`."""
    neuron = acting(layer, spiking=plan.spiking)
    shifted = leak_shifts(neuron, plan.leak_bits) if plan.shift else None
    return [tensor.values for tensor in _stored(shifted or neuron, spiking=plan.spiking)]


def _stored(neuron: Lif, *, spiking: bool) -> list[Tensor]:
    """The tensors that hardware stores: neurons that never spike have no threshold."""
    return [tensor for tensor in neuron.tensors() if spiking or tensor.name != "threshold"]


def leak_shifts(neuron: Lif, leak_bits: int) -> Lif | None:
    """The neurons with shifts `k` for all leaks, where each is `2**F - 2**(F - k)`, else None.

    Such a leak needs no multiplier: `F` is the layer's leak width, `k` is in `0 .. F` (scsr_decay.v).
    """
    kept = [(1 << leak_bits) - (1 << (leak_bits - shift)) for shift in range(leak_bits + 1)]
    if not all(np.isin(values, kept).all() for _, values, quantity in neuron.tensors() if quantity.code):
        return None

    def shift(values: IntArray) -> IntArray:
        return np.searchsorted(kept, values).astype(np.int64)

    own = neuron.mapped(shift, only_codes=True)
    return Lif(own.leak, own.threshold, own.reset, tuple(part.mapped(shift, only_codes=True) for part in own.parts))
