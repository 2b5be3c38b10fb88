"""One epoch of training, side by side: this project against snnTorch and SpikingJelly, and its own plain version.

The same network (78-200-200-26), batches (64 samples of 250 steps, a tenth of the inputs spikes), loss and optimizer;
each library the way its documentation writes it, at its best number of threads. Rounds alternate, so that whatever else
the machine does hits all alike; the table gives medians of one epoch, and how much faster the project is. Also printed:
the peak memory over the number of steps.

Needs `pip install -e '.[peers]'`, as `make training` does. `make gpu` runs it on a GPU.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate
from torch import Tensor, nn

from bench.options import no_options
from bench.record import write
from trainer import kernels, loop
from trainer.config import Config, LayerConfig, NetworkConfig, TrainConfig
from trainer.data.batches import Batch
from trainer.data.digits import Digits

SIZES = (78, 200, 200, 26)
STEPS, BATCH, BATCHES = 250, 64, 4
DENSITY, LEAK, RATE = 0.1, 0.9, 1e-3
ROUNDS = 5

Update = Callable[[Tensor, Tensor], None]
CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Classes26(Digits):
    """Digits by name only: 78 channels, 26 classes, no data."""

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(f"class {index}" for index in range(SIZES[-1]))


def ours(self_recurrent: bool) -> Update:
    """This project's own update: forward, loss, gradients, limit, step."""
    layers = tuple(LayerConfig(size, (index,), self_weight=self_recurrent) for index, size in enumerate(SIZES[1:]))
    config = Config("bench", Classes26(), NetworkConfig(layers, leak=LEAK), TrainConfig(rate_float=RATE))
    progress = loop.start(config, device=torch.get_default_device())

    def update(inputs: Tensor, labels: Tensor) -> None:
        batch = Batch(inputs, torch.full((BATCH,), len(inputs)), labels, torch.full((BATCH,), 1 / BATCH))
        trace = progress.network(batch.inputs, batch.steps, quantized=False)
        loss, _ = loop.batch_loss(progress.network, trace, batch)
        _step(progress.optimizer, loss, progress.network)

    return update


def snntorch(self_recurrent: bool) -> Update:
    """snnTorch: Linear and Leaky, or RLeaky with one self-connection per neuron, step by step."""
    import snntorch as snn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in itertools.pairwise(SIZES))
            self.neurons = nn.ModuleList(self._neurons(size) for size in SIZES[1:])

        def _neurons(self, size: int) -> Any:
            learned = {"learn_beta": True, "learn_threshold": True, "reset_mechanism": "zero"}
            beta, threshold = torch.full((size,), LEAK), torch.ones(size)
            if not self_recurrent:
                return snn.Leaky(beta=beta, threshold=threshold, **learned)
            return snn.RLeaky(beta=beta, threshold=threshold, V=torch.ones(size), all_to_all=False, **learned)

        def _rest(self, neurons: Any) -> Any:
            return neurons.init_rleaky() if self_recurrent else (neurons.init_leaky(),)

        def forward(self, inputs: Tensor) -> Tensor:
            neurons: Any
            states = [self._rest(neurons) for neurons in self.neurons]
            count = torch.zeros(())
            for spikes in inputs:
                for index, (linear, neurons) in enumerate(zip(self.linear, self.neurons, strict=True)):
                    spikes, membrane = neurons(linear(spikes), *states[index])
                    states[index] = (spikes, membrane) if self_recurrent else (membrane,)
                count = count + spikes
            return count / len(inputs) * 10

    return _peer(Net())


def spikingjelly(self_recurrent: bool) -> Update | None:
    """SpikingJelly: all steps through one Linear, then ParametricLIFNode in multi-step mode; no self-connections."""
    if self_recurrent:
        return None
    from spikingjelly.activation_based import functional, layer
    from spikingjelly.activation_based import neuron as nodes

    tau = 1 / (1 - LEAK)
    parts: list[nn.Module] = []
    for a, b in itertools.pairwise(SIZES):
        parts.append(layer.Linear(a, b, bias=False, step_mode="m"))
        parts.append(nodes.ParametricLIFNode(init_tau=tau, decay_input=False, v_reset=0.0, step_mode="m"))

    class Net(nn.Sequential):
        def forward(self, inputs: Tensor) -> Tensor:
            functional.reset_net(self)
            rate: Tensor = super().forward(inputs).mean(dim=0)  # type: ignore[no-untyped-call]
            return rate * 10

    return _peer(Net(*parts))


