"""Networks in memory: the modules of snnTorch and SpikingJelly as nodes, without a file.

A module says more than a NIR file: its reset, and when that takes effect. Modules are known by the names of their
classes, so that nothing here imports PyTorch; they are taken as a chain, in the order in which they were registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from quant.arithmetic import Array
from quant.errors import ModelError
from quant.foreign.assumed import Assumed
from quant.foreign.nodes import Graph, Node
from quant.neurons import Reset
from quant.readouts import Readout

Found = tuple[Node, str, Reset | None]  # and the framework, and the reset if it has one
_NOTHING = ("Dropout", "Identity")  # after training
_START, _END = "(input)", "(output)"  # which no module can be called


def of_modules(net: Any, readout: Readout | None = None) -> tuple[Graph, Assumed]:
    """The graph of a network of known modules, and what its modules say of themselves.

    Args:
        net: a `torch.nn.Module`; its modules feed each other in the order in which they were registered.
        readout: how the last layer's steps become scores; None: by whether its neurons spike.

    Raises:
        ModelError: if a module computes what our neurons do not, or modules contradict each other.
    """
    nodes: dict[str, Node] = {_START: Node("Input", {})}
    edges: list[tuple[str, str]] = []
    sources, resets, before, width = set[str](), set[Reset](), _START, 1
    for name, module in _leaves(net, ""):
        kind = type(module).__name__
        if kind in _NOTHING:
            continue
        found, source, reset = _MODULES[kind](name, module) if kind in _MODULES else (Node(kind, {}), "", None)
        nodes[name] = found
        edges.append((before, name))
        sources |= {source} - {""}
        resets |= {reset} - {None} if reset else set()
        before, width = name, len(found.numbers.get("weight", range(width)))
        if getattr(module, "recurrent", None) is not None:
            nodes[f"{name}.recurrent"] = _recurrent(module.recurrent, width)
            edges += list(pairwise((name, f"{name}.recurrent", name)))
    nodes[_END] = Node("Output", {})
    edges.append((before, _END))
    if len(sources) != 1 or len(resets) > 1:
        what = f"neurons of {sorted(sources)}" if len(sources) != 1 else f"the resets {sorted(resets)}"
        raise ModelError(f"the network has {what}; it must have neurons of one framework, with one reset")
    return Graph(nodes, tuple(edges), {}), Assumed(sources.pop(), 1.0, next(iter(resets), None), readout)


def _leaves(module: Any, name: str) -> Iterator[tuple[str, Any]]:
    children = list(module.named_children())
    if type(module).__name__ in _MODULES or not children:
        yield name or "net", module
        return
    for key, child in children:
        yield from _leaves(child, f"{name}.{key}" if name else key)


def _recurrent(inner: Any, neurons: int) -> Node:
    if hasattr(inner, "V"):  # one number for each neuron, or for all
        values = _array(inner.V).reshape(-1)
        return Node("Linear", {"weight": np.diag(np.broadcast_to(values, neurons) if values.size == 1 else values)})
    return _linear("", inner)[0]


def _array(value: Any) -> Array:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    found: Array = np.asarray(value, dtype=np.float64)
    return found


def _linear(name: str, module: Any) -> Found:
    numbers = {"weight": _array(module.weight)}
    if module.bias is not None:
        numbers["bias"] = _array(module.bias)
    return Node("Affine" if module.bias is not None else "Linear", numbers), "", None


def _flatten(name: str, module: Any) -> Found:
    return Node("Flatten", {}), "", None


def _leaky(name: str, module: Any) -> Found:
    """`Leaky`, `RLeaky`, `Synaptic` and `RSynaptic` of snnTorch."""
    mechanism, delayed = module.reset_mechanism, bool(module.reset_delay)
    has_more = hasattr(module, "alpha") or getattr(module, "recurrent", None) is not None
    if mechanism == "subtract" and not delayed:
        raise ModelError(f"{name}: subtracts twice above twice its threshold: train with reset_delay = True")
    if mechanism == "zero" and delayed and has_more:
        raise ModelError(f"{name}: with a filter or recurrence, a reset to zero comes late: set reset_delay = False")
    if module.inhibition:
        raise ModelError(f"{name}: inhibition lets one neuron of the layer fire; hardware has nothing like it")
    if module.state_quant or (_array(module.graded_spikes_factor) != 1).any():
        raise ModelError(f"{name}: has state_quant or graded spikes; train without")
    tau, tau_syn = _tau(module.beta), _tau(getattr(module, "alpha", 0.0))
    numbers = {"r": tau, "v_threshold": _array(module.threshold)}
    reset: Reset | None = {"zero": "zero", "subtract": "late_subtract", "none": None}[mechanism]
    kind = "LIF" if reset else "LI"
    if not hasattr(module, "alpha"):
        return Node(kind, {**numbers, "tau": tau}), "snntorch", reset
    return Node(f"Cuba{kind}", {**numbers, "tau_mem": tau, "tau_syn": tau_syn, "w_in": tau_syn}), "snntorch", reset


def _tau(leak: Any) -> Array:
    """In steps."""
    found: Array = 1 / (1 - _array(leak).clip(0, 1 - 1e-12))
    return found


def _lif_node(name: str, module: Any) -> Found:
    """`LIFNode` of SpikingJelly."""
    tau = _array(module.tau)
    r = np.ones_like(tau) if module.decay_input else tau
    numbers = {"tau": tau, "r": r, **_fires(name, module)}
    return Node("LIF", numbers), "spikingjelly", "zero" if module.v_reset is not None else "subtract"


def _if_node(name: str, module: Any) -> Found:
    numbers = {"r": np.ones(()), **_fires(name, module)}
    return Node("IF", numbers), "spikingjelly", "zero" if module.v_reset is not None else "subtract"


def _fires(name: str, module: Any) -> dict[str, Array]:
    return {"v_threshold": _array(module.v_threshold), "v_reset": _array(module.v_reset or 0.0)}


_MODULES: Mapping[str, Callable[[str, Any], Found]] = {
    "Linear": _linear,
    "Flatten": _flatten,
    "Leaky": _leaky,
    "RLeaky": _leaky,
    "Synaptic": _leaky,
    "RSynaptic": _leaky,
    "LIFNode": _lif_node,
    "IFNode": _if_node,
}
