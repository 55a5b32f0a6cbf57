"""What the symbolic world is doing, thread by thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tttdit.core.symbolic.dtype import DType
    from tttdit.core.symbolic.storage import Meter


class Recorder(Protocol):
    """Runs module calls, and notes what it wants to know of them."""

    def call(self, module: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """`module.run(arguments, keywords)`: forward, between its hooks."""


SavedHooks = tuple[Callable[[Any], Any], Callable[[Any], Any]]


class State(threading.local):
    """One thread's modes. Threads know nothing of each other's."""

    meter: Meter | None = None  # counts bytes and logs operators; None: nobody listens
    grad_enabled: bool = True
    in_operator: bool = False  # in a custom operator's body, where composite functions count as one operator
    place: str = ""  # the module or region that is at work, for logs
    region: str = ""  # the innermost region that is run, for logs
    recomputing: bool = False  # whether a region is run once more
    line: str = ""  # in backward: the module's line that made the node at work, for logs
    device: str = "cpu"  # whose rules hold where devices differ in what they keep and allocate: "cpu" or "cuda"
    in_place: bool = (
        False  # gradients that meet are added in place, as training does; else out of place, as under a dispatch mode
    )
    default_dtype: DType | None = None
    recorder: Recorder | None = None  # is told of every module call
    after_backward: list[Callable[[], None]] | None = (
        None  # called when backward has come to its end; None: none is run
    )
    operator_results: dict[Any, Any] | None = None  # of custom operators, for calls that are alike; None: each one runs
    inside_operators: bool = True  # a custom operator's body is run; False: its fake, as one operator

    def __init__(self) -> None:
        self.saved_hooks: list[SavedHooks] = []


STATE = State()
