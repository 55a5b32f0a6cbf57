"""`torch.library.custom_op`: an operator whose Python body runs here too, and whose backward is registered.

With `STATE.inside_operators` off its fake is run instead, as torch does on fake tensors: the operator counts as one, with its results'
bytes, and with its body's workspace and floating-point operations.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, get_origin

from attrs import frozen

from tttdit.core.errors import UnknownCall
from tttdit.core.loops import STEPS_COUNTED, repeats, shortened
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, Saved, no_grad, wants_gradient
from tttdit.core.symbolic.dimension import Dim
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.storage import Meter, uncounted
from tttdit.core.symbolic.tensor import Size, Tensor


def custom_op(
    name: str,
    fn: Callable[..., Any] | None = None,
    /,
    *,
    mutates_args: Any,
    device_types: Any = None,
    schema: str | None = None,
) -> Any:
    """An operator made of a Python function; also a decorator."""
    if mutates_args not in ((), [], frozenset(), set()):
        raise UnknownCall("torch.library.custom_op", "with arguments that it changes")
    if fn is None:
        return lambda function: CustomOperator(name, function)
    return CustomOperator(name, fn)


@frozen
class Work:
    """What a custom operator's body does beside its results: floating-point operations, and the most bytes that it holds for a moment."""

    flops: int
    workspace: int


class Context:
    """What `setup_context` and the backward function share: saved tensors and whatever attributes they set."""

    def __init__(self) -> None:
        self.materialize_grads = True
        self.to_save: tuple[Tensor | None, ...] = ()
        self.node: weakref.ref[Node] | None = None  # which holds what is saved, and lets go of it when its backward ran
        self.count = 0
        self.needs_input_grad: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keeps tensors for backward."""
        self.to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What was kept."""
        node = self.node() if self.node is not None else None
        assert node is not None, "saved tensors are read in the node's backward"
        return tuple(node.get(str(index)) if str(index) in node.saved else None for index in range(self.count))

    def set_materialize_grads(self, value: bool) -> None:
        """Whether a missing gradient comes as zeros (the default) or as None."""
        self.materialize_grads = value


# By their full names: the last that were defined.
OPERATORS: dict[str, CustomOperator] = {}


class CustomOperator:
    """Called, it runs its body as one operator: what the body allocates is counted, the graph sees one node."""

    def __init__(self, name: str, body: Callable[..., Any]) -> None:
        self.name = name
        self._name = name.rpartition("::")[2]
        OPERATORS[name] = self
        self._body = body
        self._fake: Callable[..., Any] | None = None
        self._works: dict[Hashable, Work] = {}
        self._backward: Callable[..., Any] | None = None
        self._setup: Callable[..., None] | None = None

    def __reduce__(self) -> tuple[Callable[[str], CustomOperator], tuple[str]]:
        return _named, (self.name,)  # another process has one of its own

    def register_fake(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """What makes results like the body's, without values: run instead of it where nobody wants to look inside."""
        self._fake = fn
        return fn

    def register_kernel(self, device_types: Any, fn: Callable[..., Any] | None = None, /) -> Any:
        """A device's own kernel; the Python body stays what is run here."""
        return (lambda kernel: kernel) if fn is None else fn

    def register_autograd(
        self, backward: Callable[..., Any], /, *, setup_context: Callable[..., None] | None = None
    ) -> None:
        """The operator's backward."""
        self._backward, self._setup = backward, setup_context

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """The body's result, with one node in the graph where a gradient is wanted."""
        if keywords:
            bound = inspect.signature(self._body).bind(*arguments, **keywords)
            bound.apply_defaults()
            arguments = tuple(bound.arguments.values())
        inputs = list(_tensors(arguments))
        if not (self._backward and wants_gradient(*inputs)):
            return self._run(arguments)
        return self._with_node(Context(), arguments, inputs)

    def _run(self, arguments: Sequence[Any]) -> Any:
        """The body's result. Where nobody counts bytes, a call like an earlier one need not run again: an operator has no state."""
        if not STATE.inside_operators:
            return self._run_fake(arguments)
        if STATE.operator_results is None or STATE.meter is not None:
            return self._run_body(arguments)
        key = (self, *map(_look, arguments))
        if key not in STATE.operator_results:
            STATE.operator_results[key] = self._run_body(arguments)
        return _again(STATE.operator_results[key])

    def _run_body(self, arguments: Sequence[Any]) -> Any:
        before, STATE.in_operator = STATE.in_operator, True
        try:
            with no_grad():
                result = self._body(*arguments)
        finally:
            STATE.in_operator = before
        raw.dispatched(self._name, *_tensors([result]))
        return result

    def _run_fake(self, arguments: Sequence[Any]) -> Any:
        if self._fake is None:
            raise UnknownCall(self._name, "a custom operator without register_fake")
        with no_grad(), raw.unlogged():
            result = self._fake(*arguments)
        if isinstance(result, list) and not self._gives_list():
            result = tuple(result)  # as the operator's schema says
        if STATE.meter is not None:
            STATE.meter.ran(self, arguments, repeats())
        raw.dispatched(self._name, *_tensors([result]))
        return result

    def _gives_list(self) -> bool:
        """Whether the body is declared to return a list of tensors, and not a tuple."""
        declared = inspect.signature(self._body).return_annotation
        return get_origin(declared) is list or str(declared).startswith("list")

    def work(self, arguments: Sequence[Any]) -> Work:
        """The body's work for arguments of these sizes. It is run for it, once, with its loops shortened."""
        key = (STATE.device, STATE.in_place, *map(_plain_look, arguments))
        if key not in self._works:
            plain = [_plain(argument) for argument in arguments]
            before, STATE.inside_operators = STATE.inside_operators, True
            try:
                with Meter() as meter, shortened(STEPS_COUNTED):
                    result = self._run_body(plain)
                    held = meter.now
                    del result
            finally:
                STATE.inside_operators = before
            self._works[key] = Work(meter.flops, meter.peak - held)
        return self._works[key]

    def _with_node(self, context: Context, arguments: Sequence[Any], inputs: Sequence[Tensor]) -> Any:
        backward = self._backward
        assert backward is not None
        results: list[tuple[Size, DType]] = []
        counts = [_count(argument) for argument in arguments]

        def run_backward(node: Node, gradients: Gradients) -> Gradients:
            given: Any = list(gradients)
            gradients.clear()  # they go when the author's function returns, before the engine sums or casts what it made
            if context.materialize_grads:
                given = [
                    raw.new("zeros", shape, dtype) if gradient is None else gradient
                    for gradient, (shape, dtype) in zip(given, results, strict=True)
                ]
            made = backward(context, *([given] if as_list else given))
            return _flat(made if isinstance(made, tuple) else (made,), counts)

        node = Node(self._name, inputs, run_backward)
        result = self._run(arguments)
        as_list = isinstance(result, list)
        outputs = list(_tensors([result]))
        if self._setup is not None:
            context.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in arguments)
            self._setup(context, tuple(arguments), result)
        context.node, context.count = weakref.ref(node), len(context.to_save)
        for index, tensor in enumerate(context.to_save):
            if tensor is not None:
                node.saved[str(index)] = Saved(
                    raw.alias(tensor) if any(tensor is output for output in outputs) else tensor
                )
        context.to_save = ()
        results.extend((output.shape, output.dtype) for output in outputs)
        node.made(*outputs)
        return result


