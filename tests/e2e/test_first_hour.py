"""What docs/first-hour.md promises, from the checkout and from an installed wheel, each in an empty folder."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = [pytest.mark.rtl, pytest.mark.check]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "first-hour.md").read_text(encoding="utf-8")
TOML, COMMANDS = (re.search(f"```{kind}\n(.*?)```", PAGE, re.DOTALL)[1] for kind in ("toml", "sh"))  # type: ignore[index]


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(command: list[str], folder: Path) -> str:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `scsr` of a fresh environment elsewhere, into which a wheel of the tracked files was installed.

    Other packages come from the environment of the tests: its folder is on the path, which installs nothing of ours.
    """
    folder = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, tracked.split("\0")):
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / name).write_bytes((ROOT / name).read_bytes())
    call([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(folder), "./source"], folder)
    venv.create(folder / "venv", with_pip=True)
    (wheel,) = folder.glob("*.whl")
    call([str(folder / "venv/bin/python"), "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel)], folder)
    (packages,) = (folder / "venv/lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv/bin/scsr"


@pytest.mark.parametrize("where", ["checkout", "wheel"])
def test_recordings_become_verified_hardware(where: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    scsr = Path(sysconfig.get_path("scripts")) / "scsr" if where == "checkout" else request.getfixturevalue("installed")
    assert sum(bool(line.strip()) for line in TOML.splitlines()) <= 12
    assert len(COMMANDS.splitlines()) == 4
    example("own_events").write_recordings(tmp_path / "gestures")
    assert len(list((tmp_path / "gestures").rglob("*.csv"))) == 480
    (tmp_path / "gestures.toml").write_text(TOML)
    tomllib.loads(TOML)
    for line in COMMANDS.splitlines():
        name, *options = shlex.split(line)
        assert name == "scsr"
        said = call([str(scsr), *options], tmp_path)
    assert "PASS: 48 samples, every spike equal" in said
    report = json.loads((tmp_path / "core/reports/verify.json").read_text())
    assert report["equal"]
    assert report["output_spikes"] > 0
    assert report["accuracy_rtl"] > 0.8
    assert (tmp_path / "run/summary.html").is_file()
    assert (tmp_path / "core/index.html").is_file()
    if where == "wheel":
        python = scsr.with_name("python")
        place = call([str(python), "-c", "import hwgen; print(hwgen.__file__)"], tmp_path)
        assert str(scsr.parents[1]) in place
        call([str(python), str(ROOT / "examples/own_events.py")], _empty(tmp_path / "example"))


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


SHORT = """
name = "short"
data = { name = "digits", train = 100, validation = 50, test = 50 }
train = { epochs_float = 2, epochs_quantized = 1 }
[network]
layers = [{ neurons = 24, sources = [0] }, { neurons = 10, sources = [1] }]
"""


def test_bits_are_chosen_built_and_synthesized(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyosys", reason="pyosys is not installed")
    (tmp_path / "short.toml").write_text(SHORT)
    example("choose_bits").main(tmp_path / "short.toml", tmp_path / "bits", (2, 4), 2, "xc7")
    said = capsys.readouterr().out
    assert "within one standard error" in said
    assert "LUT" in said.splitlines()[-1]
    assert (tmp_path / "bits/core/reports/synth.json").is_file()


def test_speech_goes_to_a_simulated_board(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("serial", reason="pyserial is not installed")
    (tmp_path / "short.toml").write_text(SHORT)
    assert example("speech_board").main(tmp_path / "short.toml", tmp_path / "board", samples=5) == 0
    assert re.search(r"mismatches +0\n", capfd.readouterr().out)
