"""The experiments of `bench.accuracy`: what is trained, on which data, in which variants, and what it is to reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONFIGS, SYSTEMS, MEMORY = Path("configs/accuracy"), Path("configs/systems"), Path("configs/memory")
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
TAKES, LOSO = "FSDD, Lyon + BSA, takes 0-4 test", "FSDD, Lyon + BSA, leave one speaker out"
UNKNOWN = "official test parts; the task is not known at test"
OFFICIAL = "the official test part; epochs chosen on a tenth of the training part"
MNIST, FASHION = f"MNIST, {OFFICIAL}", f"Fashion-MNIST, {OFFICIAL}"
ROWS = "Fashion-MNIST, a row in every step"

SEEDS = (1, 2, 3)

Table = dict[str, Any]


# The ablation: a feed-forward network plus one feature after another; last, dense recurrence instead. The configuration
# is the full network, with self-recurrence and a skip from the input to the last layer.
_FROZEN = {"plasticity.leak": False, "plasticity.threshold": False}
ABLATION: Mapping[str, Table] = {
    "feed-forward": {
        "network.layers.1.self_weight": False,
        "network.layers.2.self_weight": False,
        "network.layers.2.sources": [1],
        **_FROZEN,
    },
    "+ self-recurrence": {"network.layers.2.sources": [1], **_FROZEN},
    "+ skip": _FROZEN,
    "+ BIP": {},
    "dense recurrence instead": {"network.layers.1.self_weight": False, "network.layers.1.dense_recurrent": True},
}


def hidden(feature: str, value: Any = True) -> Table:
    """A setting of both hidden layers."""
    return {f"network.layers.{layer}.{feature}": value for layer in (1, 2)}


_SKIPS: Table = {"network.layers.2.sources": [1, 0], "network.layers.3.sources": [2, 1]}
_BIP = {f"plasticity.{name}": True for name in ("leak", "threshold", "synapse_leak")}


def one_after_another(longest: int = 7) -> Mapping[str, Table]:
    """Memory features, each added to a plain network with those before it; last, dense recurrence instead.

    Delays are of up to `longest` steps.
    """
    found: dict[str, Table] = {"feed-forward": dict.fromkeys(_BIP, False)}
    for name, added in {
        "+ filter": hidden("synapse"),
        "+ self-recurrence": hidden("self_weight"),
        "+ skip": _SKIPS,
        "+ BIP": _BIP,
        "+ adaptation": hidden("adaptation"),
        "+ delays": hidden("delay", longest),
    }.items():
        found[name] = {**list(found.values())[-1], **added}
    return {**found, "dense recurrence instead": {**found["+ filter"], **_BIP, **hidden("dense_recurrent")}}


FEATURES = one_after_another()
# What self-recurrence needs: whether it takes a filter to run through; whether where it starts and the reset matter.
# Whether the plain network lacks memory, or only spikes; and what learned leaks can do without it.
_PLAIN, _FILTER, _SELF = (FEATURES[name] for name in ("feed-forward", "+ filter", "+ self-recurrence"))
SELF_RECURRENCE: Mapping[str, Table] = {
    "feed-forward, larger weights": {**_PLAIN, "network.weight_gain": 8.0},
    "self-recurrence, no filter": {**_PLAIN, **hidden("self_weight")},
    "BIP alone": {**_PLAIN, **_BIP},
    "filter and BIP": {**_FILTER, **_BIP},
    "filter, reset by subtraction": {**_FILTER, **hidden("reset", "subtract")},
    "filter, self-recurrence, reset by subtraction": {**_SELF, **hidden("reset", "subtract")},
    "filter, self-recurrence from 0.1": {**_SELF, "network.self_weight": 0.1},
    "filter, self-recurrence from -0.1": {**_SELF, "network.self_weight": -0.1},
}


# Recurrence and delays of up to 250 ms, alone and together; leaks as they are, or shorter.
_KINDS: Mapping[str, Table] = {
    "BIP": {},
    "dense recurrence": hidden("dense_recurrent"),
    "delays": hidden("delay", 31),
    "dense recurrence and delays": {**hidden("dense_recurrent"), **hidden("delay", 31)},
}
RECURRENCE: Mapping[str, Table] = {
    f"{kind}{short}": {**_BIP, "network.weight_gain": 2.5, **settings, **leaks}
    for kind, settings in _KINDS.items()
    for short, leaks in (("", {}), (", short leaks", {"network.leak": 0.8}))
}


def deep(hidden_layers: int, *, skips: bool) -> Table:
    """As many layers of 64 neurons in front of ten; with skips, each also hears the layer before the one before it."""
    return {
        "network.layers": [
            {
                "neurons": 64 if layer <= hidden_layers else 10,
                "sources": [layer - 1, layer - 2] if skips and layer > 1 else [layer - 1],
            }
            for layer in range(1, hidden_layers + 2)
        ]
    }


# Without filters: what single features are worth beside BIP, and whether deeper networks need skips.
UNFILTERED: Mapping[str, Table] = {
    "BIP alone": {},
    "BIP and self-recurrence": hidden("self_weight"),
    "BIP and delays": hidden("delay", 7),
    "BIP and skips": _SKIPS,
    "BIP, 4 hidden layers": deep(4, skips=False),
    "BIP, 4 hidden layers, skips": deep(4, skips=True),
    "BIP, 6 hidden layers": deep(6, skips=False),
    "BIP, 6 hidden layers, skips": deep(6, skips=True),
}


# What recurrence and delays are worth on voices that were not heard, beside both: each alone, or neither.
_NO_RECURRENCE, _NO_DELAYS = hidden("dense_recurrent", False), hidden("delay", 0)
UNHEARD: Mapping[str, Table] = {
    "neither": {**_NO_RECURRENCE, **_NO_DELAYS},
    "dense recurrence": _NO_DELAYS,
    "delays": _NO_RECURRENCE,
    "self-recurrence and delays": {**_NO_RECURRENCE, **hidden("self_weight")},
}

# Error normalization of Lee's rule: left out, and left out with the rate that is best without it.
_NOT_NORMALIZED = {"train.rule.normalize": False}
NORMALIZATION: Mapping[str, Table] = {
    "normalized errors": {},
    "not normalized": _NOT_NORMALIZED,
    "not normalized, its own rate": {**_NOT_NORMALIZED, "train.rate_float": 0.5, "train.rate_quantized": 0.05},
}

METAPLASTICITY: Mapping[str, Table] = {"metaplastic": {}, "m = 0": {"train.synapse.m": 0.0}}
_FASHION_NEXT = {
    "data.permutation": 0,
    "data.code": "regular",
    "train.tasks.1.permutation": 0,
    "train.tasks.1.code": "regular",
    "train.tasks.1.path": "fashion-mnist",
}
_MNIST_FASHION = {"metaplastic": {"train.synapse.m": 10.0}, "m = 0": METAPLASTICITY["m = 0"]}

# Phase-change memory: each scheme with its own settings; the authors have one pair of devices for a weight.
_ONE_PAIR = {
    "network.threshold": 0.192,
    "train.rule.dampening": 0.314,
    "train.rate_float": 0.0252,
    "train.activity.strength": 3100.0,
}
_EIGHT = {"pairs": 8, "refresh": 0.9}
_ONE = {"name": "pcm", "pairs": 1, "scale": 11.9, "granularity": 0.125, "refresh": 0.7}
PCM: Mapping[str, Table] = {
    "mixed precision": {},
    "one pair": {**_ONE_PAIR, "train.synapse": _ONE},
    "one pair, ideal": {**_ONE_PAIR, "train.synapse": {**_ONE, "ideal": True}},
    "stochastic": {
        "train.rule.dampening": 0.05,
        "train.synapse": {"name": "pcm", "scheme": "stochastic", "chance": 0.03, **_EIGHT, "scale": 30.0},
    },
    "sign": {
        "train.rate_float": 0.0252,
        "train.synapse": {"name": "pcm", "scheme": "sign", "threshold": 0.003, **_EIGHT, "scale": 60.0},
    },
    "multi-memristor": {"train.synapse": {"name": "pcm", "scheme": "multi_memristor", **_EIGHT, "scale": 20.0}},
}


@dataclass(frozen=True, slots=True)
class Experiment:
    """One configuration, and what is done with it.

    Attributes:
        folds: "official", the data set's own test part; "speakers", every speaker once.
        variants: by name, the settings in which one differs from the configuration.
        needs: which data sets it takes: names of options of the command line.
        seeded: settings that take the seed.
        build: options of `hwgen build`; many lanes take few cycles, and so a simulation little time.
        reach: what the variants, in order, are to reach, in percent or as an error; of tasks, after the last.
    """

    config: Path
    protocol: str
    folds: tuple[str, ...] = ("official",)
    variants: Mapping[str, Table] = field(default_factory=lambda: {"": {}})
    needs: tuple[str, ...] = ("fsdd",)
    seeded: tuple[str, ...] = ("train.seed",)
    build: tuple[str, ...] = ()
    reach: tuple[str, ...] = ()


EXPERIMENTS = {
    "mfcc": Experiment(
        Path("configs/digits.toml"), "FSDD as MFCCs, 2400/300/300 at random", needs=(), reach=("integers 97.5",)
    ),
    "official": Experiment(CONFIGS / "official.toml", TAKES, reach=("float 98.7, integers 98.5",)),
    "loso": Experiment(CONFIGS / "loso.toml", LOSO, folds=SPEAKERS, reach=("float 80, integers 79.5",)),
    "loso_memory": Experiment(CONFIGS / "loso.toml", LOSO, folds=SPEAKERS, variants=UNHEARD),
    "ablation_official": Experiment(CONFIGS / "ablation.toml", TAKES, variants=ABLATION),
    "ablation_loso": Experiment(CONFIGS / "ablation.toml", LOSO, folds=SPEAKERS, variants=ABLATION),
    "strsbp": Experiment(
        SYSTEMS / "strsbp.toml",
        FASHION,
        needs=("fashion",),
        build=("--lanes", "400,50,10"),
        reach=("float 89.0, integers 88.5",),
    ),
    "strsbp_long": Experiment(
        SYSTEMS / "strsbp.toml",
        FASHION,
        variants={"": {"train.epochs_float": 60, "train.augment": {"drop_events": 0.1, "channel_shift": 1}}},
        needs=("fashion",),
        build=("--lanes", "400,50,10"),
        reach=("float 90.1",),
    ),
    "lee": Experiment(
        SYSTEMS / "lee.toml",
        MNIST,
        needs=("mnist",),
        build=("--lanes", "400,10"),
        reach=("float 98.2, integers 97.9",),
    ),
    "lee_deep": Experiment(
        SYSTEMS / "lee-deep.toml",
        MNIST,
        variants=NORMALIZATION,
        needs=("mnist",),
        build=("--lanes", "300,100,100,10"),
        reach=("", "float 1 point below"),
    ),
    "eprop_digits": Experiment(
        SYSTEMS / "eprop-digits.toml",
        "FSDD as MFCCs, 2400/300/300 at random",
        variants={"e-prop": {}, "backpropagation through time": {"train.rule": "surrogate"}},
        needs=(),
        reach=("float within 3 points of the next",),
    ),
    "patterns": Experiment(
        SYSTEMS / "patterns.toml",
        "pattern generation; the three samples that are learned are the test, and choose the epoch",
        variants={"": {}, "dampening 0.0042": {"train.rule.dampening": 0.0042}},
        needs=(),
        seeded=("train.seed", "data.seed"),
        build=("--packets", "step"),
        reach=("float 0.015",),
    ),
    "pcm": Experiment(
        SYSTEMS / "pcm.toml",
        "pattern generation with noisy devices; the three samples that are learned are the test, and choose the epoch",
        variants=PCM,
        needs=(),
        seeded=("train.seed", "data.seed"),
        build=("--packets", "step"),
        reach=("float 0.05", "float 0.12", "float 0.04"),
    ),
    "cues": Experiment(
        SYSTEMS / "cues.toml",
        "cue accumulation, 6400/512/512 samples drawn for each seed; 2,000 updates in all, epochs chosen on validation",
        needs=(),
        seeded=("train.seed", "data.seed"),
        reach=("float 93.0, integers 93.0",),
    ),
    "permuted": Experiment(
        SYSTEMS / "metaplastic.toml",
        f"two orders of MNIST's pixels in turn, {UNKNOWN}",
        variants=METAPLASTICITY,
        needs=("mnist",),
        reach=("integers 85, 95", "integers at most 65 on the first"),
    ),
    "match": Experiment(
        MEMORY / "match.toml",
        "delayed match to sample, 4000/500/2000 samples drawn for each seed",
        variants={**FEATURES, **SELF_RECURRENCE},
        needs=(),
        seeded=("train.seed", "data.seed"),
        build=("--lanes", "16,16,2"),
    ),
    "spoken": Experiment(
        MEMORY / "spoken.toml",
        TAKES,
        variants={**FEATURES, **RECURRENCE},
        build=("--lanes", "16,16,10"),
    ),
    "rows": Experiment(
        MEMORY / "rows.toml",
        f"{ROWS}, {OFFICIAL}",
        variants={**FEATURES, **UNFILTERED},
        needs=("fashion",),
    ),
    "rows_recurrent": Experiment(
        MEMORY / "rows-recurrent.toml",
        f"{ROWS}, the official test part; epochs chosen on a twentieth of the training part",
        variants={"recurrence and delays": {}},
        needs=("fashion",),
        build=("--lanes", "32,32,10"),
        reach=("float 90, integers 89.7",),
    ),
    "sequential_features": Experiment(
        MEMORY / "sequential-features.toml",
        f"four permuted pixels in every step: {MNIST}",
        variants=one_after_another(15),
        needs=("mnist",),
        build=("--lanes", "16,16,10"),
    ),
    "sequential": Experiment(
        MEMORY / "sequential.toml",
        f"MNIST, a pixel in every step, permuted; {OFFICIAL}",
        variants={
            "recurrence and delays": {},
            "self-recurrence and delays": {**_NO_RECURRENCE, **hidden("self_weight")},
        },
        needs=("mnist",),
        build=("--lanes", "192,192,10"),
        reach=("float 94, integers 93.5",),
    ),
    "mnist_fashion": Experiment(
        SYSTEMS / "metaplastic.toml",
        f"MNIST, then Fashion-MNIST, {UNKNOWN}",
        variants={name: {**changes, **_FASHION_NEXT} for name, changes in _MNIST_FASHION.items()},
        needs=("mnist", "fashion"),
        reach=("integers 80, 80", "integers at most 50 on the first"),
    ),
}
