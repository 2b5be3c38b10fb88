"""The serial variant of a core: every build folder carries the core's top behind a UART bridge, for any board."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.core import render

FOLDER = "uart"
MODEL_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Uart:
    """The module that puts a core behind a serial line (docs/boards.md).

    Attributes:
        core: name of the core's top module.
        model: the first hexadecimal digits of the model's digest, by which a host knows the core again.
        load: whether the core takes the words of its weights after a reset.
        self_test: whether it can test itself.
    """

    core: str
    model: str
    load: bool
    self_test: bool

    @property
    def name(self) -> str:
        return f"{self.core}_uart"

    def sources(self) -> dict[str, str]:
        """The Verilog that comes on top of the core's own, by path in the build folder."""
        modules = {**render.board_modules(), f"{self.name}.v": render.from_template("boards/uart.v.j2", uart=self)}
        return {f"{FOLDER}/{name}": text for name, text in modules.items()}


def make_uart(core: str, digest: str, *, load: bool, self_test: bool) -> Uart:
    """The serial variant of the core `core` of the model with this digest."""
    return Uart(core, digest[:MODEL_DIGITS], load, self_test)
