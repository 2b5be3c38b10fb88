"""The results of a finished training run: figures, pictures and a page that shows them together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import torch

from quant import page
from quant.files import write_atomic
from quant.formats import IntArray
from quant.spikes import SpikeSet, Split
from trainer import config as configuration
from trainer import pictures
from trainer.config import Config
from trainer.data.batches import Batch, gather
from trainer.data.source import Traced, label_names
from trainer.evaluation import Evaluation, Quality, answer_of, evaluate
from trainer.loop import PHASES, Phase, Progress
from trainer.network import Network, Trace

METRICS, SUMMARY = "metrics.json", page.TRAINING
CURVES = "Learning curves"
CONFUSIONS, TRACES = "Confusions on the test set, in integers", "Target and output of test samples, in integers"
PICTURES = {
    CURVES: "curves.png",
    CONFUSIONS: "confusion.png",
    TRACES: "traces.png",
    "Spikes of one test sample": "raster.png",
    "Leaks and thresholds": "intrinsic.png",
}
NAMES = (METRICS, SUMMARY, *PICTURES.values())

_SHOWN = 3
_TEMPLATE = Path(__file__).with_name("summary.html.j2")


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the best network of each phase makes of one part of the data; `real` is None if none was trained so."""

    real: Evaluation | None
    quantized: Evaluation

    @property
    def of_phases(self) -> dict[Phase, Quality]:
        """The quality of every phase that there was."""
        real: dict[Phase, Quality] = {"float": self.real.quality} if self.real else {}
        return {**real, "quantized": self.quantized.quality}

    @property
    def qualities(self) -> dict[str, float]:
        """The accuracies, or the errors of a regression."""
        return {f"{one.name}_{phase}": one.value for phase, one in self.of_phases.items()}


def find(real: Network, quantized: Network, samples: SpikeSet) -> Found:
    """Run the networks on `samples`."""
    trained = real.config.train.epochs_float > 0
    found = evaluate(real, samples, quantized=False) if trained else None
    return Found(found, evaluate(quantized, samples, quantized=True))


def write(progress: Progress, networks: tuple[Network, Network], data: Mapping[Split, SpikeSet], out: Path) -> Found:
    """Write figures, pictures and page to `out`; the only place that looks at the test part. Returns what it saw."""
    parts = {"test": find(*networks, data["test"]), "validation": find(*networks, data["validation"])}
    config, test = progress.network.config, parts["test"]
    begun = Network(config)
    begun.load_state_dict(progress.begun, strict=False)
    drawn = {
        CURVES: pictures.curves(progress, test.of_phases),
        **_answers(networks[1], data["test"], test.quantized),
        "Spikes of one test sample": _raster(networks[1], data["test"]),
        "Leaks and thresholds": pictures.intrinsic(begun, networks[1]),
    }
    for title, picture in drawn.items():
        write_atomic(out / PICTURES[title], picture)
    write_atomic(out / METRICS, (json.dumps(_metrics(progress, networks[1], parts), indent=2) + "\n").encode())
    write_atomic(
        out / SUMMARY, _page(progress, out, {title: PICTURES[title] for title in drawn}, networks[1], parts).encode()
    )
    return test


def write_so_far(progress: Progress, out: Path) -> None:
    """Write the page of a run that goes on: what is known without a look at the test part."""
    write_atomic(out / PICTURES[CURVES], pictures.curves(progress))
    write_atomic(out / SUMMARY, _page(progress, out, {CURVES: PICTURES[CURVES]}).encode())


def _answers(network: Network, samples: SpikeSet, found: Evaluation) -> dict[str, bytes]:
    """The picture of the answers, with its title."""
    config = network.config
    if found.regression:
        answer = answer_of(network, *_run(network, samples, np.unique(found.labels, return_index=True)[1][:_SHOWN]))
        return {TRACES: pictures.traces(answer, label_names(config.data), f"{config.name}: error {found.quality}")}
    title = f"{config.name}: {found.quality} of {len(found.labels)} right"
    return {CONFUSIONS: pictures.confusion(found, config.data.classes, title)}


def _raster(network: Network, samples: SpikeSet) -> bytes:
    trace, batch = _run(network, samples, np.zeros(1, dtype=np.int64))
    data = network.config.data
    title = f"one sample of {'' if isinstance(data, Traced) else 'class '}{label_names(data)[int(batch.labels)]}"
    if not isinstance(data, Traced):
        title += f", taken for {data.classes[int(trace.scores[0].argmax())]}"
    return pictures.raster(trace, data.classes, title)


@torch.no_grad()
def _run(network: Network, samples: SpikeSet, chosen: IntArray) -> tuple[Trace, Batch]:
    batch = gather(samples, chosen)
    return network(batch.inputs, batch.steps, quantized=True), batch


def _metrics(progress: Progress, quantized: Network, parts: Mapping[str, Found]) -> dict[str, Any]:
    config = progress.network.config
    test = parts["test"]
    return {
        "name": config.name,
        "weight_bits": [layer.weight_bits for layer in config.network.layers],
        "state_bits": [layer.quantizer.state_bits for layer in quantized.layers],
        **test.qualities,
        "validation": parts["validation"].qualities,
        "test_samples": len(test.quantized.labels),
        "saturated": {part: found.quantized.saturated for part, found in parts.items()},
        "rates": [None if np.isnan(layer.rate) else layer.rate for layer in test.quantized.layers],
        "best_epoch": {phase: progress.best_epoch(phase).epoch for phase in progress.phases},
        "seconds": round(sum(epoch.seconds for epoch in progress.history), 3),
        "history": [asdict(epoch) for epoch in progress.history],
    }


def _page(
    progress: Progress,
    out: Path,
    shown: Mapping[str, str],
    quantized: Network | None = None,
    parts: Mapping[str, Found] | None = None,
) -> str:
    """The page: of a finished run with its best quantized network, and what either found on each part of the data."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True)
    environment.filters["percent"] = lambda fraction: f"{fraction:.2%}"
    config = progress.network.config
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        style=page.STYLE,
        builds=page.builds_of(out / SUMMARY),
        name=config.name,
        parts=parts,
        best={phase: progress.best_epoch(phase) for phase in progress.phases},
        epochs={phase: len(progress.of_phase(phase)) for phase in PHASES},
        seconds=round(sum(epoch.seconds for epoch in progress.history)),
        layers=_layers(config, quantized, parts["test"]) if quantized and parts else [],
        pictures=shown,
        config=json.dumps(configuration.to_table(config), indent=2),
    )


def _layers(config: Config, quantized: Network, test: Found) -> list[dict[str, Any]]:
    return [
        {
            "config": layer,
            "state_bits": module.quantizer.state_bits,
            "activity": activity,
            "rate": "" if np.isnan(activity.rate) else f"{activity.rate:.3f}",
        }
        for layer, module, activity in zip(config.network.layers, quantized.layers, test.quantized.layers, strict=True)
    ]
