"""The path from a configuration to verified hardware as four calls, for notebooks and scripts:

import hwgen

run = hwgen.train("digits.toml", "runs/digits")
core = hwgen.build(run, "build/digits", hwgen.Request(target_step_us=3))
report = hwgen.verify(core, run.samples("test"))
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hwgen.core.build import write
from hwgen.core.request import Request, fulfil
from quant import export as checkpoints
from quant import foreign, page, spikes, store
from quant.calibration import calibrate
from quant.files import write_new
from quant.manifest import BuildFolder, open_folder
from quant.model import IntModel
from quant.readouts import Readout
from quant.spikes import SpikeSet, Split
from sim.verify import Stress, verify_and_record
from trainer import config as configuration
from trainer import distributed, results, tuning
from trainer import run as training
from trainer.checkpoint import State
from trainer.schema import placed


@dataclass(frozen=True, slots=True)
class Run:
    """A finished training run.

    Attributes:
        folder: where it lies.
        config: what was trained.
        accuracy_float, accuracy_quantized: on the test part, as fractions of 1; None of a regression, and the first
            also without a phase of real numbers.
    """

    folder: Path
    config: configuration.Config
    accuracy_float: float | None
    accuracy_quantized: float | None

    @property
    def checkpoint(self) -> Path:
        """The file of the trained network."""
        return self.folder / training.PRODUCT

    def samples(self, split: Split = "test") -> SpikeSet:
        """A part of the data that the run was trained with.

        Raises:
            DataError: if they are no longer where they were, or not as they were.
        """
        return self.config.data.load()[split]


def train(
    config: str | Path | Mapping[str, Any],
    out: str | Path,
    *,
    device: str = "cpu",
    threads: int = 1,
    finish: bool = False,
    report: Callable[[str], None] = print,
) -> Run:
    """Train, or go on with a run that was interrupted.

    Args:
        config: a TOML file, or its content as a table, whose paths begin at the current folder.
        out: the folder of the run.
        device: "cpu", "cuda", "cuda:1", ...
        threads: on the CPU; one repeats exactly.
        finish: train no further, take the best network so far.
        report: gets a line per epoch.

    Raises:
        ScsrError: as `trainer.run.train`.
    """
    if isinstance(config, Mapping):
        chosen = placed(configuration.from_table(config), Path.cwd())
    else:
        chosen = configuration.read(Path(config))
    return _run(chosen, Path(out), None, device, threads, finish, report)


def tune(
    network: Any,
    config: str | Path | Mapping[str, Any],
    out: str | Path,
    *,
    readout: Readout | None = None,
    device: str = "cpu",
    threads: int = 1,
    finish: bool = False,
    report: Callable[[str], None] = print,
) -> Run:
    """Train a network of snnTorch or SpikingJelly modules further, in the integers of the hardware.

    Args:
        network, readout: as of `convert`.
        config: data, training and widths (docs/foreign.md); the rest is as of `train`.

    Raises:
        ModelError: naming every module that cannot be built.
        ScsrError: as `trainer.run.train`.
    """
    real = foreign.lower(*foreign.of_modules(network, readout), "net").built()
    if isinstance(config, Mapping):
        chosen, first = tuning.begin(real, config)
        chosen = placed(chosen, Path.cwd())
    else:
        chosen, first = tuning.read(real, Path(config))
    return _run(chosen, Path(out), first, device, threads, finish, report)


def _run(
    config: configuration.Config,
    out: Path,
    first: State | None,
    device: str,
    threads: int,
    finish: bool,
    report: Callable[[str], None],
) -> Run:
    before = torch.get_num_threads()
    distributed.use_threads(threads)
    try:
        training.train(config, out, report, distributed.device_of(device), finish=finish, first=first)
    finally:
        torch.set_num_threads(before)
    metrics = json.loads((out / results.METRICS).read_text(encoding="utf-8"))
    return Run(out, config, metrics.get("accuracy_float"), metrics.get("accuracy_quantized"))


def export(model: Run | str | Path, out: str | Path | None = None) -> IntModel:
    """The integer model of a run, a checkpoint or a model file; with `out`, also written as a model file.

    Raises:
        ModelError: if the file breaks its format.
        ScsrError: if `out` holds something else.
    """
    found = checkpoints.load(_path(model))
    if out is not None:
        write_new(Path(out), store.to_bytes(found))
    return found


def convert(
    network: Any,
    samples: SpikeSet,
    *,
    readout: Readout | None = None,
    weight_bits: int | Sequence[int] = foreign.WEIGHT_BITS,
    leak_bits: int = foreign.LEAK_BITS,
    fraction_bits: int | None = None,
    state_bits: int | None = None,
    name: str = "net",
) -> IntModel:
    """The integers nearest to a network of snnTorch or SpikingJelly modules (docs/foreign.md).

    Args:
        network: a `torch.nn.Module` whose modules feed each other in the order in which they were registered.
        samples: typical input, by which the states get their widths.
        readout: how the last layer's steps become scores; None: by whether its neurons spike.
        weight_bits, leak_bits, fraction_bits, state_bits: see `quant.calibration.calibrate`; without fraction bits 4,
            as far as the weights allow.
        name: of the network.

    Raises:
        ModelError: naming every module that cannot be built.
        SpikeFileError: if the samples do not fit.
    """
    real = foreign.lower(*foreign.of_modules(network, readout), name).built()
    foreign.check_samples(real, samples)
    widths = foreign.widths(real, weight_bits, leak_bits, fraction_bits, state_bits)
    return calibrate(real, samples, **widths)


def build(model: Run | IntModel | str | Path, out: str | Path, request: Request | None = None) -> BuildFolder:
    """Build Verilog from a model; replaces an earlier build at `out`.

    Args:
        model: a run, an integer model, or the file of a checkpoint or a model.
        out: the build folder.
        request: options; None: the defaults.

    Raises:
        BuildError: if the request cannot be fulfilled, or `out` holds anything but a build.
        ModelError: if the file breaks its format.
        SpikeFileError: if the request's rates break their format or do not fit the model.
    """
    found = model if isinstance(model, IntModel) else checkpoints.load(_path(model))
    made, _ = fulfil(found, request or Request())
    write(made, Path(out))
    if not isinstance(model, IntModel):
        page.link_training(Path(out), _path(model).parent)
    return open_folder(Path(out))


def verify(
    build: BuildFolder | str | Path,
    samples: SpikeSet | str | Path,
    *,
    engine: str = "cpp",
    stall_percent: int = 0,
) -> Mapping[str, Any]:
    """Simulate a build on samples and compare every spike and score with the golden model.

    Args:
        build: a build folder.
        samples: spikes, or a spike file.
        engine: "cpp", the C++ harness, or "cocotb", the build's own test bench.
        stall_percent: how often source and sink pause, for "cpp".

    Returns:
        The report, as in `reports/verify.json`; `equal` says whether nothing differed and there were spikes. Of a core
        that breaks a rule of its streams it says that alone, as `first_difference`.

    Raises:
        ScsrError: as `sim.verify.verify`, but for such a core.
    """
    folder = build.path if isinstance(build, BuildFolder) else Path(build)
    given = samples if isinstance(samples, SpikeSet) else spikes.read(Path(samples))
    report, _ = verify_and_record(folder, given, engine=engine, stress=Stress(stall_percent=stall_percent))
    return report


def _path(model: Run | str | Path) -> Path:
    return model.checkpoint if isinstance(model, Run) else Path(model)
