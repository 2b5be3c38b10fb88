"""`inspect`: what a build folder holds, and whether it still is what was built."""

from __future__ import annotations

import argparse
import sys

from quant import store
from quant.manifest import MODEL, differences, read_folder

_SHOWN = 5


def inspect(arguments: argparse.Namespace) -> int:
    """Print what was built and what differs from it; the exit status is 1 where anything does."""
    build = read_folder(arguments.build)
    found = differences(build.path, build.manifest.checksums)
    print(f"top module    {build.manifest.top}")
    print(f"generator     {_printable(build.manifest.generator)}")
    print(f"model digest  {_printable(build.manifest.model_digest)}")
    print(f"files         {len(build.manifest.checksums)}")
    for kind, names in (("changed", found.changed), ("missing", found.missing), ("not of the build", found.added)):
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            print(f"{kind}: {', '.join(map(_printable, names[:_SHOWN]))}{more}", file=sys.stderr)
    if found:
        print("FAIL: the folder is not as it was built", file=sys.stderr)
        return 1
    digest = store.digest(store.read(build.path / MODEL))
    if digest != build.manifest.model_digest:
        print(f"FAIL: {MODEL} has the digest {digest}", file=sys.stderr)
        return 1
    print("PASS: every file is as it was built")
    return 0


def _printable(text: str) -> str:
    """A text from the folder, its control characters spelled out."""
    return text if text.isprintable() else repr(text)
