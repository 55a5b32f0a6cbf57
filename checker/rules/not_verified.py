"""TTD321."""

from __future__ import annotations

from tttdit.core.rules import Page


class NotVerified(Page):
    """What: a stage could not be verified.

    Why: `--verify` runs a stage with small sizes that keep every law of the rules in force. Here none were found.

    Example: a rule without laws that wants the width to be exactly what it is.

    Instead: `--verify --full` compares at the spec's own sizes, on fake tensors. The authors of a rule can give it `laws`.

    Fix: none.
    """

    code = "TTD321"
    name = "not-verified"
    severity = "warning"
