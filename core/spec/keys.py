"""Keys as text and as paths: `model.mixer.plugin` is `("model", "mixer", "plugin")`, `optimizer.betas[1]` ends in 1."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PART = re.compile(r"""(?P<bare>[A-Za-z0-9_-]+)|(?P<quoted>"(?:[^"\\]|\\.)*")|\[(?P<index>[0-9]{1,9})\]""")


def join(path: Iterable[str | int]) -> str:
    """The path as a key; parts that are not bare words stand in quotes, places in an array in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False))
    return text


def split(key: str) -> Path:
    """The key as a path. Raises ValueError for what is no key."""
    path: list[str | int] = []
    position = 0
    while position < len(key):
        match = _PART.match(key, position)
        if match is None:
            raise ValueError(f"{key!r} is not a key")
        if match["index"] is not None:
            path.append(int(match["index"]))
        else:
            path.append(match["bare"] if match["bare"] is not None else json.loads(match["quoted"]))
        position = match.end()
        if key.startswith(".", position) and position + 1 < len(key) and key[position + 1] != "[":
            position += 1
        elif position < len(key) and key[position] != "[":
            raise ValueError(f"{key!r} is not a key")
    return tuple(path)
