"""TTD001."""

from __future__ import annotations

from tttdit.core.rules import Page


class TomlSyntax(Page):
    """What: the text is no TOML.

    Why: nothing can be said about a spec that cannot be read; everything else waits for this.

    Example: `manifest = TODO`, a placeholder that was left over: a text needs quotes.

    Instead: what the message asks for, at the place it points at.

    Fix: none.
    """

    code = "TTD001"
    name = "toml-syntax"
