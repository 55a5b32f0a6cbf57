"""Whose lines are at work: the module's that called an operator, and the symbolic world's own that stands for it.

Both are found by walking outwards from where an operator is logged. Nobody asks in a plain check, so it costs nothing there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import FrameType

IsModule = Callable[[str], bool]  # whether a file is a module's that runs in both worlds

_HERE = os.path.dirname(__file__)
# What many operators come through says nothing about one of them, unless nothing else does.
_PASSED_BY = frozenset(
    os.path.join(_HERE, *name.split("/"))
    for name in ("autograd.py", "lines.py", "names.py", "ops/elementwise.py", "raw.py", "storage.py")
)
# Behind the engine stands whoever called backward, not the line whose backward runs.
_ENGINE = os.path.join(_HERE, "engine.py")


def at_work(is_module: IsModule) -> tuple[str, str]:
    """The innermost line of a module's file and that of the rule it has reached, each as `path:57`; "" where there is none.

    In backward the module's line is "" unless a module's own code is at work: a recomputed region, a custom operator's backward.
    """
    rule = passed = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if is_module(path):
            return _line(frame), _line(rule or passed)
        if path in _PASSED_BY:
            passed = frame
        else:
            rule = rule or frame
        if path == _ENGINE:
            break
        frame = frame.f_back
    return "", _line(rule or passed)


def _line(frame: FrameType | None) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
