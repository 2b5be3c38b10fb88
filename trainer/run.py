"""A training run in its folder: start, resume, finish. From its first epoch on, the folder holds the best network."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import cast

import torch
from tqdm import tqdm

from quant import export
from quant.errors import ConfigError, ModelError
from quant.files import check_folder
from quant.spikes import SpikeSet, Split
from trainer import checkpoint, loop, results
from trainer import config as configuration
from trainer.board import Board
from trainer.checkpoint import State
from trainer.config import Config
from trainer.data.source import label_names
from trainer.distributed import joined
from trainer.evaluation import Quality, evaluate
from trainer.loop import PHASES, Epoch, Phase, Progress
from trainer.network import Network

CPU = torch.device("cpu")
PRODUCT, LAST, BOARD = "ckpt.pt", "last.pt", "tensorboard"
_NUMBERS = ("real numbers", "integers")
_MANY = 0.25  # of a layer's neurons that are silent
_PAGE_SHARE = 20  # while training goes on, the page takes at most such a part of the time


def train(
    config: Config,
    out: Path,
    report: Callable[[str], None] = print,
    device: torch.device = CPU,
    *,
    finish: bool = False,
    phases: Sequence[Phase] = PHASES,
    first: State | None = None,
    tasks: Sequence[SpikeSet] = (),
) -> None:
    """Train `config` in the folder `out`: from the start, or from where an earlier call was interrupted.

    With `finish`, no further epoch is trained: the best network so far is the product. With the float phase alone as
    `phases`, the run ends there, unfinished. `first` is the state of a network to begin with, `tasks` are the
    validation parts of all tasks that it learns (trainer/tasks.py).

    Under `torchrun`, every process calls this; the first one reports and writes.

    Raises:
        ConfigError: if the folder belongs to another configuration, or there is nothing to finish.
        DataError: if the data set is missing.
        DivergenceError: if numbers are no longer finite; the last good epoch can still be resumed from.
    """
    if config.train.tasks:
        raise ConfigError("train.tasks: only `python -m trainer train` learns several tasks; take them out here")
    if config.network.imported and first is None:
        raise ConfigError("network.imported: only `python -m trainer tune` sets it; leave it out")
    with joined(device) as leads:
        report = report if leads else lambda text: None  # every process but the first keeps silent
        if is_finished(config, out):
            report(f"{out / PRODUCT}: this training run is finished; nothing to do")
            return
        progress = _progress(config, out, device, first)
        if progress.history:
            report(f"{out / LAST}: resuming after epoch {progress.history[-1].epoch} ({progress.history[-1].phase})")
        elif finish:
            raise ConfigError(f"{out}: no epoch is complete, so there is nothing to finish; train without --finish")
        data = config.data.load()
        _check_labels(config, data)
        if config.network.imported and not progress.history:
            begins = [evaluate(progress.network, data["validation"], quantized=one).quality for one in (False, True)]
            found = ", ".join(f"{one.value:.4f} in {what}" for one, what in zip(begins, _NUMBERS, strict=True))
            report(f"before tuning: validation {begins[0].name} {found}")

        if finish:
            if leads:
                _finish(progress, data, out, report)
            return
        if not leads:
            loop.train(progress, data, lambda batches, total: batches, lambda _: None, phases, tasks)
            return
        page_due = 0.0

        def after_epoch(epoch: Epoch) -> None:
            nonlocal page_due
            best = write_progress(progress, out)
            board.add(epoch)
            if progress.best_epoch(epoch.phase) is epoch:
                checkpoint.write(out / PRODUCT, best)
                began = time.monotonic()
                if began >= page_due:
                    results.write_so_far(progress, out)
                    page_due = time.monotonic() + _PAGE_SHARE * (time.monotonic() - began)
            report(describe(epoch))

        bar = functools.partial(tqdm, leave=False, disable=not sys.stderr.isatty())
        with closing(Board(out / BOARD, len(progress.history))) as board:
            loop.train(progress, data, lambda batches, total: bar(batches, total=total), after_epoch, phases, tasks)
        if phases == PHASES:
            _finish(progress, data, out, report)


def branch(source: Path, config: Config, out: Path) -> None:
    """Let `out` hold the progress of the run in `source`, whose float phase is over, as that of another configuration.

    The configurations may differ in what only the quantized phase depends on: widths, its seed, its epochs.
    """
    write_progress(Progress.from_state(config, cast(State, export.unpickle(source / LAST)), CPU), out)


def is_finished(config: Config, out: Path) -> bool:
    """Whether `out` already contains the trained network of this configuration.

    Raises:
        ScsrError: if it is a file, holds the product of another one, or files of the same names that are nobody's.
    """
    check_folder(out)
    path = out / PRODUCT
    if path.exists():
        content = export.read_checkpoint(path)
        _refuse_other(config, checkpoint.config_of(content, path), path)
        if content["finished"]:
            return True
    for name in (PRODUCT, *results.NAMES):
        if (out / name).exists() and not (out / LAST).exists():
            raise ConfigError(f"{out / name} exists, but no {LAST} to say what it belongs to; give another --out")
    return False


def describe(epoch: Epoch) -> str:
    """One line about an epoch."""
    return (
        f"{epoch.phase:9} epoch {epoch.epoch:3}   "
        f"train: {_said(epoch.loss_train, epoch.train)}   "
        f"validation: {_said(epoch.loss_validation, epoch.validation)}   "
        f"{epoch.seconds:.1f} s"
    )


def _said(loss: float, found: Quality) -> str:
    return ("" if found.name == "error" else f"loss {loss:.4f}, ") + f"{found.name} {found.value:.4f}"


def best_epoch(out: Path, phase: Phase) -> Epoch:
    """The best epoch of a phase, as far as the run in `out` has come."""
    return restored(out).best_epoch(phase)


def restored(out: Path) -> Progress:
    """The run in `out`, as far as it has come."""
    return _resumed(out / LAST, CPU)


def write_progress(progress: Progress, out: Path) -> State:
    """Write what `train` resumes from; returns the product so far, which is a part of it."""
    config = configuration.to_table(progress.network.config)
    best = checkpoint.product(_best_networks(progress)[1], progress.best_state("float"), finished=False)
    content = {"format": export.PROGRESS_FORMAT, "config": config, **progress.to_state(), "product": best}
    checkpoint.write(out / LAST, content)
    return best


def _progress(config: Config, out: Path, device: torch.device, first: State | None) -> Progress:
    if not (out / LAST).exists():
        return loop.start(config, device=device, first=first)
    return _resumed(out / LAST, device, config)


def _resumed(path: Path, device: torch.device, config: Config | None = None) -> Progress:
    """What `write_progress` wrote, with the configuration in it, or with `config`, which must mean the same."""
    content = export.unpickle(path)
    if not isinstance(content, dict) or content.get("format") != export.PROGRESS_FORMAT:
        raise ModelError(f"{path}: not the progress of a training run; give another --out")
    found = checkpoint.config_of(content, path)
    if config is not None:
        _refuse_other(config, found, path)
    try:
        return Progress.from_state(config or found, content, device)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ModelError(f"{path}: cannot be resumed from ({error!r}); remove it to start again") from None


def _refuse_other(config: Config, found: Config, path: Path) -> None:
    if (key := configuration.difference(found, config)) is not None:
        problem = f"comes from another configuration, {key} differs"
        raise ConfigError(f"{path} {problem}; give another --out, or remove the folder")


def _check_labels(config: Config, data: Mapping[Split, SpikeSet]) -> None:
    classes = len(label_names(config.data))
    for split, samples in data.items():
        assert samples.channels == config.data.channels, f"{split}: the source disagrees with itself on its channels"
        assert 0 <= samples.label.min() <= samples.label.max() < classes, f"{split}: a label is out of range"


def _best_networks(progress: Progress) -> tuple[Network, Network]:
    """The best network of either phase, on the CPU; before the quantized phase, the best float one, quantized."""
    config = progress.network.config
    networks = Network(config), Network(config)
    for network, phase in zip(networks, PHASES, strict=True):
        network.load_state_dict(progress.best_state(phase))
    if "quantized" not in progress.best:
        networks[1].fit_scales()
    return networks


def _fit_states(network: Network, samples: SpikeSet) -> None:
    """Narrow the states of the layers that ask for it to what `samples` need."""
    chosen = [layer.fit_states for layer in network.config.network.layers]
    if not any(chosen):
        return
    activity = evaluate(network, samples, quantized=True).layers
    for layer, fits, states in zip(network.layers, chosen, activity, strict=True):
        if fits:
            layer.quantizer.fit_states(layer.numbers(quantized=True), int(states.largest))


def _finish(progress: Progress, data: Mapping[Split, SpikeSet], out: Path, report: Callable[[str], None]) -> None:
    """Write the product. The test split is looked at here, once, after every choice has been made on validation."""
    networks = _best_networks(progress)
    _fit_states(networks[1], data["train"])
    test = results.write(progress, networks, data, out)
    # Last, because its presence says that the run is finished.
    checkpoint.write(out / PRODUCT, checkpoint.product(networks[1], progress.best_state("float"), finished=True))
    layers = zip(progress.network.config.network.layers, test.quantized.layers, strict=True)
    for index, (layer, activity) in enumerate(layers, start=1):
        if activity.silent > _MANY * layer.neurons:
            report(
                f"note: {activity.silent} of {layer.neurons} neurons of layer {index} never spiked on the test "
                "samples; a larger network.weight_gain, a lower network.threshold or, in hidden layers, train.activity "
                "keep more of them"
            )
    found = ", ".join(f"{one.value:.4f} {phase}" for phase, one in test.of_phases.items())
    report(f"test {test.quantized.quality.name}: {found}")
    if test.quantized.saturated:
        report(
            f"warning: {test.quantized.saturated} states stood at a bound of their range; see {out / results.SUMMARY}"
        )
    report(f"{out / PRODUCT} written; {out / results.SUMMARY} shows the run")
