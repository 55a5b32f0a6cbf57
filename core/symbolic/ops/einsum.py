"""Einstein sums and tensor contractions, as aten makes matrix products of them (aten/src/ATen/native/Linear.cpp)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_letters
from typing import Any

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.arithmetic import mul
from tttdit.core.symbolic.ops.products import bmm, mm
from tttdit.core.symbolic.ops.reductions import sum as sum_
from tttdit.core.symbolic.ops.views import permute, reshape, unsqueeze, view
from tttdit.core.symbolic.raw import axis, composite, dim_text, shape_text
from tttdit.core.symbolic.tensor import Size, Tensor

_TERM = re.compile(r"[A-Za-z]*(\.\.\.[A-Za-z]*)?")
# aten goes through the letters in this order: capitals first
_LETTERS = tuple(sorted(ascii_letters))


@known("torch.einsum")
def einsum(equation: str, *operands: Any) -> Tensor:
    """`torch.einsum("bhqd,bhkd->bhqk", q, k)`. Diagonals and more than two operands are not known."""
    if not isinstance(equation, str):
        raise UnknownCall("torch.einsum", "in its form without an equation")
    tensors = list(operands[0]) if len(operands) == 1 and not isinstance(operands[0], Tensor) else list(operands)
    if len(tensors) > 2:
        raise UnknownCall(
            "torch.einsum", "of more than two operands, whose order of contraction depends on what is installed"
        )
    return _einsum(equation, tensors)


class _Labels:
    """Which dimension of the aligned operands each letter is, and how many of those are the result's."""

    def __init__(self, equation: str, tensors: Sequence[Tensor]) -> None:
        left, arrow, right = equation.replace(" ", "").partition("->")
        self.terms = left.split(",")
        if len(self.terms) != len(tensors):
            raise ShapeMismatch(
                f"einsum({equation!r}): {len(self.terms)} operands in the equation, {len(tensors)} given"
            )
        for term in (*self.terms, right):
            if not _TERM.fullmatch(term):
                raise ShapeMismatch(f"einsum({equation!r}): {term!r} is not made of letters and at most one ...")
        self.equation = equation
        self.dots = 0  # dimensions under the dots
        count: dict[str, int] = {}
        for term, tensor in zip(self.terms, tensors, strict=True):
            letters = term.replace("...", "")
            if len(set(letters)) != len(letters):
                raise UnknownCall("torch.einsum", f"of a diagonal, {term!r}")
            free = tensor.ndim - len(letters)
            if free < 0 or (free and "..." not in term):
                raise ShapeMismatch(
                    f"einsum({equation!r}): {term!r} does not name the {tensor.ndim} dimensions of {shape_text(tensor.shape)}"
                )
            self.dots = max(self.dots, free)
            for letter in letters:
                count[letter] = count.get(letter, 0) + 1
        if not arrow:
            right = "..." + "".join(letter for letter in _LETTERS if count.get(letter) == 1)
        self.place: dict[str, int] = {}
        self.dots_at = -1
        at = 0
        for part in re.findall(r"\.\.\.|[A-Za-z]", right):
            if part == "...":
                self.dots_at = at
                at += self.dots
                continue
            if part not in count or part in self.place:
                raise ShapeMismatch(
                    f"einsum({equation!r}): {part!r} of the result appears twice in it, or in no operand"
                )
            self.place[part] = at
            at += 1
        self.kept = at
        if self.dots_at < 0:
            self.dots_at = at
            at += self.dots
        for letter in _LETTERS:
            if letter in count and letter not in self.place:
                self.place[letter] = at
                at += 1
        self.dims = at

    def align(self, term: str, tensor: Tensor) -> Tensor:
        """The operand with all dimensions, those that it lacks as 1, in the common order."""
        order = [-1] * self.dims
        at = 0
        free = tensor.ndim - len(term.replace("...", ""))
        for part in re.findall(r"\.\.\.|[A-Za-z]", term):
            if part == "...":
                for i in range(self.dots - free, self.dots):
                    order[self.dots_at + i] = at
                    at += 1
            else:
                order[self.place[part]] = at
                at += 1
        for i, found in enumerate(order):
            if found < 0:
                tensor = unsqueeze(tensor, at)
                order[i] = at
                at += 1
        return permute(tensor, order)


