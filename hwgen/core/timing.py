"""Cycles: a model of the pipeline, step by step, that the plan's figures and predictions come from.

Its equations are explained in docs/architecture.md; tests hold them against simulation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwgen.core import codes
from hwgen.core.plan import HardwarePlan, LayerPlan, Link
from hwgen.core.self_test import MAX_STEPS

COLLECT_CYCLES = 1  # the beat that closes a list
INPUT_CYCLES = 2  # from a beat to the event in the first layer (scsr_axis_input.v)
SWAP_CYCLES = 1  # in which the event lists change places
READOUT_STAGES = 3  # between a score's read and its write
_STEPS_TO_SETTLE = 8
_LONG_AGO = -(1 << 40)


def neuron_latency(layer: LayerPlan) -> int:
    """Cycles from a neuron's sum to its spike: LATENCY of scsr_update.v."""
    return 5 + 2 * layer.synapse + layer.spiking + codes.guard_cycles(layer.code)


def fetch_cycles(layer: LayerPlan) -> int:
    """Cycles from an event in the list to the sums: list, its register, address, weight memory, its register, lanes."""
    return 5 + layer.ports + (layer.weights.banks > 1) + codes.guard_cycles(layer.code)


def interval_cycles(layer: LayerPlan, events: int, spikes: int = 0) -> int:
    """Cycles from one step to the next at full rate, of a layer alone, when every step brings `events` events and
    `spikes` spikes leave."""
    clock = _LayerClock(layer)
    recurrent = any(link.recurrent for link in layer.links)
    ticks = []
    for _ in range(_STEPS_TO_SETTLE):
        clock.advance(clock.tick if recurrent else clock.list_opens(), events, spikes)
        ticks.append(clock.tick)
    return ticks[-1] - ticks[-2]


def latency_cycles(layer: LayerPlan, events: int, spikes: int = 0) -> int:
    """Cycles from a step's last incoming event to the TICK behind the layer's own events, of an idle layer."""
    clock = _LayerClock(layer)
    clock.advance(events, events, spikes)
    return clock.tick - events


def answer_cycles(layer: LayerPlan, events: int) -> int:
    """Cycles from a sample's last event into the last layer to the last beat of its packet, of an idle layer."""
    clock = _LayerClock(layer)
    clock.advance(events, events)
    return clock.scores_sent() + READOUT_STAGES - events


def idle_limit_cycles(plan: HardwarePlan) -> int:
    """Cycles in which something must move on a stream of a core that does not hang: generously more than any step."""
    longest = sum(layer.groups * max(layer.rows, layer.group_words) + layer.neurons for layer in plan.layers)
    tested = sum(memory.words for memory in plan.test_memories) + MAX_STEPS * longest if plan.test_memories else 0
    return 10_000 + 4 * (plan.inputs + longest + tested)


def tail_cycles(layer: LayerPlan) -> int:
    """The part of a layer's latency that does not depend on events: from list to lanes, last group, update."""
    return COLLECT_CYCLES + fetch_cycles(layer) + layer.last_words + neuron_latency(layer)


@dataclass(frozen=True, slots=True)
class Events:
    """How often a network spikes on some samples.

    Attributes:
        counts: for the input (0) and each layer, its spikes in each time step, all samples in a row.
        ends: of each step, whether it is its sample's last.
    """

    counts: Mapping[int, Sequence[int]]
    ends: Sequence[bool]

    def into(self, layer: LayerPlan) -> list[int]:
        """Events that come into a layer in each step; its own spikes a step later, unless the sample ended."""
        return [sum(step) for step in zip(*(self._along(link) for link in layer.links), strict=True)]

    def _along(self, link: Link) -> Sequence[int]:
        counts = self.counts[link.source]
        if not link.recurrent:
            return counts
        return [0, *(0 if end else count for count, end in zip(counts, self.ends, strict=True))][:-1]


def predict_cycles(plan: HardwarePlan, events: Events) -> list[int]:
    """Cycle in which the last layer ends each time step, the input never pausing and the output never stalling."""
    counts, incoming = events.counts, {layer.index: events.into(layer) for layer in plan.layers}
    clocks = {layer.index: _LayerClock(layer) for layer in plan.layers}
    input_tick = plan.inputs  # the sweep after reset (scsr_axis_input.v)
    ends = []
    for step, is_sample_end in enumerate(events.ends):
        opens = {index: clock.list_opens() for index, clock in clocks.items()}
        input_tick = _emitted(plan, 0, input_tick + counts[0][step] + 1, counts[0][step], opens)
        ticks = {0: input_tick}
        for layer in plan.layers:
            clock = clocks[layer.index]
            arrival = max(clock.tick if link.recurrent else ticks[link.source] for link in layer.links)
            own = counts[layer.index][step] if plan.source(layer.index) else 0
            clock.advance(arrival, incoming[layer.index][step], own, _first_spike_from(plan, layer.index, opens))
            ticks[layer.index] = clock.tick = _emitted(plan, layer.index, clock.tick, own, opens)
        ends.append(clocks[plan.last.index].tick)
        if is_sample_end:
            clocks[plan.last.index].send()
    return ends


