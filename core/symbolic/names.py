"""Under which names of torch a function of the symbolic world is known.

    @known("torch.sigmoid", "Tensor.sigmoid", "F.sigmoid")
    def sigmoid(input: Tensor) -> Tensor: ...

Nothing else is known: another name, or an argument that the function does not take, raises `UnknownCall`, never a guess.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from tttdit.core.errors import ShapeMismatch, UnknownCall
from tttdit.core.symbolic.tensor import Tensor

Function = TypeVar("Function", bound=Callable[..., Any])

NAMES: dict[str, Any] = {}  # "torch.sigmoid" -> the function


def known(*names: str) -> Callable[[Function], Function]:
    """Makes a function known under these names; `Tensor.` names become methods."""

    def register(function: Function) -> Function:
        signature = inspect.signature(function)
        call = names[0]

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except ShapeMismatch as error:
                if not error.operands:
                    error.operands = tuple(each for each in (*args, *kwargs.values()) if isinstance(each, Tensor))
                raise
            except TypeError as error:
                try:
                    signature.bind(*args, **kwargs)
                except TypeError as misfit:
                    raise UnknownCall(call, f"with these arguments ({misfit})") from error
                raise

        for name in names:
            assert name not in NAMES, f"{name} is known already"
            NAMES[name] = called
            owner, _, attribute = name.partition(".")
            if owner == "Tensor":
                setattr(Tensor, attribute, called)
        return called  # type: ignore[return-value]

    return register


def known_property(name: str) -> Callable[[Callable[[Tensor], Any]], Callable[[Tensor], Any]]:
    """Makes a function of a tensor known as a property: `Tensor.T`."""

    def register(function: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
        NAMES[name] = function
        setattr(Tensor, name.partition(".")[2], property(function))
        return function

    return register


def known_value(name: str, value: Any) -> None:
    """Makes a class or a constant known: `torch.device`, `torch.strided`."""
    assert name not in NAMES, f"{name} is known already"
    NAMES[name] = value
