"""Questions about modes, and calls that change nothing for what is traced."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any

from tttdit.core.symbolic.names import NAMES, known
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Tensor


@known("torch.is_grad_enabled")
def is_grad_enabled() -> bool:
    """Whether operators are recorded."""
    return STATE.grad_enabled


class set_grad_enabled(ContextDecorator):  # noqa: N801 - torch's name
    """Turns recording on or off at once; as a context manager, until its end."""

    def __init__(self, mode: bool) -> None:
        self._before = STATE.grad_enabled
        self._mode = bool(mode)
        STATE.grad_enabled = self._mode

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """As a decorator it turns recording on or off inside the function alone."""
        STATE.grad_enabled = self._before
        return super().__call__(function)

    def __enter__(self) -> None:
        STATE.grad_enabled = self._mode

    def __exit__(self, *exception: object) -> None:
        STATE.grad_enabled = self._before


NAMES["torch.set_grad_enabled"] = NAMES["torch.autograd.set_grad_enabled"] = set_grad_enabled


@known("torch.is_tensor")
def is_tensor(obj: Any) -> bool:
    """Whether it is a tensor."""
    return isinstance(obj, Tensor)


@known("torch.compile", "torch.compiler.disable", "torch.compiler.allow_in_graph")
def compile(model: Callable[..., Any] | None = None, **options: Any) -> Any:
    """The function as it is: shapes and lifetimes are those of eager execution. With options alone, a decorator."""
    return (lambda function: function) if model is None else model


@known(
    "torch.compiler.is_compiling",
    "torch.compiler.is_dynamo_compiling",
    "torch.compiler.is_exporting",
    "torch.jit.is_scripting",
    "torch.jit.is_tracing",
    "torch.is_inference_mode_enabled",
    "torch.is_autocast_enabled",
    "torch.is_anomaly_enabled",
    "torch.are_deterministic_algorithms_enabled",
)
def no(*arguments: Any) -> bool:
    """None of these is ever on here."""
    return False
