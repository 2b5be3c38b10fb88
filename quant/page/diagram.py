"""The block diagram of a core, as SVG.

Layers stand below each other. Every source of events has a rail at their left, from its emitter to each of its readers,
past a FIFO where the link skips layers; inside a layer, data goes from block to block along a snake.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from quant.page.records import Block, Estimate, Layer, Link, Memory

_LINE = 16  # height of a line of text
_CHAR = 7.2  # width of a character in it, of wide fonts
_PAD = 8
_RAIL = 14  # between rails
_ARROW = 20  # between blocks
_LEAST = 300  # width of a layer
_FIFO_WIDTH = 160
_MARK = 7  # from one mark to the next; each stands for a lane or a unit


def svg(estimate: Estimate, *, width: int, columns: int) -> Markup:
    """The diagram, `width` pixels wide or, with many rails, more, with so many blocks of a layer beside each other."""
    return _Diagram(estimate, width, columns).drawn()


class _Diagram:
    def __init__(self, estimate: Estimate, width: int, columns: int) -> None:
        self._estimate, self._columns = estimate, columns
        self._shapes: list[Markup] = []
        rails = _rails(estimate.layers)
        outermost = max(rails.values())
        self._rail_x = {source: _PAD + (outermost - rail) * _RAIL for source, rail in rails.items()}
        self._joints: dict[int, list[int]] = {source: [] for source in rails}  # heights at which rails are joined
        self._left = 2 * _PAD + outermost * _RAIL + _PAD
        self._right = max(width, self._left + _LEAST) - 1

    def drawn(self) -> Markup:
        estimate = self._estimate
        y = self._port(1, f"s_axis: events on {estimate.inputs:,} channels")
        y = self._output(0, self._left + 40, y, estimate.parts[0].events or 0.0)
        for layer in estimate.layers:
            end, y = self._layer(layer, y)
            bottom = y
            if layer.spikes is not None:
                y = self._output(layer.index, end, y, layer.spikes)
        tip = max(y, bottom + _ARROW)
        self._arrow((end, bottom), (end, tip))
        y = self._port(tip, f"m_axis: {estimate.classes:,} scores, class and status of each {estimate.packets}")
        for source, x in self._rail_x.items():
            self._rail(x, sorted(self._joints[source]))
        return Markup(
            '<svg viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="block diagram">{shapes}</svg>'
        ).format(w=self._right + 1, h=y + 1, shapes=Markup("\n").join(self._shapes))

    def _port(self, y: int, text: str) -> int:
        """A port of the core; the height of its end."""
        return self._block(self._left, y, self._right - self._left, "port", [("", text)])

    def _output(self, source: int, x: int, y: int, spikes: float) -> int:
        """The events that leave at `x` on their way to their rail; the height of what comes next."""
        turn = y + _ARROW
        self._path(f"M{x} {y}V{turn}H{self._rail_x[source]}", "wire")
        self._joints[source].append(turn)
        on_the_right = x < self._right // 2
        text = f"{spikes:,.1f} events per step"
        self._text(x + (6 if on_the_right else -6), turn - 6, text, "" if on_the_right else "end")
        return turn + _ARROW

    def _layer(self, layer: Layer, top: int) -> tuple[int, int]:
        """A layer from the height `top` on; where its output leaves, and the height of its end."""
        frame, y = len(self._shapes), top + _PAD
        name, cycles = f"layer {layer.index}", {part.name: part.cycles for part in self._estimate.parts}
        slowest = name == self._estimate.slowest
        text = f"{name}: {layer.neurons:,} neurons, {layer.folded}; {cycles[name]:,.0f} cycles per step"
        for line in _wrapped(text + ", the bottleneck" * slowest, self._right - self._left - 2 * _PAD):
            self._text(self._left + _PAD, y + 12, line, "name")
            y += _LINE
        entry, *chain = layer.blocks
        entered, y = self._entry(entry, layer.links, y + _PAD // 2)
        end, y = self._chain(chain, entered, y)
        self._path(f"M{end} {y}v{_PAD}", "wire")
        style = "layer slowest" if slowest else "layer"
        box = _rectangle(self._left, top, self._right - self._left, y + _PAD - top, style)
        self._shapes.insert(frame, box)
        return end, y + _PAD

    def _chain(self, blocks: Sequence[Block], entered: int, y: int) -> tuple[int, int]:
        """Blocks behind each other, row by row, to and fro; where the output of the last leaves, and its height."""
        left, columns = self._left + _PAD, min(self._columns, len(blocks))
        width = (self._right - _PAD - left - (columns - 1) * _ARROW) // columns
        middle = left + width // 2
        self._path(f"M{entered} {y}v{_ARROW // 2}H{middle}", "wire")
        for start in range(0, len(blocks), columns):
            self._arrow((middle, y + (0 if start else _ARROW // 2)), (middle, y + _ARROW))
            y += _ARROW
            frames, ends = len(self._shapes), []
            for number, block in enumerate(blocks[start : start + columns]):
                back = start // columns % 2
                x = left + (columns - 1 - number if back else number) * (width + _ARROW)
                if number:
                    tip, along = (x + width, _ARROW) if back else (x, -_ARROW)
                    self._arrow((tip + along, y + _LINE), (tip, y + _LINE))
                ends.append((x, self._block(x, y, width, "", _content(block))))
                middle = x + width // 2
            end = max(height for _, height in ends)
            self._shapes[frames:frames] = [_rectangle(x, y, width, end - y, "logic") for x, _ in ends]
            y = end
        return middle, y

    def _entry(self, block: Block, links: Sequence[Link], y: int) -> tuple[int, int]:
        """The block that merges links, each behind its FIFO; where its output leaves, and the height of its end."""
        left, right = self._left + _PAD, self._right - _PAD
        x = left + _ARROW + (_FIFO_WIDTH if any(link.fifo_words for link in links) else 0)
        content: list[_Item] = [("name", block.name), *(("", line) for line in block.lines)]
        frame, end = len(self._shapes), self._block(x, y, right - x, "", content)
        for link in links:
            wrapped = _wrapped(_source(link), right - x - 2 * _PAD)
            for number, line in enumerate(wrapped):
                self._text(x + _PAD, end + 12 + number * _LINE, line, "")
            middle, filled = end + _LINE // 2, end + len(wrapped) * _LINE
            self._joints[link.source].append(middle)
            start = self._rail_x[link.source]
            if link.fifo_words:
                self._arrow((start, middle), (left, middle))
                fifo = f"FIFO {link.fifo_words:,} × {link.fifo_word_bits} bit"
                filled = max(filled, self._block(left, end - 3, _FIFO_WIDTH, "memory", [("", fifo)], pad=3) - 3)
                start = left + _FIFO_WIDTH
            self._arrow((start, middle), (x, middle))
            end = filled + _PAD
        self._shapes.insert(frame, _rectangle(x, y, right - x, end - y, "logic"))
        return max(x + 2 * _PAD, left + (right - left) // (2 * self._columns)), end

    def _block(self, x: int, y: int, width: int, kind: str, content: Iterable[_Item], pad: int = _PAD) -> int:
        """A box of a kind, without a kind only its content; the height of its end."""
        frame, top = len(self._shapes), y
        y += pad
        for style, item in content:
            if isinstance(item, int):
                fitting = (width - 2 * _PAD) // _MARK
                if item > fitting:
                    fitting -= 2
                    self._text(x + _PAD + fitting * _MARK, y + 12, "…", "")
                for mark in range(min(item, fitting)):
                    self._shapes.append(_rectangle(x + _PAD + mark * _MARK, y + 3, _MARK - 2, 9, "mark"))
                y += _LINE
            elif isinstance(item, str):
                for line in _wrapped(item, width - 2 * _PAD):
                    self._text(x + _PAD, y + 12, line, style)
                    y += _LINE
            else:
                y = self._block(x + 4, y + 4, width - 8, "memory", item, pad=3)
        y += pad
        if kind:
            self._shapes.insert(frame, _rectangle(x, top, width, y - top, kind))
        return y

    def _rail(self, x: int, heights: Sequence[int]) -> None:
        self._path(f"M{x} {heights[0]}V{heights[-1]}", "wire")
        for y in heights[1:-1]:
            self._shapes.append(Markup('<circle class="joint" cx="{}" cy="{}" r="3"/>').format(x, y))

    def _arrow(self, start: tuple[int, int], tip: tuple[int, int]) -> None:
        (x, y), sideways = tip, start[1] == tip[1]
        along = 6 if (tip[0] > start[0] if sideways else tip[1] > start[1]) else -6
        self._path(f"M{start[0]} {start[1]}L{x - along * sideways} {y - along * (not sideways)}", "wire")
        sides = f"l{-along} 4v-8z" if sideways else f"l4 {-along}h-8z"
        self._path(f"M{x} {y}{sides}", "head")

    def _text(self, x: int, y: int, text: str, style: str) -> None:
        self._shapes.append(Markup('<text x="{}" y="{}" class="{}">{}</text>').format(x, y, style, text))

    def _path(self, path: str, style: str) -> None:
        self._shapes.append(Markup('<path d="{}" class="{}"/>').format(path, style))


# What stands in a block: the style of a text, and the text; so many marks; or the texts of a memory.
_Item = tuple[str, "str | int | list[_Item]"]


def _content(block: Block) -> list[_Item]:
    found: list[_Item] = [("name", block.name), *(("", line) for line in block.lines)]
    if block.copies > 1:
        found.append(("", block.copies))
    return found + [("", _memory(memory, block.name)) for memory in block.memories]


def _memory(memory: Memory, owner: str) -> list[_Item]:
    size = f"{memory.words:,} × {memory.word_bits:,} bit"
    return [("", size)] if memory.name == owner else [("", memory.name), ("", size)]


def _source(link: Link) -> str:
    if link.source == link.consumer:
        return f"its own {link.channels:,}, a step later"
    return f"{f'layer {link.source}' if link.source else 'input'}: {link.channels:,} channels"


def _rails(layers: Sequence[Layer]) -> dict[int, int]:
    """Of every source that is read, the number of its rail, from the inside out; two with one number never meet."""
    places = {0: 0, **{layer.index: place for place, layer in enumerate(layers, start=1)}}
    spans: dict[int, tuple[float, float]] = {}
    for layer in layers:
        for link in layer.links:
            first, last = spans.get(link.source, (places[link.source] + 0.5, 0.0))
            here = float(places[layer.index])
            spans[link.source] = min(first, here), max(last, here, places[link.source] + 0.5)
    rails: dict[int, int] = {}
    for source, (first, last) in sorted(spans.items(), key=lambda item: item[1][1] - item[1][0]):
        taken = {
            rails[other] for other, span in spans.items() if other in rails and span[0] <= last and first <= span[1]
        }
        rails[source] = min(set(range(len(spans) + 1)) - taken)
    return rails


def _rectangle(x: int, y: int, width: int, height: int, style: str) -> Markup:
    shape = '<rect x="{}" y="{}" width="{}" height="{}" rx="3" class="{}"/>'
    return Markup(shape).format(x, y, width, height, style)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(8, int(width / _CHAR)))
