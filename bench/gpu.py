"""What only a GPU shows: the Triton kernel against plain PyTorch, and one epoch beside snnTorch and SpikingJelly.

Results are recorded with the card's name in bench/results/gpu.json. Without a GPU, this says so and ends.
"""

from __future__ import annotations

import re
import subprocess
import sys

import torch

from bench import record, training
from bench.options import no_options


def main() -> int:
    no_options(__doc__)
    if not torch.cuda.is_available():
        print("no GPU that PyTorch can use (torch.cuda.is_available() is False): nothing was run or recorded")
        return 0
    device, begun = torch.device("cuda", 0), record.commit()
    tests = ["-m", "pytest", "-q", "tests/unit/trainer/test_kernels.py", "-k", "on_a_gpu"]
    ran = subprocess.run([sys.executable, *tests], stdout=subprocess.PIPE, text=True, check=False)
    print(ran.stdout)
    passed = re.search(r"\b[1-9]\d* passed", ran.stdout)  # a file that is skipped ends well, too
    if ran.returncode or passed is None:
        return 1
    found = {
        "command": "make gpu",
        "commit": begun,
        "card": torch.cuda.get_device_name(device),
        "torch": torch.__version__,
        "kernel_equality": passed[0],
        "seconds_per_epoch": training.show(device),
    }
    record.write(record.RESULTS / "gpu.json", found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
