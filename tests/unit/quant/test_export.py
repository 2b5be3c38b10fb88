"""Checkpoints are somebody's files: only good ones become models, and no code in them ever runs."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models import dense_layer

from quant import __main__ as command_line
from quant import export, store
from quant.errors import ModelError
from quant.model import IntModel, Layer
from quant.neurons import SelfWeight

Content = dict[str, Any]


def small_model() -> IntModel:
    draw = np.random.default_rng(1)

    def layer(neurons: int, sources: dict[int, int]) -> Layer:
        weight = {source: draw.integers(-8, 8, (neurons, size)) for source, size in sources.items()}
        own = SelfWeight(draw.integers(-100, 100, neurons))
        return dense_layer(
            weight, draw.integers(0, 256, neurons), draw.integers(1, 100, neurons), (4, 8, 16), "zero", own
        )

    return IntModel("small", (5,), (layer(4, {0: 5}), layer(3, {1: 4, 0: 5})), "spike_count")


def good_content() -> Content:
    model = small_model()
    return {
        "format": export.FORMAT,
        "version": export.VERSION,
        "config": {},
        "float": {"weight": torch.ones(2)},
        "quantized": {"weight": torch.ones(2)},
        "integers": {
            "model": json.dumps(store.describe(model)),
            "tensors": {name: torch.from_numpy(array) for name, array in store.named_tensors(model).items()},
        },
    }


def saved(folder: Path, content: object) -> Path:
    path = folder / "ckpt.pt"
    torch.save(content, path)
    return path


def test_a_good_checkpoint_is_the_model(tmp_path: Path) -> None:
    assert store.digest(export.load(saved(tmp_path, good_content()))) == store.digest(small_model())


def tensors(content: Content) -> dict[str, Any]:
    found: dict[str, Any] = content["integers"]["tensors"]
    return found


def set_tensor(name: str, value: object) -> Callable[[Content], None]:
    return lambda content: tensors(content).update({name: value})


def set_entry(name: str, value: object) -> Callable[[Content], None]:
    return lambda content: content.update({name: value})


def doubled(levels: int) -> list[Any]:
    """A list that holds the same list twice, which holds the same list twice, ..."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value, value]
    return value


LEAK = "layers.1.leak"
REFUSALS = {
    "other format": (set_entry("format", "mine"), "not a checkpoint"),
    "version that is no number": (set_entry("version", torch.ones(2)), "version is a tensor"),
    "version that doubles": (set_entry("version", doubled(30)), "version is [["),
    "deep document": (lambda content: content["integers"].update(model="[" * 10**5), "is not JSON"),
    "stretched tensor": (set_entry("float", {"weight": torch.ones(1).expand(2**50)}), "damaged, or not of its kind"),
    "stretched leak": (set_tensor(LEAK, torch.ones(1, dtype=torch.int8).expand(2**40)), "shape is (1099511627776,)"),
    "meta tensor": (set_entry("float", {"weight": torch.ones(9, device="meta")}), "damaged, or"),
    "other version": (set_entry("version", 2), "version is 2"),
    "unknown entry": (set_entry("more", 1), "'more' is unknown"),
    "no integers": (lambda content: content.pop("integers"), "'integers' is missing"),
    "integers are no table": (set_entry("integers", [1]), "'model' and 'tensors'"),
    "document is no text": (lambda content: content["integers"].update(model=3), "must be a string"),
    "document is no JSON": (lambda content: content["integers"].update(model="{"), "is not JSON"),
    "document is no object": (lambda content: content["integers"].update(model="3"), "expected 'object'"),
    "tensor missing": (lambda content: tensors(content).pop(LEAK), f"{LEAK} is missing"),
    "tensor unknown": (
        set_tensor("layers.9.leak", torch.ones(1, dtype=torch.int16)),
        "tensor 'layers.9.leak' is unknown",
    ),
    "wrong shape": (set_tensor(LEAK, torch.ones(5, dtype=torch.int16)), "shape is (5,)"),
    "out of range": (set_tensor(LEAK, torch.full((4,), 256, dtype=torch.int16)), "is 256; allowed is 0..255"),
    "negative": (set_tensor(LEAK, torch.full((4,), -1, dtype=torch.int16)), "is -1; allowed is 0..255"),
    "not a number": (set_tensor(LEAK, torch.full((4,), torch.nan)), "dtype is torch.float32"),
    "sparse": (set_tensor(LEAK, torch.ones(4, dtype=torch.int16).to_sparse()), "no dense tensor"),
    "no tensor": (set_tensor(LEAK, [1, 2, 3, 4]), "no dense tensor"),
    "state not finite": (set_entry("float", {"weight": torch.tensor([1.0, torch.nan])}), "float.weight"),
    "state infinite": (set_entry("quantized", {"weight": torch.tensor([torch.inf])}), "quantized.weight"),
}


