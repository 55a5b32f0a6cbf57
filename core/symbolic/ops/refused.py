"""Calls that change what runs in ways that are not traced. They are known, so that the error can say why they have no answer here."""

from __future__ import annotations

from tttdit.core.symbolic.ops.unknowable import unknowable

AUTOCAST = "types chosen operator by operator are not traced; cast where the module wants another type"
TRANSFORM = "transformed functions are not traced; call the function itself"
SECOND = "gradients inside a module are not traced; write them as operators, or as a torch.autograd.Function"
STEP = "what happens to gradients after backward is no part of a module"
WEIGHTS = "parameters that are computed anew for every call are not traced"

unknowable(
    (
        "torch.autocast",
        "torch.amp.autocast",
        "torch.cuda.amp.autocast",
        "torch.cpu.amp.autocast",
        "torch.amp.custom_fwd",
        "torch.amp.custom_bwd",
    ),
    AUTOCAST,
)
unknowable(
    (
        "torch.vmap",
        "torch.func.vmap",
        "torch.func.grad",
        "torch.func.grad_and_value",
        "torch.func.vjp",
        "torch.func.jvp",
        "torch.func.jacrev",
        "torch.func.jacfwd",
        "torch.func.hessian",
        "torch.func.functional_call",
        "torch.jit.script",
        "torch.jit.trace",
        "torch.jit.script_method",
    ),
    TRANSFORM,
)
unknowable(("torch.autograd.grad", "torch.autograd.backward", "torch.autograd.functional.jacobian"), SECOND)
unknowable(("torch.nn.utils.clip_grad_norm_", "torch.nn.utils.clip_grad_value_"), STEP)
unknowable(
    (
        "torch.nn.utils.weight_norm",
        "torch.nn.utils.spectral_norm",
        "torch.nn.utils.parametrizations.weight_norm",
        "torch.nn.utils.parametrizations.spectral_norm",
        "torch.nn.utils.parametrizations.orthogonal",
        "torch.nn.utils.parametrize.register_parametrization",
    ),
    WEIGHTS,
)
