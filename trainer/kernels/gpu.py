"""The walk on a GPU, in Triton: one program per sample and block of neurons, whose states stay in registers.

The equations are those of trainer/neurons/lif.py and walk.cpp, which read the same. In integers the result is exact, as
there; in real numbers a GPU contracts multiplications and additions, so the last bit may differ.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from quant.formats import signed_range
from trainer.kernels.function import SURROGATES, Pass, output_code
from trainer.neurons import Dynamics

_BLOCK = 128  # neurons per program

# Rows of `numbers`: NUMBERS of trainer/kernels/function.py.
_LEAK, _THRESHOLD, _WIDTH, _SELF_WEIGHT, *_OF_PARTS = map(tl.constexpr, range(9))
_SYNAPSE_LEAK, _ADAPTATION_LEAK, _ADAPTATION_STEP, _REFRACTORY, _DELAY = _OF_PARTS


def run_walk(function: Pass, state_bits: int | None, dynamics: Dynamics, **arrays: Tensor) -> None:
    """See `trainer.kernels.function.RunWalk`; there is no dense recurrence here."""
    outputs = arrays["outputs"]
    assert "recurrent" not in arrays
    steps, batch, neurons = outputs.shape
    low, high = (0, 0) if state_bits is None else signed_range(state_bits)
    kernel = _forward if function == "forward" else _backward
    scalars = {
        "steps": steps,
        "batch": batch,
        "neurons": neurons,
        "low": float(low),
        "high": float(high),
        "integer": state_bits is not None,
        "synapse": "synapse_state" in arrays,
        "adaptation": "adaptation_state" in arrays,
        "delayed": "delay" in arrays,
        "refractory": "refractory_state" in arrays,
        "output": output_code(dynamics),
        "kind": SURROGATES[dynamics.surrogate],
        "block": _BLOCK,
    }
    # An array that a kernel never touches still needs an address.
    given = {name: arrays.get(name, outputs) for name in kernel.arg_names if name not in scalars}
    kernel[(batch, triton.cdiv(neurons, _BLOCK))](**given, **scalars)


@triton.jit
def _number(numbers, row: tl.constexpr, neurons, i):
    # What lies beyond the last neuron is never stored; 1 there divides well.
    return tl.load(numbers + row * neurons + i, i < neurons, 1.0)


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
    currents,
    numbers,
    delay,
    outputs,
    potential,
    synapse_state,
    adaptation_state,
    refractory_state,
    steps,
    batch,
    neurons,
    low,
    high,
    integer: tl.constexpr,
    synapse: tl.constexpr,
    adaptation: tl.constexpr,
    delayed: tl.constexpr,
    refractory: tl.constexpr,
    output: tl.constexpr,
    kind: tl.constexpr,
    block: tl.constexpr,
):
    sample = tl.program_id(0)
    i = tl.program_id(1) * block + tl.arange(0, block)
    there = i < neurons
    end = tl.load(ends + sample)
    d = _number(numbers, _LEAK, neurons, i)
    r = _number(numbers, _SELF_WEIGHT, neurons, i)
    theta = _number(numbers, _THRESHOLD, neurons, i)
    a = _number(numbers, _SYNAPSE_LEAK, neurons, i)
    rho = _number(numbers, _ADAPTATION_LEAK, neurons, i)
    q = _number(numbers, _ADAPTATION_STEP, neurons, i)
    shift = tl.zeros((block,), tl.int64)
    if delayed:
        shift = tl.load(delay + i, there, 0)
    period = _number(numbers, _REFRACTORY, neurons, i)
    left = tl.zeros((block,), tl.float32)
    h = tl.zeros((block,), tl.float32)
    v = tl.zeros((block,), tl.float32)
    c = tl.zeros((block,), tl.float32)
    s = tl.zeros((block,), tl.float32)
    for t in range(steps):
        row = (t * batch + sample).to(tl.int64) * neurons + i
        if t < end:
            c_in = tl.load(currents + row, there, 0.0)
            c_in += s * r
            if synapse:
                c_in = _saturate(_decay(c, a, integer) + c_in, low, high, integer)
                c = c_in
                tl.store(synapse_state + row, c, there)
            kept = _decay(v, d, integer)
            if output == 3:
                kept = kept - s * theta
            u = _saturate(kept + c_in, low, high, integer)
            if refractory:
                left = tl.where(s > 0, period, tl.maximum(left - 1.0, 0.0))
                held = tl.where(left > 0, 1.0, 0.0)
                tl.store(refractory_state + row, held, there)
                u = u * (1.0 - held)
            tl.store(potential + row, u, there)
            if output == 0:
                v = u
                tl.store(outputs + row, u, there)
            else:
                excess = u
                if adaptation:
                    h = _saturate(_decay(h, rho, integer) + s * q, low, high, integer)
                    tl.store(adaptation_state + row, h, there)
                    excess = u - h
                s = tl.where(excess >= theta, 1.0, 0.0)
                v = _reset(u, s, theta, output)
                tl.store(outputs + row + shift * batch * neurons, s, there & (t + shift < end))
        else:
            nothing = tl.zeros((block,), tl.float32)
            tl.store(outputs + row, nothing, there)
            tl.store(potential + row, nothing, there)
            if synapse:
                tl.store(synapse_state + row, nothing, there)
            if adaptation:
                tl.store(adaptation_state + row, nothing, there)
            if refractory:
                tl.store(refractory_state + row, nothing, there)


@triton.jit
def _backward(
    ends,
    numbers,
    delay,
    outputs,
    potential,
    synapse_state,
    adaptation_state,
    refractory_state,
    d_outputs,
    d_currents,
    d_numbers,
    steps,
    batch,
    neurons,
    low,
    high,
    integer: tl.constexpr,
    synapse: tl.constexpr,
    adaptation: tl.constexpr,
    delayed: tl.constexpr,
    refractory: tl.constexpr,
    output: tl.constexpr,
    kind: tl.constexpr,
    block: tl.constexpr,
):
    sample = tl.program_id(0)
    i = tl.program_id(1) * block + tl.arange(0, block)
    there = i < neurons
    end = tl.load(ends + sample)
    d = _number(numbers, _LEAK, neurons, i)
    r = _number(numbers, _SELF_WEIGHT, neurons, i)
    theta = _number(numbers, _THRESHOLD, neurons, i)
    wide = _number(numbers, _WIDTH, neurons, i)
    a = _number(numbers, _SYNAPSE_LEAK, neurons, i)
    rho = _number(numbers, _ADAPTATION_LEAK, neurons, i)
    q = _number(numbers, _ADAPTATION_STEP, neurons, i)
    shift = tl.zeros((block,), tl.int64)
    if delayed:
        shift = tl.load(delay + i, there, 0)
    d_h = tl.zeros((block,), tl.float32)
    sum_adaptation = tl.zeros((block,), tl.float32)
    sum_step = tl.zeros((block,), tl.float32)
    d_v = tl.zeros((block,), tl.float32)
    d_c = tl.zeros((block,), tl.float32)
    d_s = tl.zeros((block,), tl.float32)
    sum_leak = tl.zeros((block,), tl.float32)
    sum_synapse = tl.zeros((block,), tl.float32)
    sum_self = tl.zeros((block,), tl.float32)
    sum_threshold = tl.zeros((block,), tl.float32)
    sum_width = tl.zeros((block,), tl.float32)
    sum_delay = tl.zeros((block,), tl.float32)
    d_later = tl.zeros((block,), tl.float32)
    for back in range(steps):
        t = steps - 1 - back
        row = (t * batch + sample).to(tl.int64) * neurons + i
        if t < end:
            first = row - batch * neurons
            earlier = there & (first >= 0)
            u = tl.load(potential + row, there, 0.0)
            before = tl.load(potential + first, earlier, 0.0)
            d_out = tl.load(d_outputs + row + shift * batch * neurons, there & (t + shift < end), 0.0)
            d_spike_before = tl.zeros((block,), tl.float32)
            excess = u
            excess_before = before
            if adaptation:
                h = tl.load(adaptation_state + row, there, 0.0)
                h_before = tl.load(adaptation_state + first, earlier, 0.0)
                excess = u - h
                excess_before = before - h_before
            if output == 0:
                spike_before = tl.zeros((block,), tl.float32)
                d_u = d_out + d_v
            else:
                spike_before = tl.where(excess_before >= theta, 1.0, 0.0)
                fire = tl.where(excess >= theta, 1.0, 0.0)
                ratio = excess / theta
                distance = (ratio - 1.0) / wide
                d_x = (d_out + d_s) * _slope(tl.abs(distance), kind)
                via_spike = d_x / theta
                sum_threshold -= via_spike * ratio
                sum_width -= d_x * distance
                sum_delay += fire * (d_later - d_out)
                d_later = d_out
                if adaptation:
                    d_added = d_h - via_spike
                    if integer:
                        d_added = tl.where((h > low) & (h < high), d_added, 0.0)
                    sum_adaptation += d_added * h_before
                    sum_step += d_added * spike_before
                    d_h = d_added * rho
                    d_spike_before = d_added * q
                d_u = via_spike + d_v
                if output == 1:
                    d_u = via_spike + d_v * (1.0 - fire)
                if output == 2:
                    sum_threshold -= d_v * fire
            v_before = _reset(before, spike_before, theta, output)
            if refractory:
                d_u = d_u * (1.0 - tl.load(refractory_state + row, there, 0.0))
            if integer:
                d_u = tl.where((u > low) & (u < high), d_u, 0.0)
            if output == 3:
                sum_threshold -= d_u * spike_before
            sum_leak += d_u * v_before
            d_v = d_u * d
            d_in = d_u
            if synapse:
                c = tl.load(synapse_state + row, there, 0.0)
                d_in += d_c
                if integer:
                    d_in = tl.where((c > low) & (c < high), d_in, 0.0)
                sum_synapse += d_in * tl.load(synapse_state + first, earlier, 0.0)
                d_c = d_in * a
            sum_self += d_in * spike_before
            d_s = d_in * r + d_spike_before
            tl.store(d_currents + row, d_in, there)
        else:
            tl.store(d_currents + row, tl.zeros((block,), tl.float32), there)
    own = d_numbers + sample * neurons + i
    tl.store(own + _LEAK * batch * neurons, sum_leak, there)
    tl.store(own + _THRESHOLD * batch * neurons, sum_threshold, there)
    tl.store(own + _WIDTH * batch * neurons, sum_width, there)
    tl.store(own + _SELF_WEIGHT * batch * neurons, sum_self, there)
    tl.store(own + _SYNAPSE_LEAK * batch * neurons, sum_synapse, there)
    tl.store(own + _ADAPTATION_LEAK * batch * neurons, sum_adaptation, there)
    tl.store(own + _ADAPTATION_STEP * batch * neurons, sum_step, there)
    tl.store(own + _DELAY * batch * neurons, sum_delay, there)