@pytest.mark.parametrize(("edit", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_bad_checkpoint_is_refused(tmp_path: Path, edit: Callable[[Content], object], message: str) -> None:
    content = good_content()
    edit(content)
    path = saved(tmp_path, content)
    with pytest.raises(ModelError) as refused:
        export.load(path)
    assert message in str(refused.value)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


class Malicious:
    """A pickle of this object creates a file when it is unpickled by an ordinary unpickler."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return exec, (f"open({str(self.trace)!r}, 'w').close()",)


@pytest.mark.parametrize("bare", [False, True])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path, bare: bool) -> None:
    trace = tmp_path / "ran"
    path = tmp_path / "ckpt.pt"
    content = {**good_content(), "config": Malicious(trace)}
    if bare:
        path.write_bytes(pickle.dumps(content["config"]))
    else:
        torch.save(content, path)
    with pytest.raises(ModelError, match="asks for more than plain tensors, which is never run"):
        export.load(path)
    assert not trace.exists()
    if bare:  # the bait is real
        pickle.loads(path.read_bytes())
        assert trace.exists()


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = saved(tmp_path, good_content()).read_bytes()
    path = tmp_path / "cut.pt"
    for length in (*range(0, len(whole) - 1, 97), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"cut\.pt"):
            export.load(path)


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, torch.ones(3), "text"])
def test_something_else_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(ModelError, match="not a checkpoint"):
        export.load(saved(tmp_path, content))


@pytest.mark.parametrize("name", ["none.pt", "none.safetensors"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="no such file"):
        export.load(tmp_path / name)


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"must end in \.pt or \.safetensors"):
        export.load(tmp_path / "model.onnx")


def test_a_model_file_is_read_without_torch(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(store.to_bytes(small_model()))
    code = "import sys; from pathlib import Path; from quant import export; export.load(Path(sys.argv[1])); "
    code += "assert 'torch' not in sys.modules"
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, cwd=root)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = saved(tmp_path, good_content()), tmp_path / "model.safetensors"
    arguments = ["export", "--model", str(path), "--out", str(out)]
    assert command_line.main(arguments) == 0
    assert "'small' 5-4-3, 47 weights of 4/4 bits" in capsys.readouterr().out
    assert store.digest(store.read(out)) == store.digest(small_model())
    assert command_line.main(arguments) == 0, "the same content may be written again"
    out.write_bytes(b"mine")
    assert command_line.main(arguments) == 2
    assert out.read_bytes() == b"mine"
    assert command_line.main([*arguments, "--force"]) == 0
    assert store.digest(store.read(out)) == store.digest(small_model())


def test_the_command_writes_nothing_when_it_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = good_content()
    tensors(content).pop(LEAK)
    path = saved(tmp_path, content)
    assert command_line.main(["export", "--model", str(path), "--out", str(tmp_path / "m.safetensors")]) == 2
    assert command_line.main(["export", "--model", str(path), "--out", str(tmp_path / "m.bin")]) == 2
    assert [one.name for one in tmp_path.iterdir()] == ["ckpt.pt"]
    assert capsys.readouterr().err.count("\n") == 2
