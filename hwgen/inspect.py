"""`inspect`: what a build folder holds, and whether it still is what was built."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hwgen.build import MODEL, checksums_of, differences, manifest_of
from quant import store
from quant.command import Command
from quant.errors import BuildError

_SHOWN = 5


def add_command(command: Command) -> None:
    inspect = command.add("inspect", _inspect, "check a build folder's files against its manifest")
    inspect.add_argument("--build", type=Path, required=True, help="build folder")


def _inspect(arguments: argparse.Namespace) -> int:
    """Print what was built and what differs from it; the exit status is 1 where anything does."""
    folder: Path = arguments.build
    manifest, checksums = manifest_of(folder), checksums_of(folder)
    if manifest is None or checksums is None:
        raise BuildError(f"{folder} is no build folder of this version; `python -m hwgen build` makes one")
    found = differences(folder, checksums)
    print(f"top module    {manifest.get('top')}")
    print(f"generator     {manifest.get('generator')}")
    print(f"model digest  {manifest.get('model_digest')}")
    print(f"files         {len(checksums)}")
    for kind, names in (("changed", found.changed), ("missing", found.missing), ("not of the build", found.added)):
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            print(f"{kind}: {', '.join(names[:_SHOWN])}{more}", file=sys.stderr)
    if found:
        print("FAIL: the folder is not as it was built", file=sys.stderr)
        return 1
    digest = store.digest(store.read(folder / MODEL))
    if digest != manifest.get("model_digest"):
        print(f"FAIL: {MODEL} has the digest {digest}", file=sys.stderr)
        return 1
    print("PASS: every file is as it was built")
    return 0
