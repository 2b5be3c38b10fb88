"""What `python -m hwgen build` and `synth` do."""

from __future__ import annotations

import argparse
from dataclasses import fields

from hwgen.cli.foreign import load
from hwgen.core.build import write
from hwgen.core.choice import BUDGETS, lanes_and_units
from hwgen.core.request import Request, fulfil
from hwgen.fpga.synth import synthesize, table_line
from quant import page
from quant.errors import BuildError


def build(arguments: argparse.Namespace) -> int:
    model = load(arguments)
    options = {field.name: getattr(arguments, field.name) for field in fields(Request)}
    options["budget"] = None if arguments.budget is None else _budget(arguments.budget)
    made, description = fulfil(model, Request(**options))
    for name in write(made, arguments.out):
        print(f"{arguments.out}: removed with the earlier build: {name}")
    page.link_training(arguments.out, arguments.model.parent)
    plan = made.plan
    lanes = ",".join(str(lanes) for lanes in lanes_and_units(model, plan.layers)[0])
    bits = f"{sum(memory.bits for memory in plan.memories):,} bits stored"
    print(f"{arguments.out}: top module {plan.top}, {len(plan.layers)} layers, lanes {lanes}, {bits}")
    if description:
        print(description)
    print(f"page: {arguments.out / page.PAGE}")
    return 0


def synth(arguments: argparse.Namespace) -> int:
    result = synthesize(arguments.build, arguments.target, arguments.seeds, modules=True)
    print(table_line(result))
    return 0


def _budget(text: str) -> dict[str, float]:
    limits: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        if name not in BUDGETS or name in limits or not number.isascii() or not number.isdigit() or len(number) > 9:
            names = ", ".join(BUDGETS)
            raise BuildError(f"--budget is {text[:60]!r}: give whole numbers of {names}, such as lut=2000,bram=30")
        limits[name] = float(number)
    return limits
