"""Runs one program in both worlds and compares them operator by operator.

A program is a function of the namespace `torch` and of tensors; it returns a tensor, whose mean squared is the loss.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from attrs import frozen

from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.storage import Meter, Operator
from tttdit.core.symbolic.tensor import Tensor, given
from tttdit.core.symbolic.trace import WORLD
from tttdit.core.symbolic.world import TORCH

Program = Callable[..., Any]


@frozen
class Leaf:
    """A tensor that a program starts from."""

    shape: tuple[int, ...]
    trained: bool = False
    dtype: str = "float32"


@frozen
class Run:
    """What one world said."""

    log: tuple[Operator, ...]
    gradients: tuple[bool, ...]


# Saved outputs are kept detached: torch does that under a dispatch mode with an operator that allocates nothing.
SILENT = frozenset({"detach", "alias", "lift_fresh"})


def real_tensor(leaf: Leaf) -> torch.Tensor:
    """Random numbers between 0.5 and 1.5, or zeros of a type that has no such."""
    dtype = getattr(torch, leaf.dtype)
    value = torch.rand(leaf.shape) + 0.5 if dtype.is_floating_point else torch.zeros(leaf.shape)
    return value.to(dtype).requires_grad_(leaf.trained)


def symbolic_tensor(leaf: Leaf) -> Tensor:
    """The same without numbers."""
    return given(leaf.shape, types.NAMES[leaf.dtype], requires_grad=leaf.trained)


def real(program: Program, leaves: Sequence[Leaf], *, look_inside: bool = True) -> Run:
    """The program on torch."""
    torch.manual_seed(0)
    tensors = [real_tensor(leaf) for leaf in leaves]
    with LiveBytes(tensors, look_inside=look_inside) as live:
        result = program(torch, *tensors)
        loss = (result * result).mean()
        del result
        if loss.requires_grad:
            loss.backward()
    return Run(tuple(live.log), tuple(tensor.grad is not None for tensor in tensors))


def symbolic(program: Program, leaves: Sequence[Leaf]) -> Run:
    """The program without torch."""
    tensors = [symbolic_tensor(leaf) for leaf in leaves]
    with Meter(log=True) as meter:
        result = program(TORCH, *tensors)
        loss = (result * result).mean()
        del result
        if loss.requires_grad:
            loss.backward()
    return Run(tuple(meter.log or ()), tuple(tensor.grad is not None for tensor in tensors))


def difference(left: Run, right: Run) -> str | None:
    """The first operator where the worlds part, with those before it; None where they agree."""
    ours = [entry for entry in left.log if entry.name not in SILENT]
    theirs = [entry for entry in right.log if entry.name not in SILENT]
    for index in range(max(len(ours), len(theirs))):
        a = ours[index] if index < len(ours) else None
        b = theirs[index] if index < len(theirs) else None
        if a is None or b is None or not same(a, b):
            before = "\n".join(f"    {_text(entry)}" for entry in ours[max(0, index - 5) : index])
            rest = "\n".join(f"    {_text(x)}" for x in ours[index : index + 4])
            mine = "\n".join(f"    {_text(x)}" for x in theirs[index : index + 4])
            return f"operator {index}:\n{before}\n  torch:\n{rest}\n  symbolic:\n{mine}"
    if left.gradients != right.gradients:
        return f"gradients: {left.gradients} on torch, {right.gradients} in the symbolic world"
    return None


def same(left: Operator, right: Operator) -> bool:
    """Whether two operators made the same: shapes, strides where they matter, types, bytes."""
    return (
        left.shapes == right.shapes
        and left.dtypes == right.dtypes
        and left.live == right.live
        and all(
            _strides(shape, a) == _strides(shape, b)
            for shape, a, b in zip(left.shapes, left.strides, right.strides, strict=True)
        )
    )


def _strides(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of dimensions that have more than one element; the others are never followed."""
    return () if 0 in shape else tuple(stride for size, stride in zip(shape, strides, strict=True) if size != 1)


def _text(entry: Operator) -> str:
    return f"{entry.name} {list(entry.shapes)} {list(entry.strides)} {list(entry.dtypes)} live {entry.live}"


def check(program: Program, leaves: Sequence[Leaf]) -> None:
    """Raises AssertionError with the first difference."""
    found = difference(real(program, leaves), symbolic(program, leaves))
    assert found is None, found


# -- modules

Load = Callable[[str], Any]
Make = Callable[[Load], Any]


def load_real(reference: str) -> Any:
    """What `"package.module:Name"` names, as Python imports it."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


def real_module(
    make: Make, leaves: Sequence[Leaf], *, dtype: str = "float32", trained: Callable[[str], bool] = lambda name: True
) -> Run:
    """Forward and backward of the module that `make` builds from what it loads, on torch."""
    torch.manual_seed(0)
    module = make(load_real).to(getattr(torch, dtype))
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(trained(name))
    tensors = [real_tensor(leaf) for leaf in leaves]
    with LiveBytes([*module.parameters(), *module.buffers(), *tensors]) as live:
        _step(module, tensors)
    return Run(tuple(live.log), tuple(parameter.grad is not None for parameter in module.parameters()))


def symbolic_module(
    make: Make, leaves: Sequence[Leaf], *, dtype: str = "float32", trained: Callable[[str], bool] = lambda name: True
) -> Run:
    """The same in the symbolic world, with every step of every loop."""
    module = make(WORLD.load).to(types.NAMES[dtype])
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(trained(name))
    tensors = [symbolic_tensor(leaf) for leaf in leaves]
    with Meter(log=True) as meter:
        _step(module, tensors)
    return Run(tuple(meter.log or ()), tuple(parameter.grad is not None for parameter in module.parameters()))


def _step(module: Any, tensors: Sequence[Any]) -> None:
    loss = _loss(module(*tensors))
    loss.backward()


def _loss(result: Any) -> Any:
    results = result if isinstance(result, tuple) else (result,)
    total = (results[0] * results[0]).mean()
    for each in results[1:]:
        total = total + (each * each).mean()
    return total
