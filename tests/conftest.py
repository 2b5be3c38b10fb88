"""Shared fixtures and the options of the fuzz target."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-seed", type=int, default=0, help="first seed of the fuzz run")
    parser.addoption("--fuzz-count", type=int, default=50, help="number of random models in the fuzz run")
    parser.addoption("--fuzz-engine", choices=("verilator", "icarus", "netlist"), default="verilator")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has a make target of its own unless `-m` asks for it."""
    if config.getoption("-m"):
        return
    apart = [item for item in items if any(item.get_closest_marker(mark) for mark in ("check", "slow", "formal"))]
    config.hook.pytest_deselected(items=apart)
    items[:] = [item for item in items if item not in apart]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What a fuzz run has gone through, of the tests that passed."""
    passed = [dict(report.user_properties) for report in terminalreporter.getreports("passed")]
    fuzzed = [properties["fuzzed"] for properties in passed if "fuzzed" in properties]
    if fuzzed:
        total = {name: sum(found[name] for found in fuzzed) for name in fuzzed[0]}
        terminalreporter.write_line(
            "without a mismatch: " + ", ".join(f"{count:,} {name}" for name, count in total.items())
        )
