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
from quant.spikes import SpikeSet, Split
from trainer import config as configuration
from trainer import pictures
from trainer.config import Config
from trainer.data.batches import gather
from trainer.evaluation import Evaluation, evaluate
from trainer.loop import PHASES, Progress
from trainer.network import Network

METRICS, SUMMARY = "metrics.json", page.TRAINING
PICTURES = {
    "Learning curves": "curves.png",
    "Confusions on the test set, in integers": "confusion.png",
    "Spikes of one test sample": "raster.png",
    "Leaks and thresholds": "intrinsic.png",
}
NAMES = (METRICS, SUMMARY, *PICTURES.values())

_TEMPLATE = Path(__file__).with_name("summary.html.j2")


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the best network of each phase makes of one part of the data."""

    real: Evaluation
    quantized: Evaluation

    @property
    def accuracies(self) -> dict[str, float]:
        return {"accuracy_float": self.real.accuracy, "accuracy_quantized": self.quantized.accuracy}


def find(real: Network, quantized: Network, samples: SpikeSet) -> Found:
    """Run both networks on `samples`."""
    return Found(evaluate(real, samples, quantized=False), evaluate(quantized, samples, quantized=True))


def write(progress: Progress, networks: tuple[Network, Network], data: Mapping[Split, SpikeSet], out: Path) -> Found:
    """Write figures, pictures and page to `out`; the only place that looks at the test part. Returns what it saw."""
    parts = {"test": find(*networks, data["test"]), "validation": find(*networks, data["validation"])}
    config, test = progress.network.config, parts["test"]
    classes = config.data.classes
    title = f"{config.name}: {test.quantized.accuracy:.2%} of {len(test.quantized.labels)} right"
    drawn = (
        pictures.curves(progress, test.accuracies),
        pictures.confusion(test.quantized, classes, title),
        _raster(networks[1], data["test"], classes),
        pictures.intrinsic(Network(config), networks[1]),
    )
    for name, picture in zip(PICTURES.values(), drawn, strict=True):
        write_atomic(out / name, picture)
    write_atomic(out / METRICS, (json.dumps(_metrics(progress, networks[1], parts), indent=2) + "\n").encode())
    write_atomic(out / SUMMARY, _page(progress, out, PICTURES, networks[1], parts).encode())
    return test


def write_so_far(progress: Progress, out: Path) -> None:
    """Write the page of a run that goes on: what is known without a look at the test part."""
    curves = next(iter(PICTURES.items()))
    write_atomic(out / curves[1], pictures.curves(progress, {}))
    write_atomic(out / SUMMARY, _page(progress, out, dict([curves])).encode())


def _raster(network: Network, samples: SpikeSet, classes: tuple[str, ...]) -> bytes:
    batch = gather(samples, np.zeros(1, dtype=np.int64))
    with torch.no_grad():
        trace = network(batch.inputs, batch.steps, quantized=True)
    return pictures.raster(trace, classes, int(batch.labels))


def _metrics(progress: Progress, quantized: Network, parts: Mapping[str, Found]) -> dict[str, Any]:
    config = progress.network.config
    test = parts["test"]
    return {
        "name": config.name,
        "weight_bits": [layer.weight_bits for layer in config.network.layers],
        "state_bits": [layer.quantizer.state_bits for layer in quantized.layers],
        **test.accuracies,
        "validation": parts["validation"].accuracies,
        "test_samples": len(test.real.labels),
        "saturated": {part: found.quantized.saturated for part, found in parts.items()},
        "rates": [layer.rate for layer in test.quantized.layers],
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
