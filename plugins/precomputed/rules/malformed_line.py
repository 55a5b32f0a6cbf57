"""TTD405."""

from __future__ import annotations

from tttdit.core.rules import DataPage


class MalformedLine(DataPage):
    """What: a line of the manifest is no sample: no JSON object, or one that does not name its files. Found by `tttdit-check --data`.

    Why: a run that comes to this line ends there, perhaps after days; with `bad_samples = "skip"` it goes on without, and the finding is a
    warning.

    Example: `{"latent": "a.safetensors", "text": "a-text.safetensors"}`.

    Instead: `{"latents": "a.safetensors", "text": "a-text.safetensors"}`, or a list of files for the text, one a segment. Other keys may
    stand beside these two.

    Fix: none; the manifest is not tttdit's to write.
    """

    code = "TTD405"
    name = "malformed-line"
