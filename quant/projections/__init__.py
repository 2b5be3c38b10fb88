"""Projections: how the spikes of a source become input currents. A new kind is a file here and a registry line."""

from __future__ import annotations

from collections.abc import Mapping

from quant.projections.dense import Dense

Projection = Dense
PROJECTIONS: Mapping[str, type[Projection]] = {kind.kind: kind for kind in (Dense,)}

__all__ = ["PROJECTIONS", "Dense", "Projection"]
