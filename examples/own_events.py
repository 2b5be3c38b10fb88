"""Your own events as CSV files: from recordings in three folders to verified hardware.

Run it in an empty folder: it writes 480 recordings of a bar that moves down, left or up, and works in that folder.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import hwgen

CLASSES = ("down", "left", "up")
SIZE, EVENTS, MILLISECONDS = 16, 200, 150
CONFIG = {
    "name": "gestures",
    "data": {"name": "event_files", "path": "gestures", "class_names": list(CLASSES), "size": [SIZE, SIZE]},
    "network": {"layers": [{"neurons": 32, "sources": [0]}, {"neurons": 3, "sources": [1]}]},
}


def write_recordings(folder: Path, each: int = 160) -> None:
    """`each` recordings of every class: a moving bar, and a fifth of the events anywhere."""
    draw = np.random.default_rng(1)
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for number in range(each):
            t = np.sort(draw.integers(0, 1000 * MILLISECONDS, EVENTS))
            along = (t / (1000 * MILLISECONDS) * SIZE + draw.uniform(-2, 2)).astype(int) % SIZE
            across, polarity = draw.integers(0, SIZE, EVENTS), draw.integers(0, 2, EVENTS)
            x, y = {"down": (across, along), "left": (SIZE - 1 - along, across), "up": (across, SIZE - 1 - along)}[name]
            noise = draw.random(EVENTS) < 0.2
            x, y = (np.where(noise, draw.integers(0, SIZE, EVENTS), one) for one in (x, y))
            rows = np.stack([t, x, y, polarity], axis=1)
            np.savetxt(folder / name / f"{number:03}.csv", rows, "%d", delimiter=",", header="t,x,y,p", comments="")


if __name__ == "__main__":
    write_recordings(Path("gestures"))
    run = hwgen.train(CONFIG, "run")
    core = hwgen.build(run, "core")
    report = hwgen.verify(core, run.samples("test"))
    print(f"equal: {report['equal']}, {report['output_spikes']} output spikes, accuracy {report['accuracy_rtl']:.2%}")
    print(f"look at {core.path / 'index.html'}")
