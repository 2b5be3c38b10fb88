"""The folded engine: some neurons of a layer accumulate at once, group after group, event by event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from hwgen.core import neuron
from hwgen.core.folding import Folding
from hwgen.core.footprint import Footprint
from hwgen.core.plan import MAX_VECTOR_BITS, Memory, Place
from hwgen.engines.folded import area, contents
from hwgen.engines.folded.blocks import blocks
from hwgen.engines.folded.clock import FoldedClock
from hwgen.engines.folded.fold import Fold, events_per_cycle, fold
from hwgen.engines.folded.plan import FoldedLayer, plan_layer, refold
from quant.model import Layer
from quant.page.records import Block
from quant.projections import Dense

_MAX_UNITS = 64


class Folded:
    """See `hwgen.engines.Engine`."""

    name: ClassVar[str] = "folded"
    plans: ClassVar[Any] = FoldedLayer
    template: ClassVar[str] = "engines/folded/layer.v.j2"

    def refuses(self, layer: Layer) -> str | None:
        if other := [one.kind for one in layer.projections if not isinstance(one, Dense)]:
            return f"projections of kind {other[0]!r}"
        return neuron.refuses(layer)

    def plan(self, layer: Layer, place: Place, folding: Folding, *, spiking: bool) -> FoldedLayer:
        rows = sum(link.size for link in place.links)
        return plan_layer(layer, place, fold(folding, place.index, place.neurons, rows), spiking=spiking)

    def variants(self, layer: FoldedLayer, ports: int, lanes: int | None) -> Iterator[FoldedLayer]:
        loaded = layer.weights.loaded
        filled = sorted({-(-layer.neurons // groups) for groups in range(1, layer.neurons + 1)})
        for count in filled if lanes is None else [lanes]:
            taken = events_per_cycle(layer.neurons, count, ports, loaded)
            for units in sorted({-(-count // words) for words in range(1, count + 1)}):
                if units > _MAX_UNITS:
                    break
                folded = refold(layer, Fold(count, units, taken, loaded))
                if folded.widest_vector_bits <= MAX_VECTOR_BITS:
                    yield folded

    def clock(self, layer: FoldedLayer) -> FoldedClock:
        return FoldedClock(layer)

    def footprint(self, layer: FoldedLayer) -> Footprint:
        return area.footprint(layer)

    def contents(self, layer: Layer, plan: FoldedLayer) -> Iterator[tuple[Memory, Iterator[str]]]:
        yield plan.weights, contents.weight_words(layer, plan)
        if plan.slot_weights:
            yield plan.slot_weights, contents.slot_words(layer, plan)
        yield plan.params, contents.param_words(layer, plan)

    def blocks(self, layer: FoldedLayer) -> list[Block]:
        return blocks(layer)

    def report(self, layers: Sequence[FoldedLayer]) -> list[str]:
        from hwgen.engines.folded.report import report  # it needs the core's timing, which needs the engines

        return report(layers)

    def record(self, layer: FoldedLayer) -> dict[str, Any]:
        return {"lanes": layer.lanes, "units": layer.units}
