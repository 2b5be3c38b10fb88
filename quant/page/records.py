"""What the page of a build is drawn from: records, each written by the command that knows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from quant.errors import ScsrError
from quant.files import check_size
from quant.readouts import Packets

PAGE = "index.html"
ESTIMATE = "reports/estimate.json"  # of `hwgen build`
SYNTHESIZED = "reports/synth.json"  # of `hwgen synth`: by target, a `Synthesized`
TRAINING_LINK = "reports/training.json"  # of `hwgen build` where the model lies beside the page of its training
_MAX_BYTES = 1 << 22

T = TypeVar("T")


class Resources(msgspec.Struct, frozen=True):
    """Look-up tables, flip-flops, block RAMs, multipliers and large RAMs, estimated or measured."""

    lut: float
    ff: float
    bram: float
    dsp: float
    spram: float = 0


class Memory(msgspec.Struct, frozen=True):
    """A memory inside a block: so many words of so many bits."""

    name: str
    words: int
    word_bits: int

    @property
    def bits(self) -> int:
        return self.words * self.word_bits


class Block(msgspec.Struct, frozen=True):
    """A part of a layer's hardware, in the order in which data goes through them.

    Attributes:
        lines: what is to be said of it, in few words each.
        copies: how many of it work at once.
        memories: that belong to it.
    """

    name: str
    lines: list[str]
    copies: int = 1
    memories: list[Memory] = []


class Link(msgspec.Struct, frozen=True):
    """A stream of events into a layer, from the input (0), a layer or itself; no words: no FIFO on it."""

    source: int
    consumer: int
    channels: int
    fifo_words: int
    fifo_word_bits: int

    @property
    def fifo(self) -> Memory:
        return Memory("skip FIFOs", self.fifo_words, self.fifo_word_bits)


class Layer(msgspec.Struct, frozen=True):
    """A layer in hardware.

    Attributes:
        folded: how far, in words.
        links: into it; the first block merges them.
        spikes: that leave it in a step, on the mean; None where nobody reads them.
    """

    index: int
    neurons: int
    folded: str
    links: list[Link]
    blocks: list[Block]
    spikes: float | None

    @property
    def memories(self) -> list[Memory]:
        return [*(item for block in self.blocks for item in block.memories), *(link.fifo for link in self.links)]


class Part(msgspec.Struct, frozen=True):
    """A part of the core, the events into it in a step, the cycles it takes for them, alone, and its estimated area;
    the read-out's is in its layer's."""

    name: str
    events: float | None
    cycles: float
    area: Resources | None


class Lift(msgspec.Struct, frozen=True):
    """Options of `hwgen build` that make the core faster: cycles per step and LUTs with them, as they are estimated."""

    options: str
    cycles: float
    lut: float


class Device(msgspec.Struct, frozen=True):
    """An FPGA, the area of the core there, and what there is."""

    target: str
    description: str
    bram_unit: str
    area: Resources
    capacity: Resources


class Estimate(msgspec.Struct, frozen=True):
    """What is known of a build before anything has been run.

    Attributes:
        rates: where the events come from, in words.
        cycles: predicted per time step, of the whole core.
        parts: the input, every layer and the read-out.
        slowest: the name of the one that takes longest.
        advice: what would lift it, in words; `lifts` has the options that do.
        left_out: layers that do not reach the read-out.
        devices: the first is the one that `parts` are estimated for.
        packets: what each of the core's packets is of.
    """

    top: str
    model: str
    digest: str
    generator: str
    inputs: int
    classes: int
    rates: str
    cycles: float
    parts: list[Part]
    slowest: str
    advice: str
    lifts: list[Lift]
    layers: list[Layer]
    left_out: list[int]
    devices: list[Device]
    packets: Packets = "sample"


class Activity(msgspec.Struct, frozen=True):
    """How often a layer (0: the input) spiked on the samples, and how many of its neurons never did."""

    layer: int
    neurons: int
    spikes: int
    silent: int


class Difference(msgspec.Struct, frozen=True):
    """How many spikes of a layer differ, and the first of them."""

    layer: int
    count: int
    sample: int
    step: int
    neuron: int
    hardware: int


class Histogram(msgspec.Struct, frozen=True):
    """Counts in bins of `width`, the first of which begins at `first`."""

    first: int
    width: int
    counts: list[int]


class Details(msgspec.Struct, frozen=True):
    """What `sim verify` found besides its figures."""

    activity: list[Activity]
    differences: list[Difference] = []
    latency_cycles: Histogram | None = None


class Verified(msgspec.Struct, frozen=True):
    """What `sim verify` found; of a core that stopped answering there are no figures."""

    equal: bool
    engine: str
    samples: int
    first_difference: str | None
    steps: int | None = None
    output_spikes: int | None = None
    mismatching_scores: int | None = None
    mismatching_classes: int | None = None
    mismatching_flags: int | None = None
    mismatching_spikes: int | None = None
    accuracy_rtl: float | None = None
    cycles_per_step_mean: float | None = None
    cycles_per_step_max: int | None = None
    latency_cycles_p50: float | None = None
    latency_cycles_p95: float | None = None
    latency_cycles_p99: float | None = None
    latency_cycles_max: float | None = None
    changed_files: list[str] = []
    details: Details | None = None


class Synthesized(msgspec.Struct, frozen=True):
    """A result of `hwgen synth`, whose fields `hwgen.fpga.synth.Result` explains."""

    device: str
    bram_unit: str
    lut: float
    ff: float
    bram: float
    dsp: float
    fmax_mhz: float | None
    fmax_all: list[float]
    capacity: Resources
    hierarchy: dict[str, Resources]
    spram: float = 0


class TrainingLink(msgspec.Struct, frozen=True):
    """The page of the training that a build's model comes from, by its path from the build folder."""

    page: str


def encode(record: Any) -> bytes:
    """A record as a file of JSON."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def read(path: Path, kind: type[T]) -> T | None:
    """The record in a file; None where there is none, or something else: a page goes without it."""
    try:
        check_size(path, _MAX_BYTES)
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, ValueError, RecursionError, ScsrError):
        return None
