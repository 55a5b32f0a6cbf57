"""TTD411."""

from __future__ import annotations

from tttdit.core.rules import DataPage


class AllHeldOut(DataPage):
    """What: validation holds out as many samples as the manifest has, or more. Found by `tttdit-check --data`.

    Why: the last `training.validation_samples` samples are never trained on; where none is left, the run ends before its first step.

    Example: `validation_interval = 100`, which holds out 8 samples by default, with a manifest of 5 lines.

    Instead: fewer `training.validation_samples`, no validation, or more samples.

    Fix: none; which of these, a person knows.
    """

    code = "TTD411"
    name = "all-held-out"
