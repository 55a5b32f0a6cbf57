"""Questions about modes, and calls that change nothing for what is traced."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any, TypeVar

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic.names import known, known_value
from tttdit.core.symbolic.state import STATE

Function = TypeVar("Function", bound=Callable[..., Any])


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

    def __call__(self, function: Function) -> Function:
        """As a decorator it turns recording on or off inside the function alone."""
        STATE.grad_enabled = self._before
        return super().__call__(function)

    def __enter__(self) -> None:
        STATE.grad_enabled = self._mode

    def __exit__(self, *exception: object) -> None:
        STATE.grad_enabled = self._before


known_value("torch.set_grad_enabled", set_grad_enabled)
known_value("torch.autograd.set_grad_enabled", set_grad_enabled)


class autocast(ContextDecorator):  # noqa: N801 - torch's name
    """Turned off it does nothing. Turned on it would choose types operator by operator, which is not traced."""

    def __init__(
        self, device_type: str = "cuda", dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if enabled:
            raise UnknownCall(
                "torch.autocast", "types are not chosen operator by operator; cast where the module wants another type"
            )

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass


known_value("torch.autocast", autocast)
known_value("torch.amp.autocast", autocast)


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


@known("torch.amp.is_autocast_available", "torch.amp.autocast_mode.is_autocast_available")
def is_autocast_available(device_type: str) -> bool:
    """Whether it could be turned on: on torch's `meta` it could not, on a CPU or a GPU it could."""
    return device_type != "meta"
