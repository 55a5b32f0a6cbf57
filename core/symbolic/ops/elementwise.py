"""One elementwise operator of aten, with its derivatives: what each family's table is made of.

    hypot = Elementwise("hypot", "self other", Derivative("other", "other result", ...), Derivative("self", "self result", ...))

A derivative says which arguments and results it reads; from that follows what is saved. As in torch's generated code, what one
derivative alone reads is saved only if that derivative is wanted, what several read is saved in any case, and a result always.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from attrs import frozen

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import DType, bool_, result_type
from tttdit.core.symbolic.ops.inplace import change, rebase, write
from tttdit.core.symbolic.tensor import Tensor

# What a derivative's formula reads: saved tensors, unpacked, and the numbers among the arguments.
Kept: TypeAlias = "Mapping[str, Any]"
Formula: TypeAlias = "Callable[[Tensor, Kept], Tensor]"


@frozen
class Derivative:
    """How the gradient of one argument is made.

    `formula(gradient, kept)` runs the raw operators. Names that it gives to what it makes on the way live to its end, as the
    temporaries of a C++ expression do.
    """

    argument: str
    reads: str  # names of arguments, and "result"
    formula: Formula


def through(gradient: Tensor, kept: Kept) -> Tensor:
    """The gradient as it comes."""
    return gradient


def zeros(gradient: Tensor, kept: Kept) -> Tensor:
    """No gradient, in full size."""
    return raw.like("zeros_like", gradient)


def one(operator: str, *operands: str) -> Formula:
    """One raw operator of the gradient ("grad") and what is kept, in this order."""
    return lambda gradient, kept: raw.pointwise(
        operator, *[gradient if operand == "grad" else kept[operand] for operand in operands]
    )


def same_type(*operands: Any) -> DType:
    """The type that the operands have together."""
    return result_type(*operands)


def pair_type(*operands: Any) -> DType:
    """The type of the first two operands; what follows them (a factor, a weight) has no say."""
    return result_type(*operands[:2])


def float_type(*operands: Any) -> DType:
    """The type of the operands, or a floating-point type where they are integers."""
    dtype = result_type(*operands)
    return dtype if dtype.is_floating_point else result_type(*operands, 1.0)


def bool_type(*operands: Any) -> DType:
    """True or false."""
    return bool_


class Elementwise:
    """An elementwise operator: `op(x, y)` makes a fresh tensor, `op.inplace(x, y)` changes x.

    `arguments` are those that can be tensors, in aten's order, by the names that derivatives.yaml gives them: gradients are made in the
    alphabetical order of these. Without derivatives the result is outside the graph. `run` makes
    a fresh result, where its layout is not the one that the operands in their order give.
    """

    def __init__(
        self,
        name: str,
        arguments: str = "self",
        *derivatives: Derivative,
        dtype: Callable[..., DType] = same_type,
        run: Callable[..., Tensor] = raw.pointwise,
    ) -> None:
        self.name = name
        self._run = run
        self.dtype = dtype
        self._arguments = tuple(arguments.split())
        self._derivatives = tuple(sorted(derivatives, key=lambda derivative: derivative.argument))
        self._keeps_result = any("result" in derivative.reads.split() for derivative in derivatives)
        # the arguments that can have a gradient, and the edge of each
        self._differentiable = [name for name in self._arguments if any(d.argument == name for d in derivatives)]
        self._at = [self._arguments.index(name) for name in self._differentiable]
        self._edges = [self._differentiable.index(derivative.argument) for derivative in self._derivatives]
        # what is saved, in the order of the names: where it stands among the arguments, and the one edge that it is for, if one
        self._saves: list[tuple[str, int, int | None]] = []
        for at, argument in sorted(enumerate(self._arguments), key=lambda pair: pair[1]):
            readers = [
                edge for edge, d in zip(self._edges, self._derivatives, strict=True) if argument in d.reads.split()
            ]
            if readers:
                alone = len(readers) == 1 and len(derivatives) > 1
                self._saves.append((argument, at, readers[0] if alone else None))

    def __call__(self, *operands: Any) -> Tensor:
        """A fresh result. Raises TypeError, as torch does, for what is no tensor and no number."""
        for operand in operands:
            if not isinstance(operand, (Tensor, int, float)):
                raise _misfit(self.name, operand)
        node = None
        if self._at and wants_gradient(*[operands[at] for at in self._at]):
            node = Node(self.name, [operands[at] for at in self._at], self._backward(operands))
            self._save(node, operands)
        out = self._run(self.name, *operands, dtype=self.dtype(*operands))
        if node:
            if self._keeps_result:
                node.save_output(result=out)
            node.made(out)
        return out

    def inplace(self, target: Tensor, *others: Any) -> Tensor:
        """The first argument, changed. Where a derivative reads it, a copy of what it was is kept."""
        operands, call = (target, *others), f"{self.name}_"
        for operand in operands:
            if not isinstance(operand, (Tensor, int, float)):
                raise _misfit(call, operand)
        node = original = None
        inputs = [operands[at] for at in self._at]
        if wants_gradient(*inputs):
            node = change(call, self.name, inputs, self._backward(operands))
        if node:
            original = self._save(node, operands, changed=True)
        write(call, target, *others, dtype=self.dtype(*operands))
        del original  # it lives until the operator has run, whoever keeps it then
        if node and self._keeps_result:
            node.save_output(result=target)
        return rebase(target, node)

    def _save(self, node: Node, operands: Sequence[Any], *, changed: bool = False) -> Tensor | None:
        original = None
        for name, at, edge in self._saves:
            operand = operands[at]
            if isinstance(operand, Tensor) and (edge is None or node.wants(edge)):
                if changed and at == 0:
                    operand = original = raw.clone(operand)
                node.save(**{name: operand})
        return original

    def _backward(self, operands: Sequence[Any]) -> Callable[[Node, Gradients], Gradients]:
        numbers = {
            name: operand
            for name, operand in zip(self._arguments, operands, strict=True)
            if not isinstance(operand, Tensor)
        }
        edges, derivatives = self._edges, self._derivatives

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            assert gradient is not None
            kept = {name: node.get(name) for name in node.saved} | numbers
            made: Gradients = [None] * len(edges)
            for edge, derivative in zip(edges, derivatives, strict=True):
                if node.wants(edge):
                    made[edge] = derivative.formula(gradient, kept)
            return made

        return backward


def _misfit(call: str, operand: Any) -> Exception:
    if isinstance(operand, complex):
        return UnknownCall(f"torch.{call}", "with complex numbers")
    return TypeError(f"{call} takes tensors and numbers, not {type(operand).__name__}")
