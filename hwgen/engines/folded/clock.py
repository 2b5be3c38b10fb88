"""The clock of a folded layer: a model of its pipeline, step by step. Its equations: docs/architecture.md."""

from __future__ import annotations

from hwgen.engines.folded.plan import FoldedLayer

COLLECT_CYCLES = 1  # the beat that closes a list
SWAP_CYCLES = 1  # in which the event lists change places
READOUT_STAGES = 3  # between a score's read and its write
_LONG_AGO = -(1 << 40)


def update_latency(layer: FoldedLayer) -> int:
    """Cycles from a neuron's sum to its spike: LATENCY of scsr_update.v."""
    return 2 + layer.guard_cycles + layer.neuron.cycles


def fetch_cycles(layer: FoldedLayer) -> int:
    """Cycles from an event in the list to the sums: list, its register, address, weight memory, its register, lanes;
    with slots, their look-up too."""
    return 5 + layer.ports + (layer.weights.banks > 1) + layer.guard_cycles + 2 * (layer.slots > 0)


def tail_cycles(layer: FoldedLayer) -> int:
    """The part of a layer's latency that does not depend on events: from list to lanes, last group, update."""
    return COLLECT_CYCLES + layer.slots + fetch_cycles(layer) + layer.last_words + update_latency(layer)


class FoldedClock:
    """When one layer's list closes, when its lanes are done, and when its TICK goes out, step after step."""

    def __init__(self, layer: FoldedLayer) -> None:
        # Properties of the layer, read once: a prediction takes many steps.
        self._layer = layer
        self._slots, self._fetch = layer.slots, fetch_cycles(layer)
        self._groups, self._group_words, self._last_words = layer.groups, layer.group_words, layer.last_words
        self._word_sizes = (  # words of so many neurons: full ones, the last of each group, the very last
            (layer.words - layer.groups, layer.units),
            (layer.groups - 1, layer.group_last_units),
            (1, layer.last_units),
        )
        self._latency = update_latency(layer)
        self._drains = layer.words <= self._latency or layer.neuron.count_bits > 0
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
        layer, walk = self._layer, max(-(-events // self._layer.ports), 1) + self._slots
        self._closed = max(arrival, self.list_opens() + events) + COLLECT_CYCLES
        # The first group: its list is complete, its lanes are free, and the update is done with the group before.
        walk_ends = self._loaded + SWAP_CYCLES + walk
        self._loaded = max(self._closed + self._slots + self._fetch, walk_ends, self._issued + self._last_words)
        drained = self._issued + self._last_words + self._latency if self._drains else 0
        first = layer.neurons // (spikes + 1) if spikes else self._groups * layer.lanes
        held_up, place = divmod(first, layer.lanes)
        release = taken_from - self._latency - place // layer.units
        self._issued = max(self._loaded, drained, self._sent, release if held_up == 0 else 0)
        self._first_issued = self._issued
        for group in range(1, self._groups):
            self._loaded = max(self._loaded + walk, self._issued + self._group_words)
            self._issued = max(self._loaded, release) if group == held_up else self._loaded
        self._walked = [self._walked[1], self._loaded - self._fetch]
        self.tick = self._issued + self._last_words + self._latency
        if layer.units > 1 and spikes:
            self._emit(spikes)

    def _emit(self, spikes: int) -> None:
        """Account for the step's own spikes, which leave one by one: a word with several holds up those behind it.

        A word of n neurons has none with probability (1 - spikes / neurons)^n.
        """
        rest = 1 - spikes / self._layer.neurons
        silent = sum(words * rest**neurons for words, neurons in self._word_sizes)
        late = self._first_issued + self._latency + round(silent + spikes) - self.tick
        if late > 0:
            self.tick += late
            self._issued += late

    def scores_sent(self) -> int:
        """When the packet's last beat could leave if the read-out had no stages."""
        layer = self._layer
        last_word = self._issued + layer.last_words + layer.units - 1
        return max(self._first_issued + layer.neurons, last_word) + self._latency + 1

    def answered(self) -> int:
        """When the packet's last beat leaves."""
        return self.scores_sent() + READOUT_STAGES

    def send(self) -> None:
        """Account for a sample's packet: the read-out takes a cycle for each score and one for the last beat."""
        layer = self._layer
        self._sent = self.scores_sent() - self._latency
        if layer.words <= READOUT_STAGES:  # the next step waits until the read-out is empty (scsr_readout.v)
            self._sent += READOUT_STAGES - 1
