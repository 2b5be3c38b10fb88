"""The pages in a real browser: nothing cut, nothing pale, nothing loaded from elsewhere, on a desk and on a phone."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import Limits, dense_layer, random_model, recurrent_model, tiny_model

from hwgen.__main__ import main
from hwgen.core.build import make_build, write
from hwgen.core.folding import Folding
from hwgen.fpga import targets
from quant import page, spikes, vectors
from quant.model import IntModel
from quant.page import records

MISSING = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
MISSING += [] if importlib.util.find_spec("selenium") else ["selenium"]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"no browser to look at pages with: {', '.join(MISSING)} missing")

OPTIONS = (
    "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update "
    "disable-sync hide-scrollbars"
)
SECTIONS = ["Block diagram", "Cycles", "Area", "Files"]

# How many texts the page shows, and what is wrong: those that are cut, leave their box, or are pale.
LOOK = """
const lit = c => c.map(v => v <= 10.31 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
const lum = c => { const [r, g, b] = lit(c); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const rgb = text => { const m = text.match(/[\\d.]+/g).map(Number); return m.length > 3 && m[3] === 0 ? null : m; };
const inside = (x, y, b) => b.left <= x && x <= b.right && b.top <= y && y <= b.bottom;
function behind(element) {
  for (let at = element; at; at = at.parentElement) {
    const colour = rgb(getComputedStyle(at).backgroundColor);
    if (colour) return colour;
  }
  return [255, 255, 255];
}
const wrong = [];
let seen = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const text = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
  const range = document.createRange();
  range.selectNodeContents(walker.currentNode);
  const box = range.getBoundingClientRect();
  if (!text || !box.width || element.closest("style, script, title")) continue;
  seen += 1;
  const style = getComputedStyle(element), drawing = element.closest("svg");
  let ink = rgb(style.color), paper = behind(element);
  if (drawing) {
    ink = rgb(style.fill);
    const boxes = [...drawing.querySelectorAll("rect")].filter(one =>
      rgb(getComputedStyle(one).fill) && inside(box.left + 1, (box.top + box.bottom) / 2, one.getBoundingClientRect()));
    const within = boxes.length ? boxes[boxes.length - 1] : drawing, frame = within.getBoundingClientRect();
    if (boxes.length) paper = rgb(getComputedStyle(within).fill);
    if (box.right > frame.right - 2 || box.top < frame.top || box.bottom > frame.bottom + 1) wrong.push("cut: " + text);
  } else if (!element.closest(".wide, pre") && (box.right > innerWidth || box.left < 0)) wrong.push("cut: " + text);
  const [high, low] = [lum(ink), lum(paper)].sort((a, b) => b - a);
  if ((high + 0.05) / (low + 0.05) < 4.5) wrong.push("pale: " + text);
}
if (document.documentElement.scrollWidth > innerWidth) wrong.push("the page is wider than the window");
return [seen, wrong];
"""


class Browser:
    """Chromium without a window."""

    def __init__(self, profile: Path) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for option in (*OPTIONS.split(), f"user-data-dir={profile}"):
            options.add_argument(f"--{option}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver: Any = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))

    def look(self, path: Path, width: int, scheme: str) -> tuple[int, list[str]]:
        """Open a page; how many texts it shows, and what is wrong with them and with the page."""
        command = self.driver.execute_cdp_cmd
        command("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        command("Emulation.setDeviceMetricsOverride", screen)
        self.driver.get(path.as_uri())
        seen, wrong = self.driver.execute_script(LOOK)
        wrong += [entry["message"] for entry in self.driver.get_log("browser")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            asked = message["params"] if message["method"] == "Network.requestWillBeSent" else {}
            url = asked.get("request", {}).get("url", "")
            if asked.get("documentURL") == path.as_uri() and not url.startswith("file://"):  # the browser has its own
                wrong.append(f"asks for {url}")
        return seen, wrong

    def headings(self) -> list[str]:
        return [one.text for one in self.driver.find_elements("css selector", "h2")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.driver.quit()


def _everywhere(browser: Browser, path: Path, least: int) -> None:
    for width in (1200, 400):
        for scheme in ("light", "dark"):
            seen, wrong = browser.look(path, width, scheme)
            assert wrong == [], (width, scheme)
            assert seen >= least


def _skips() -> IntModel:
    """Five layers that read each other across, with the widest numbers that texts must have room for."""
    rng = np.random.default_rng(2)
    sizes, sources = (1100, 300, 200, 90, 70, 1010), ((0,), (1, 0), (2, 1, 0), (3, 1), (4, 2, 0, 5))
    layers = []
    for size, read in zip(sizes[1:], sources, strict=True):
        weights = {source: rng.integers(-8, 8, (size, sizes[source]), dtype=np.int32) for source in read}
        layers.append(dense_layer(weights, np.full(size, 200), np.full(size, 9), (4, 8, 24), "late_subtract"))
    return IntModel("<b>skips</b> & more", (1100,), tuple(layers), "membrane_last")


MODELS = [_skips(), recurrent_model(), random_model(np.random.default_rng(9), Limits(layers=4, inputs=3000))]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("ports", [1, 2])
def test_a_build_has_a_page_that_can_be_read(model: IntModel, ports: int, browser: Browser, tmp_path: Path) -> None:
    write(make_build(model, Folding(ports=ports)), tmp_path / "core")
    _everywhere(browser, tmp_path / "core" / page.PAGE, least=60)
    assert browser.headings() == SECTIONS
    assert model.name in browser.driver.find_element("css selector", "body").text


def _verified(equal: bool) -> records.Verified:
    difference = records.Difference(1, 120_000, 3, 17, 1022, 1)
    return records.Verified(
        equal=equal,
        engine="cpp",
        samples=12_000,
        first_difference=None if equal else "all: sample 3, step 17, layer 1, neuron 2: hardware 1, golden model 0",
        steps=1_234_567,
        output_spikes=7,
        cycles_per_step_mean=98.25,
        cycles_per_step_max=1007,
        latency_cycles_p50=7,
        latency_cycles_p95=1007,
        latency_cycles_p99=1207,
        latency_cycles_max=10_080,
        changed_files=[] if equal else ["rtl/scsr_fire.v"],
        details=records.Details(
            [records.Activity(0, 3, 5_000_000, 1), records.Activity(1, 4, 90, 0)],
            [] if equal else [difference],
            records.Histogram(7, 300, list(range(40))),
        ),
    )


def _synthesized() -> dict[str, records.Synthesized]:
    area = records.Resources(1234, 2345, 7.5, 3)
    modules = {"layer_1": area, "layer_1.collector": area, "layer_1.weights": area, "readout": area}
    found = {}
    for name, target in targets.TARGETS.items():
        capacity = records.Resources(target.capacity.lut, target.capacity.ff, target.capacity.bram, target.capacity.dsp)
        clocks = [] if target.place_and_route is None else [101.25, 99.5, 110.75]
        found[name] = records.Synthesized(
            target.description,
            target.bram_unit,
            1230,
            2340,
            7.5,
            3,
            clocks[0] if clocks else None,
            clocks,
            capacity,
            modules,
        )
    return found


@pytest.mark.parametrize("equal", [True, False])
def test_verification_and_synthesis_add_sections(equal: bool, browser: Browser, tmp_path: Path) -> None:
    core = tmp_path / "core"
    write(make_build(tiny_model()), core)
    (core / "reports" / "verify.json").write_bytes(records.encode(_verified(equal)))
    (core / records.SYNTHESIZED).write_bytes(records.encode(_synthesized()))
    page.update(core)
    _everywhere(browser, core / page.PAGE, least=250)
    syntheses = [f"Synthesis for {target}" for target in targets.TARGETS]
    assert browser.headings() == [*SECTIONS[:-1], "Verification", *syntheses, SECTIONS[-1]]
    text = browser.driver.find_element("css selector", "body").text
    assert ("1022" in text) is ("rtl/scsr_fire.v" in text) is ("Where differences began" in text) is not equal
    assert "0.97 µs" in text


def test_a_core_that_stopped_answering_has_a_page(browser: Browser, tmp_path: Path) -> None:
    write(make_build(tiny_model()), tmp_path / "core")
    failed = records.Verified(equal=False, engine="cpp", samples=3, first_difference="the core hangs")
    (tmp_path / "core" / "reports" / "verify.json").write_bytes(records.encode(failed))
    page.update(tmp_path / "core")
    _everywhere(browser, tmp_path / "core" / page.PAGE, least=60)
    assert "the core hangs" in browser.driver.find_element("css selector", "body").text


CONFIG = """
name = "<i>few</i> & spikes"
data = {{ name = "spike_files", train = "{0}", test = "{0}", raw_channels = 3, class_names = ["no", "yes"] }}
[[network.layers]]
neurons = 4
sources = [0]
[[network.layers]]
neurons = 2
sources = [1, 0]
[train]
epochs_float = 1
epochs_quantized = 1
"""


def test_a_build_whose_weights_spram_holds_has_a_page_that_can_be_read(browser: Browser, tmp_path: Path) -> None:
    write(make_build(MODELS[0], Folding(loaded=[1, 2]), target="ice40up5k"), tmp_path / "core")
    assert "SPRAM" in (tmp_path / "core" / page.PAGE).read_text()
    _everywhere(browser, tmp_path / "core" / page.PAGE, 60)


def test_training_and_build_lead_to_each_other(browser: Browser, tmp_path: Path, monkeypatch) -> None:
    from trainer import config, run  # PyTorch, which no other test here needs

    drawn = vectors.random_samples(tiny_model(), 40, 8, 0.5, seed=1)
    labels = (np.arange(40) % 2).astype(np.int32)
    (tmp_path / "s.npz").write_bytes(spikes.to_bytes(spikes.from_dense(drawn.dense(slice(0, 40)), drawn.steps, labels)))
    (tmp_path / "c.toml").write_text(CONFIG.format(tmp_path / "s.npz"))
    run.train(config.read(tmp_path / "c.toml"), tmp_path / "run", lambda _: None)
    _everywhere(browser, tmp_path / "run" / page.TRAINING, least=50)
    command = ["hwgen", "build", "--model", f"{tmp_path / 'run' / 'ckpt.pt'}", "--out", f"{tmp_path / 'core'}"]
    monkeypatch.setattr("sys.argv", command)
    assert main() == 0
    _everywhere(browser, tmp_path / "run" / page.TRAINING, least=50)
    for there, link in ((page.PAGE, "../core"), (page.TRAINING, "How it was trained")):
        browser.driver.find_element("link text", link).click()
        assert browser.driver.current_url.endswith(f"/{there}")
        assert "<i>few</i> & spikes" in browser.driver.find_element("css selector", "body").text


FAULTS = {
    "pale": ("color: var(--soft)", "color: #9aa"),
    "cut": ("svg text { font: 12px", "svg text { font: 19px"),
    "wider": ("max-width: 60rem", "min-width: 90rem"),
    "asks for": ("<h2>Files</h2>", '<img src="http://127.0.0.1:9/x.png">'),
    "Uncaught": ("<h2>Files</h2>", "<script>nothing()</script>"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_page_is_found(fault: str, browser: Browser, tmp_path: Path) -> None:
    write(make_build(tiny_model()), tmp_path / "core")
    text = (tmp_path / "core" / page.PAGE).read_text()
    before, after = FAULTS[fault]
    assert before in text
    (tmp_path / "bad.html").write_text(text.replace(before, after))
    assert any(fault in wrong for wrong in browser.look(tmp_path / "bad.html", 400, "light")[1])