def _peer(network: nn.Module) -> Update:
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)

    def update(inputs: Tensor, labels: Tensor) -> None:
        _step(optimizer, nn.functional.cross_entropy(network(inputs), labels), network)

    return update


def _step(optimizer: torch.optim.Optimizer, loss: Tensor, network: nn.Module) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


def plain(self_recurrent: bool) -> Update:
    """This project without compiled kernels."""
    return kernels.plain_pytorch()(ours(self_recurrent))


CONTESTANTS: dict[str, Callable[[bool], Update | None]] = {
    "this project": ours,
    "this project, plain PyTorch": plain,
    "snnTorch": snntorch,
    "SpikingJelly": spikingjelly,
}


def data(steps: int = STEPS) -> list[tuple[Tensor, Tensor]]:
    """Batches of random spikes `(steps, BATCH, inputs)` and labels `(BATCH,)`."""
    draw, batches = torch.Generator(CPU).manual_seed(1), []
    for _ in range(BATCHES):
        spikes = (torch.rand(steps, BATCH, SIZES[0], generator=draw, device=CPU) < DENSITY).float()
        batches.append((spikes, torch.randint(0, SIZES[-1], (BATCH,), generator=draw, device=CPU)))
    return batches


def compare(self_recurrent: bool, device: torch.device = CPU) -> dict[str, float]:
    """Median seconds of one epoch on `device` for each contestant, on the CPU at its best number of threads."""
    with device:
        return _compare(self_recurrent, device)


def _compare(self_recurrent: bool, device: torch.device) -> dict[str, float]:
    batches = [(inputs.to(device), labels.to(device)) for inputs, labels in data()]
    counts = (1, 2) if device == CPU else (1,)
    updates = {name: update for name, make in CONTESTANTS.items() if (update := make(self_recurrent)) is not None}
    times: dict[tuple[str, int], list[float]] = {}
    for turn in range(ROUNDS + 1):
        for threads in counts:
            torch.set_num_threads(threads)
            for name, update in updates.items():
                began = time.perf_counter()
                for inputs, labels in batches:
                    update(inputs, labels)
                if device != CPU:
                    torch.cuda.synchronize(device)
                if turn:  # the first round compiles and warms up
                    times.setdefault((name, threads), []).append(time.perf_counter() - began)
    return {name: min(statistics.median(times[name, threads]) for threads in counts) for name in updates}


def memory(name: str, steps: int) -> float:
    """Peak memory of a few updates in a process of its own, in MB."""
    code = f"from bench.training import peak; print(peak({name!r}, {steps}))"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def peak(name: str, steps: int) -> float:
    """Peak memory of this process after a few updates, in MB."""
    torch.set_num_threads(1)
    update = CONTESTANTS[name](True)
    assert update is not None
    for inputs, labels in data(steps)[:2]:
        update(inputs, labels)
    # Not getrusage: that of a child starts with what its parent had.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def show(device: torch.device = CPU) -> dict[str, dict[str, float]]:
    """Compare on `device` and print the table; seconds by network and library."""
    print(f"{'-'.join(map(str, SIZES))}, {STEPS} steps, batch {BATCH}, {BATCHES} batches; seconds per epoch")
    found = {title: compare(title == "self-recurrent", device) for title in ("self-recurrent", "feed-forward")}
    rows = [
        (title, name, taken, taken / seconds["this project"])
        for title, seconds in found.items()
        for name, taken in seconds.items()
    ]
    print(tabulate(rows, ["network", "library", "s", "times ours"], floatfmt=("", "", ".3f", ".1f")))
    return found


def main() -> int:
    no_options(__doc__)
    record: dict[str, object] = {"threads": torch.get_num_threads(), "torch": torch.__version__}
    record |= show()
    peaks = {name: [memory(name, steps) for steps in (125, 250, 500)] for name in list(CONTESTANTS)[:2]}
    record["peak MB at 125, 250, 500 steps"] = peaks
    print(tabulate([(name, *values) for name, values in peaks.items()], ["peak MB at", 125, 250, 500], floatfmt=".0f"))
    write(Path("build/bench/training.json"), record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
