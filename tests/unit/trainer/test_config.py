"""Every mistake in a configuration is named by its key path."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quant import reader
from quant.errors import ConfigError
from trainer import config

DIGITS = Path(__file__).parents[3] / "configs" / "digits.toml"
EXAMPLE = tomllib.loads(DIGITS.read_text())

Edit = Callable[[dict[str, Any]], object]


def layer(table: dict[str, Any], index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = table["network"]["layers"][index]
    return found


@pytest.mark.parametrize("path", sorted(DIGITS.parent.rglob("*.toml")), ids=lambda path: path.name)
def test_the_shipped_configurations_are_valid_and_survive_a_round_trip(path: Path) -> None:
    found = config.read(path)
    assert config.from_table(config.to_table(found)) == found


def regression(readout: str = "spike_count", loss: str = "squared_error", **train: Any) -> Edit:
    """Data with traces, a loss and a read-out."""

    def edit(table: dict[str, Any]) -> None:
        table.update(data={"name": "patterns"})
        table["network"].update(readout=readout)
        table["train"].update(loss=loss, **train)

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda t: t.update(nam=1), "nam is unknown"),
        (lambda t: layer(t).update(self_recurrent=True), "layers[1].self_recurrent is the old name of self_weight"),
        (lambda t: t.pop("name"), "name is missing"),
        (lambda t: t.pop("data"), "data is missing"),
        (lambda t: t.update(train=3), "train is 3; it must be a table"),
        (lambda t: t["data"].update(name="cats"), "data.name is 'cats'; allowed is 'cues'"),
        (lambda t: t["data"].update(name=["digits"]), "data.name is ['digits']; allowed is 'cues'"),
        (lambda t: t["data"].pop("name"), "data.name is None; allowed is 'cues'"),
        (lambda t: t["data"].update(bin=3), "data.bin is unknown"),
        (lambda t: t["data"].update(train=2405), "data.train is 2405; it must be a multiple of 10"),
        (lambda t: t["data"].update(train=2410), "data: the splits add up to 3010; there are 3000 recordings"),
        (lambda t: t["train"].update(batch=True), "train.batch is True; it must be of type int"),
        (lambda t: t["train"].update(batch=10**5000), "train.batch is a number of 16610 bits; the limit is 63"),
        (lambda t: t["train"].update(rate_float=10**400), "train.rate_float is a number of 1329 bits"),
        (lambda t: t.update(name="a\0b"), "no text has a character 0"),
        (lambda t: t["train"].update(batch=0), "train.batch is 0; allowed is 1..65536"),
        (lambda t: t["train"].update(rate_float=float("nan")), "train.rate_float is nan"),
        (lambda t: t["train"].update(loss={"name": "cross_entropy", "unit": "m"}), "train.loss.unit is unknown"),
        (
            lambda t: t["train"].update(loss={"name": "hinge"}),
            "train.loss.name is 'hinge'; allowed is",
        ),
        (
            lambda t: t["train"].update(schedule={"warmup": 20}),
            "train.schedule.warmup is 20; the quantized phase",
        ),
        (lambda t: t["train"].update(activity={"low": 0.5}), "train.activity: low is 0.5, high 0.2; low must not be"),
        (lambda t: t["train"]["augment"].update(tilt=0.5), "train.augment.tilt tilts what `thin` leaves out"),
        (lambda t: t["train"]["augment"].update(mirror=9), "train.augment.mirror is 9; the 78 channels are no whole"),
        (lambda t: t["train"]["augment"].update(mix=0.5), "train.augment.mix: a mixed sample has no label"),
        (
            lambda t: t["train"].update(teacher={"ridge": 0.0}),
            "train.teacher.ridge is 0.0; allowed is 1e-06..1000000.0",
        ),
        (
            lambda t: t["train"].update(loss={"name": "spike_count"}, teacher={"sharpness": 5.0}),
            "train.teacher gives probabilities; only train.loss.name",
        ),
        (
            lambda t: t["train"].update(surrogate={"learned": True, "width_end": 0.1}),
            "train.surrogate: width_end is a schedule and learned learns",
        ),
        (
            lambda t: t["train"].update(rule="tssl", surrogate={"learned": True}),
            "train.surrogate.learned: the width has no gradient under the rule tssl",
        ),
        (
            lambda t: (t["train"].update(rule={"name": "tssl"}), layer(t, 1).update(reset="late_subtract")),
            'network.layers[2].reset is "late_subtract"; train.rule tssl needs "zero" or "subtract"',
        ),
        (
            lambda t: layer(t).update(sparse_recurrent=4, dense_recurrent=True),
            "network.layers[1] has dense_recurrent and sparse_recurrent; take one of them",
        ),
        (
            lambda t: layer(t).update(sparse_recurrent=32_000),
            "network.layers[1].sparse_recurrent is 32000; each of the",
        ),
        (
            lambda t: layer(t).update(sparse_recurrent=4, weight_bits=1),
            "network.layers[1].sparse_recurrent: weights of 1 bit are -1 or 1",
        ),
        (
            lambda t: t["train"].update(rule="strsbp"),
            "train.rule strsbp has no gradient for leaks: set plasticity.leak = false",
        ),
        (
            lambda t: (t["train"].update(rule="lee"), t.update(plasticity={"leak": False})),
            'network.layers[1].reset is "zero"; train.rule lee needs "subtract"',
        ),
        (
            lambda t: (t["train"].update(rule="lee", loss="van_rossum"), t.update(plasticity={"leak": False})),
            "train.loss van_rossum has one in every step: take spike_count",
        ),
        (
            lambda t: (t["train"].update(rule="lee"), t["network"].update(readout="membrane_sum")),
            "train.rule lee is one of spikes; network.readout membrane_sum has none: take spike_count",
        ),
        (
            lambda t: t["train"].update(rule="lee", surrogate={"learned": True}),
            "train.surrogate.learned: train.rule lee has no surrogate; leave it out",
        ),
        (
            lambda t: (t["train"].update(rule={"name": "tssl"}), layer(t).update(adaptation=True)),
            "network.layers[1] has adaptation, which train.rule tssl does not train: leave it out, or take the",
        ),
        (
            lambda t: (t["train"].update(rule={"name": "tssl"}), layer(t).update(refractory=2)),
            "network.layers[1] has refractory, which train.rule tssl does not train",
        ),
        (lambda t: layer(t).update(refractory=16), "network.layers[1].refractory is 16; allowed is 0..15"),
        (
            lambda t: (t["network"].update(readout="membrane_sum"), t["train"].update(loss={"name": "van_rossum"})),
            "train.loss is one of spikes; the read-out membrane_sum has none",
        ),
        (
            lambda t: (t["network"].update(readout="membrane_last"), t["train"].update(loss="squared_error")),
            "train.loss squared_error needs a data set of traces; this one has classes",
        ),
        (regression(loss="cross_entropy"), "train.loss is one of classes; the data set has traces"),
        (regression(), "network.readout is spike_count; squared_error needs"),
        (regression("membrane_last", augment={"time_warp": 0.1}), "train.augment: time_shift and time_warp would move"),
        (lambda t: t["network"].update(leak=1), "network.leak is 1.0; allowed is 0.001..0.99975"),
        (lambda t: t["network"].update(readout="sum"), "network.readout is 'sum'; allowed is 'spike_count' or"),
        (lambda t: t["network"].update(layers=[]), "network.layers is empty"),
        (lambda t: t["network"].update(layers=7), "network.layers is 7; it must be a list"),
        (lambda t: layer(t).update(neuron=3), "network.layers[1].neuron is unknown"),
        (lambda t: layer(t).update(sources=[1]), "network.layers[1].sources: 1 is not an earlier layer"),
        (lambda t: layer(t).update(sources=[]), "network.layers[1].sources: the list is empty"),
        (lambda t: layer(t, 1).update(sources=[0, 0]), "network.layers[2].sources: [0, 0] names a source twice"),
        (lambda t: layer(t).update(sources=[0.5]), "network.layers[1].sources[1] is 0.5; it must be of type int"),
        (lambda t: layer(t).update(weight_bits=9), "network.layers[1].weight_bits is 9; allowed is 1..8"),
        (
            lambda t: layer(t).update(weight_bits=8, weight_shift=9),
            "network.layers[1].weight_shift is 9 with weight_bits 8; it takes weights of 2 bits or more",
        ),
        (lambda t: layer(t).update(weight_bits=1, weight_shift=1), "network.layers[1].weight_shift is 1 with"),
        (
            lambda t: layer(t).update(neurons=600, dense_recurrent=True, weight_bits=8, weight_shift=8),
            "network.layers[1]: sums could reach",
        ),
        (lambda t: layer(t).update(delay=64), "network.layers[1].delay is 64; allowed is 0..63"),
        (lambda t: layer(t).update(reset="none"), "network.layers[1].reset is 'none'"),
        (lambda t: layer(t).update(state_bits=18), "state_bits + leak_bits is 26; training is exact up to 25"),
        (lambda t: layer(t, 1).update(neurons=11), "network.layers[2].neurons is 11; the last layer needs one neuron"),
    ],
)
def test_a_mistake_is_named(edit: Edit, message: str) -> None:
    table = copy.deepcopy(EXAMPLE)
    config.from_table(table)
    edit(table)
    with pytest.raises(ConfigError) as refused:
        config.from_table(table)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_key_of_earlier_versions_still_means_the_same() -> None:
    table = copy.deepcopy(EXAMPLE)
    layer(table)["self_recurrent"] = layer(table).pop("self_weight")
    assert config.from_table(table) == config.from_table(EXAMPLE)
    assert config.from_table(EXAMPLE).network.layers[0].self_weight


def test_sums_that_float32_cannot_hold_are_refused() -> None:
    table = copy.deepcopy(EXAMPLE)
    wide = {"neurons": 32768, "state_bits": 23, "leak_bits": 1, "weight_bits": 8}
    table["network"]["layers"] = [{**wide, "sources": [0]} for _ in range(3)]
    table["data"]["bins"] = 2
    table["network"]["layers"].append({**wide, "neurons": 10, "sources": [3]})
    config.from_table(table)
    layer(table, 3).update(sources=[1, 2, 3])
    with pytest.raises(ConfigError, match=r"network\.layers\[4\]: sums could reach 16777216; .* 98304 inputs"):
        config.from_table(table)


def test_the_inhibition_of_all_other_neurons_counts_in_the_sums() -> None:
    table = copy.deepcopy(EXAMPLE)
    layer(table, 0).update(neurons=500, inhibition=True, state_bits=16)
    config.from_table(table)
    layer(table, 0).update(neurons=1024)
    with pytest.raises(
        ConfigError, match=r"network\.layers\[1\]: sums could reach .* or fewer weight_bits or state_bits"
    ):
        config.from_table(table)


@pytest.mark.parametrize(
    "content", [b"name = ", b"\xff\xfe", b"name = 'a'\nname = 'b'", b"a = " + b"[" * 5000, b"a = " + b"9" * 5000]
)
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"broken\.toml: not TOML"):
        config.read(path)


def test_a_file_that_takes_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "SECONDS", 1)
    path = tmp_path / "long.toml"
    path.write_text("[" + "a." * 30_000 + "a]\n" + "".join(f"b{number}=1\n" for number in range(30_000)))
    with pytest.raises(ConfigError, match=r"long\.toml: reading it takes more than 1 s, the limit for its size"):
        config.read(path)


def test_a_network_that_this_machine_cannot_train_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "memory_limit", lambda: 40_000)
    with pytest.raises(ConfigError, match=r"network has \d+ weights; the limit on this machine is 1000: take fewer"):
        config.from_table(EXAMPLE)


def test_a_long_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.toml"
    path.write_text(DIGITS.read_text() + "# " + "long " * 100_000)
    assert config.read(path) == config.read(DIGITS)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        config.read(tmp_path / "none.toml")
