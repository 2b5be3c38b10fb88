"""The configuration of a training run: one TOML file in frozen dataclasses, checked in full before anything runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from quant.arithmetic import LEAK_BITS, STATE_BITS, WEIGHT_BITS, weight_range
from quant.errors import ConfigError, ModelError
from quant.files import memory_limit
from quant.model import NEURONS, check_sources
from quant.neurons import Reset
from quant.neurons.part import MAX_DELAY, MAX_REFRACTORY
from quant.readouts import Readout
from trainer.augmentation import Augmentation
from trainer.data import SOURCES
from trainer.data.source import Source, Traced
from trainer.losses import LOSSES, CrossEntropy, Loss, SquaredError, StepCrossEntropy
from trainer.neurons import PARTS, RESETS, Part
from trainer.readouts import READOUTS
from trainer.rules import RULES, Rule, SurrogateGradient
from trainer.schema import Named, Range, parse, placed, portable, read_toml, unparse
from trainer.surrogates import Surrogate
from trainer.synapses import SYNAPSES, Ideal, Synapse
from trainer.teachers import TEACHERS, Kernel, Teacher

WEIGHT_BYTES = 40  # a run's progress holds each weight up to ten times, and is read back as a whole
FLOAT_BITS = 24  # integers up to 2**24 are exact in float32, which carries the integers in training

T = TypeVar("T")
LeakGrid = Literal["free", "shift"]
Fraction = Annotated[float, Range(0.001, 0.99975)]  # twelve bits hold up to 4095 / 4096
Rate = Annotated[float, Range(0.0, 1.0)]
Seed = Annotated[int, Range(0, 2**32 - 1)]


@dataclass(frozen=True, slots=True)
class LayerConfig:
    """One layer: its size, what it reads, its features and its widths in bits.

    Attributes:
        neurons: how many; the last layer has one per class, or per output of a regression.
        sources: what the layer reads: 0 is the input, k an earlier layer.
        self_weight: one recurrent weight per neuron, from its own spike.
        dense_recurrent: a full matrix of recurrent weights.
        sparse_recurrent: recurrent weights from so many neurons, drawn for each neuron before training; 0: none.
        synapse: a second leaky state in front of the membrane.
        bias: a constant input current.
        adaptation: a threshold that every spike raises.
        inhibition: spikes that hold down the layer's other neurons in the step behind them.
        reset: of the membrane by a spike: to zero, by subtracting the threshold, or that a step later.
        weight_bits, leak_bits, state_bits: widths in bits.
        weight_shift: weights are multiples of `2**weight_shift`, so that states and thresholds are finer than weights.
        delay: the longest that an axon may learn, in steps; 0: no delays.
        refractory: steps after a spike in which the membrane is held at zero; 0: none.
        leak_grid: "free", any leak of `leak_bits`; "shift", one of `1 - 2**-k`, which need no multiplier in hardware.
        normalize: normalize the input current in real-valued training (trainer/normalization.py); folded into the
            weights before quantization.
        fit_states: at the end, take the narrowest states, up to `state_bits`, that the training data fill by half.
    """

    RENAMED: ClassVar[Mapping[str, str]] = {"self_recurrent": "self_weight"}

    neurons: Annotated[int, Range(*NEURONS)]
    sources: tuple[int, ...]
    self_weight: bool = False
    dense_recurrent: bool = False
    sparse_recurrent: Annotated[int, Range(0, NEURONS[1])] = 0
    synapse: bool = False
    bias: bool = False
    adaptation: bool = False
    inhibition: bool = False
    delay: Annotated[int, Range(0, MAX_DELAY)] = 0
    refractory: Annotated[int, Range(0, MAX_REFRACTORY)] = 0
    reset: Reset = "zero"
    weight_bits: Annotated[int, Range(1, 8)] = 4
    weight_shift: Annotated[int, Range(0, WEIGHT_BITS[1] - 2)] = 0
    leak_bits: Annotated[int, Range(*LEAK_BITS)] = 8
    state_bits: Annotated[int, Range(*STATE_BITS)] = 16
    leak_grid: LeakGrid = "free"
    normalize: bool = False
    fit_states: bool = False

    @property
    def recurrent(self) -> bool:
        """Whether neurons have weights from each other."""
        return self.dense_recurrent or self.sparse_recurrent > 0

    @property
    def parts(self) -> tuple[type[Part], ...]:
        """The parts of its neurons, in the order in which they act."""
        return tuple(part for part in PARTS if getattr(self, part.key))


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The layers, the read-out, and where the learned quantities start.

    Attributes:
        layers: from the first to the last.
        readout: what the scores are: counts of spikes, or the sum, the largest or the last of the potentials.
        leak, synapse_leak, adaptation_leak: fraction kept per step, initially.
        adaptation_step: what a spike adds to its neuron's threshold, initially.
        inhibition: what a spike takes from the input currents of its layer's other neurons, initially.
        self_weight: what a spike adds to its neuron's own input current in the next step, initially.
        leak_spread: standard deviation of the leaks' logits, initially: 0, all neurons alike; 1, time constants mostly
            within a factor of 2.7 of each other (Perez-Nieves et al. 2021 on why that helps).
        threshold: of the membrane, initially.
        weight_gain: weights start at a standard deviation of `weight_gain / sqrt(fan_in)`.
        logit_gain: how strongly a unit of mean score speaks in the softmax, initially.
        imported: digest of the network from elsewhere with whose numbers training begins; `trainer tune` sets it.
    """

    layers: tuple[LayerConfig, ...]
    readout: Readout = "spike_count"
    leak: Fraction = 0.9
    synapse_leak: Fraction = 0.5
    adaptation_leak: Fraction = 0.95
    adaptation_step: Annotated[float, Range(0.001, 100.0)] = 0.1
    inhibition: Annotated[float, Range(0.001, 100.0)] = 0.1
    self_weight: Annotated[float, Range(-100.0, 100.0)] = 0.0
    leak_spread: Annotated[float, Range(0.0, 5.0)] = 0.0
    threshold: Annotated[float, Range(0.01, 100.0)] = 1.0
    weight_gain: Annotated[float, Range(0.01, 100.0)] = 1.0
    logit_gain: Annotated[float, Range(0.01, 1000.0)] = 10.0
    imported: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """What a network is built from, wherever it comes from.

    Attributes:
        inputs: number of input channels.
        classes: a name per neuron of the last layer.
        network: layers and read-out, and where what they learn starts.
    """

    name: str
    inputs: int
    classes: tuple[str, ...]
    network: NetworkConfig

    def __post_init__(self) -> None:
        layers = self.network.layers
        if not layers:
            raise ConfigError("network.layers is empty; a network has at least one layer")
        for index, layer in enumerate(layers, start=1):
            where = f"network.layers[{index}]"
            try:
                check_sources(where, index, layer.sources)
            except ModelError as error:
                raise ConfigError(str(error)) from None
            _check_recurrence(where, layer)
            _check_shift(where, layer)
            _check_exact(where, layer, self.fan_in(index))

    def source_sizes(self, index: int) -> tuple[int, ...]:
        """Number of channels of each source of layer `index` (1-based)."""
        sizes = (self.inputs, *(layer.neurons for layer in self.network.layers))
        return tuple(sizes[source] for source in self.network.layers[index - 1].sources)

    def fan_in(self, index: int) -> int:
        """Number of weights into one neuron of layer `index` (1-based), dense recurrent ones included."""
        layer = self.network.layers[index - 1]
        return sum(self.source_sizes(index)) + (layer.neurons if layer.recurrent else 0)

    def spikes(self, index: int) -> bool:
        """Whether layer `index` (1-based) spikes: all do but the last where the read-out takes potentials."""
        return index < len(self.network.layers) or READOUTS[self.network.readout].spiking


