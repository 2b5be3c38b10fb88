"""Mutation score: faults put into the generated hardware and the golden model, one at a time; do the tests find them?

A mutant is a copy of the checkout in which one place of one file is changed: a module of the library, a template of the
top module, the golden model (all of its mutants; of the hardware's `--n` drawn at random). The tests of that file run
in it until one fails: the mutant is killed. Verilog is linted first, so that the score of what lint lets pass is known
by itself. Texts that only repeat the source (snapshots) are no such tests. Writes bench/results/mutation.json: scores,
and every survivor with its line.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired
from typing import Any

from tqdm import tqdm

from bench.record import RESULTS, commit, write
from quant.errors import ScsrError

COPIED = ("bench", "configs", "docs", "hwgen", "quant", "rtl_templates", "sim", "tests", "trainer", "pyproject.toml")
LINT = "tests/rtl/test_lint.py"
CORES_LINT = (LINT, "-k", "generated_cores and verilator")
GOLDEN_TESTS = (
    tuple(
        f"tests/unit/quant/test_{name}.py" for name in ("golden", "semantics", "neurons", "projections", "calibration")
    ),
    ("tests/unit/trainer/test_equality.py",),
    ("tests/unit/hwgen/test_planner.py",),
)
CORE_TESTS = (
    ("tests/rtl/test_networks.py", "-k", "not larger"),
    ("tests/rtl/test_safety.py",),
    ("tests/rtl/test_rates.py",),
)
# Everything that may kill a mutant; it must pass on the sources as they are.
ALL_TESTS = (
    (LINT,),
    *GOLDEN_TESTS,
    *CORE_TESTS,
    ("tests/rtl/test_leaves.py",),
    ("tests/formal/test_proofs.py", "-m", "formal", "-k", "rules_hold"),
)
RECORD = RESULTS / "mutation.json"
GOLDEN = ("quant/golden.py", "quant/arithmetic.py", "quant/readouts.py", "quant/neurons/*.py", "quant/projections/*.py")
TEMPLATES = ("lib/*.v", "top/*.v.j2", "engines/*/*.v.j2", "wrappers/*.v.j2")
LIMIT_S = 600  # of a test: a mutant that hangs is killed, too

# What is replaced, and by what: operators, constants, widths, branches, resets.
VERILOG = (
    ("comparison", r" == ", " != "),
    ("comparison", r" != ", " == "),
    ("logic", r" && ", " || "),
    ("logic", r" \|\| ", " && "),
    ("logic", r"(?<=[\w)\]]) & (?=[\w(~{])", " | "),
    ("logic", r"(?<=[\w)\]]) \| (?=[\w(~{])", " & "),
    ("negation", r"!(?=[\w(])", ""),
    ("arithmetic", r" \+ (?=[\w{(])", " - "),
    ("arithmetic", r" - (?=[\w{(])(?!1\b)", " + "),
    ("shift", r">>>", ">>"),
    ("constant", r"1'b0", "1'b1"),
    ("constant", r"1'b1", "1'b0"),
    ("off by one", r"== LAST_(\w+)", r"== LAST_\1 - 1"),
    ("width", r"(?<=reg )\[(\w+)-1:0\]", r"[\1-2:0]"),
    ("reset", r"if \(rst\)", "if (1'b0)"),
    ("branch", r"\? (\w+) : (\w+)", r"? \2 : \1"),
    ("hold", r"if \((advance|en|free)\)", "if (1'b1)"),
    ("swapped", r"(\w+)_1_q(?=\b.*<=)", r"\1_2_q"),
)
PYTHON = (
    ("comparison", r" >= ", " > "),
    ("comparison", r" < ", " <= "),
    ("comparison", r" == ", " != "),
    ("arithmetic", r" \+ (?=\w)", " - "),
    ("arithmetic", r" - (?=\w)", " + "),
    ("arithmetic", r" \+= ", " -= "),
    ("arithmetic", r" \* (?=\w)", " + "),
    ("logic", r" & ", " | "),
    ("shift", r" >> ", " << "),
    ("shift", r"1 << ", "2 << "),
    ("constant", r"(?<=[ (\[])0(?=[,)\]:])", "1"),
    ("negation", r"\bnot ", ""),
    ("branch", r"is None", "is not None"),
    ("branch", r"is not None", "is None"),
)

_CODE_OF_VERILOG = re.compile(r"^(?!\s*(//|{[%#]|parameter|localparam|`|module|endmodule)).*$")
_CODE_OF_PYTHON = re.compile(r'^(?!\s*(#|import|from|def |class |"""|raise |@)).*$')

