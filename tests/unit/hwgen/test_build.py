"""The build folder: complete, deterministic, written whole or not at all, never over anything of the user's."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import snapshots
from models import dense_layer, recurrent_model, tiny_model

from hwgen.core.build import make_build, write
from quant import store
from quant.errors import BuildError
from quant.model import IntModel, Layer

ROOT = Path(__file__).resolve().parents[3]


def _hwgen(*arguments: object, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hwgen", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _model_file(folder: Path, model: IntModel | None = None) -> Path:
    path = folder / "model.safetensors"
    path.write_bytes(store.to_bytes(model or tiny_model()))
    return path


@pytest.mark.parametrize("model", snapshots.MODELS, ids=lambda model: model.name)
def test_the_top_module_is_as_recorded(model: IntModel) -> None:
    for path, content in snapshots.recorded(model.name, make_build(model).files).items():
        assert path.read_text(encoding="utf-8") == content.decode(), f"{path}: see docs/testing.md"


def test_the_manifest_lists_all_files_with_their_checksums(tmp_path: Path) -> None:
    out = tmp_path / "core"
    write(make_build(tiny_model()), out)
    manifest = json.loads((out / "manifest.json").read_text())
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert found == {*manifest["checksums"], "manifest.json", "index.html"}
    for name, checksum in manifest["checksums"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == checksum
    assert manifest["top"] == "tiny"
    assert manifest["sources"][-1] == "rtl/tiny.v"
    assert {name for name in found if name.startswith("rtl/")} == set(manifest["sources"])
    assert {name for name in found if name.startswith("mem/")} == set(manifest["memories"])
    assert manifest["model_digest"] == store.digest(tiny_model()) == store.digest(store.read(out / "model.safetensors"))
    text = "".join(path.read_text(errors="ignore") for path in out.rglob("*") if path.suffix in {".v", ".json", ".txt"})
    assert str(tmp_path) not in text
    assert "reports/plan.json" in found


def test_the_same_model_gives_the_same_bytes_anywhere(tmp_path: Path) -> None:
    model = _model_file(tmp_path)
    digests = set()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    surroundings: list[tuple[dict[str, str], Path]] = [
        ({"PYTHONHASHSEED": "1", "TZ": "UTC"}, tmp_path),
        ({"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C", "LANG": "C"}, elsewhere),
        ({"PYTHONHASHSEED": "3", "LC_ALL": "tr_TR.UTF-8", "PYTHONUTF8": "0"}, ROOT),
    ]
    for turn, (settings, cwd) in enumerate(surroundings):
        out = tmp_path / f"deep{turn}" / "core"
        done = _hwgen("build", "--model", model, "--out", out, cwd=cwd, **settings)
        assert done.returncode == 0, done.stderr
        content = hashlib.sha256()
        for path in sorted(path for path in out.rglob("*") if path.is_file()):
            content.update(path.relative_to(out).as_posix().encode() + path.read_bytes())
        digests.add(content.hexdigest())
    assert len(digests) == 1


def test_a_build_replaces_an_earlier_build_and_its_products(tmp_path: Path) -> None:
    out = tmp_path / "core"
    write(make_build(tiny_model()), out)
    (out / "reports" / "verify.json").write_text("{}")
    (out / "tb" / "build").mkdir()
    (out / "tb" / "build" / "x.o").write_text("")
    write(make_build(recurrent_model()), out)
    assert (out / "rtl" / "recurrent.v").exists()
    assert not (out / "rtl" / "tiny.v").exists()
    assert not (out / "reports" / "verify.json").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["core"]


DROPPED = ("obj_dir/Vtop.mk", "tb/sim_build/a/b.o", "tb/results.xml", "tb/__pycache__/x.pyc", "dump.fst", "rtl/top.vcd")


def test_what_tools_drop_goes_with_the_earlier_build_and_is_named(tmp_path: Path) -> None:
    model = _model_file(tmp_path)
    assert _hwgen("build", "--model", model, "--out", "core", cwd=tmp_path).returncode == 0
    out = tmp_path / "core"
    for name in DROPPED:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("")
    done = _hwgen("build", "--model", model, "--out", "core", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    removed = [line.rsplit(" ", 1)[1] for line in done.stdout.splitlines() if "removed" in line]
    assert removed == ["dump.fst", "obj_dir", "rtl/top.vcd", "tb/results.xml", "tb/sim_build"]
    assert not any((out / name).exists() for name in DROPPED)


def _something_else(out: Path) -> None:
    out.mkdir()
    (out / "thesis.tex").write_text("mine")


def _a_note(out: Path) -> None:
    write(make_build(tiny_model()), out)
    (out / "rtl" / "notes.txt").write_text("mine")


def _a_note_of_a_like_name(out: Path) -> None:
    write(make_build(tiny_model()), out)
    (out / "obj_dir_notes").mkdir()
    (out / "obj_dir_notes" / "x.vcd.txt").write_text("mine")


def _a_change(out: Path) -> None:
    write(make_build(tiny_model()), out)
    (out / "rtl" / "tiny.v").write_text("mine")


def _a_note_among_reports(out: Path) -> None:
    write(make_build(tiny_model()), out)
    (out / "reports" / "verify.json.kept").write_text("mine")


def _a_file(out: Path) -> None:
    out.write_text("mine")


@pytest.mark.parametrize(
    "occupy", [_something_else, _a_note, _a_note_of_a_like_name, _a_note_among_reports, _a_change, _a_file]
)
def test_nothing_of_the_users_is_overwritten(occupy, tmp_path: Path) -> None:
    out = tmp_path / "core"
    occupy(out)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(BuildError):
        write(make_build(recurrent_model()), out)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_failure_while_writing_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    out = tmp_path / "core"
    build = make_build(tiny_model())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write(build, out)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_while_replacing_keeps_the_build_that_was_there(tmp_path: Path, monkeypatch) -> None:
    out = tmp_path / "core"
    write(make_build(tiny_model()), out)
    before = (out / "manifest.json").read_bytes()
    rename = os.replace

    def interrupted(source: Path, target: Path) -> None:
        if Path(source).name == "new":
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(make_build(recurrent_model()), out)
    assert (out / "manifest.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["core"]


REFUSED = {
    "missing file": (["--model", "nowhere.safetensors"], "no such file"),
    "missing checkpoint": (["--model", "nowhere.pt"], "no such file"),
    "unknown kind": (["--model", "model.onnx"], "model.onnx"),
    "lanes zero": (["--model", "model.safetensors", "--lanes", "0,1"], "0 for layer 1"),
    "lanes count": (["--model", "model.safetensors", "--lanes", "1"], "1 numbers for 2 layers"),
    "lanes text": (["--model", "model.safetensors", "--lanes", "4,x"], "whole numbers"),
    "name": (["--model", "model.safetensors", "--name", "9lives"], "no Verilog identifier"),
    "pickle": (["--model", "evil.pt"], "asks for more than plain tensors"),
    "current folder": (["--model", "model.safetensors", "--out", "."], "current folder"),
    "below a file": (["--model", "model.safetensors", "--out", "model.onnx/x"], "cannot be made"),
    "no arguments": ([], "--model"),
    "occupied": (["--model", "model.safetensors", "--out", "mine"], "something else"),
}


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("code_was_run",)


@pytest.mark.parametrize("case", REFUSED)
def test_the_command_refuses_in_one_line_with_status_2(case: str, tmp_path: Path) -> None:
    arguments, message = REFUSED[case]
    _model_file(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"onnx")
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(_Evil(), protocol=4))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    if "--out" not in arguments:
        arguments = [*arguments, "--out", "core"]
    done = _hwgen("build", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_names_from_a_file_stay_text(tmp_path: Path) -> None:
    tiny = tiny_model()
    hostile = IntModel("../../x\n`include", tiny.input_shape, tiny.layers, tiny.readout, ("a\n*/ module b", "$(c)"))
    files = make_build(hostile).files
    assert all(".." not in path for path in files)
    assert b"`include" not in files["rtl/scsr_top.v"]
    assert b'"a\\n*/ module b"' in files["1_model.txt"]


def test_a_700_200_20_model_builds_without_torch(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def layer(neurons: int, inputs: int, source: int) -> Layer:
        weight = {source: rng.integers(-32, 32, (neurons, inputs), dtype=np.int8)}
        leak, threshold = np.full(neurons, 230, dtype=np.int16), np.full(neurons, 60, dtype=np.int8)
        return dense_layer(weight, leak, threshold, (6, 8, 16))

    model = _model_file(tmp_path, IntModel("big", (700,), (layer(200, 700, 0), layer(20, 200, 1)), "spike_count"))
    script = (
        "import sys; sys.argv = ['hwgen', 'build', '--model', sys.argv[1], '--out', sys.argv[2]];"
        "from hwgen.__main__ import main; status = main(); sys.exit(status or ('torch' in sys.modules) * 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(model), str(tmp_path / "core")], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
