"""Networks from elsewhere: from a NIR file to a `RealModel`, with every assumption said."""

from __future__ import annotations

from quant.foreign.frameworks import FRAMEWORKS
from quant.foreign.lowering import Assumed, Finding, Foreign, lower
from quant.foreign.nodes import Graph, Node, read
from quant.foreign.writing import integers, to_bytes

__all__ = ["FRAMEWORKS", "Assumed", "Finding", "Foreign", "Graph", "Node", "integers", "lower", "read", "to_bytes"]
