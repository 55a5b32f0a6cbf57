"""Data types, and which type an operation of several types has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from tttdit.core.symbolic.state import STATE


@frozen(eq=False)
class DType:
    """One of torch's data types."""

    name: str
    itemsize: int
    category: int  # bool 0, integers 1, floating point 2: the higher one wins
    rank: int

    @property
    def is_floating_point(self) -> bool:
        """Whether gradients can flow through it."""
        return self.category == 2

    @property
    def is_complex(self) -> bool:
        """Never: the symbolic world knows no complex types."""
        return False

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Callable[[str], DType], tuple[str]]:
        return _named, (self.name,)  # types are compared by identity


bool_ = DType("bool", 1, 0, 0)
uint8 = DType("uint8", 1, 1, 1)
int8 = DType("int8", 1, 1, 1)
int16 = DType("int16", 2, 1, 2)
int32 = DType("int32", 4, 1, 3)
int64 = DType("int64", 8, 1, 4)
float16 = DType("float16", 2, 2, 1)
bfloat16 = DType("bfloat16", 2, 2, 1)
float32 = DType("float32", 4, 2, 2)
float64 = DType("float64", 8, 2, 3)

NAMES: dict[str, DType] = {
    **{d.name: d for d in (bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64)},
    "long": int64,
    "int": int32,
    "short": int16,
    "half": float16,
    "float": float32,
    "double": float64,
}


def _named(name: str) -> DType:
    return NAMES[name]


def default_dtype() -> DType:
    """What `torch.get_default_dtype()` says."""
    return STATE.default_dtype or float32


def of_number(value: Any) -> DType:
    """The type of a Python number."""
    if isinstance(value, bool):
        return bool_
    return int64 if isinstance(value, int) else default_dtype()


def promote(left: DType, right: DType) -> DType:
    """The type that holds both."""
    if left is right:
        return left
    if left.category != right.category:
        return left if left.category > right.category else right
    if left.rank == right.rank:
        # float16 with bfloat16, int8 with uint8: neither holds the other
        return float32 if left.category == 2 else int16
    return left if left.rank > right.rank else right


def result_type(*operands: Any) -> DType:
    """The type of an operation on tensors and Python numbers.

    Tensors decide; tensors without dimensions, and after them numbers, only where they are of a higher category (an int tensor
    times 0.5 is a float).
    """
    groups: tuple[list[DType], list[DType], list[DType]] = ([], [], [])
    for operand in operands:
        if isinstance(operand, (int, float)):
            groups[2].append(of_number(operand))
        elif operand is not None:
            groups[0 if operand.shape else 1].append(operand.dtype)
    best: DType | None = None
    for group in groups:
        if group:
            strongest = group[0]
            for dtype in group[1:]:
                strongest = promote(strongest, dtype)
            if best is None or strongest.category > best.category:
                best = strongest
    assert best is not None
    return best
