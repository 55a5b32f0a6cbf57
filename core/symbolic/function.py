"""`torch.autograd.Function`: an author's own forward and backward.

The forward runs operator by operator outside the graph; the graph sees one node. What `ctx` holds lives as long as that node.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from tttdit.core.errors import SymbolicError, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, Saved, no_grad, wants_gradient
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.library import Context
from tttdit.core.symbolic.names import known_value
from tttdit.core.symbolic.tensor import Size, Tensor


class FunctionContext(Context):
    """`ctx`: what forward and backward share."""

    def __init__(self) -> None:
        super().__init__()
        self.non_differentiable: tuple[Tensor, ...] = ()

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """No gradient flows through these results."""
        self.non_differentiable = tensors

    def mark_dirty(self, *tensors: Tensor) -> NoReturn:
        """Changes in place are not followed through a Function."""
        raise UnknownCall("ctx.mark_dirty")

    def save_for_forward(self, *tensors: Tensor) -> NoReturn:
        """Forward-mode differentiation is not known."""
        raise UnknownCall("ctx.save_for_forward")


class Function:
    """To be subclassed with static methods `forward(ctx, ...)` and `backward(ctx, *gradients)`.

    Or with `forward(...)`, `setup_context(ctx, inputs, output)` and `backward`.
    """

    def __init__(self) -> None:
        raise SymbolicError(f"{type(self).__name__} is used through {type(self).__name__}.apply")

    @staticmethod
    def forward(*arguments: Any, **keywords: Any) -> Any:
        """The result; no graph is recorded in it."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Keeps for backward what it needs, where forward has no `ctx`."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """One gradient for each of forward's arguments."""
        raise NotImplementedError(
            "You must implement backward for your custom autograd.Function to use it with backward mode AD."
        )

    @classmethod
    def apply(cls, *arguments: Any, **keywords: Any) -> Any:
        """Runs forward, and leaves one node in the graph."""
        if keywords:
            raise UnknownCall(f"{cls.__name__}.apply", "with keyword arguments, which torch refuses")
        context = FunctionContext()
        node = None
        results: list[tuple[Size, DType]] = []
        if wants_gradient(*arguments):
            node = Node(f"{cls.__name__}Backward", arguments, _backward(cls, context, results, arguments))
        context.needs_input_grad = tuple(
            node is not None and isinstance(argument, Tensor) and argument.requires_grad for argument in arguments
        )
        with no_grad():
            if cls.setup_context is Function.setup_context:
                output = cls.forward(context, *arguments)
            else:
                output = cls.forward(*arguments)
                cls.setup_context(context, arguments, output)
        outputs = output if isinstance(output, tuple) else (output,)
        made = [_result(context, node, each, arguments) for each in outputs]
        if node is not None:
            _save(context, node, outputs, made)
            _record(context, node, outputs, made, results)
        context.to_save, context.non_differentiable = (), ()
        return tuple(made) if isinstance(output, tuple) else made[0]


def _result(context: FunctionContext, node: Node | None, value: Any, arguments: Sequence[Any]) -> Any:
    """A result. An argument that is given back is another look at itself, with a history of its own."""
    if not isinstance(value, Tensor) or not any(value is argument for argument in arguments):
        return value
    flows = node is not None and not any(value is each for each in context.non_differentiable)
    if value.requires_grad and not flows:
        return raw.dispatched("detach", raw.alias(value))
    return raw.view(value, value.shape, value.strides, "view")


def _save(context: FunctionContext, node: Node, outputs: Sequence[Any], made: Sequence[Any]) -> None:
    context.node, context.count = weakref.ref(node), len(context.to_save)
    for index, tensor in enumerate(context.to_save):
        if tensor is None:
            continue
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"save_for_backward can only save variables, but argument {index} is of type {type(tensor).__name__}"
            )
        at = next((i for i, output in enumerate(outputs) if output is tensor), None)
        node.saved[str(index)] = Saved(tensor if at is None else raw.alias(made[at]))


def _record(
    context: FunctionContext,
    node: Node,
    outputs: Sequence[Any],
    made: Sequence[Any],
    results: list[tuple[Size, DType]],
) -> None:
    for output, tensor in zip(outputs, made, strict=True):
        if not isinstance(tensor, Tensor):
            raise UnknownCall("a torch.autograd.Function", f"with a {type(tensor).__name__} among its results")
        results.append((tensor.shape, tensor.dtype))
        flows = tensor.dtype.is_floating_point and not any(output is each for each in context.non_differentiable)
        node.made(tensor)
        if not flows:
            tensor.node, tensor.output = None, 0


def _backward(
    cls: type[Function], context: FunctionContext, results: list[tuple[Size, DType]], arguments: Sequence[Any]
) -> Callable[[Node, Gradients], Gradients]:
    count = len(arguments)

    def backward(node: Node, gradients: Gradients) -> Gradients:
        given: Any = list(gradients)
        gradients.clear()  # they go when the author's function returns, before the engine sums or casts what it made
        if context.materialize_grads:
            given = [
                raw.new("zeros", shape, dtype) if gradient is None else gradient
                for gradient, (shape, dtype) in zip(given, results, strict=True)
            ]
        made = cls.backward(context, *given)
        made = list(made) if isinstance(made, tuple) else [made]
        if len(made) > count and all(each is None for each in made[count:]):
            made = made[:count]
        if len(made) != count:
            raise SymbolicError(f"{cls.__name__}.backward gives {len(made)} gradients for {count} arguments of forward")
        return made

    return backward


known_value("torch.autograd.Function", Function)
known_value("torch.autograd.function.Function", Function)
known_value("torch.autograd.function.once_differentiable", lambda function: function)
known_value("torch.autograd.function.FunctionCtx", FunctionContext)
