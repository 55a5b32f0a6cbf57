"""TTD410."""

from __future__ import annotations

from tttdit.core.rules import DataPage


class NotLookedAt(DataPage):
    """What: files of the manifest were not looked at, because they are `.pt` files and torch is not installed.

    Why: `tttdit-check --data` reads the headers of safetensors files by itself. A `.pt` file is a pickle, which torch loads with
    `weights_only=True`; without torch nobody knows what such a file holds.

    Example: `{"latents": "a.pt", "text": "a-text.pt"}`, checked on a machine without torch.

    Instead: `pip install 'tttdit[run]'`, or safetensors files.

    Fix: none; nothing is wrong with the spec.
    """

    code = "TTD410"
    name = "not-looked-at"
    severity = "info"
