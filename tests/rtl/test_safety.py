"""Protected memories and the self-test: what damage does, and that it is reported exactly where it is done."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from marks import later
from models import Limits, random_folding, random_model, recurrent_model
from test_leaves import SIMULATORS

from bench.injection import DAMAGED, TEST_FAILED, TIMED_OUT, Flip, build_upset_harness, damaged, encode, simulate
from hwgen.core.build import make_build, write
from hwgen.core.codes import BLOCK_BITS
from hwgen.core.folding import Folding
from hwgen.core.plan import Memory, Safety
from hwgen.engines.folded.plan import FoldedLayer
from quant import golden, vectors
from quant.formats import IntArray
from quant.readouts import Packets
from sim.tb import runner, streams

pytestmark = [pytest.mark.rtl, pytest.mark.usefixtures("slots_everywhere")]


class Core:
    """A random network with active layers and some protection, compiled, and what it answers undamaged."""

    def __init__(self, folder: Path, seed: int, safety: Safety, packets: Packets = "sample") -> None:
        rng = np.random.default_rng(seed)
        while True:
            self.model = random_model(rng, Limits(layers=4, inputs=12, neurons=12))
            folding = random_folding(rng, self.model)
            self.samples = vectors.random_samples(self.model, 30, 4, 0.15, seed)
            self.answers = vectors.expected(self.model, self.samples)
            if len(self.model.layers) > 1 and len(np.unique(self.answers["scores"])) > 3:
                break
        folding = Folding(folding.lanes, folding.units, folding.ports)
        build = make_build(self.model, folding, "core", safety, packets=packets)
        self.packets = len(vectors.expected(self.model, self.samples, packets)["scores"])
        self.plan, self.folder, self.rng = build.plan, folder / "core", rng
        write(build, self.folder)
        self.program = runner.build_harness(self.folder, folder / "harness")

    def answer(self, *flips: Flip) -> streams.Packets:
        with damaged(self.folder, flips) as copy:
            return simulate(self.program, copy, encode(self.samples), self.packets)

    def memories(self) -> Iterator[tuple[FoldedLayer, Memory, int, int]]:
        """Each layer's memories, with the width of their data, and the check bits of a block."""
        for layer in self.plan.layers:
            yield layer, layer.weights, layer.lanes * layer.weight_bits, layer.weight_code.checks
            if layer.slot_weights:
                yield layer, layer.slot_weights, layer.lanes * layer.slot_bits, layer.slot_code.checks
            yield layer, layer.params, layer.param_word_bits, layer.param_code.checks

    def readers(self, layer: FoldedLayer, memory: Memory, word: int) -> IntArray:
        """Whether each sample reads a word: rows of weights where they have an event in some step, others always."""
        if memory != layer.weights:
            return np.ones(len(self.samples), dtype=bool)
        row = word % layer.rows
        link = next(link for link in layer.links if link.offset <= row < link.offset + link.rows)
        trace = golden.run(self.model, self.samples.dense(slice(0, len(self.samples))), self.samples.steps)
        spikes = trace.spikes[link.source][:, :, row - link.offset].astype(bool)
        if link.recurrent:  # those of a sample's last step go nowhere
            spikes = spikes & (np.arange(len(spikes))[:, None] < self.samples.steps - 1)
        return spikes.any(axis=0)


