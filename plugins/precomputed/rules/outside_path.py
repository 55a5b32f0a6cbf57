"""TTD407."""

from __future__ import annotations

from tttdit.core.rules import DataPage


class OutsidePath(DataPage):
    """What: the manifest names a file outside of the data folder, or behind a link that leaves it. Found by `tttdit-check --data`.

    Why: manifests are passed on. One that could name any file would have a run open what its author chooses, so that is allowed only where
    the spec says so; otherwise such a sample cannot be used.

    Example: `{"latents": "../other/a.safetensors", ...}`.

    Instead: `folder = "..."` in `[data]`, a folder that has all files, or, for a manifest that is trusted, `outside_paths = true`.

    Fix: none; whether the manifest is trusted, a person knows.
    """

    code = "TTD407"
    name = "outside-path"
