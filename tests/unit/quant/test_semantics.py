"""The golden model against docs/semantics.md transcribed into one function, which knows no parts and no kinds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from models import Limits, dense_layer, random_model

from quant import golden, store
from quant.formats import IntArray
from quant.model import IntModel
from quant.neurons import Bias, SelfWeight


def _sat(value: int, bits: int) -> int:
    return max(-(1 << bits - 1), min((1 << bits - 1) - 1, value))


def _decay(z: int, d: int, bits: int) -> int:
    return (-1 if z < 0 else 1) * (abs(z) * d // 2**bits)


def specified(
    document: dict[str, Any], tensors: dict[str, Any], sample: Any
) -> tuple[list[list[list[int]]], list[int]]:
    """Outputs as `[step][layer][neuron]`, and the scores, straight from a version-2 file's content."""
    layers = document["layers"]
    sizes = [len(sample[0]), *(int(np.prod(layer["shape"])) for layer in layers)]
    state: dict[str, Any] = {}
    outputs, scores, history = [[0] * size for size in sizes], [0] * sizes[-1], []
    for t, channels in enumerate(sample):
        before, outputs = outputs, [list(map(int, channels))]
        for number, layer in enumerate(layers, start=1):
            name, neuron, bits = f"layers.{number}", layer["neuron"], layer["state_bits"]
            positions, row, potentials = sizes[number] // layer["shape"][0], [], []
            for i in range(sizes[number]):

                def p(tensor: str, name: str = name, i: int = i, positions: int = positions) -> int:
                    return int(tensors[f"{name}.{tensor}"][i // positions])

                past = state.setdefault((number, i), {"v": 0, "c": 0, "h": 0, "s": []})
                s_before = past["s"][-1] if past["s"] else 0
                x = 0
                for j, projection in enumerate(layer["projections"], start=1):
                    k = projection["source"]
                    o = before[k] if k == number else outputs[k]
                    x += sum(
                        int(w) * spike for w, spike in zip(tensors[f"{name}.projections.{j}.weight"][i], o, strict=True)
                    )
                x += p("self_weight") * s_before if neuron.get("self_weight") else 0
                x += p("bias") if neuron.get("bias") else 0
                if neuron.get("inhibition"):
                    x -= p("inhibition") * (sum(before[number]) - before[number][i])
                c = x
                if neuron.get("synapse"):
                    c = past["c"] = _sat(_decay(past["c"], p("synapse_leak"), layer["leak_bits"]) + x, bits)
                late = p("threshold") * s_before if neuron["reset"] == "late_subtract" else 0
                u = _sat(_decay(past["v"], p("leak"), layer["leak_bits"]) - late + c, bits)
                if neuron.get("refractory") and 1 in past["s"][max(0, t - p("refractory")) :]:
                    u = 0
                h = 0
                if neuron.get("adaptation"):
                    kept = _decay(past["h"], p("adaptation_leak"), layer["leak_bits"])
                    h = past["h"] = _sat(kept + p("adaptation_step") * s_before, bits)
                fires = number < len(layers) or document["readout"] == "spike_count"
                s = int(fires and u >= p("threshold") + h)
                past["v"] = u
                if s and neuron["reset"] != "late_subtract":
                    past["v"] = 0 if neuron["reset"] == "zero" else u - p("threshold")
                past["s"].append(s)
                delta = p("delay") if neuron.get("delay") else 0
                row.append(past["s"][t - delta] if t >= delta else 0)
                potentials.append(u)
            outputs.append(row)
        for i, u in enumerate(potentials):
            score = {
                "spike_count": scores[i] + outputs[-1][i],
                "membrane_sum": scores[i] + u,
                "membrane_max": max(scores[i], u) if t else u,
                "membrane_last": u,
            }
            scores[i] = _sat(score[document["readout"]], 32)
        history.append(outputs[1:])
    return history, scores


def _as_version_2(model: IntModel) -> tuple[dict[str, Any], dict[str, Any]]:
    layers = [store._describe_layer_2(layer) for layer in model.layers]
    tensors: dict[str, Any] = {}
    for number, layer in enumerate(model.layers, start=1):
        for place, projection in enumerate(layer.projections, start=1):
            tensors[f"layers.{number}.projections.{place}.weight"] = projection.weight
        for name, values, _ in layer.neuron.tensors():
            tensors[f"layers.{number}.{name}"] = values
    return {"layers": layers, "readout": model.readout}, tensors


def test_the_golden_model_computes_what_is_specified() -> None:
    spikes = 0
    for seed in range(150):
        rng = np.random.default_rng(1000 + seed)
        model = random_model(rng, Limits(layers=3, inputs=8, neurons=6))
        sample = rng.random((14, model.inputs)) < 0.5
        trace = golden.run(model, sample[:, None, :], np.array([14]))
        history, scores = specified(*_as_version_2(model), sample)
        for number in range(len(model.layers)):
            expected = np.array([step[number] for step in history], dtype=bool)
            assert (trace.spikes[number + 1][:, 0] == expected).all(), (seed, number)
            spikes += int(expected.sum())
        assert trace.scores[0].tolist() == scores, seed
    assert spikes > 1000


def test_the_worked_neuron_is_what_the_golden_model_computes() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "semantics.md").read_text(encoding="utf-8")
    rows = [list(map(int, row)) for row in re.findall(r"^\| (\d+) " + r"\| (\d+) " * 8 + r"\|$", text, re.MULTILINE)]
    assert [row[0] for row in rows] == [0, 1, 2]

    def one(value: int) -> IntArray:
        return np.array([value], dtype=np.int16)

    own, bias = SelfWeight(one(3)), Bias(one(1))
    layer = dense_layer({0: one(8)[None]}, one(12), one(10), (8, 4, 8), "subtract", own, bias)
    source = np.array([row[1] > 0 for row in rows])[:, None, None]
    walked = list(golden.walk(layer, 1, [source], spiking=True))
    assert [[int(u[0, 0]), int(o[0, 0]), int(state["v"][0, 0])] for state, u, o in walked] == [row[6:] for row in rows]
    assert all(row[4] == sum(row[1:4]) and row[6] == row[4] + row[5] for row in rows)
