"""Draws a build folder's page from the records that lie in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from quant.errors import BuildError
from quant.files import write_atomic
from quant.page import diagram, records

STYLE = Markup(Path(__file__).with_name("style.css").read_text(encoding="utf-8"))

_TEMPLATE = Path(__file__).with_name("build.html.j2")
_OWN_STYLE = Markup(Path(__file__).with_name("build.css").read_text(encoding="utf-8"))
_RECORDS = ("1_model.txt", "2_plan.txt", "manifest.json", records.ESTIMATE, "reports/plan.json")
_PRODUCTS = ("reports/verify.json", "reports/verify_cocotb.json", records.SYNTHESIZED)
_DIAGRAMS = ((900, 5), (352, 2))  # width and blocks beside each other: on a desk, on a phone
RESOURCES = {"lut": "LUT", "ff": "FF", "bram": "BRAM", "dsp": "DSP", "spram": "SPRAM"}


def update(folder: Path) -> None:
    """Draw the page of a build folder, in place of an earlier one; none for a build that left no record for it.

    Raises:
        BuildError: if the record was not written by a build.
    """
    estimate = records.read(folder / records.ESTIMATE, records.Estimate)
    if estimate is None:
        return
    try:
        text = _drawn(folder, estimate)
    except (ArithmeticError, LookupError, TypeError, ValueError, jinja2.TemplateError) as error:
        raise BuildError(
            f"{folder / records.ESTIMATE} does not fit the other records; build the folder again"
        ) from error
    write_atomic(folder / records.PAGE, text.encode())


def _drawn(folder: Path, estimate: records.Estimate) -> str:
    reports = [folder / path for path in _PRODUCTS[:2]] + sorted(folder.glob("synth/*/verify.json"))
    verified = {path.relative_to(folder).as_posix(): records.read(path, records.Verified) for path in reports}
    synthesized = records.read(folder / records.SYNTHESIZED, dict[str, records.Synthesized]) or {}
    training = records.read(folder / records.TRAINING_LINK, records.TrainingLink)
    linked = training is not None and (folder / training.page).is_file()
    memories = _memories(estimate)
    return _environment().from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        style=STYLE,
        own_style=_OWN_STYLE,
        estimate=estimate,
        diagrams=[diagram.svg(estimate, width=width, columns=columns) for width, columns in _DIAGRAMS],
        memories=memories,
        most_bits=max(sum(bits.values()) for bits in memories.values()),
        resources=_shown(estimate, synthesized),
        verified={path: found for path, found in verified.items() if found is not None},
        synthesized=synthesized,
        outer={target: _outermost(found.hierarchy) for target, found in synthesized.items()},
        training=quote(training.page) if training is not None and linked else None,
        files=[path for path in (*_RECORDS, *_PRODUCTS) if (folder / path).is_file()],
    )  # fmt: skip


def _memories(estimate: records.Estimate) -> dict[str, dict[str, int]]:
    """Bits by layer and kind of memory, every kind in every layer."""
    kinds = list(dict.fromkeys(item.name for layer in estimate.layers for item in layer.memories if item.bits))
    return {
        f"layer {layer.index}": {kind: sum(item.bits for item in layer.memories if item.name == kind) for kind in kinds}
        for layer in estimate.layers
    }


def _shown(estimate: records.Estimate, synthesized: Mapping[str, records.Synthesized]) -> dict[str, str]:
    """The resources that are of interest: large RAMs where some are taken."""
    taken = [device.area.spram for device in estimate.devices] + [found.spram for found in synthesized.values()]
    return {name: label for name, label in RESOURCES.items() if name != "spram" or any(taken)}


def _outermost(hierarchy: Mapping[str, records.Resources]) -> dict[str, float]:
    """The area of all modules together, those inside others left out."""
    modules = [area for path, area in hierarchy.items() if "." not in path]
    return {name: sum(getattr(area, name) for area in modules) for name in RESOURCES}


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["count"] = lambda value: f"{value:,.0f}"
    environment.filters["figure"] = lambda value: f"{value:,.0f}" if value >= 1000 else f"{round(value, 1):g}"
    environment.filters["percent"] = lambda share: f"{100 * share:.{0 if share >= 0.1 else 1}f}\u00a0%"
    return environment
