"""`python -m hwgen inspect`: a build folder against its manifest."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from models import recurrent_model, tiny_model

import hwgen
from hwgen.__main__ import main
from hwgen.core.build import make_build, write
from quant import store


def _inspect(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["hwgen", "inspect", "--build", str(folder)])
    return main()


def test_an_untouched_folder_passes_with_what_later_commands_made(tmp_path: Path, monkeypatch, capsys) -> None:
    core = tmp_path / "core"
    write(make_build(tiny_model()), core)
    (core / "reports" / "verify.json").write_text("{}")
    (core / "synth" / "xc7").mkdir(parents=True)
    (core / "synth" / "xc7" / "synth.json").write_text("{}")
    (core / "tb" / "sim_build").mkdir()
    (core / "tb" / "sim_build" / "Vtop.cpp").write_text("")
    (core / "tb" / "dump.vcd").write_text("")
    assert _inspect(core, monkeypatch) == 0
    shown = capsys.readouterr().out
    assert store.digest(tiny_model()) in shown
    assert f"ScSr-HWGen {hwgen.__version__}" in shown
    assert "PASS" in shown


def _other_model(core: Path) -> None:
    """A consistent lie: another model, and a manifest whose checksum says so."""
    (core / "model.safetensors").write_bytes(store.to_bytes(recurrent_model()))
    write(make_build(recurrent_model()), core.parent / "other")
    manifest = json.loads((core / "manifest.json").read_text())
    other = json.loads((core.parent / "other" / "manifest.json").read_text())
    manifest["checksums"]["model.safetensors"] = other["checksums"]["model.safetensors"]
    (core / "manifest.json").write_text(json.dumps(manifest))


def _link(core: Path) -> None:
    shutil.copy(core / "rtl" / "tiny.v", core.parent / "same.v")
    (core / "rtl" / "tiny.v").unlink()
    (core / "rtl" / "tiny.v").symlink_to(core.parent / "same.v")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a changed file": (lambda core: (core / "rtl/tiny.v").write_text("module tiny; endmodule"), "changed: rtl/tiny.v"),
    "a missing file": (lambda core: (core / "rtl/scsr_fifo.v").unlink(), "missing: rtl/scsr_fifo.v"),
    "a file more": (lambda core: (core / "rtl/mine.v").write_text(""), "not of the build: rtl/mine.v"),
    "a link instead of a file": (_link, "changed: rtl/tiny.v"),
    "another model": (_other_model, "model.safetensors has the digest"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_differs_is_named_with_status_1(damage: str, tmp_path: Path, monkeypatch, capsys) -> None:
    core = tmp_path / "core"
    write(make_build(tiny_model()), core)
    change, message = DAMAGES[damage]
    change(core)
    assert _inspect(core, monkeypatch) == 1
    shown = capsys.readouterr()
    assert message in shown.err
    assert "FAIL" in shown.err
    assert "PASS" not in shown.out


def test_a_folder_that_is_no_build_is_refused(tmp_path: Path, monkeypatch, capsys) -> None:
    assert _inspect(tmp_path, monkeypatch) == 2
    assert "no build folder of this version" in capsys.readouterr().err


@pytest.mark.parametrize("model", [tiny_model(), recurrent_model()], ids=lambda model: model.name)
def test_the_top_module_carries_digest_and_version(model) -> None:
    build = make_build(model)
    text = build.files[f"rtl/{build.plan.top}.v"].decode()
    assert re.search(rf"assign model_digest = 256'h{store.digest(model)};", text)
    version = ", ".join(f"8'd{part}" for part in hwgen.__version__.split("."))
    assert f"assign tool_version = {{{version}}};" in text
    ports = {port["name"]: port["width"] for port in json.loads(build.files["manifest.json"])["ports"]}
    assert (ports["model_digest"], ports["tool_version"]) == (256, 24)
