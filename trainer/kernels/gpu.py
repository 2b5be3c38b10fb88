"""The walk on a GPU, in Triton: one program per sample and block of neurons, whose states stay in registers.

The equations are those of trainer/neurons/lif.py and walk.cpp, which read the same. In integers the result is exact, as
there; in real numbers a GPU contracts multiplications and additions, so the last bit may differ.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from quant.formats import signed_range
from trainer.kernels.function import OUTPUTS, SURROGATES, Pass
from trainer.neurons import Dynamics

_BLOCK = 128  # neurons per program


def run_walk(function: Pass, state_bits: int | None, dynamics: Dynamics, **arrays: Tensor | None) -> None:
    """See `trainer.kernels.function.RunWalk`; there is no dense recurrence here."""
    outputs = arrays["outputs"]
    assert outputs is not None
    assert arrays["recurrent"] is None
    steps, batch, neurons = outputs.shape
    low, high = (0, 0) if state_bits is None else signed_range(state_bits)
    synapse = arrays["synapse_leak"] is not None
    # An array that a kernel never touches still needs an address.
    given = {name: outputs if array is None else array for name, array in arrays.items() if name != "recurrent"}
    kernel = _forward if function == "forward" else _backward
    kernel[(batch, triton.cdiv(neurons, _BLOCK))](
        **given,
        steps=steps,
        batch=batch,
        neurons=neurons,
        low=float(low),
        high=float(high),
        integer=state_bits is not None,
        synapse=synapse,
        output=OUTPUTS[dynamics.reset if dynamics.spiking else None],
        kind=SURROGATES[dynamics.surrogate],
        block=_BLOCK,
    )


@triton.jit
def _decay(state, leak, integer: tl.constexpr):
    kept = state * leak
    if integer:
        kept = tl.where(kept < 0, tl.ceil(kept), tl.floor(kept))
    return kept


@triton.jit
def _saturate(value, low, high, integer: tl.constexpr):
    if integer:
        value = tl.minimum(tl.maximum(value, low), high)
    return value


@triton.jit
def _reset(potential, spike, threshold, output: tl.constexpr):
    if output == 1:
        potential = potential * (1.0 - spike)
    if output == 2:
        potential = potential - spike * threshold
    return potential


@triton.jit
def _slope(z, kind: tl.constexpr):
    if kind == 0:
        return 1.0 / ((1.0 + z) * (1.0 + z))
    if kind == 1:
        y = 1.5707963267948966 * z
        return 1.0 / (1.0 + y * y)
    if kind == 2:
        return tl.maximum(1.0 - z, 0.0)
    return tl.where(z < 1.0, 1.0, 0.0)


@triton.jit
def _forward(
    ends,
    drives,
    leak,
    synapse_leak,
    self_weight,
    threshold,
    width,
    outputs,
    potential,
    current,
    steps,
    batch,
    neurons,
    low,
    high,
    integer: tl.constexpr,
    synapse: tl.constexpr,
    output: tl.constexpr,
    kind: tl.constexpr,
    block: tl.constexpr,
):
    sample = tl.program_id(0)
    i = tl.program_id(1) * block + tl.arange(0, block)
    there = i < neurons
    end = tl.load(ends + sample)
    d = tl.load(leak + i, there, 0.0)
    r = tl.load(self_weight + i, there, 0.0)
    theta = tl.load(threshold + i, there, 1.0)
    if synapse:
        a = tl.load(synapse_leak + i, there, 0.0)
    v = tl.zeros((block,), tl.float32)
    c = tl.zeros((block,), tl.float32)
    s = tl.zeros((block,), tl.float32)
    for t in range(steps):
        row = (t * batch + sample) * neurons + i
        if t < end:
            c_in = tl.load(drives + row, there, 0.0) + s * r
            if synapse:
                c_in = _saturate(_decay(c, a, integer) + c_in, low, high, integer)
                c = c_in
                tl.store(current + row, c, there)
            u = _saturate(_decay(v, d, integer) + c_in, low, high, integer)
            tl.store(potential + row, u, there)
            if output == 0:
                v = u
                tl.store(outputs + row, u, there)
            else:
                s = tl.where(u >= theta, 1.0, 0.0)
                v = _reset(u, s, theta, output)
                tl.store(outputs + row, s, there)
        else:
            nothing = tl.zeros((block,), tl.float32)
            tl.store(outputs + row, nothing, there)
            tl.store(potential + row, nothing, there)
            if synapse:
                tl.store(current + row, nothing, there)


@triton.jit
def _backward(
    ends,
    leak,
    synapse_leak,
    self_weight,
    threshold,
    width,
    outputs,
    potential,
    current,
    toward_outputs,
    toward_drives,
    toward_leak,
    toward_synapse_leak,
    toward_self_weight,
    toward_threshold,
    toward_width,
    steps,
    batch,
    neurons,
    low,
    high,
    integer: tl.constexpr,
    synapse: tl.constexpr,
    output: tl.constexpr,
    kind: tl.constexpr,
    block: tl.constexpr,
):
    sample = tl.program_id(0)
    i = tl.program_id(1) * block + tl.arange(0, block)
    there = i < neurons
    end = tl.load(ends + sample)
    d = tl.load(leak + i, there, 0.0)
    r = tl.load(self_weight + i, there, 0.0)
    theta = tl.load(threshold + i, there, 1.0)
    wide = tl.load(width + i, there, 1.0)
    if synapse:
        a = tl.load(synapse_leak + i, there, 0.0)
    toward_v = tl.zeros((block,), tl.float32)
    toward_c = tl.zeros((block,), tl.float32)
    toward_s = tl.zeros((block,), tl.float32)
    sum_leak = tl.zeros((block,), tl.float32)
    sum_synapse = tl.zeros((block,), tl.float32)
    sum_self = tl.zeros((block,), tl.float32)
    sum_threshold = tl.zeros((block,), tl.float32)
    sum_width = tl.zeros((block,), tl.float32)
    for back in range(steps):
        t = steps - 1 - back
        row = (t * batch + sample) * neurons + i
        if t < end:
            first = row - batch * neurons
            earlier = there & (first >= 0)
            u = tl.load(potential + row, there, 0.0)
            before = tl.load(potential + first, earlier, 0.0)
            toward_out = tl.load(toward_outputs + row, there, 0.0)
            if output == 0:
                spike_before = tl.zeros((block,), tl.float32)
                toward_u = toward_out + toward_v
            else:
                spike_before = tl.where(before >= theta, 1.0, 0.0)
                fire = tl.where(u >= theta, 1.0, 0.0)
                ratio = u / theta
                distance = (ratio - 1.0) / wide
                toward_x = (toward_out + toward_s) * _slope(tl.abs(distance), kind)
                via_spike = toward_x / theta
                sum_threshold -= via_spike * ratio
                sum_width -= toward_x * distance
                if output == 1:
                    toward_u = via_spike + toward_v * (1.0 - fire)
                else:
                    toward_u = via_spike + toward_v
                    sum_threshold -= toward_v * fire
            v_before = _reset(before, spike_before, theta, output)
            if integer:
                toward_u = tl.where((u > low) & (u < high), toward_u, 0.0)
            sum_leak += toward_u * v_before
            toward_v = toward_u * d
            toward_in = toward_u
            if synapse:
                filtered = tl.load(current + row, there, 0.0)
                toward_in += toward_c
                if integer:
                    toward_in = tl.where((filtered > low) & (filtered < high), toward_in, 0.0)
                sum_synapse += toward_in * tl.load(current + first, earlier, 0.0)
                toward_c = toward_in * a
            sum_self += toward_in * spike_before
            toward_s = toward_in * r
            tl.store(toward_drives + row, toward_in, there)
        else:
            tl.store(toward_drives + row, tl.zeros((block,), tl.float32), there)
    own = sample * neurons + i
    tl.store(toward_leak + own, sum_leak, there)
    tl.store(toward_self_weight + own, sum_self, there)
    tl.store(toward_threshold + own, sum_threshold, there)
    tl.store(toward_width + own, sum_width, there)
    if synapse:
        tl.store(toward_synapse_leak + own, sum_synapse, there)
