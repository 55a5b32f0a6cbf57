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
from tttdit.core.runtime.proof.comparing import audible, counted_apart, parting, told
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
    """The first operator where the worlds part, with those around it; None where they agree, and have done the same work."""
    parted = parting(left.log, right.log) or counted_apart(left.log, right.log)
    if parted is not None:
        ours, theirs, at = audible(left.log), audible(right.log), parted.index
        before = [f"    {told(operator)}" for operator in ours[max(0, at - 5) : at]]
        after = [
            line
            for name, log in (("torch", ours), ("symbolic", theirs))
            for line in (f"  then {name}:", *(f"    {told(operator)}" for operator in log[at + 1 : at + 4]))
        ]
        return "\n".join([*before, parted.told(), *after])
    if left.gradients != right.gradients:
        return f"gradients: {left.gradients} on torch, {right.gradients} in the symbolic world"
    return None


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
