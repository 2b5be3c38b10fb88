"""Shared fixtures and the options of the fuzz target."""

from __future__ import annotations

import os
from copy import deepcopy

import pytest

from hwgen.engines.folded import plan as folded


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-seed", type=int, default=0, help="first seed of the fuzz run")
    parser.addoption("--fuzz-count", type=int, default=50, help="number of random models in the fuzz run")
    parser.addoption("--fuzz-engine", choices=("verilator", "icarus", "netlist"), default="verilator")


def pytest_configure(config: pytest.Config) -> None:
    """`make test` simulates most designs for a moment: to optimize their C++ would take longer than it saves."""
    if not config.getoption("-m"):
        os.environ["MAKEFLAGS"] = f"{os.environ.get('MAKEFLAGS', '')} OPT_FAST=-O0"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has a make target of its own unless `-m` asks for it."""
    if config.getoption("-m"):
        return
    apart = [item for item in items if any(item.get_closest_marker(mark) for mark in ("check", "slow", "formal"))]
    config.hook.pytest_deselected(items=apart)
    items[:] = [item for item in items if item not in apart]


def fuzzed(config: pytest.Config) -> dict[str, int]:
    """What a fuzz run has gone through, of the tests that passed; nothing of other runs."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    passed = [dict(report.user_properties) for report in reporter.getreports("passed")] if reporter else []
    found = [properties["fuzzed"] for properties in passed if "fuzzed" in properties]
    return {name: sum(one[name] for one in found) for name in found[0]} if found else {}


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A fuzz run of many networks fails if a part of the neurons mattered to none of them."""
    total = fuzzed(session.config)
    if total.get("networks", 0) >= 100 and not all(total.values()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    total = fuzzed(terminalreporter.config)
    if total:
        counts = ", ".join(f"{count:,} {name}" for name, count in total.items())
        terminalreporter.write_line(f"without a mismatch: {counts}")
        if total["networks"] >= 100 and not all(total.values()):
            terminalreporter.write_line("FAILED: what is 0 there mattered to no network; nothing was shown of it")


@pytest.fixture(autouse=True)
def own_draws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test draws from its module's generator does not depend on the tests that ran before it."""
    if hasattr(request.module, "DRAW"):
        monkeypatch.setattr(request.module, "DRAW", deepcopy(request.module.DRAW))


@pytest.fixture
def slots_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recurrence from few neurons is built as slots wherever they take fewer bits at all, in small networks too."""
    monkeypatch.setattr(folded, "LOOKUP_BITS", 0)