@dataclass(frozen=True, slots=True)
class PlasticityConfig:
    """BIP: which intrinsic parameters learn with the weights.

    Attributes:
        leak, threshold, synapse_leak, adaptation_leak, adaptation_step, inhibition, delay: whether it learns; a frozen
            one keeps its initial value (the ablation).
    """

    leak: bool = True
    threshold: bool = True
    synapse_leak: bool = True
    adaptation_leak: bool = True
    adaptation_step: bool = True
    inhibition: bool = True
    delay: bool = True


@dataclass(frozen=True, slots=True)
class SurrogateConfig:
    """The surrogate derivative of the spike (trainer/surrogates.py).

    Attributes:
        kind: its shape.
        width: in thresholds, at the start.
        width_end: width at the end of either phase, reached geometrically; 0 keeps `width`.
        learned: learn the width, one per layer, from `width` on.
    """

    kind: Surrogate = "fast_sigmoid"
    width: Annotated[float, Range(0.01, 100.0)] = 0.5
    width_end: Annotated[float, Range(0.0, 100.0)] = 0.0
    learned: bool = False

    def __post_init__(self) -> None:
        if self.learned and self.width_end:
            raise ConfigError("train.surrogate: width_end is a schedule and learned learns; take one of them")


@dataclass(frozen=True, slots=True)
class ActivityConfig:
    """Keeps neurons from falling silent or firing all the time.

    Attributes:
        strength: weight of the penalty, in each hidden layer the mean squared distance of a neuron's rate from the
            range.
        low, high: the range of rates, in spikes per step, that costs nothing.
    """

    strength: Annotated[float, Range(0.0, 1e6)] = 0.0
    low: Rate = 0.01
    high: Rate = 0.2

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ConfigError(f"train.activity: low is {self.low}, high {self.high}; low must not be more than high")


