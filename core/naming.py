"""Names for tensors, the same in both worlds.

What a module or a region returns has a name already: its path. Another tensor gets one by a call that gives the tensor back:

    rope = named("RoPE", self.cos)
    video = named("the_video_part", x.narrow(1, text, frames))

On torch that is all. In a check the tensor is listed under its module's path (`layers.*.mixer.RoPE`), and a message about a shape that
does not fit calls it by its name.
"""

from __future__ import annotations

from typing import TypeVar

Value = TypeVar("Value")


def named(name: str, tensor: Value) -> Value:
    """The tensor itself; `name` is an identifier, its underscores read as spaces."""
    return tensor
