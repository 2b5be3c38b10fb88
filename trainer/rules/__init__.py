"""Learning rules: how a layer's gradient comes from what the layer did. A new rule is a file and a line in `RULES`."""

from __future__ import annotations

from collections.abc import Mapping

from trainer.rules.eprop import Eprop
from trainer.rules.lee import Lee
from trainer.rules.rule import Broadcast, Did, Gradients, Rule, replay
from trainer.rules.strsbp import StRsbp
from trainer.rules.surrogate import SurrogateGradient
from trainer.rules.tssl import Tssl

RULES: Mapping[str, type[Rule]] = {
    "surrogate": SurrogateGradient,
    "tssl": Tssl,
    "strsbp": StRsbp,
    "lee": Lee,
    "eprop": Eprop,
}

__all__ = [
    "RULES",
    "Broadcast",
    "Did",
    "Eprop",
    "Gradients",
    "Lee",
    "Rule",
    "StRsbp",
    "SurrogateGradient",
    "Tssl",
    "replay",
]
