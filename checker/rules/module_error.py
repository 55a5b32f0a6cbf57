"""TTD313."""

from __future__ import annotations

from tttdit.core.rules import Page


class ModuleError(Page):
    """What: a plugin's module raised an error while the check followed it.

    Why: with the same sizes it would raise the same error on torch: an assertion of its own, a wrong argument, an index out of range.

    Example: `ValueError: the sequence has 50,000 tokens, RoPE has 49,950 positions`.

    Instead: what the module's message asks for.

    Fix: none.
    """

    code = "TTD313"
    name = "module-error"
