"""TTD404."""

from __future__ import annotations

from tttdit.core.rules import DataPage


class UnusableManifest(DataPage):
    """What: the manifest is not there, cannot be read, or has no samples. Found by `tttdit-check --data`.

    Why: a run opens the manifest before its first step, and ends there.

    Example: `manifest = "9s.jsonl"`, which lies in another folder. (Its path is seen from the spec's.)

    Instead: the path of a JSON Lines file with at least one line: `manifest = "data/9s.jsonl"`.

    Fix: none; where the samples are, a person knows.
    """

    code = "TTD404"
    name = "unusable-manifest"
