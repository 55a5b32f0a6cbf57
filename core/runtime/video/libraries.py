"""The libraries that read and write pictures, which not everybody has installed."""

from __future__ import annotations

import importlib
from types import ModuleType

from tttdit.core.errors import UsageError


def library(name: str) -> ModuleType:
    """`av`, which is FFmpeg, or `PIL`'s modules. Raises UsageError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(f"video files need {error.name}: pip install 'tttdit[video]'") from None
