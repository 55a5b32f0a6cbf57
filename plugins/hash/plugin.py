"""Announces the text encoder `hash`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import TextEncoder


@hookimpl
def tttdit_text_encoders() -> list[TextEncoder]:
    """Words by their hashes."""
    return [
        TextEncoder(
            name="hash",
            summary="Every word as fixed pseudo-random signs: which words there are, and nothing of what they mean; no weights.",
            module="tttdit.plugins.hash.module:HashEncoder",
        )
    ]