# A port or a parameter of an instance, a line of its own.
_CONNECTION = re.compile(r"(\s*\.(\w+)\s*)\((.*)\)(,?)$")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed line: the file, the line number from 1, and the text before and after."""

    file: str
    line: int
    kind: str
    before: str
    after: str


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Every mutant of a file."""
    verilog = path.suffix != ".py"
    code = _CODE_OF_VERILOG if verilog else _CODE_OF_PYTHON
    documented, before = False, ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text, mark, comment = line.partition("//" if verilog else "  #")
        if not verilog and line.count('"""') == 1:
            documented = not documented
        if documented or not code.match(line):
            continue
        changes = [*_replaced(text, VERILOG if verilog else PYTHON), *(_reconnected(text, before) if verilog else ())]
        before = text
        for kind, changed in changes:
            if changed != text:
                yield Mutant(str(path), number, kind, line.strip(), f"{changed}{mark}{comment}".strip())


def _replaced(text: str, patterns: Sequence[tuple[str, str, str]]) -> Iterator[tuple[str, str]]:
    for kind, pattern, replacement in patterns:
        for match in re.finditer(pattern, text):
            yield kind, text[: match.start()] + match.expand(replacement) + text[match.end() :]


def _reconnected(text: str, before: str) -> Iterator[tuple[str, str]]:
    """A port tied to a constant, or connected like the port before it; a parameter one higher."""
    match = _CONNECTION.match(text)
    if not match:
        return
    name, port, expression, comma = match.groups()
    if port.isupper():
        yield "off by one", f"{name}({expression} + 1){comma}"
        return
    yield "tied", f"{name}(1'b0){comma}"
    yield "tied", f"{name}(1'b1){comma}"
    neighbour = _CONNECTION.match(before)
    if neighbour and not neighbour[2].isupper():
        yield "swapped", f"{name}({neighbour[3]}){comma}"


def tests_of(file: str) -> tuple[tuple[str, ...], ...]:
    """Arguments of pytest, the quickest tests first."""
    if file.endswith(".py"):
        return GOLDEN_TESTS
    if file.endswith(".j2"):
        return (CORES_LINT, *CORE_TESTS)
    module = Path(file).stem
    return (
        (LINT, "-k", f"clean_alone and {module}-verilator"),
        CORES_LINT,
        *CORE_TESTS,
        ("tests/rtl/test_leaves.py", "-k", module),
        ("tests/formal/test_proofs.py", "-m", "formal", "-k", f"rules_hold and {module}-"),
    )


def killer(mutant: Mutant | None, tests: Sequence[tuple[str, ...]]) -> str | None:
    """The test file that fails on a mutant, or on the unchanged sources if there is none; None if all pass."""
    with tempfile.TemporaryDirectory(prefix="scsr_mutant_") as folder:
        for name in COPIED:
            copy = shutil.copytree if Path(name).is_dir() else shutil.copy
            copy(name, Path(folder) / name)
        if mutant is not None:
            target = Path(folder) / mutant.file
            lines = target.read_text(encoding="utf-8").splitlines(keepends=True)
            lines[mutant.line - 1] = lines[mutant.line - 1].replace(mutant.before, mutant.after)
            target.write_text("".join(lines), encoding="utf-8")
        for arguments in tests:
            if _pytest(arguments, folder) not in (0, 5):  # 5: this module has no tests there
                return arguments[0]
    return None


