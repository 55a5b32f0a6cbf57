"""Values and keys as TOML, on one line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time

from tttdit.core.spec import keys

# What json leaves alone in a string and TOML does not.
_ESCAPED = {0x7F: "\\u007F"}


def value(value: object, like: str = "") -> str:
    """The value as TOML. `like` is the text that it takes the place of: where that stands in single quotes, so does a string that can.

    Raises TypeError for what TOML has no word for, and UnicodeEncodeError for text that no file can hold.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)  # the shortest digits that read as the same number; inf and nan are TOML's words too
        case str():
            return _string(value, like)
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            pairs = [f"{key((name,))} = {_plain(inner)}" for name, inner in value.items()]
            return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
        case list() | tuple():
            return f"[{', '.join(_plain(item) for item in value)}]"
    raise TypeError(f"TOML has no word for {type(value).__name__}")


def key(parts: Iterable[str]) -> str:
    """The key that these parts are, those in quotes that need them."""
    return keys.join(parts).translate(_ESCAPED)


def _plain(inner: object) -> str:
    return value(inner)


def _string(text: str, like: str) -> str:
    text.encode()
    is_literal = like.startswith("'") and not like.startswith("'''")
    if is_literal and "'" not in text and all(" " <= character != "\x7f" for character in text):
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).translate(_ESCAPED)
