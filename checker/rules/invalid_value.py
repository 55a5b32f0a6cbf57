"""TTD003."""

from __future__ import annotations

from tttdit.core.rules import Page


class InvalidValue(Page):
    """What: a value of the wrong type, out of its bounds, or not one of the choices.

    Why: nothing is coerced in silence: `1e6` is a float where an integer is meant, and `"64"` is a text.

    Example: `scan_checkpoint_group_size = 1e6`.

    Instead: a value of the type, and within the bounds, that the message names.

    Fix: none.
    """

    code = "TTD003"
    name = "invalid-value"
