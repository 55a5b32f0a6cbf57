"""TTD408."""

from __future__ import annotations

from tttdit.core.rules import DataPage


class DamagedFile(DataPage):
    """What: a sample's file is not whole, or holds something else than tensors. Found by `tttdit-check --data`, from files' headers.

    Why: a run that comes to this sample ends there, perhaps after days; with `bad_samples = "skip"` it goes on without, and the finding
    is a warning. A `.pt` file that would run code when it is loaded is never loaded.

    Example: a file that was still being copied; a `.pt` file with a model in it.

    Instead: one tensor, or a few with names, written by `safetensors.torch.save_file`, or by `torch.save`.

    Fix: none; the file has to be written again.
    """

    code = "TTD408"
    name = "damaged-file"
