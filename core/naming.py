"""Names for tensors, the same in both worlds.

What a module or a region returns has a name already: its path. Another tensor gets one by a call that gives the tensor back:

    rope = named("RoPE", self.cos)
    video = named("the_video_part", x.narrow(1, text, frames))

Unless somebody listens, that is all. In a check the tensor is listed under its module's path (`layers.*.mixer.RoPE`), and a message about
a shape that does not fit calls it by its name.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Value = TypeVar("Value")


class _Listener(threading.local):
    """Who is told of the names in one thread."""

    hears: Callable[[str, Any], None] | None = None


_LISTENER = _Listener()


def named(name: str, tensor: Value) -> Value:
    """The tensor itself; `name` is an identifier, its underscores read as spaces."""
    if _LISTENER.hears is not None:
        _LISTENER.hears(name, tensor)
    return tensor


@contextmanager
def names_heard(by: Callable[[str, Any], None]) -> Iterator[None]:
    """Tells a function of every name and its tensor."""
    before, _LISTENER.hears = _LISTENER.hears, by
    try:
        yield
    finally:
        _LISTENER.hears = before
