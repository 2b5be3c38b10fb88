"""Library modules alone: one bench per module, of the module's name, in `leaves`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hwgen.core.render import TEMPLATES
from sim.tb import runner

pytestmark = pytest.mark.rtl

LEAVES = Path(__file__).parent / "leaves"
READOUT = {"UNITS": 1, "UNIT_W": 1, "WORDS": 5, "WORD_W": 3, "INDEX_W": 3, "VALUE_W": 6, "TAG_W": 4}
TWO_WORDS = {"UNITS": 2, "UNIT_W": 1, "WORDS": 2, "WORD_W": 1, "INDEX_W": 2, "VALUE_W": 1, "TAG_W": 4}
CASES = {
    "scsr_axis_input": {"CHANNELS": 5, "INDEX_W": 3, "STAMP_W": 3},
    "scsr_decay": {"STATE_W": 5, "LEAK_W": 3, "CODE_W": 3, "SHIFT": 0},
    "scsr_decay, shift": {"STATE_W": 5, "LEAK_W": 3, "CODE_W": 2, "SHIFT": 1},
    "scsr_emitter": {"UNITS": 1, "INDEX_W": 2, "TAG_W": 2},
    "scsr_emitter, four units": {"UNITS": 4, "INDEX_W": 4, "TAG_W": 2},
    "scsr_event_list": {"PORTS": 1, "ROW_W": 3, "COUNT_W": 3, "POSITION_W": 3, "GROUPS": 3, "GROUP_W": 2, "TAG_W": 2},
    "scsr_event_list, two ports": {
        "PORTS": 2,
        "ROW_W": 3,
        "COUNT_W": 3,
        "POSITION_W": 2,
        "GROUPS": 3,
        "GROUP_W": 2,
        "TAG_W": 2,
    },
    "scsr_fifo": {"WIDTH": 8, "DEPTH": 8, "ADDR_W": 3},
    "scsr_fire": {"STATE_W": 5, "THRESHOLD_W": 3, "RESET": 0},
    "scsr_fire, subtract": {"STATE_W": 5, "THRESHOLD_W": 3, "RESET": 1},
    "scsr_fire, adaptive": {"STATE_W": 5, "THRESHOLD_W": 3, "ADAPTIVE": 1, "RESET": 1},
    "scsr_fire, late": {"STATE_W": 5, "THRESHOLD_W": 3, "RESET": 2},
    "scsr_fork": {"BRANCHES": 3},
    "scsr_leaky_sum": {"STATE_W": 4, "LEAK_W": 3, "CODE_W": 3, "SHIFT": 0, "X_W": 6},
    "scsr_readout": {"UNITS": 1, "UNIT_W": 1, "WORDS": 5, "WORD_W": 3, "INDEX_W": 3, "VALUE_W": 1, "TAG_W": 4},
    "scsr_readout, two words": TWO_WORDS,
    "scsr_readout, three units": {
        "UNITS": 3,
        "UNIT_W": 2,
        "WORDS": 4,
        "WORD_W": 2,
        "INDEX_W": 4,
        "VALUE_W": 6,
        "TAG_W": 4,
    },
    "scsr_readout, largest": READOUT | {"MODE": 1},
    "scsr_readout, last": READOUT | {"MODE": 2},
    "scsr_readout, every step": READOUT | {"MODE": 2, "EVERY_STEP": 1},
    "scsr_readout, every step, two words": TWO_WORDS | {"EVERY_STEP": 1},
    "scsr_skid": {"WIDTH": 8},
    "scsr_watchdog": {"LIMIT": 6, "COUNT_W": 3},
    "scsr_watchdog, one cycle": {"LIMIT": 1, "COUNT_W": 1},
}
_ICARUS = shutil.which("iverilog")
SIMULATORS = [  # where both are installed, one of them waits for `make check`
    pytest.param("verilator", marks=pytest.mark.check if _ICARUS else ()),
    pytest.param("icarus", marks=pytest.mark.skipif(not _ICARUS, reason="iverilog is not installed")),
]


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("case", CASES)
def test_leaf(case: str, simulator: str, tmp_path: Path) -> None:
    module = case.split(",")[0]
    tests, failures, log = runner.run_bench(
        sources=sorted((TEMPLATES / "lib").glob("*.v")),
        top=module,
        parameters=CASES[case],
        bench=LEAVES / f"{module}.py",
        work=tmp_path,
        cwd=tmp_path,
        variables={},
        simulator=simulator,
    )
    assert tests > 0
    assert not failures, log.read_text()[-3000:]
