"""Cycles: a model of the pipeline, step by step, that the plan's figures and predictions come from.

Its equations are explained in docs/architecture.md; tests hold them against simulation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hwgen import engines
from hwgen.core.plan import CorePlan, Link, Node
from hwgen.core.self_test import MAX_STEPS

INPUT_CYCLES = 2  # from a beat to the event in the first layer (scsr_axis_input.v)
_STEPS_TO_SETTLE = 8


def interval_cycles(layer: Node, events: int, spikes: int = 0) -> int:
    """Cycles from one step to the next at full rate, of a layer alone, when every step brings `events` events and
    `spikes` spikes leave."""
    clock = engines.of(layer).clock(layer)
    recurrent = any(link.recurrent for link in layer.links)
    ticks = []
    for _ in range(_STEPS_TO_SETTLE):
        clock.advance(clock.tick if recurrent else clock.list_opens(), events, spikes)
        ticks.append(clock.tick)
    return ticks[-1] - ticks[-2]


def latency_cycles(layer: Node, events: int, spikes: int = 0) -> int:
    """Cycles from a step's last incoming event to the TICK behind the layer's own events, of an idle layer."""
    clock = engines.of(layer).clock(layer)
    clock.advance(events, events, spikes)
    return clock.tick - events


def answer_cycles(layer: Node, events: int) -> int:
    """Cycles from a sample's last event into the last layer to the last beat of its packet, of an idle layer."""
    clock = engines.of(layer).clock(layer)
    clock.advance(events, events)
    return clock.answered() - events


def idle_limit_cycles(plan: CorePlan) -> int:
    """Cycles in which something must move on a stream of a core that does not hang: generously more than any step."""
    longest = sum(layer.longest_cycles for layer in plan.layers)
    tested = sum(memory.words for memory in plan.test_memories) + MAX_STEPS * longest if plan.test_memories else 0
    return 10_000 + 4 * (plan.inputs + longest + tested)


@dataclass(frozen=True, slots=True)
class Events:
    """How often a network spikes on some samples.

    Attributes:
        counts: for the input (0) and each layer, its spikes in each time step, all samples in a row.
        ends: of each step, whether it is its sample's last.
    """

    counts: Mapping[int, Sequence[int]]
    ends: Sequence[bool]

    def into(self, layer: Node) -> list[int]:
        """Events that come into a layer in each step; its own spikes a step later, unless the sample ended."""
        return [sum(step) for step in zip(*(self._along(link) for link in layer.links), strict=True)]

    def _along(self, link: Link) -> Sequence[int]:
        counts = self.counts[link.source]
        if link.slots:
            return [0] * len(counts)
        if not link.recurrent:
            return counts
        return [0, *(0 if end else count for count, end in zip(counts, self.ends, strict=True))][:-1]


def predict_cycles(plan: CorePlan, events: Events) -> list[int]:
    """Cycle in which the last layer ends each time step, the input never pausing and the output never stalling."""
    counts, incoming = events.counts, {layer.index: events.into(layer) for layer in plan.layers}
    clocks = {layer.index: engines.of(layer).clock(layer) for layer in plan.layers}
    # The links that every event takes from a source straight into its reader's list.
    direct = {source.index: [link for link in source.links if not link.fifo_words] for source in plan.sources}
    onward = {index: [link for link in links if not link.recurrent] for index, links in direct.items()}
    input_tick = plan.inputs  # the sweep after reset (scsr_axis_input.v)
    ends = []
    for step, is_sample_end in enumerate(events.ends):
        opens = {index: clock.list_opens() for index, clock in clocks.items()}
        input_tick = _emitted(direct.get(0, ()), input_tick + counts[0][step] + 1, counts[0][step], opens)
        ticks = {0: input_tick}
        for layer in plan.layers:
            clock = clocks[layer.index]
            arrival = max(clock.tick if link.recurrent else ticks[link.source] for link in layer.links)
            own = counts[layer.index][step] if layer.index in direct else 0
            # The first cycle in which every direct reader, but the layer itself, takes its spikes.
            taken_from = max((opens[link.consumer] for link in onward.get(layer.index, ())), default=0)
            clock.advance(arrival, incoming[layer.index][step], own, taken_from)
            ticks[layer.index] = clock.tick = _emitted(direct.get(layer.index, ()), clock.tick, own, opens)
        ends.append(clocks[plan.last.index].tick)
        if is_sample_end or plan.packets == "step":
            clocks[plan.last.index].send()
    return ends


def _emitted(direct: Iterable[Link], tick: int, events: int, opens: Mapping[int, int]) -> int:
    """When a source's TICK has left: not before every direct reader's list was open for its events."""
    return max([tick, *(opens[link.consumer] + events + 1 for link in direct)])
