"""TTD310."""

from __future__ import annotations

from tttdit.core.rules import Page


class ShapeMismatch(Page):
    """What: two tensors inside the model or the mixer do not fit each other.

    Why: torch would stop at the same line of the module. The check followed the module with the spec's sizes and names both shapes as
    formulas and as numbers, and their difference as a product, which often says what was miscounted.

    Example: a mixer that takes `T` tokens of text off the sequence where there are `S*T`: 50,954 tokens against 49,950 positions, they
    differ by 1,004 = T*(S - 1).

    Instead: correct the module at that line, or, where the module asks for what the spec does not give, the keys that the finding points
    at.

    Fix: none; it is the module or the spec, and only a person knows which.
    """

    code = "TTD310"
    name = "shape-mismatch"
