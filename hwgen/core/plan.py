"""The plan of a core: its nodes, links, streams and memories, read by everything after it (made in planner.py)."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.core.neuron import NeuronPlan
from quant.formats import index_bits, unsigned_bits
from quant.manifest import Port
from quant.readouts import Packets

INPUT_FLAGS = 3  # of malformed beats (scsr_axis_input.v)
# Says where samples end in a core that gives a packet per step.
LAST_STEP = "last step of its sample"
# The status flags of a packet, from bit 16 of its last beat on (docs/streams.md).
STATUS = (
    "unknown channel",
    "repeated channel",
    "tlast on a SPIKE",
    "damaged memory",
    "ended by the watchdog",
    "self-test failed",
    LAST_STEP,
)
# How scsr_readout.v knows the read-outs of quant.readouts.
READOUTS = {"spike_count": 0, "membrane_sum": 0, "membrane_max": 1, "membrane_last": 2}
DIGEST_BITS = 256
VERSION_BITS = 24
MAX_VECTOR_BITS = 1 << 16  # the widest vector that IEEE 1364-2005 makes every tool accept
MEMORY_FOLDER = "mem/"  # inside the build folder
LOAD_BITS = 16  # width of the stream that weights are loaded from


def top_ports(*, loaded: bool, self_test: bool) -> tuple[Port, ...]:
    """The ports of a top module, in its order; those of `s_load` where weights are loaded."""
    load = (
        Port("s_load_tdata", "input", LOAD_BITS),
        Port("s_load_tvalid", "input", 1),
        Port("s_load_tready", "output", 1),
    )
    test = (
        Port("self_test_start", "input", 1),
        Port("self_test_running", "output", 1),
        Port("self_test_failed", "output", 1),
    )
    return (
        Port("aclk", "input", 1),
        Port("aresetn", "input", 1),
        Port("s_axis_tdata", "input", 16),
        Port("s_axis_tvalid", "input", 1),
        Port("s_axis_tready", "output", 1),
        Port("s_axis_tlast", "input", 1),
        *(load if loaded else ()),
        Port("m_axis_tdata", "output", 32),
        Port("m_axis_tvalid", "output", 1),
        Port("m_axis_tready", "input", 1),
        Port("m_axis_tlast", "output", 1),
        *(test if self_test else ()),
        # Constants that say what the core is: they take no logic, and nothing times or loads them.
        Port("model_digest", "output", DIGEST_BITS),
        Port("tool_version", "output", VERSION_BITS),
    )


@dataclass(frozen=True, slots=True)
class Safety:
    """What keeps a core from being wrong in silence (docs/safety.md).

    Attributes:
        code: of the memories with weights and parameters, one of `hwgen.core.codes.CODES`.
        watchdog_cycles: after so many without a beat in mid-sample the sample is ended; None: never.
        self_test: whether the core can test itself with a stored sample.
    """

    code: str = "none"
    watchdog_cycles: int | None = None
    self_test: bool = False

    @property
    def input_flags(self) -> int:
        """Status flags that come with the events: of malformed beats, and the watchdog's."""
        return INPUT_FLAGS + (self.watchdog_cycles is not None)


NO_SAFETY = Safety()


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory of `words` of `word_bits` bits in banks of `bank_words`, filled from files or loaded at run time.

    Attributes:
        prefix: of the banks' files in `MEMORY_FOLDER`; a number and an extension follow (scsr_banked_memory.v). The
            last file is filled up with zeros.
        loaded: whether the words come at run time instead (scsr_loader.v); then there are no files.
    """

    prefix: str
    words: int
    word_bits: int
    bank_words: int
    loaded: bool = False

    @property
    def banks(self) -> int:
        return -(-self.words // self.bank_words)

    @property
    def bank_address_bits(self) -> int:
        return index_bits(self.bank_words)

    @property
    def address_bits(self) -> int:
        return index_bits(self.words)

    @property
    def files(self) -> tuple[str, ...]:
        """One file for each bank, by its name in `MEMORY_FOLDER`."""
        return () if self.loaded else tuple(f"{self.prefix}_{bank:02}.hex" for bank in range(self.banks))

    @property
    def paths(self) -> tuple[str, ...]:
        """The same in the build folder."""
        return tuple(MEMORY_FOLDER + file for file in self.files)

    @property
    def slices(self) -> int:
        """Where loaded, the parts of a word that come one by one; else 1."""
        return -(-self.word_bits // LOAD_BITS) if self.loaded else 1

    @property
    def bits(self) -> int:
        return self.words * self.word_bits


@dataclass(frozen=True, slots=True)
class Link:
    """An event stream from `source` into layer `consumer`.

    Attributes:
        size: number of channels.
        fifo_words: depth of the FIFO on a skip link, a power of two; 0 for a direct link.
        branch: number of this link among those that leave its source.
        offset: first row of the consumer's weight memory that belongs to this link, as its engine lays it out.
        fan_in: the most weights other than 0 that a neuron has along it.
        slots: of a recurrent link without rows, the weights that every neuron has: the layer looks up the spikes that
            they are for (scsr_lookup.v). Else 0.
    """

    source: int
    consumer: int
    size: int
    fifo_words: int
    branch: int
    offset: int = 0
    fan_in: int = 0
    slots: int = 0

    @property
    def name(self) -> str:
        return f"link_{self.source}_{self.consumer}"

    @property
    def recurrent(self) -> bool:
        """Whether it feeds a layer's spikes back into itself, one step later."""
        return self.source == self.consumer

    @property
    def rows(self) -> int:
        """How many rows of the consumer's weight memory belong to it."""
        return 0 if self.slots else self.size

    @property
    def index_bits(self) -> int:
        return index_bits(self.size)

    @property
    def fifo_word_bits(self) -> int:
        """Width of an event: its index and whether it is a TICK."""
        return self.index_bits + 1

    @property
    def fifo_address_bits(self) -> int:
        return index_bits(self.fifo_words)


