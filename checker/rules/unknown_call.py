"""TTD312."""

from __future__ import annotations

from tttdit.core.rules import Page


class UnknownCall(Page):
    """What: a module calls something of torch that the check's stand-in for torch does not know.

    Why: the stand-in never guesses. What comes after the call is not proved: neither shapes nor memory.

    Example: `torch.linalg.svd(x)` in a mixer.

    Instead: nothing is wrong with the spec. Write the line with calls that are known, declare an operator with a rule of its own, or ask
    for the call.

    Fix: none.
    """

    code = "TTD312"
    name = "unknown-call"
    severity = "warning"
