"""From a layer's real numbers to the integers of its hardware, with Brevitas, differentiable.

A neuron's spikes do not change when its weights, its self-weight and its threshold are all multiplied by one
positive constant (docs/semantics.md). So every neuron has a scale of its own, learned with everything else, and
computes with `weight / scale` and `threshold / scale`, rounded: the hardware needs no multiplier for it. In these
units the gradient of the scale is that of a learned step size (Esser et al. 2020, LSQ).

Weights may be coarser than states, multiples of `2**weight_shift`. A state that decays by less than one unit in a step
decays by one: slow ones, such as an adaptation of a second, need finer units than weights of few bits give.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from brevitas.core.bit_width import BitWidthConst
from brevitas.core.function_wrapper import Identity, TensorClampSte
from brevitas.core.quant import BinaryQuant, IntQuant, RescalingIntQuant
from brevitas.core.restrict_val import LogFloatRestrictValue
from brevitas.core.scaling import IntScaling, ParameterScaling
from brevitas.core.zero_point import ZeroZeroPoint
from brevitas.function.ops_ste import round_ste, scalar_clamp_min_ste
from torch import Tensor, nn

from quant.arithmetic import STATE_BITS, weight_range
from trainer.config import LayerConfig
from trainer.neurons import QUANTITIES, Numbers

_CANDIDATES = 40  # scales tried per neuron when scales are fitted to weights


class LayerQuantizer(nn.Module):
    """Quantizes the numbers of one layer; its only parameter is the scales' logarithm.

    Args:
        layer: widths in bits and number of neurons.
        common_scale: one scale for all neurons. A read-out of potentials compares the neurons' integers with each
            other, so its layer needs it; spikes carry no scale.
    """

    def __init__(self, layer: LayerConfig, *, common_scale: bool) -> None:
        super().__init__()
        self._layer = layer
        # Brevitas keeps the largest weight's magnitude; the scale is that over the largest integer's.
        self._largest_code = float(-weight_range(layer.weight_bits)[0])
        self._coarseness = 2**layer.weight_shift  # units of the states between two neighbouring weights
        largest = torch.ones(1 if common_scale else layer.neurons, 1)
        scaling = ParameterScaling(largest, restrict_scaling_impl=LogFloatRestrictValue())
        self.weight = _weight_quantizer(layer.weight_bits, scaling)
        self.state_width: Tensor
        self.register_buffer("state_width", torch.tensor(layer.state_bits))
        self._signed = _clamping(signed=True)
        self._unsigned = _clamping(signed=False)

    @property
    def state_bits(self) -> int:
        """The width of the states: the configured one, or a narrower one that was fitted to them."""
        return int(self.state_width)

    def forward(self, real: Numbers) -> Numbers:
        """The integers nearest to `real`, each within its range in the model file."""
        weight, scale, _, _ = self.weight(real.weight)
        unit = scale.reshape(-1) / self._coarseness
        neuron = {name: QUANTITIES[name].quantized(value, unit, self) for name, value in real.neuron.items()}
        return replace(real, weight=round_ste(weight / scale) * self._coarseness, neuron=neuron, unit=unit)

    @torch.no_grad()
    def fit(self, real: Numbers) -> None:
        """Set the scales to those with which the weights' squared rounding errors are smallest.

        A threshold must stay well inside the range of the states, which bounds the scale from below.
        """
        largest_log2 = self.weight.scaling_impl.value
        weight = real.weight if len(largest_log2) > 1 else real.weight.reshape(1, -1)
        highest = weight.abs().amax(dim=1, keepdim=True)
        floor = real.threshold.reshape(len(weight), -1).amax(dim=1, keepdim=True) / 2 ** (self.state_bits - 2)
        lowest_error = torch.full_like(highest, torch.inf)
        best = torch.ones_like(highest)
        for fraction in torch.linspace(1 / _CANDIDATES, 1, _CANDIDATES):
            candidate = torch.maximum(highest * fraction, floor * self._coarseness * self._largest_code)
            largest_log2.copy_(candidate.log2())
            error = (self.weight(weight)[0] - weight).square().sum(dim=1, keepdim=True)
            best = torch.where(error < lowest_error, candidate, best)
            lowest_error = torch.minimum(error, lowest_error)
        largest_log2.copy_(best.log2())

    def fit_states(self, numbers: Numbers, largest: int) -> None:
        """Take the narrowest states of which the `largest` magnitude of a state fills half, and every number fits."""
        for name, values in numbers.neuron.items():
            if QUANTITIES[name].state:
                largest = max(largest, (int(values.abs().max()) + 1) // 2)
        self.state_width.fill_(min(self.state_bits, max(STATE_BITS[0], largest.bit_length() + 2)))

    def signed(self, value: Tensor, unit: Tensor) -> Tensor:
        """See `Grid`."""
        return self._signed.to_int(unit, torch.zeros(()), torch.tensor(float(self.state_bits)), value)

    def magnitude(self, value: Tensor, unit: Tensor, least: int) -> Tensor:
        """See `Grid`."""
        codes = self._unsigned.to_int(unit, torch.zeros(()), torch.tensor(self.state_bits - 1.0), value)
        return scalar_clamp_min_ste(codes, float(least))

    def leak(self, value: Tensor) -> Tensor:
        """See `Grid`."""
        if self._layer.leak_grid == "shift":
            kept = 1 - 0.5 ** torch.arange(self._layer.leak_bits + 1, device=value.device)
            nearest = kept[torch.bucketize(value.detach(), (kept[1:] + kept[:-1]) / 2)]
            value = value + (nearest - value.detach())  # straight through: the gradient passes the rounding
        step = torch.tensor(2.0**-self._layer.leak_bits)
        return self._unsigned(step, torch.zeros(()), torch.tensor(float(self._layer.leak_bits)), value)


def _weight_quantizer(bits: int, scaling: ParameterScaling) -> BinaryQuant | RescalingIntQuant:
    if bits == 1:
        return BinaryQuant(scaling)
    return RescalingIntQuant(
        IntQuant(narrow_range=False, signed=True, input_view_impl=Identity()),
        scaling,
        IntScaling(narrow_range=False, signed=True),
        ZeroZeroPoint(),
        BitWidthConst(bits),
    )


def _clamping(*, signed: bool) -> IntQuant:
    """Rounds and clamps; both pass the gradient, so that a parameter driven to its bound can come back."""
    return IntQuant(narrow_range=False, signed=signed, input_view_impl=Identity(), tensor_clamp_impl=TensorClampSte())
