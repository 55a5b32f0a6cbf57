"""How a module works on one of several tensor-parallel ranks: what of its parameters and of its tensors this rank has.

These are PyTorch's `ParallelStyle`s, for the plans that plugins announce and `parallelize_module` applies. Parameters are DTensors;
tensors become DTensors at a module's border only, to be redistributed there. Inside, a module sees plain tensors of its own rank, the
parameters among them: whatever it calls works, a custom operator too, and nothing is redistributed that does not stand here.

Between modules a tensor is in one of two layouts. It is whole: each rank has it all, and all have the same. Or it has the rank's heads:
its share of the last dimension. A module must use its parameters in its own forward, and not those of a module inside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Partial, Placement, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import ParallelStyle

from tttdit.core.errors import PluginError

WHOLE, HEADS, TOKENS = Replicate(), Shard(-1), Shard(1)


class Whole(ParallelStyle):
    """All ranks do the same: parameters, those of modules inside too, and tensors are whole, and nobody communicates."""

    def _apply(self, module: nn.Module, device_mesh: DeviceMesh) -> nn.Module:
        _spread(module.modules(), device_mesh, WHOLE, gradients=WHOLE)
        return module


class Heads(ParallelStyle):
    """Each rank does what belongs to its heads.

    Its own parameters, not those of modules inside it, are shared out along their first dimension, of which each head has an equal piece;
    with `of_all=True` all heads use the same ones, whose gradients are summed over the ranks. With `takes_whole=True` the module's tensors
    come in whole: each rank reads all of them, for its heads, and their gradients are summed over the ranks, once for all that the module
    does with them.
    """

    def __init__(self, *, of_all: bool = False, takes_whole: bool = False) -> None:
        super().__init__()
        self._of_all, self._takes_whole = of_all, takes_whole

    def _apply(self, module: nn.Module, device_mesh: DeviceMesh) -> nn.Module:
        if self._of_all:
            _spread([module], device_mesh, WHOLE, gradients=Partial())
        else:
            _spread([module], device_mesh, Shard(0), gradients=Shard(0))
        if self._takes_whole:

            def enter(_: nn.Module, tensors: tuple[Any, ...]) -> tuple[Any, ...]:
                return tuple(_read_by_all(each, device_mesh) for each in tensors)

            module.register_forward_pre_hook(enter)
        return module


class Tokens(ParallelStyle):
    """Each rank does what belongs to its share of the tokens: a module that treats every token by itself, [B, tokens, ...].

    Parameters, those of modules inside too, are whole, and their gradients are summed over the ranks. The ranks' shares are contiguous and
    as equal as they can be; the last ranks may have fewer tokens, or none. The module takes one tensor and gives one. It comes `HEADS` or
    `WHOLE` and leaves `WHOLE`; between two such modules, one right behind the other, it may stay `TOKENS`, as a DTensor.

    From heads to tokens is an all-to-all, from tokens to whole an all-gather, both of [B, tokens, D]: less than the all-gather and the
    all-reduce of a product whose summands the ranks have (`RowwiseParallel`), a share of their memory, and a sum that is rounded once.
    """

    def __init__(self, *, takes: Placement = WHOLE, leaves: Placement = WHOLE) -> None:
        super().__init__()
        self._takes, self._leaves = takes, leaves

    def _apply(self, module: nn.Module, device_mesh: DeviceMesh) -> nn.Module:
        _spread(module.modules(), device_mesh, WHOLE, gradients=Partial())
        tokens: list[int] = []  # of all ranks: what a share does not tell

        def enter(_: nn.Module, tensors: tuple[Any, ...]) -> tuple[Any, ...]:
            (x,) = tensors
            if not isinstance(x, DTensor):
                if self._takes == TOKENS:
                    raise PluginError("a tensor that comes TOKENS has to be what a module that leaves TOKENS gave")
                x = DTensor.from_local(x, device_mesh, (self._takes,), run_check=False)
            tokens.append(x.shape[1])
            return (x.redistribute(placements=(TOKENS,)).to_local(),)

        def leave(_: nn.Module, __: tuple[Any, ...], y: Tensor | None) -> Tensor | None:
            count = tokens.pop() if tokens else 0
            if y is None:  # the module has raised
                return None
            shape = torch.Size((y.shape[0], count, *y.shape[2:]))
            stride = tuple(prod(shape[at + 1 :]) for at in range(len(shape)))
            result = DTensor.from_local(y, device_mesh, (TOKENS,), run_check=False, shape=shape, stride=stride)
            if self._leaves == TOKENS:
                return result
            return result.redistribute(placements=(self._leaves,)).to_local()

        module.register_forward_pre_hook(enter)
        module.register_forward_hook(leave, always_call=True)
        return module


def _read_by_all(x: Any, mesh: DeviceMesh) -> Any:
    """The same tensor, to whose gradient every rank has a summand."""
    if not isinstance(x, Tensor):
        return x
    return DTensor.from_local(x, mesh, (WHOLE,), run_check=False).to_local(grad_placements=(Partial(),))


def _spread(modules: Iterable[nn.Module], mesh: DeviceMesh, placement: Placement, gradients: Placement) -> None:
    """Makes DTensors of the modules' own parameters that are none yet.

    Each rank takes its part of what it has, and nobody communicates: all have the same, or nothing yet (meta tensors).
    """
    for owner in modules:
        names = [name for name, each in owner.named_parameters(recurse=False) if not isinstance(each, DTensor)]
        for name in names:
            whole = getattr(owner, name)
            spread = distribute_tensor(whole.detach(), mesh, (placement,), src_data_rank=None)
            owner.register_parameter(name, nn.Parameter(spread, whole.requires_grad))
        if names:
            _work_on_parts(owner, names, gradients)


def _work_on_parts(owner: nn.Module, names: Iterable[str], gradients: Placement) -> None:
    """While a module's forward runs, its parameters are this rank's parts; `gradients` says what those of the parts are of the whole's."""
    held: dict[str, Any] = {}

    def enter(module: nn.Module, _: tuple[Any, ...]) -> None:
        parameters: dict[str, Any] = module._parameters
        for name in names:
            held[name] = spread = parameters[name]
            parameters[name] = spread.to_local(grad_placements=(gradients,))

    def leave(module: nn.Module, *_: Any) -> None:
        module._parameters.update(held)
        held.clear()

    owner.register_forward_pre_hook(enter)
    owner.register_forward_hook(leave, always_call=True)
