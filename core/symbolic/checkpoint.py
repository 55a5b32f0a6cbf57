"""`torch.utils.checkpoint.checkpoint`, non-reentrant: torch/utils/checkpoint.py without the data.

A region keeps its tensor arguments, packed by the hooks of whatever encloses it, and a placeholder for each tensor that it would have
saved. When backward wants the first of them the region runs again, stops after the last tensor that is needed, and hands them out.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Node, check_unchanged, edge, enable_grad, saved_tensors_hooks
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Tensor


class _Stop(Exception):
    """Everything that backward needs has been made again."""


class _Handle:
    __slots__ = ("__weakref__",)


class Holder:
    """Stands in the graph for a tensor that is not kept."""

    __slots__ = ("__weakref__", "handle")

    def __init__(self) -> None:
        self.handle: _Handle | None = None


class Frame:
    """One region that was run."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.inputs: Node | None = None
        self.arguments: list[Any] = []
        self.holders: list[weakref.ref[Holder]] = []
        self.recomputed: weakref.WeakKeyDictionary[_Handle, Tensor] = weakref.WeakKeyDictionary()
        self.count = 0
        self.done = False


@known("torch.utils.checkpoint.checkpoint")
def checkpoint(
    function: Callable[..., Any],
    *arguments: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    determinism_check: str = "default",
    **keywords: Any,
) -> Any:
    """Runs the function without keeping what it saves for backward."""
    if use_reentrant is not False:
        raise UnknownCall("torch.utils.checkpoint.checkpoint", "only use_reentrant=False is known")

    def run(*given: Any) -> Any:
        return function(*given, **keywords)

    if not STATE.grad_enabled:
        return run(*arguments)
    frame = Frame(run)
    frame.arguments = [None if isinstance(argument, Tensor) else argument for argument in arguments]
    frame.inputs = Node("NoopSaveInputs", (), lambda node, gradients: ())
    for index, argument in enumerate(arguments):
        if isinstance(argument, Tensor):
            frame.inputs.saved[str(index)] = _SavedArgument(argument)  # type: ignore[assignment]

    def pack(tensor: Tensor, frame: Frame = frame) -> Holder:
        holder = Holder()
        frame.holders.append(weakref.ref(holder))
        return holder

    def unpack(holder: Holder) -> Tensor:
        if not frame.done:
            _run_again(frame)
        assert holder.handle is not None, "a saved tensor is unpacked once"
        tensor = frame.recomputed[holder.handle]
        holder.handle = None
        return tensor

    with saved_tensors_hooks(pack, unpack):
        return run(*arguments)


class _SavedArgument:
    """An argument of a region, saved in the region that encloses it. Unpacked, it has its place in the graph again."""

    __slots__ = ("leaf_requires_grad", "node", "output", "unpack", "value", "version")

    def __init__(self, tensor: Tensor) -> None:
        self.unpack: Any = None
        self.version = tensor.storage.version
        self.value: Any = tensor
        if STATE.saved_hooks:
            edge(tensor)  # asked for its history, a view of what was changed in place gets its new one, or is refused
        self.node, self.output, self.leaf_requires_grad = tensor.node, tensor.output, tensor.leaf_requires_grad
        if STATE.saved_hooks:
            pack, self.unpack = STATE.saved_hooks[-1]
            self.value = pack(tensor)

    def get(self) -> Tensor:
        if self.unpack is None:
            edge(self.value)  # without hooks it is asked here
            check_unchanged(self.value, self.version)
        tensor: Tensor = self.value if self.unpack is None else self.unpack(self.value)
        if self.unpack is None or (self.node is None and not self.leaf_requires_grad):
            return tensor
        tensor = raw.alias(tensor)
        tensor.node, tensor.output, tensor.leaf_requires_grad = self.node, self.output, self.leaf_requires_grad
        return tensor


def _run_again(frame: Frame) -> None:
    assert frame.inputs is not None
    arguments = [
        frame.inputs.saved[str(index)].get() if str(index) in frame.inputs.saved else argument
        for index, argument in enumerate(frame.arguments)
    ]
    target = weakref.ref(frame)

    def pack(tensor: Tensor) -> Tensor:
        found = target()
        assert found is not None
        index = found.count
        found.count += 1
        if tensor.requires_grad:
            tensor = raw.dispatched("detach", raw.alias(tensor))
        holder = found.holders[index]()
        if holder is not None:
            holder.handle = _Handle()
            found.recomputed[holder.handle] = tensor
        if found.count == len(found.holders):
            raise _Stop
        return tensor

    before, STATE.recomputing = STATE.recomputing, True
    try:
        with saved_tensors_hooks(pack, lambda tensor: tensor), enable_grad():
            frame.function(*arguments)
    except _Stop:
        pass
    finally:
        STATE.recomputing = before
    frame.done = True