@composite("einsum")
def _einsum(equation: str, tensors: list[Tensor]) -> Tensor:
    labels = _Labels(equation, tensors)
    aligned = [labels.align(term, tensor) for term, tensor in zip(labels.terms, tensors, strict=True)]
    summed = list(range(labels.kept, labels.dims))
    if len(aligned) == 1:
        return sum_(aligned[0], summed) if summed else aligned[0]
    left, right = aligned
    del aligned
    for at, (a, b) in enumerate(zip(left.shape, right.shape, strict=True)):
        if a != b and 1 not in (a, b):
            name = next((letter for letter, place in labels.place.items() if place == at), "...")
            raise ShapeMismatch(f"einsum({equation!r}): {name!r} is {dim_text(a)} and {dim_text(b)}", a, b)
    both = [d for d in summed if left.shape[d] != 1 and right.shape[d] != 1]
    only_left = [d for d in summed if left.shape[d] != 1 and right.shape[d] == 1]
    only_right = [d for d in summed if left.shape[d] == 1 and right.shape[d] != 1]
    if only_left:
        left = sum_(left, only_left, True)
    if only_right:
        right = sum_(right, only_right, True)
    out = _sum_of_products(left, right, both)
    del left, right  # where they are sums, they are gone before the last view
    return view(out, *out.shape[: labels.kept]) if summed else out


def _sum_of_products(left: Tensor, right: Tensor, summed: list[int]) -> Tensor:
    """`(left * right).sum(summed, keepdim=True)` as one batched product: aten's sumproduct_pair."""
    if not summed:
        return mul(left, right)
    shared: list[int] = []
    of_left: list[int] = []
    of_right: list[int] = []
    for d, (a, b) in enumerate(zip(left.shape, right.shape, strict=True)):
        if d in summed:
            continue
        (shared if a != 1 and b != 1 else of_left if a != 1 else of_right).append(d)
    shape = [
        *(left.shape[d] for d in (*shared, *of_left)),
        *(1 for _ in summed),
        *(right.shape[d] for d in of_right),
    ]
    order = [*shared, *of_left, *summed, *of_right]
    batch = Size(left.shape[d] for d in shared).numel()
    inner = Size(left.shape[d] for d in summed).numel()
    rows = Size(left.shape[d] for d in of_left).numel()
    columns = Size(right.shape[d] for d in of_right).numel()
    left = reshape(permute(left, order), batch, rows, inner)
    right = reshape(permute(right, [*shared, *summed, *of_right, *of_left]), batch, inner, columns)
    out = bmm(left, right)
    return permute(view(out, *shape), [order.index(d) for d in range(len(order))])


@known("torch.tensordot")
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The contraction of dimensions, given as two lists, or as how many of a's last and b's first."""
    if isinstance(dims, int):
        first, second = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    elif isinstance(dims, (list, tuple)) and len(dims) == 2:
        first, second = ([each] if isinstance(each, int) else list(each) for each in dims)
    else:
        raise UnknownCall("torch.tensordot", f"with dims={dims!r}")
    return _tensordot(a, b, [axis(a, d) for d in first], [axis(b, d) for d in second])


@composite("tensordot")
def _tensordot(a: Tensor, b: Tensor, first: list[int], second: list[int]) -> Tensor:
    if len(first) != len(second):
        raise ShapeMismatch(f"tensordot: {len(first)} dimensions against {len(second)}")
    left, right = a, b
    inner: int = 1
    for i, j in zip(first, second, strict=True):
        if b.shape[j] == 1:
            left = sum_(left, i, True)
        elif a.shape[i] == 1:
            right = sum_(right, j, True)
        elif a.shape[i] != b.shape[j]:
            raise ShapeMismatch(
                f"tensordot: {shape_text(a.shape)} and {shape_text(b.shape)} do not fit: {dim_text(a.shape[i])} against "
                f"{dim_text(b.shape[j])}",
                a.shape[i],
                b.shape[j],
            )
        else:
            inner = inner * a.shape[i]
    rows = [d for d in range(a.ndim) if d not in first]
    columns = [d for d in range(b.ndim) if d not in second]
    shape = [*(left.shape[d] for d in rows), *(right.shape[d] for d in columns)]
    left = reshape(permute(left, [*rows, *first]), Size(left.shape[d] for d in rows).numel(), inner)
    right = reshape(permute(right, [*second, *columns]), inner, Size(right.shape[d] for d in columns).numel())
    return reshape(mm(left, right), *shape)
