"""The page of a build: drawn from records, whatever they hold; linked with the page of the training."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from models import random_model, tiny_model

from hwgen.core.build import make_build, write
from quant import page
from quant.errors import BuildError
from quant.manifest import differences, read_folder
from quant.page import diagram, records
from quant.page.links import BUILDS


@pytest.fixture
def core(tmp_path: Path) -> Path:
    write(make_build(tiny_model()), tmp_path / "core")
    return tmp_path / "core"


def _text(core: Path) -> str:
    return (core / page.PAGE).read_text(encoding="utf-8")


def test_the_page_needs_nothing_from_elsewhere(core: Path) -> None:
    text = _text(core)
    assert "Block diagram" in text
    assert not re.search(r"https?://|<script|<link|@import|url\(|src=", text)
    links = re.findall(r'href="([^"]+)"', text)
    assert links
    assert all((core / link).is_file() for link in links)


def test_the_page_says_what_a_packet_is_of(core: Path, tmp_path: Path) -> None:
    write(make_build(tiny_model(), packets="step"), tmp_path / "every")
    assert "class and status of each sample" in _text(core)
    assert "class and status of each step" in _text(tmp_path / "every")


def test_names_from_a_model_are_escaped(tmp_path: Path) -> None:
    write(make_build(replace(tiny_model(), name="<script>alert(1)</script>")), tmp_path / "core")
    text = _text(tmp_path / "core")
    assert "&lt;script&gt;alert(1)" in text
    assert "<script" not in text


@pytest.mark.parametrize("damaged", ["", "{}", "[" * 100_000, '{"equal": "<b>"}', "\xff"])
def test_a_damaged_record_takes_its_section_away_and_nothing_else(damaged: str, core: Path) -> None:
    before = _text(core)
    for path in ("reports/verify.json", records.SYNTHESIZED, records.TRAINING_LINK):
        (core / path).write_text(damaged, encoding="latin-1")
    page.update(core)
    shown = _text(core)
    assert "Verification" not in shown
    assert shown.split("<h2>Files")[0] == before.split("<h2>Files")[0]
    (core / records.ESTIMATE).write_text(damaged, encoding="latin-1")
    (core / page.PAGE).unlink()
    page.update(core)
    assert not (core / page.PAGE).exists()


def test_records_that_contradict_each_other_are_refused(core: Path) -> None:
    """Numbers and names anywhere in them replaced: a page, or an error of the user's kind."""
    whole = (core / records.ESTIMATE).read_text()
    rng, refused = np.random.default_rng(1), 0
    for _ in range(40):
        text = re.sub(
            r"\b\d+(\.\d+)?|\[\]|layer 1",
            lambda found: str(rng.choice(["0", "-1", "99999999", found.group()], p=[0.02, 0.01, 0.01, 0.96])),
            whole,
        )
        (core / records.ESTIMATE).write_text(text)
        try:
            page.update(core)
        except BuildError:
            refused += 1
    assert 0 < refused < 40


def test_what_later_commands_add_is_not_of_the_build(core: Path) -> None:
    for path in (page.PAGE, records.SYNTHESIZED, records.TRAINING_LINK):
        (core / path).write_text("later")
    assert not differences(core, read_folder(core).manifest.checksums)


@pytest.mark.parametrize("seed", range(20))
def test_a_diagram_shows_every_link_and_memory(seed: int) -> None:
    build = make_build(random_model(np.random.default_rng(seed)))
    estimate = msgspec.json.decode(build.files[records.ESTIMATE], type=records.Estimate)
    rails = diagram._rails(estimate.layers)
    links = [link for layer in build.plan.layers for link in layer.links]
    assert rails.keys() == {link.source for link in links}
    for width, columns in ((900, 5), (352, 2)):
        drawn = str(diagram.svg(estimate, width=width, columns=columns))
        assert drawn.count(">FIFO ") == sum(link.fifo_words > 0 for link in links)
        assert drawn.count(" channels<") + drawn.count("step later<") > 0
        for layer in build.plan.layers:
            assert f"layer {layer.index}:" in drawn
        assert drawn.count('class="memory"') == sum(link.fifo_words > 0 for link in links) + 4 * len(build.plan.layers)


