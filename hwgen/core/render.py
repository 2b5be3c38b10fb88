"""Verilog text from a plan. Templates choose and repeat; numbers and names come from the plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import jinja2

import hwgen
import rtl_templates
from hwgen import engines
from hwgen.core.plan import DIGEST_BITS, MEMORY_FOLDER, VERSION_BITS, CorePlan, Link
from quant.manifest import Port

DEFAULT_CLOCK_MHZ = 100
TEMPLATES = Path(rtl_templates.__file__).parent


def leaf_modules() -> dict[str, str]:
    """The library's modules: file name -> text."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((TEMPLATES / "lib").glob("*.v"))}


def serial_modules(core: str, model: str, *, load: bool, self_test: bool) -> dict[str, str]:
    """The core behind a serial line, `<core>_uart`, and the bridge's modules below it: file name -> text.

    Args:
        core: name of the core's top module.
        model: the first hexadecimal digits of the model's digest, by which a host knows the core again.
        load: whether the core takes the words of its weights after a reset.
        self_test: whether it can test itself.
    """
    bridge = {path.name: path.read_text(encoding="utf-8") for path in sorted((TEMPLATES / "boards/lib").glob("*.v"))}
    uart = {"name": f"{core}_uart", "core": core, "model": model, "load": load, "self_test": self_test}
    return {**bridge, f"{core}_uart.v": from_template("boards/uart.v.j2", uart=uart)}


def core_modules(plan: CorePlan, digest: str) -> dict[str, str]:
    """The network's own modules, the top last: file name -> text."""
    values = {
        "plan": plan,
        "digest": digest,
        "stream": _stream,
        "template": lambda layer: engines.of(layer).template,
        "range": _range,
    }
    modules = {f"{plan.core}.v": from_template("top/core.v.j2", **values)}
    if plan.wrappers:
        modules[f"{plan.top}.v"] = from_template("top/wrapper.v.j2", **values)
    return modules


def probe_module(plan: CorePlan) -> str:
    """The simulation wrapper that shows every layer's spikes."""
    return from_template("top/probe.v.j2", plan=plan, range=_range)


def frame_module(top: str, ports: Sequence[Port]) -> str:
    """The frame in which the core `top` is placed and routed: shift registers at all ports but the clock."""
    widths = {"input": 0, "output": 0}
    connections = []
    for port in ports:
        if port.name != "aclk":
            low = widths[port.direction]
            widths[port.direction] += port.width
            vector = {"input": "inputs_q", "output": "outputs"}[port.direction]
            connections.append({"port": port.name, "vector": vector, "high": low + port.width - 1, "low": low})
    bits = {"input_bits": widths["input"], "output_bits": widths["output"]}
    return from_template("targets/frame.v.j2", top=top, connections=connections, **bits)


def _stream(link: Link) -> str:
    """Prefix of the signals that carry a link's tick and index to its consumer."""
    if link.fifo_words:
        return link.name
    return "input" if link.source == 0 else f"layer_{link.source}"


def _range(bits: int) -> str:
    """A vector's range in a column of its own."""
    return f"[{bits - 1}:0]".ljust(6)


def integration_files(plan: CorePlan, sources: Sequence[str]) -> dict[str, str]:
    """What takes a core with these sources into other designs and tools: path in the build folder -> text."""
    values = {
        "plan": plan,
        "sources": sources,
        "component": _vhdl(plan.top),
        "package": _vhdl(f"{plan.top}_component"),
        "range": _range,
        **clock(DEFAULT_CLOCK_MHZ),
    }
    templates = {
        "sources.f": "integration/sources.f.j2",
        f"{plan.top}.core": "integration/fusesoc.core.j2",
        f"integration/{plan.top}_instance.v": "integration/instance.v.j2",
        f"integration/{plan.top}_component.vhd": "integration/component.vhd.j2",
        f"integration/{plan.top}.sdc": "targets/clock.sdc.j2",
        f"integration/{plan.top}.xdc": "targets/clock.sdc.j2",
    }
    return {path: from_template(template, **values) for path, template in templates.items()}


def clock(mhz: int) -> dict[str, object]:
    """What constraints of a clock say."""
    return {"clock_mhz": mhz, "period_ns": f"{1000 / mhz:.3f}"}


def _vhdl(name: str) -> str:
    """A Verilog name in VHDL: an extended identifier where the underscores do not stand between letters or digits."""
    return name if re.fullmatch(r"[A-Za-z](_?[A-Za-z0-9])*", name) else f"\\{name}\\"


def from_template(path: str, **values: object) -> str:
    """The text of a template, named by its path below `rtl_templates`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    constants = {"digest_bits": DIGEST_BITS, "version_bits": VERSION_BITS, "memory_folder": MEMORY_FOLDER}
    return environment.get_template(path).render(version=hwgen.__version__, **constants, **values)
