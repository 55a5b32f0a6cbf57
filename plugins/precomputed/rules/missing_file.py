"""TTD406."""

from __future__ import annotations

from tttdit.core.rules import DataPage


class MissingFile(DataPage):
    """What: a file that the manifest names is not there, or cannot be read. Found by `tttdit-check --data`.

    Why: a run that comes to this sample ends there, perhaps after days; with `bad_samples = "skip"` it goes on without, and the finding
    is a warning.

    Example: `{"latents": "clips/a.safetensors", ...}` in a manifest that itself lies in `clips/`: paths are seen from its folder.

    Instead: a path that is right, or `folder = "..."` in `[data]`, the folder that all paths are seen from.

    Fix: none; where the files are, a person knows.
    """

    code = "TTD406"
    name = "missing-file"