def test_rails_that_share_a_place_do_not_meet() -> None:
    def layer(index: int, *sources: int) -> records.Layer:
        links = [records.Link(source, index, 4, 0, 0) for source in sources]
        return records.Layer(index, 4, "", links, [], None)

    rails = diagram._rails([layer(1, 0), layer(2, 1, 0), layer(3, 2), layer(4, 4, 3), layer(5, 4, 2)])
    assert rails[1] == rails[3] == 0  # one layer further, each
    assert len({rails[0], rails[1]}) == len({rails[0], rails[2]} | {rails[3]}) - 1 == 2
    assert rails[4] != rails[2]


def _run(folder: Path, text: str = f"<h1>run</h1>\n{BUILDS}\n") -> Path:
    folder.mkdir()
    (folder / page.TRAINING).write_text(text)
    return folder


def test_training_and_build_link_to_each_other_once(core: Path, tmp_path: Path) -> None:
    run = _run(tmp_path / "a <run> #1")
    for _ in range(2):
        page.link_training(core, run)
    links = re.findall(r'<p>Hardware .*<a href="(.*)">(.*)</a></p>', (run / page.TRAINING).read_text())
    assert links == [("../core/index.html", "../core")]
    assert 'href="../a%20%3Crun%3E%20%231/summary.html"' in _text(core)
    page.update(core)
    assert "How it was trained" in _text(core)
    (run / page.TRAINING).unlink()
    page.update(core)
    assert "How it was trained" not in _text(core)
    assert not differences(core, read_folder(core).manifest.checksums)


def test_links_are_kept_when_a_run_writes_its_page_anew(core: Path, tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    assert page.builds_of(run / page.TRAINING) == page.builds_of(tmp_path / "nowhere") == BUILDS
    page.link_training(core, run)
    before = (run / page.TRAINING).read_text()
    (run / page.TRAINING).write_text(f"<h1>run</h1>\n{page.builds_of(run / page.TRAINING)}\n")
    assert (run / page.TRAINING).read_text() == before
    assert "../core/index.html" in before


def test_a_page_that_may_not_be_read_is_no_error(core: Path, tmp_path: Path) -> None:
    (tmp_path / "run" / page.TRAINING).mkdir(parents=True)
    page.link_training(core, tmp_path / "run")
    assert not (core / records.TRAINING_LINK).exists()


def test_a_second_build_of_a_run_is_linked_too(core: Path, tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    write(make_build(tiny_model()), tmp_path / "other & more")
    page.link_training(core, run)
    page.link_training(tmp_path / "other & more", run)
    text = (run / page.TRAINING).read_text()
    assert re.findall('href="(.*)"', text) == ["../core/index.html", "../other%20%26%20more/index.html"]
    assert ">../other &amp; more<" in text


def test_a_page_of_somebody_else_is_left_alone(core: Path, tmp_path: Path) -> None:
    before = _text(core)
    page.link_training(core, _run(tmp_path / "theirs", "<h1>mine</h1>"))
    page.link_training(core, tmp_path / "nothing")
    assert (tmp_path / "theirs" / page.TRAINING).read_text() == "<h1>mine</h1>"
    assert _text(core) == before
    assert not (core / records.TRAINING_LINK).exists()


def test_a_run_that_may_only_be_read_is_linked_from_the_build(core: Path, tmp_path: Path, monkeypatch) -> None:
    run, rename = _run(tmp_path / "run"), os.replace

    def refused(source: Path, target: Path) -> None:
        if Path(target).parent == run:
            raise PermissionError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "replace", refused)
    page.link_training(core, run)
    assert "href" not in (run / page.TRAINING).read_text()
    assert "How it was trained" in _text(core)


@pytest.mark.parametrize("target", ["javascript:alert(1)", "https://example.org/", "nowhere.html", '" onclick="x'])
def test_a_link_leads_to_a_file_or_is_left_out(target: str, core: Path) -> None:
    (core / records.TRAINING_LINK).write_text(json.dumps({"page": target}))
    page.update(core)
    assert "How it was trained" not in _text(core)
    assert "onclick" not in _text(core)
