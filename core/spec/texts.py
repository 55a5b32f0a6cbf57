"""Every text that a document holds as a value, and the place of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tttdit.core.spec.keys import Path


def texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The texts in a value, those in tables and arrays included, in the order in which they stand."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(inner, (*path, index))