def _first_spike_from(plan: HardwarePlan, source: int, opens: Mapping[int, int]) -> int:
    """The first cycle in which every direct reader of a source, but itself, takes its spikes."""
    emitter = plan.source(source)
    links = emitter.links if emitter else ()
    return max((opens[link.consumer] for link in links if not link.fifo_words and not link.recurrent), default=0)


def _emitted(plan: HardwarePlan, source: int, tick: int, events: int, opens: Mapping[int, int]) -> int:
    """When a source's TICK has left: not before every direct reader's list was open for its events."""
    emitter = plan.source(source)
    if emitter is None:
        return tick
    return max([tick, *(opens[link.consumer] + events + 1 for link in emitter.links if not link.fifo_words)])


class _LayerClock:
    """When one layer's list closes, when its lanes are done, and when its TICK goes out, step after step."""

    def __init__(self, layer: LayerPlan) -> None:
        self._layer = layer
        self._latency = neuron_latency(layer)
        self._drains = layer.words <= self._latency
        self._closed = 0
        self._walked = [0, 0]  # of the two steps before: when the lanes had taken the list's last event
        self._first_issued = _LONG_AGO  # when the step's first word went into the update
        self._issued = _LONG_AGO  # when the last group's first word did
        self._loaded = _LONG_AGO  # when the last group's sums went into the holding register
        self._sent = _LONG_AGO  # when the read-out, if it is a sample's end, is ready for more
        self.tick = 0

    def list_opens(self) -> int:
        """The first cycle in which the next step's events can be written."""
        return max(self._closed, self._walked[0] + SWAP_CYCLES)

    def advance(self, arrival: int, events: int, spikes: int = 0, taken_from: int = 0) -> None:
        """Account for one step whose last source ticked in cycle `arrival` and which brings `events` events.

        Its own spikes lie anywhere in the layer, on the mean evenly apart; the first of them holds up the group that
        it is in until cycle `taken_from`.
        """
        layer, walk = self._layer, max(-(-events // self._layer.ports), 1)
        fetch = fetch_cycles(layer)
        self._closed = max(arrival, self.list_opens() + events) + COLLECT_CYCLES
        # The first group: its list is complete, its lanes are free, and the update is done with the group before.
        walk_ends = self._loaded + SWAP_CYCLES + walk
        self._loaded = max(self._closed + fetch, walk_ends, self._issued + layer.last_words)
        drained = self._issued + layer.last_words + self._latency if self._drains else 0
        first = layer.neurons // (spikes + 1) if spikes else layer.groups * layer.lanes
        held_up, place = divmod(first, layer.lanes)
        release = taken_from - self._latency - place // layer.units
        self._issued = max(self._loaded, drained, self._sent, release if held_up == 0 else 0)
        self._first_issued = self._issued
        group_words = layer.group_words
        for group in range(1, layer.groups):
            self._loaded = max(self._loaded + walk, self._issued + group_words)
            self._issued = max(self._loaded, release) if group == held_up else self._loaded
        self._walked = [self._walked[1], self._loaded - fetch]
        self.tick = self._issued + layer.last_words + self._latency
        if layer.units > 1 and spikes:
            self._emit(spikes)

    def _emit(self, spikes: int) -> None:
        """Account for the step's own spikes, which leave one by one: a word with several holds up those behind it.

        A word of n neurons has none with probability (1 - spikes / neurons)^n.
        """
        layer = self._layer
        rest = 1 - spikes / layer.neurons
        full = layer.words - layer.groups
        silent = full * rest**layer.units + (layer.groups - 1) * rest**layer.group_last_units + rest**layer.last_units
        late = self._first_issued + self._latency + round(silent + spikes) - self.tick
        if late > 0:
            self.tick += late
            self._issued += late

    def scores_sent(self) -> int:
        """When the packet's last beat could leave if the read-out had no stages."""
        layer = self._layer
        last_word = self._issued + layer.last_words + layer.units - 1
        return max(self._first_issued + layer.neurons, last_word) + self._latency + 1

    def send(self) -> None:
        """Account for a sample's packet: the read-out takes a cycle for each score and one for the last beat."""
        layer = self._layer
        self._sent = self.scores_sent() - self._latency
        if layer.words <= READOUT_STAGES:  # the next step waits until the read-out is empty (scsr_readout.v)
            self._sent += READOUT_STAGES - 1
