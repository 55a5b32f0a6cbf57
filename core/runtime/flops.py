"""Floating-point operations of torch's operators, by `torch.utils.flop_counter` and what it leaves out.

On import, its registry gets formulas for flash attention on the CPU (those of the same attention on a GPU) and for products in place, which
it counts as nothing. A custom operator with a Python body is counted by running that on meta tensors: once for each set of sizes, and with
loops of `tttdit.core.loops.steps` shortened, so that it takes no longer for a long sequence.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._library.custom_ops import OPDEFS
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.flop_counter import (
    addmm_flop,
    baddbmm_flop,
    flop_registry,
    register_flop_formula,
    sdpa_backward_flop,
    sdpa_flop,
)

from tttdit.core.loops import STEPS_COUNTED, repeats, shortened
from tttdit.core.plugin.references import one_line

_aten: Any = torch.ops.aten
_LEFT_OUT: dict[Any, Any] = {
    _aten._scaled_dot_product_flash_attention_for_cpu: sdpa_flop,
    _aten._scaled_dot_product_flash_attention_for_cpu_backward: sdpa_backward_flop,
    _aten.addmm_: addmm_flop,
    _aten.baddbmm_: baddbmm_flop,
}
for _packet, _formula in _LEFT_OUT.items():
    if _packet not in flop_registry:
        register_flop_formula(_packet, get_raw=True)(_formula)

_META = torch.device("meta")

# Of custom operators and of functions that aten composes of others, by what they were given.
_counted: dict[Hashable, int] = {}


def operator_flops(func: Any, args: Any, kwargs: Any, result: Any) -> int:
    """What one dispatched operator did: multiplications and additions; 0 where nobody knows a formula."""
    packet = getattr(func, "_overloadpacket", None)
    if packet in flop_registry:
        flops: int = flop_registry[packet](*args, **kwargs, out_val=result)
        return flops
    run = _runs(func)
    return 0 if run is None else _flops_of(str(func), run, args, kwargs)


def register_operators(packages: Iterable[str]) -> None:
    """Makes `torch.utils.flop_counter.FlopCounterMode` count the custom operators of these top-level packages that it does not know yet."""
    wanted = set(packages)
    for name, definition in OPDEFS.items():
        packet = definition._opoverload._overloadpacket
        package = (definition._init_fn.__module__ or "").partition(".")[0]
        if package in wanted and packet not in flop_registry:
            register_flop_formula(packet, get_raw=True)(partial(_formula_of, name, definition._init_fn))


def _formula_of(name: str, body: Callable[..., Any], *args: Any, out_val: Any = None, **kwargs: Any) -> int:
    return _flops_of(name, body, args, kwargs)


def _runs(func: Any) -> Callable[..., Any] | None:
    """What does a custom operator's work, or that of a function which aten composes of others; None for an operator by itself."""
    definition: Any = OPDEFS.get(func._schema.name) if hasattr(func, "_schema") else None
    if definition is not None:
        body: Callable[..., Any] = definition._init_fn
        return body
    if isinstance(func, torch._ops.OpOverload) and func.has_kernel_for_dispatch_key(
        torch._C.DispatchKey.CompositeImplicitAutograd
    ):
        return func.decompose
    return None


def _flops_of(name: str, run: Callable[..., Any], args: Any, kwargs: Any) -> int:
    key = (name, *map(look, tree_leaves((args, kwargs))))
    if key not in _counted:
        counting = _Counting()
        with _disable_current_modes():
            args, kwargs = tree_map_only((Tensor, torch.device), _without_data, (args, kwargs))
            try:
                with torch.no_grad(), shortened(STEPS_COUNTED), counting:
                    run(*args, **kwargs)
            except Exception as error:
                warnings.warn(
                    f"{name} is not in the count of floating-point operations: it does not run on meta tensors ({one_line(error)}); "
                    "give it a formula with torch.utils.flop_counter.register_flop_formula",
                    stacklevel=2,
                )
        _counted[key] = counting.flops
    return _counted[key]


class _Counting(TorchDispatchMode):
    """Counts what is dispatched while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        with self:
            result = func.decompose(*args, **kwargs)
        if result is NotImplemented:
            result = func(*args, **kwargs)
            self.flops += operator_flops(func, args, kwargs, result) * repeats()
        return result


def _without_data(value: Tensor | torch.device) -> Tensor | torch.device:
    """The same on the meta device."""
    if isinstance(value, torch.device):
        return _META
    return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device=_META)


def look(value: Any) -> Hashable:
    """What an operator's work, and the form of its results, depend on: sizes, strides and type of a tensor, and what is no tensor."""
    if isinstance(value, Tensor):
        return (*value.shape, value.stride(), value.dtype)
    return value if isinstance(value, Hashable) else repr(value)