def _pytest(arguments: Sequence[str], folder: str) -> int | None:
    """The exit status of the tests in a copy, or None after the time limit, when all their processes are killed."""
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTHONPATH": folder}
    process = Popen(command, cwd=folder, env=environment, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True)
    try:
        return process.wait(LIMIT_S)
    except TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def drawn(n: int, seed: int) -> tuple[dict[str, Any], list[Mutant]]:
    """All mutants of the golden model and `n` of the hardware, and the first part of their record."""
    golden = [mutant for pattern in GOLDEN for path in sorted(Path().glob(pattern)) for mutant in mutants_of(path)]
    library = Path("rtl_templates")
    every = [mutant for pattern in TEMPLATES for path in sorted(library.glob(pattern)) for mutant in mutants_of(path)]
    chosen = golden + random.Random(seed).sample(every, min(n, len(every)))
    record = {
        "command": f"python -m bench.mutation --n {n} --seed {seed}",
        "commit": commit(),
        "possible": len(golden) + len(every),
        "mutants": len(chosen),
        "mutants_of_kind": Counter(mutant.kind for mutant in chosen),
        "killed_by": {},
    }
    return record, chosen


def survivors() -> tuple[dict[str, Any], list[Mutant]]:
    """The record and its survivors.

    Raises:
        ScsrError: if there is none, or one of another text.
    """
    if not RECORD.is_file():
        raise ScsrError(f"{RECORD} is missing; run without --again first")
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    chosen = [Mutant(**survivor) for survivor in record["survivors"]]
    for mutant in chosen:
        lines = Path(mutant.file).read_text(encoding="utf-8").splitlines()
        if [line.strip() for line in lines[mutant.line - 1 : mutant.line]] != [mutant.before]:
            raise ScsrError(f"{mutant.file}:{mutant.line} was changed since {RECORD}; run without --again")
    return record | {"survivors_tried_again_at": commit()}, chosen


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=300, help="how many mutants of the hardware (default 300)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--again", action="store_true", help="try those that survived the recorded run once more")
    arguments = parser.parse_args()
    try:
        record, chosen = survivors() if arguments.again else drawn(arguments.n, arguments.seed)
    except ScsrError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(arguments.processes) as pool:
        for broken in pool.map(lambda tests: killer(None, [tests]), ALL_TESTS):
            if broken is not None:
                print(f"error: {broken} fails on the sources as they are; mend it first", file=sys.stderr)
                return 2
        found = pool.map(lambda mutant: killer(mutant, tests_of(mutant.file)), chosen)
        killers = []
        for mutant, test in zip(chosen, tqdm(found, total=len(chosen), desc="mutants"), strict=True):
            killers.append(test)
            if test is None:
                tqdm.write("{file}:{line} ({kind})\n  - {before}\n  + {after}".format(**asdict(mutant)))
    return report(record, chosen, killers)


def report(record: dict[str, Any], chosen: Sequence[Mutant], killers: Sequence[str | None]) -> int:
    """Complete the record, write and print it; the exit status is 1 below a score of 95 %."""
    killed_by = Counter(record["killed_by"]) + Counter(test for test in killers if test)
    alive = [mutant for mutant, test in zip(chosen, killers, strict=True) if test is None]
    compiled = record["mutants"] - killed_by[LINT]
    record |= {
        "killed_by": dict(sorted(killed_by.items())),
        "score_percent": round(100 * (1 - len(alive) / record["mutants"]), 1),
        "score_of_lint_clean_percent": round(100 * (1 - len(alive) / compiled), 1),
        "survivors": [asdict(mutant) for mutant in alive],
    }
    write(RECORD, record)
    print(
        f"{{mutants}} of {{possible}} mutants, {len(alive)} survive: score {{score_percent}} %, "
        f"of the {compiled} that lint lets pass {{score_of_lint_clean_percent}} %".format(**record)
    )
    return 0 if record["score_percent"] >= 95 else 1


if __name__ == "__main__":
    sys.exit(main())
