"""New values for a whole model: what `reset_parameters` of a model is made of."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from tttdit.core.errors import PluginError
from tttdit.core.runtime.tables import Tables


def reset(module: nn.Module, leave: nn.Module | None = None, path: str = "") -> None:
    """Calls `reset_parameters()` of a module and of all inside it except `leave`, the inner ones first.

    That is the order in which constructors draw their numbers. Tables are right as they are. Raises PluginError for a module that has
    parameters or buffers and no such method: it would keep what memory happened to hold.

    Of a module that is spread over ranks each rank draws the whole, on the CPU, and keeps its part: with the same seed the values are
    those of a model that is in one piece.
    """
    if isinstance(module, Tables):
        return
    for name, child in module.named_children():
        if child is not leave:
            reset(child, leave, f"{path}.{name}" if path else name)
    if not [*module.parameters(recurse=False), *module.buffers(recurse=False)]:
        return
    renew = getattr(module, "reset_parameters", None)
    if renew is None:
        raise PluginError(
            f"{path} ({type(module).__name__}) has parameters or buffers of its own and no reset_parameters(): "
            "nobody can give them new values"
        )
    _renewed(module, renew)


def _renewed(module: nn.Module, renew: Callable[[], None]) -> None:
    held = [(name, each) for name, each in module._parameters.items() if each is not None]
    spread = {name: each for name, each in held if hasattr(each, "placements")}  # DTensors
    if not spread:
        renew()
        return
    from tttdit.core.runtime.whole import fill  # which the symbolic world has no use for

    for name, each in spread.items():
        module._parameters[name] = nn.Parameter(torch.empty(each.shape, dtype=each.dtype, device="cpu"))
    try:
        renew()
        drawn = {name: module.get_parameter(name).detach() for name in spread}
    finally:
        module._parameters.update(spread)
    for name, each in spread.items():
        fill(each, drawn[name])
