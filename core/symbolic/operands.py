"""What a custom operator was called with, so that its work can be found out for other sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from attrs import frozen

from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.dimension import Dim, formula_of
from tttdit.core.symbolic.formula import Formula, Number
from tttdit.core.symbolic.library import CustomOperator, Work
from tttdit.core.symbolic.storage import uncounted
from tttdit.core.symbolic.strides import Strides, is_dense
from tttdit.core.symbolic.tensor import Tensor

Values: TypeAlias = Mapping[str, Number]


@frozen
class Operands:
    """What a custom operator was called with: tensors as shapes, dtype and order in memory, the rest as it was."""

    operator: CustomOperator
    arguments: tuple[Any, ...]

    @classmethod
    def of(cls, operator: CustomOperator, arguments: Sequence[Any]) -> Operands:
        """Of a call."""
        return cls(operator, tuple(_operand(argument) for argument in arguments))

    @property
    def hold_for_any_size(self) -> bool:
        """Whether it is known how they lie in memory at other sizes."""
        return not any(_is_fixed(operand) for operand in self.arguments)

    def symbols(self) -> frozenset[str]:
        """The names that occur in their sizes."""
        return frozenset().union(*(_symbols(operand) for operand in self.arguments))

    def work(self, values: Values) -> Work:
        """What the operator's body does for sizes of these values."""
        return self.operator.work([_argument(operand, values) for operand in self.arguments])


@frozen
class Layout:
    """A tensor whose elements fill their memory; or a piece of one, which has the shape `memory`."""

    shape: tuple[Formula, ...]
    dtype: str
    order: tuple[int, ...]  # dimensions from the outermost in memory to the innermost
    memory: tuple[Formula, ...] | None = None


@frozen
class _Fixed:
    """A tensor whose elements lie apart, or over each other: how they would lie at other sizes is not known."""

    shape: tuple[int, ...]
    dtype: str
    strides: Strides


def _operand(argument: Any) -> Any:
    if isinstance(argument, Tensor):
        whole = argument if is_dense(argument.shape, argument.strides) else _cut_from(argument)
        if whole is None:
            return _Fixed(tuple(map(int, argument.shape)), argument.dtype.name, argument.strides)
        strides, ones = whole.strides, tuple(size != 1 for size in whole.shape)
        order = sorted(range(whole.ndim), key=lambda d: (strides[d], ones[d], d), reverse=True)
        memory = None if whole is argument else tuple(map(formula_of, whole.shape))
        return Layout(tuple(map(formula_of, argument.shape)), argument.dtype.name, tuple(order), memory)
    if isinstance(argument, (list, tuple)):
        return tuple(_operand(each) for each in argument)
    return argument.formula if isinstance(argument, Dim) else argument


def _cut_from(tensor: Tensor) -> Tensor | None:
    """The tensor whose elements fill their memory, of which a view has fewer of some dimensions; None where it is no such view."""
    whole = tensor.base
    return whole if whole is not None and whole.strides == tensor.strides and whole.is_dense() else None


def _is_fixed(operand: Any) -> bool:
    return any(map(_is_fixed, operand)) if isinstance(operand, tuple) else isinstance(operand, _Fixed)


def _symbols(operand: Any) -> frozenset[str]:
    if isinstance(operand, Layout):
        return frozenset().union(*(size.symbols() for size in (*operand.shape, *(operand.memory or ()))))
    if isinstance(operand, tuple):
        return frozenset().union(*map(_symbols, operand))
    return operand.symbols() if isinstance(operand, Formula) else frozenset()


def _argument(operand: Any, values: Values) -> Any:
    if isinstance(operand, Layout):
        shape = tuple(int(size.evaluate(values)) for size in operand.shape)
        memory = shape if operand.memory is None else tuple(int(size.evaluate(values)) for size in operand.memory)
        strides, elements = [0] * len(shape), 1
        for d in reversed(operand.order):
            strides[d] = elements
            elements *= max(1, memory[d])
        with uncounted():
            return raw.empty(shape, types.NAMES[operand.dtype], tuple(strides))
    if isinstance(operand, _Fixed):
        with uncounted():
            return raw.empty(operand.shape, types.NAMES[operand.dtype], operand.strides)
    if isinstance(operand, tuple):
        return [_argument(each, values) for each in operand]
    return int(operand.evaluate(values)) if isinstance(operand, Formula) else operand