@dataclass(frozen=True, slots=True)
class Source:
    """What emits events: the input (index 0) or a layer, and the links that leave it.

    Attributes:
        tag_bits: width of the tag on its stream.
        tag_read: whether anybody reads the tag.
    """

    index: int
    name: str
    links: tuple[Link, ...]
    tag_bits: int
    tag_read: bool

    @property
    def index_bits(self) -> int:
        return self.links[0].index_bits

    @property
    def tag(self) -> str:
        """Name of the signal that carries the tag; lint tools let `unused` signals be."""
        return f"{'' if self.tag_read else 'unused_'}{self.name}_tag"

    @property
    def channel(self) -> str:
        """Name of the signal that carries the channel of an event."""
        return f"{'' if any(link.rows for link in self.links) else 'unused_'}{self.name}_index"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a layer stands in the core; the core decides it, and the layer's engine the rest.

    Attributes:
        index: of the layer, from 1.
        neurons: how many it has.
        links: into it, the one that must wait least first.
        tag_link: place among them of the one whose tag is handed on.
        tag_bits: width of the tag, {status flags, last step}.
        code: of the memories with weights and parameters (codes.py).
    """

    index: int
    neurons: int
    links: tuple[Link, ...]
    tag_link: int
    tag_bits: int
    code: str


@dataclass(frozen=True, slots=True)
class Node:
    """One layer in hardware as the rest of the core sees it; its engine's plan adds what is inside. Widths are in bits.

    Neurons leave it updated, word by word of at most `units`, in order, step after step.

    Attributes:
        units: neurons updated per cycle; they share a word of state and of parameter memory.
        neuron: what they compute.
    """

    place: Place
    units: int
    neuron: NeuronPlan

    @property
    def index(self) -> int:
        return self.place.index

    @property
    def neurons(self) -> int:
        return self.place.neurons

    @property
    def links(self) -> tuple[Link, ...]:
        return self.place.links

    @property
    def name(self) -> str:
        return f"layer_{self.index}"

    @property
    def words(self) -> int:
        """Words of at most `units` neurons in a step."""
        raise NotImplementedError

    @property
    def folded(self) -> str:
        """How far it is folded, in words."""
        raise NotImplementedError

    @property
    def memories(self) -> tuple[Memory, ...]:
        """The memories that are filled from files or loaded at run time."""
        raise NotImplementedError

    @property
    def check_bits(self) -> int:
        """Check bits in all of its memories."""
        raise NotImplementedError

    @property
    def longest_cycles(self) -> int:
        """Generously more cycles than any step takes."""
        raise NotImplementedError

    @property
    def loads(self) -> Memory | None:
        """The one that is loaded at run time, if any."""
        return next((memory for memory in self.memories if memory.loaded), None)

    @property
    def spiking(self) -> bool:
        return self.neuron.spiking

    @property
    def index_bits(self) -> int:
        return index_bits(self.neurons)

    @property
    def unit_bits(self) -> int:
        """Width of a neuron's place in its word."""
        return index_bits(self.units)

    @property
    def word_bits(self) -> int:
        return index_bits(self.words)

    @property
    def protected(self) -> bool:
        return self.place.code != "none"

    @property
    def state_memory_bits(self) -> int:
        return self.words * self.units * self.neuron.state_word_bits

    @property
    def reports(self) -> int:
        """A bit for each link, set where its TICKs say, if memories are protected, whether one is damaged."""
        return sum(1 << place for place, link in enumerate(self.links) if link.source and not link.recurrent)

    @property
    def marked_tag_bits(self) -> int:
        """Width of the tag inside the layer: where memories are protected, one bit more says that one is damaged."""
        return self.place.tag_bits + self.protected

    @property
    def rows(self) -> int:
        """Inputs of all links that have rows: the most events a step can have."""
        return sum(link.rows for link in self.links)

    @property
    def slots(self) -> int:
        """Recurrent weights that each neuron has beside its rows."""
        return sum(link.slots for link in self.links)

    @property
    def event_bits(self) -> int:
        """Width of the widest index that comes in."""
        return max(link.index_bits for link in self.links if link.rows)

    @property
    def ticked_at_reset(self) -> int:
        """A bit for each link, set where there is no TICK to wait for in the first step after reset."""
        return sum(1 << position for position, link in enumerate(self.links) if link.recurrent)


