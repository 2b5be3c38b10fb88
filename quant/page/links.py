"""Links between the page of a training run and the pages of the builds of its model."""

from __future__ import annotations

import contextlib
import html
import os
import re
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from quant.files import write_atomic
from quant.page import records
from quant.page.render import update

TRAINING = "summary.html"  # beside the checkpoint that a training run leaves
BUILDS = Markup("<!-- builds -->")  # stands in that page where links to builds go


_LINK = re.compile(r"^<p>Hardware built from this network: .*</p>$", re.MULTILINE)


def builds_of(training: Path) -> Markup:
    """What the page of a run says about builds, to be kept when it is written anew; the marker alone at first."""
    return Markup("\n").join([*map(Markup, _LINK.findall(_text(training))), BUILDS])


def link_training(build: Path, folder: Path) -> None:
    """Link the page of a build and the training page in the folder of its model both ways, where there is one."""
    training = folder / TRAINING
    text = _text(training)
    if BUILDS not in text:
        return
    back = Path(os.path.relpath(training.resolve(), build.resolve())).as_posix()
    write_atomic(build / records.TRAINING_LINK, records.encode(records.TrainingLink(back)))
    update(build)
    there = Path(os.path.relpath(build.resolve() / records.PAGE, folder.resolve())).as_posix()
    name = html.escape(Path(there).parent.as_posix())
    line = f'<p>Hardware built from this network: <a href="{html.escape(quote(there))}">{name}</a></p>\n'
    if line not in text:
        with contextlib.suppress(OSError):  # a run that may only be read has no link to its builds
            write_atomic(training, text.replace(BUILDS, f"{line}{BUILDS}", 1).encode())


def _text(page: Path) -> str:
    """A page; empty where there is none, or it may not be read."""
    try:
        return page.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