def _named(name: str) -> CustomOperator:
    return OPERATORS[name]


def _look(argument: Any) -> Hashable:
    """What an operator can see of an argument, formulas included."""
    if isinstance(argument, Tensor):
        return (*map(_look, argument.shape), argument.strides, argument.dtype)
    if isinstance(argument, (list, tuple)):
        return tuple(map(_look, argument))
    return argument.formula if isinstance(argument, Dim) else (type(argument), argument)


def _plain_look(argument: Any) -> Hashable:
    """What an operator can see of an argument, without formulas."""
    if isinstance(argument, Tensor):
        return tuple(map(int, argument.shape)), argument.strides, argument.dtype
    if isinstance(argument, (list, tuple)):
        return tuple(map(_plain_look, argument))
    return (int, int(argument)) if isinstance(argument, Dim) else (type(argument), argument)


def _plain(argument: Any) -> Any:
    """The argument with sizes that are mere numbers; tensors are others like those given, whose memory nobody counts."""
    if isinstance(argument, Tensor):
        with uncounted():
            return raw.empty(tuple(map(int, argument.shape)), argument.dtype, argument.strides)
    if isinstance(argument, (list, tuple)):
        return [_plain(each) for each in argument]
    return int(argument) if isinstance(argument, Dim) else argument


def _again(result: Any) -> Any:
    """Fresh tensors like those of an earlier call."""
    if isinstance(result, Tensor):
        return raw.empty(result.shape, result.dtype, result.strides)
    return type(result)(map(_again, result)) if isinstance(result, (list, tuple)) else result


def _tensors(values: Iterable[Any]) -> Iterable[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _count(argument: Any) -> int | None:
    """Minus the tensors in a list; 1 for a tensor; None for what has no gradient."""
    if isinstance(argument, (list, tuple)) and any(isinstance(each, Tensor) for each in argument):
        return -len(argument)
    return 1 if isinstance(argument, Tensor) else None


def _flat(gradients: Sequence[Any], counts: Sequence[int | None]) -> Gradients:
    """One gradient a tensor argument, lists of tensors (negative counts) included."""
    flat: Gradients = []
    for gradient, count in zip(gradients, counts, strict=True):
        if count is not None and count < 0:
            flat.extend(gradient if gradient is not None else [None] * -count)
        elif count is not None:
            flat.append(gradient)
    return flat