@dataclass(frozen=True, slots=True)
class CorePlan:
    """The whole core.

    Attributes:
        left_out: layers that do not reach the read-out.
        readout: how the last layer's values become scores, a key of `READOUTS`.
        packets: when the scores leave.
        test_memories: of the self-test, its sample's beats and the packet that must come out; empty without.
    """

    top: str
    inputs: int
    layers: tuple[Node, ...]
    sources: tuple[Source, ...]
    left_out: tuple[int, ...]
    readout: str
    packets: Packets = "sample"
    safety: Safety = NO_SAFETY
    test_memories: tuple[Memory, ...] = ()

    @property
    def wrappers(self) -> tuple[str, ...]:
        """What stands around the core, from the outside in: templates in `rtl_templates/wrappers`."""
        present = {
            "watchdog": self.safety.watchdog_cycles is not None,
            "self_test": self.safety.self_test,
            "load": bool(self.loaded),
        }
        return tuple(name for name, there in present.items() if there)

    @property
    def core(self) -> str:
        """Name of the core's own module: the top, or what the top wraps."""
        return f"{self.top}_core" if self.wrappers else self.top

    @property
    def ports(self) -> tuple[Port, ...]:
        """The ports of the top module, in its order."""
        return top_ports(loaded=bool(self.loaded), self_test=self.safety.self_test)

    @property
    def core_ports(self) -> tuple[Port, ...]:
        """The ports of the core's own module: of a wrapped one, streams, the watchdog's mark and memories to fill."""
        if not self.wrappers:
            return self.ports
        streams = list(top_ports(loaded=False, self_test=False)[:-2])
        inside = [Port("s_axis_tuser", "input", 1)] if self.safety.watchdog_cycles else []
        for layer in self.loaded:
            memory = layer.loads
            assert memory is not None
            inside.append(Port(f"{layer.name}_load_write", "input", memory.slices))
            inside.append(Port(f"{layer.name}_load_addr", "input", memory.address_bits))
        inside += [Port("s_load_tdata", "input", LOAD_BITS)] if self.loaded else []
        place = next(place for place, port in enumerate(streams) if port.name == "m_axis_tdata")
        return (*streams[:place], *inside, *streams[place:])

    @property
    def flag_bits(self) -> int:
        """Width of a tag with the input's flags of malformed beats and the last step."""
        return 1 + INPUT_FLAGS

    @property
    def status_bits(self) -> int:
        """Width of what the read-out gets as its tag: {status flags, last step}."""
        return self.flag_bits + 2 if self.safety.watchdog_cycles else self.last.marked_tag_bits

    @property
    def readout_mode(self) -> int:
        """MODE of scsr_readout.v."""
        return READOUTS[self.readout]

    @property
    def input_index_bits(self) -> int:
        return index_bits(self.inputs)

    @property
    def stamp_bits(self) -> int:
        """Width of the input's step stamps: more non-zero stamps than channels (scsr_axis_input.v)."""
        return unsigned_bits(self.inputs + 1)

    @property
    def watchdog_bits(self) -> int:
        """Width of the watchdog's counter."""
        return index_bits(self.safety.watchdog_cycles or 1)

    def source(self, index: int) -> Source | None:
        """What layer `index` (0: the input) emits; None where nobody reads its events."""
        return next((source for source in self.sources if source.index == index), None)

    @property
    def last(self) -> Node:
        return self.layers[-1]

    @property
    def loaded(self) -> tuple[Node, ...]:
        """The layers whose weights are loaded at run time, in the order of the stream."""
        return tuple(layer for layer in self.layers if layer.loads)

    @property
    def probe_bits(self) -> int:
        """Neurons that all layers together update per cycle."""
        return sum(layer.units for layer in self.layers)

    def probe_lsb(self, layer: Node) -> int:
        """A layer's first bit among those."""
        return sum(other.units for other in self.layers if other.index < layer.index)

    @property
    def memories(self) -> tuple[Memory, ...]:
        return (*(memory for layer in self.layers for memory in layer.memories), *self.test_memories)