def place(memory: Memory, word: int, bit: int) -> Flip:
    return Flip(memory.paths[word // memory.bank_words], word % memory.bank_words, bit)


@pytest.fixture(scope="module")
def cores(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, str], Core]:
    return functools.cache(lambda seed, code: Core(tmp_path_factory.mktemp("core"), seed, Safety(code)))


SEEDS = [0, *later(1), 2]  # the core of seed 1 is large
CODES = "parity", "secded"


@pytest.mark.parametrize("code", [*later("parity"), "secded"])
@pytest.mark.parametrize("seed", SEEDS)
def test_damage_is_told_in_the_samples_that_read_it_and_in_no_other(
    cores: Callable[[int, str], Core], seed: int, code: str
) -> None:
    """Damaged check bits leave the data as they are, so that the golden model says who reads the word."""
    core = cores(seed, code)
    unread = 0
    for layer, memory, width, checks in core.memories():
        for word in {0, memory.words - 1, int(core.rng.integers(memory.words))}:
            first = width + int(core.rng.integers(-(-width // BLOCK_BITS))) * checks
            flips = [place(memory, word, first + check) for check in range(min(2, checks))]
            found = core.answer(*flips)
            readers = core.readers(layer, memory, word)
            assert (found.flags == DAMAGED * readers).all(), (layer.name, memory.prefix, word)
            assert (found.scores == core.answers["scores"]).all()
            unread += not readers.all()
    assert unread > 0
    assert seed or core.plan.layers[1].slot_weights


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_not_told_is_right(cores: Callable[[int, str], Core], seed: int, code: str) -> None:
    """Flipped data, an odd number of bits for parity, two for SECDED."""
    core = cores(seed, code)
    changed = 0
    for _ in range(20):
        memories = list(core.memories())
        _, memory, width, checks = memories[core.rng.integers(len(memories))]
        block = int(core.rng.integers(-(-width // BLOCK_BITS))) * BLOCK_BITS
        bits = core.rng.permutation(np.arange(block, min(width, block + BLOCK_BITS)))[: 1 if checks == 1 else 2]
        if checks > 1 and len(bits) < 2:
            continue
        word = int(core.rng.integers(memory.words))
        found = core.answer(*(place(memory, word, int(bit)) for bit in bits))
        wrong = (found.scores != core.answers["scores"]).any(axis=1)
        assert (found.flags[wrong] == DAMAGED).all()
        changed += int(wrong.sum())
    assert changed > 0


@pytest.mark.parametrize("seed", [2, *later(4, 8)])  # networks on which flips matter
def test_bits_that_flip_while_the_core_runs_are_told(
    cores: Callable[[int, str], Core], seed: int, tmp_path: Path
) -> None:
    core = cores(seed, "parity")
    program = build_upset_harness(core.folder, tmp_path, "rom")
    bits = sum(memory.bits for memory in core.plan.memories)
    beats = encode(core.samples)
    with damaged(core.folder) as copy:
        sound = simulate(program, copy, beats, len(core.samples))
    assert (sound.scores == core.answers["scores"]).all()
    assert not sound.flags.any()
    with damaged(core.folder, upset_period=150 * bits) as copy:  # one in 150 cycles
        found = simulate(program, copy, beats, len(core.samples))
    told = found.flags == DAMAGED
    assert not told[0]  # the bits flip while it runs, not before
    assert told.any()
    assert (found.scores != core.answers["scores"]).any()
    assert (found.scores[~told] == core.answers["scores"][~told]).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_secded_corrects_a_bit_in_every_block_of_every_word(cores: Callable[[int, str], Core], seed: int) -> None:
    core = cores(seed, "secded")
    for _ in range(3):
        flips = []
        for _, memory, width, checks in core.memories():
            for word in range(memory.words):
                for block in range(-(-width // BLOCK_BITS)):
                    data = range(block * BLOCK_BITS, min(width, (block + 1) * BLOCK_BITS))
                    bits = [*data, *range(width + block * checks, width + (block + 1) * checks)]
                    flips.append(place(memory, word, int(core.rng.choice(bits))))
        found = core.answer(*flips)
        assert (found.scores == core.answers["scores"]).all()
        assert (found.classes == core.answers["classes"]).all()
        assert not found.flags.any()


@pytest.mark.check
def test_a_packet_per_step_has_the_damage_up_to_its_step(tmp_path: Path) -> None:
    (tmp_path / "every").mkdir()
    whole, every = Core(tmp_path, 1, Safety("parity")), Core(tmp_path / "every", 1, Safety("parity"), "step")
    last = np.cumsum(every.samples.steps) - 1
    later = 0
    for _, memory, width, _ in whole.memories():
        flip = place(memory, int(whole.rng.integers(memory.words)), width)  # a check bit
        found, told = every.answer(flip), whole.answer(flip).flags
        assert (found.flags[last] == told | streams.LAST_STEP).all()
        assert (found.scores[last] == every.answers["scores"]).all()
        for end, steps, flags in zip(last, every.samples.steps, told, strict=True):
            sample = found.flags[end - steps + 1 : end]
            assert (np.diff(sample) >= 0).all()
            assert set(sample) <= {0, flags}
            later += flags > 0 and 0 in sample
    assert later > 0


def test_the_self_test_finds_damage_and_says_so_in_every_packet(tmp_path: Path) -> None:
    core = Core(tmp_path, 5, Safety(self_test=True))
    sound = core.answer()
    assert (sound.scores == core.answers["scores"]).all()
    assert not sound.flags.any()
    told = 0
    for layer in core.plan.layers:
        for bit in range(layer.units * layer.neuron.param_bits):
            found = core.answer(place(layer.params, 0, bit))
            assert set(found.flags) in ({0}, {TEST_FAILED})
            told += TEST_FAILED in found.flags
    assert told > 0
    beats = core.plan.test_memories[0]
    assert (core.answer(place(core.plan.test_memories[1], 0, 0)).flags == TEST_FAILED).all()
    assert (core.answer(place(beats, beats.words - 1, 3)).flags == 0).all()  # a TICK's low bits have no meaning


@pytest.mark.parametrize("packets", get_args(Packets))
@pytest.mark.parametrize("simulator", SIMULATORS)
def test_a_source_that_stops_and_tests_between_samples(simulator: str, packets: Packets, tmp_path: Path) -> None:
    model, folder = recurrent_model(), tmp_path / "core"
    safety = Safety("secded", watchdog_cycles=60, self_test=True)
    write(make_build(model, safety=safety, packets=packets), folder)
    samples = vectors.random_samples(model, 7, 6, 0.6, seed=3)
    (tmp_path / "vectors.npz").write_bytes(vectors.to_bytes(samples, vectors.expected(model, samples, packets)))
    manifest = runner.read_manifest(folder)
    tests, failures, log = runner.run_bench(
        sources=[folder / name for name in (*manifest["sources"], manifest["probe"])],
        top=f"{manifest['top']}_probe",
        parameters={},
        bench=Path(__file__).parent / "safety_bench.py",
        work=tmp_path / "work",
        cwd=folder,
        variables={
            "SCSR_VECTORS": str(tmp_path / "vectors.npz"),
            "SCSR_LAYERS": json.dumps(manifest["layers"]),
            "SCSR_RESULTS": str(tmp_path),
            "SCSR_SEED": "1",
            "SCSR_PACKETS": packets,
            "SCSR_IDLE_LIMIT": str(manifest["idle_limit_cycles"]),
            "SCSR_LOAD": "",
            "SCSR_TIMED_OUT": str(TIMED_OUT),
        },
        simulator=simulator,
    )
    assert tests == 1
    assert not failures, log.read_text()[-3000:]
