"""Calls that change what runs in ways that are not traced. They are known, so that the error can say why they have no answer here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic.names import known

REASONS = {
    "types are not chosen operator by operator; cast where the module wants another type": (
        "torch.cuda.amp.autocast", "torch.cpu.amp.autocast", "torch.amp.custom_fwd", "torch.amp.custom_bwd",
    ),
    "transformed functions are not traced; call the function itself": (
        "torch.vmap", "torch.func.vmap", "torch.func.grad", "torch.func.grad_and_value", "torch.func.vjp", "torch.func.jvp",
        "torch.func.jacrev", "torch.func.jacfwd", "torch.func.hessian", "torch.func.functional_call", "torch.jit.script",
        "torch.jit.trace", "torch.jit.script_method",
    ),
    "gradients inside a module are not traced; write them as operators, or as a torch.autograd.Function": (
        "torch.autograd.grad", "torch.autograd.backward",
    ),
    "what happens to gradients after backward is no part of a module": (
        "torch.nn.utils.clip_grad_norm_", "torch.nn.utils.clip_grad_value_",
    ),
    "parameters that are computed anew for every call are not traced": (
        "torch.nn.utils.weight_norm", "torch.nn.utils.spectral_norm", "torch.nn.utils.parametrizations.weight_norm",
        "torch.nn.utils.parametrizations.spectral_norm", "torch.nn.utils.parametrizations.orthogonal",
        "torch.nn.utils.parametrize.register_parametrization",
    ),
}  # fmt: skip


def _refusal(name: str, reason: str) -> Callable[..., Any]:
    def refuse(*arguments: Any, **keywords: Any) -> Any:
        raise UnknownCall(name, reason)

    refuse.__name__, refuse.__doc__ = name.rpartition(".")[2], f"Raises UnknownCall: {reason}."
    return refuse


for _reason, _names in REASONS.items():
    for _name in _names:
        known(_name)(_refusal(_name, _reason))