@dataclass(frozen=True, slots=True)
class GrowthConfig:
    """A price of large weights (Lee, Delbruck & Pfeiffer 2016; Zhang & Li 2019, ST-RSBP).

    Attributes:
        strength, beta, limit: `strength / 2` times the sum over all neurons of `exp(beta * (|w|**2 / limit**2 - 1))`,
            `|w|` being the length of a neuron's real weights: cheap below `limit`, steep above it.
    """

    strength: Annotated[float, Range(0.0, 1e6)] = 0.0
    beta: Annotated[float, Range(0.001, 1000.0)] = 10.0
    limit: Annotated[float, Range(0.001, 1e6)] = 1.0


@dataclass(frozen=True, slots=True)
class ScheduleConfig:
    """The learning rate over the epochs of a phase, as a fraction of its full value.

    Attributes:
        kind: "cosine" falls to 0; "step" multiplies by `factor` every `every` epochs; "constant" stays.
        warmup: epochs in which the rate first rises to its full value.
        every, factor: of "step".
    """

    kind: Literal["cosine", "step", "constant"] = "cosine"
    warmup: Annotated[int, Range(0, 100_000)] = 0
    every: Annotated[int, Range(1, 100_000)] = 10
    factor: Rate = 0.5

    def fraction(self, epoch: int, epochs: int) -> float:
        """The fraction in `epoch`, 1 .. `epochs`."""
        if epoch <= self.warmup:
            return epoch / (self.warmup + 1)
        done, total = epoch - 1 - self.warmup, max(1, epochs - self.warmup)
        match self.kind:
            case "cosine":
                return 0.5 * (1 + math.cos(math.pi * done / total))
            case "step":
                return float(self.factor ** (done // self.every))
            case "constant":
                return 1.0


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How to train.

    Attributes:
        seed: of everything random in training.
        epochs_float, epochs_quantized: passes over the training data in real numbers, then in integers. Without the
            first, the integers are trained from the start.
        batch: samples per update.
        rate_float, rate_quantized: learning rates of the weights in either phase.
        rate_intrinsic: learning rate of leaks, thresholds, scales and gain, as a multiple of the weights' rate.
        weight_decay: of the weights; with "adamw", decoupled.
        gradient_limit: largest norm of the gradient of all parameters.
        average: of the network that is validated and kept, an average over the updates: the weight of its past, per
            update (Polyak & Juditsky 1992, with an exponential window); 0: the last state.
        patience: a phase ends after so many epochs without a better one on validation; 0: never early.
        optimizer: "adamw"; "sgd", without momentum.
        rule: how a layer's gradient comes from what it did (trainer/rules).
        synapse: what becomes of a change of a weight (trainer/synapses).
        precision: "mixed" computes the products of the real-valued phase in half the bits, for GPUs.
        schedule: the learning rate over the epochs.
        surrogate: the surrogate derivative of the spike.
        loss: what is minimized.
        teacher: whose probabilities are learned instead of the labels (trainer/teachers).
        activity: a price of neurons that are silent or always fire.
        growth: a price of large weights.
        augment: random changes of the training samples.
        tasks: data sets to learn behind `data`, one after another, by the same network (trainer/tasks.py).
    """

    seed: Seed = 1
    epochs_float: Annotated[int, Range(0, 100_000)] = 20
    epochs_quantized: Annotated[int, Range(1, 100_000)] = 10
    batch: Annotated[int, Range(1, 65536)] = 64
    rate_float: Rate = 2e-3
    rate_quantized: Rate = 5e-4
    rate_intrinsic: Annotated[float, Range(0.0, 1000.0)] = 1.0
    weight_decay: Rate = 0.0
    gradient_limit: Annotated[float, Range(1e-6, 1e6)] = 1.0
    average: Annotated[float, Range(0.0, 0.9999)] = 0.0
    patience: Annotated[int, Range(0, 100_000)] = 0
    optimizer: Literal["adamw", "sgd"] = "adamw"
    rule: Annotated[Rule, Named(RULES)] = SurrogateGradient()
    synapse: Annotated[Synapse, Named(SYNAPSES)] = Ideal()
    precision: Literal["full", "mixed"] = "full"
    schedule: ScheduleConfig = ScheduleConfig()
    surrogate: SurrogateConfig = SurrogateConfig()
    loss: Annotated[Loss, Named(LOSSES)] = CrossEntropy()
    teacher: Annotated[Teacher, Named(TEACHERS, unnamed="kernel")] = Kernel()
    activity: ActivityConfig = ActivityConfig()
    growth: GrowthConfig = GrowthConfig()
    augment: Augmentation = Augmentation()
    tasks: tuple[Annotated[Source, Named(SOURCES)], ...] = ()

    def __post_init__(self) -> None:
        if self.teacher.sharpness and not isinstance(self.loss, CrossEntropy):
            raise ConfigError('train.teacher gives probabilities; only train.loss.name = "cross_entropy" takes them')
        if self.augment.mix and not self.teacher.sharpness:
            raise ConfigError("train.augment.mix: a mixed sample has no label; give train.teacher.sharpness, or no mix")
        for phase, epochs in (("float", self.epochs_float), ("quantized", self.epochs_quantized)):
            if self.schedule.warmup >= epochs > 0:
                raise ConfigError(
                    f"train.schedule.warmup is {self.schedule.warmup}; the {phase} phase has {epochs} epochs, "
                    "and the warm-up must be shorter"
                )
        if self.tasks and self.epochs_float:
            raise ConfigError(
                f"train.epochs_float is {self.epochs_float}; the phase of integers would learn train.tasks once more: "
                "set it to 0"
            )


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides a training run.

    Attributes:
        name: of the network, and of the top module in hardware.
        data: the data set.
        network: layers and read-out.
        train: how to train.
        plasticity: what learns beside the weights.
    """

    name: str
    data: Annotated[Source, Named(SOURCES)]
    network: NetworkConfig
    train: TrainConfig = TrainConfig()
    plasticity: PlasticityConfig = PlasticityConfig()

    def __post_init__(self) -> None:
        layers, graph = self.network.layers, self.graph
        weights = sum(layer.neurons * graph.fan_in(index) for index, layer in enumerate(layers, start=1))
        most = memory_limit() // WEIGHT_BYTES
        if weights > most:
            raise ConfigError(
                f"network has {weights} weights; the limit on this machine is {most}: take fewer neurons or sources"
            )
        _check_loss(self)
        if (row := self.train.augment.mirror) and self.data.channels % row:
            raise ConfigError(
                f"train.augment.mirror is {row}; the {self.data.channels} channels are no whole number of such rows"
            )
        if layers[-1].neurons != len(self.data.classes):
            raise ConfigError(
                f"network.layers[{len(layers)}].neurons is {layers[-1].neurons}; "
                f"the last layer needs one neuron for each of the {len(self.data.classes)} classes"
            )
        for number, task in enumerate(self.train.tasks, start=1):
            for what, one, first in (
                ("channels", task.channels, self.data.channels),
                ("classes", len(task.classes), len(self.data.classes)),
            ):
                if one != first:
                    raise ConfigError(
                        f"train.tasks[{number}] has {one} {what}, data has {first}; one network learns all tasks: take "
                        "data sets of the same shape"
                    )
        self.train.rule.check(self)
        self.train.synapse.check(self)

    @property
    def graph(self) -> Graph:
        """The network alone."""
        return Graph(self.name, self.data.channels, self.data.classes, self.network)


def read(path: Path, complete: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda table: table) -> Config:
    """Read and check a configuration file; paths in it begin at its folder.

    `complete` adds to the table what the file leaves to others.

    Raises:
        ConfigError: naming the file and the key path.
    """
    return _read(path, lambda table: from_table(complete(table)))


def read_data(path: Path) -> Source:
    """The data set in a configuration file, all of whose other settings may be missing, as `trainer tune` lets them.

    Raises:
        ConfigError: naming the file and the key path.
    """
    return _read(path, lambda table: parse(_Data, {key: table[key] for key in table if key == "data"})).data


@dataclass(frozen=True, slots=True)
class _Data:
    data: Annotated[Source, Named(SOURCES)]


def _read(path: Path, understand: Callable[[Mapping[str, Any]], T]) -> T:
    if path.is_dir():
        raise ConfigError(f"{path.absolute()} is a folder; name the configuration in it (.toml)")
    if not path.is_file():
        raise ConfigError(f"{path.absolute()}: no such file")
    table = read_toml(path)
    try:
        return placed(understand(table), path.parent)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def from_table(table: Mapping[str, Any]) -> Config:
    """The configuration that a table, such as a parsed TOML file, describes."""
    return parse(Config, table)


def to_table(config: Config) -> dict[str, Any]:
    """The table that describes `config` in full, defaults spelled out; the inverse of `from_table`."""
    return unparse(config)


def portable_table(config: Config) -> dict[str, Any]:
    """As `to_table`, but of paths only the last part: equal for the same run in another place."""
    return to_table(portable(config))


def difference(first: Config, second: Config) -> str | None:
    """The first key in which two configurations differ, wherever their data lie; None where they do not."""
    return _difference(portable_table(first), portable_table(second), "")


def _difference(first: Any, second: Any, where: str) -> str | None:
    if type(first) is not type(second) or not isinstance(first, dict | list):
        return None if first == second else where
    keys = sorted({*first, *second}) if isinstance(first, dict) else range(max(len(first), len(second)))
    for key in keys:
        name = f"{where}.{key}".lstrip(".") if isinstance(first, dict) else f"{where}[{key + 1}]"
        try:
            found = _difference(first[key], second[key], name)
        except LookupError:
            return name
        if found is not None:
            return found
    return None


def _check_loss(config: Config) -> None:
    """Refuse a loss that does not fit the data or the read-out."""
    readout, loss, augment = config.network.readout, config.train.loss, config.train.augment
    if not isinstance(config.data, Traced):
        if isinstance(loss, SquaredError):
            raise ConfigError("train.loss squared_error needs a data set of traces; this one has classes")
        spiking = READOUTS[readout].spiking
        if not spiking and not isinstance(loss, CrossEntropy | StepCrossEntropy):
            raise ConfigError(f"train.loss is one of spikes; the read-out {readout} has none, take cross_entropy")
        if spiking and isinstance(loss, StepCrossEntropy):
            raise ConfigError(f"train.loss is one of potentials; the read-out {readout} has none, take cross_entropy")
    elif not isinstance(loss, SquaredError):
        raise ConfigError('train.loss is one of classes; the data set has traces, take "squared_error"')
    elif readout != "membrane_last":
        raise ConfigError(f'network.readout is {readout}; squared_error needs "membrane_last", a potential every step')
    elif augment.time_shift or augment.time_warp:
        raise ConfigError("train.augment: time_shift and time_warp would move the samples against their traces")
    elif config.train.tasks:
        raise ConfigError("train.tasks are told apart by accuracies; a data set of traces has none")


def _check_recurrence(where: str, layer: LayerConfig) -> None:
    if not layer.sparse_recurrent:
        return
    if layer.dense_recurrent:
        raise ConfigError(f"{where} has dense_recurrent and sparse_recurrent; take one of them")
    if layer.sparse_recurrent >= layer.neurons:
        raise ConfigError(
            f"{where}.sparse_recurrent is {layer.sparse_recurrent}; each of the {layer.neurons} neurons has "
            f"{layer.neurons - 1} others: take fewer, or dense_recurrent"
        )
    if layer.weight_bits == 1:
        raise ConfigError(
            f"{where}.sparse_recurrent: weights of 1 bit are -1 or 1, and none is 0 where there is no connection: take "
            "weight_bits of 2 or more"
        )


def _check_shift(where: str, layer: LayerConfig) -> None:
    width = layer.weight_bits + layer.weight_shift
    if layer.weight_shift and (layer.weight_bits == 1 or width > WEIGHT_BITS[1]):
        raise ConfigError(
            f"{where}.weight_shift is {layer.weight_shift} with weight_bits {layer.weight_bits}; it takes weights of 2 "
            f"bits or more, and together at most {WEIGHT_BITS[1]}: take a smaller one, or other weight_bits"
        )


def _check_exact(where: str, layer: LayerConfig, fan_in: int) -> None:
    """Refuse a layer whose integers could leave the range in which float32 is exact."""
    width, most = layer.state_bits + layer.leak_bits, FLOAT_BITS + 1  # a float's sign has a bit of its own
    if width > most:
        raise ConfigError(
            f"{where}: state_bits + leak_bits is {width}; training is exact up to {most}: take fewer bits"
        )
    largest_weight = -weight_range(layer.weight_bits)[0] << layer.weight_shift
    # One membrane, what parts and the reset add (all of the state's width) and every weight of the neuron at once.
    added = sum(layer.neurons - 1 if part.lateral else part.adds for part in layer.parts)
    states = 1 + added + RESETS[layer.reset].adds
    largest_sum = fan_in * largest_weight + states * 2 ** (layer.state_bits - 1)
    if largest_sum >= 2**FLOAT_BITS:
        raise ConfigError(
            f"{where}: sums could reach {largest_sum}; training is exact below {2**FLOAT_BITS}: "
            f"take fewer than {fan_in} inputs, or fewer weight_bits or state_bits"
        )
