"""New values for a whole model: what `reset_parameters` of a model is made of."""

from __future__ import annotations

from torch import nn

from tttdit.core.errors import PluginError
from tttdit.core.runtime.tables import Tables


def reset(module: nn.Module, leave: nn.Module | None = None, path: str = "") -> None:
    """Calls `reset_parameters()` of a module and of all inside it except `leave`, the inner ones first.

    That is the order in which constructors draw their numbers. Tables are right as they are. Raises PluginError for a module that has
    parameters or buffers and no such method: it would keep what memory happened to hold.
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
    renew()
