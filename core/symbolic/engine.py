"""Backward, in the order of torch's engine.

The node with the highest sequence number goes first, leaves' accumulators before all. Gradients that meet are added in place where
`STATE.in_place` says so, as training does, else out of place, as torch does under a dispatch mode, which is how they are measured
(torch/csrc/autograd/input_buffer.cpp, `accumulate`).
"""

from __future__ import annotations

import heapq
import itertools
import sys
from collections import defaultdict
from typing import Any

from tttdit.core.errors import SymbolicError
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import AccumulateGrad, Gradients, Node
from tttdit.core.symbolic.distributed.dtensor import DTensor
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Tensor


@known("Tensor.backward")
def backward(loss: Tensor, gradient: Tensor | None = None) -> None:
    """Runs the graph behind the loss and puts gradients into its leaves."""
    root = loss.node
    if root is None:
        raise SymbolicError("backward of a tensor that does not require grad and does not have a grad_fn")
    if gradient is None and loss.elements != 1:
        raise SymbolicError("grad can be implicitly created only for scalar outputs")
    if STATE.meter is not None:
        STATE.meter.begin_backward()
    waiting_for = _dependencies(root)
    # torch.autograd.backward's own frame holds the root's gradient to the end
    held = raw.like("ones_like", loss) if gradient is None else gradient
    first: Gradients = [None] * len(root.results)
    first[loss.output] = held
    ticket = itertools.count()
    ready: list[tuple[int, int, Any, Gradients]] = [(-root.sequence, next(ticket), root, first)]
    del first
    arrived: dict[Any, Gradients] = {}
    grad_enabled, STATE.grad_enabled = STATE.grad_enabled, False
    place, line, region = STATE.place, STATE.line, STATE.region
    STATE.region = ""
    outer, STATE.after_backward = STATE.after_backward, []
    try:
        while ready:
            _, _, node, gradients = heapq.heappop(ready)
            if type(node) is AccumulateGrad:
                _accumulate(node, gradients)
                del node, gradients
                continue
            STATE.place, STATE.line, STATE.region = node.place, node.line, node.region
            for hook in node.hooks:
                hook()
            made = _run(node, gradients)
            del gradients
            for index, edge in enumerate(node.edges):
                if edge is None:
                    continue
                target, output = edge
                waiting_for[target] -= 1
                buffer = arrived.get(target)
                if buffer is None:
                    buffer = arrived[target] = [None] * len(target.results)
                if made[index] is not None:
                    if buffer[output] is None:
                        buffer[output], made[index] = made[index], None  # moved
                    else:
                        _add(buffer, output, made[index])
                if waiting_for[target] == 0:
                    heapq.heappush(ready, (-target.sequence, next(ticket), target, arrived.pop(target)))
                del target, buffer, edge
            edge = None
            del node, made, edge
        STATE.place, STATE.line, STATE.region = place, line, ""
        for callback in STATE.after_backward:
            callback()
    finally:
        STATE.after_backward = outer
        STATE.grad_enabled = grad_enabled
        STATE.place, STATE.line, STATE.region = place, line, region
    del held


def _add(buffer: Gradients, at: int, gradient: Tensor | None) -> None:
    """Adds to a gradient that has arrived before."""
    there: Any = buffer[at]
    if isinstance(there, DTensor):  # out of place always: input_buffer.cpp, `isTensorSubclassLike`
        buffer[at] = there.plus(gradient)  # type: ignore[arg-type]
        return
    fits = STATE.in_place and there.is_dense() and sys.getrefcount(there.storage) <= 2
    del there
    # nobody else holds the tensor or its memory, as a view's base does: input_buffer.cpp, `can_accumulate_inplace`
    if fits and sys.getrefcount(buffer[at]) <= 2:
        raw.inplace("add_", buffer[at])  # type: ignore[arg-type]
    else:
        buffer[at] = raw.pointwise("add", buffer[at], gradient)


def _dependencies(root: Node) -> dict[Any, int]:
    counts: dict[Any, int] = defaultdict(int)
    todo: list[Any] = [root]
    seen: set[Any] = {root}
    while todo:
        for edge in todo.pop().edges:
            if edge is not None:
                counts[edge[0]] += 1
                if edge[0] not in seen:
                    seen.add(edge[0])
                    todo.append(edge[0])
    return counts


def _run(node: Node, gradients: Gradients) -> Gradients:
    """The node's gradients, each in the shape and type of what it is for; then what was saved is let go."""
    if node.saved is None:
        raise SymbolicError(f"backward through {node.name} a second time: what it saved has been freed")
    made: Gradients = (
        list(node.backward(node, gradients)) if any(g is not None for g in gradients) else [None] * len(node.edges)
    )
    for index, edge in enumerate(node.edges):
        gradient = made[index]
        if edge is None or gradient is None:  # one that nobody wants lives as long as the others
            continue
        target, output = edge
        shape, dtype = target.results[output]
        if gradient.shape != shape:
            made[index] = None  # so that the unreduced gradient goes before the last view of its sum
            dims, lead = raw.broadcast_dims(gradient.shape, shape)
            if dims:
                gradient = raw.reduce("sum", gradient, dims, keepdim=bool(shape))
            if lead and shape:
                gradient = raw.reshape(gradient, shape)
        if gradient.dtype is not dtype:
            gradient = raw.cast(gradient, dtype)
        made[index] = gradient
        del gradient
    node.saved = None  # type: ignore[assignment]
    return made


def _accumulate(node: AccumulateGrad, gradients: Gradients) -> None:
    """Steals the gradient if nobody else holds it and its layout fits, else copies; adds in place to one that is there."""
    variable, gradient = node.variable, gradients[0]
    gradients[0] = None
    if gradient is None:
        return
    if variable.grad is not None:
        raw.inplace("add_", variable.grad)
    elif _layout_fits(gradient, variable) and sys.getrefcount(gradient) <= 2:
        variable.grad = raw.dispatched("detach", raw.alias(gradient))
    elif variable.is_dense():
        copy = raw.dispatched("new_empty_strided", raw.empty(variable.shape, gradient.dtype, variable.strides))
        variable.grad = raw.inplace("copy_", copy)
    else:
        variable.grad = raw.clone(gradient, contiguous=True)


def _layout_fits(gradient: Tensor, variable: Tensor) -> bool:
    if not variable.is_dense():
        return gradient.is_contiguous()
    # an expanded dimension is taken for a view, whatever its size
    return all(
        a == b if size != 1 else a != 0
        for size, a, b in zip(variable.shape, gradient.strides, variable.strides, strict=True)
    )
