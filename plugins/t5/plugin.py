"""Announces the text encoder `t5`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tttdit import hookimpl
from tttdit.core.errors import UsageError
from tttdit.core.plugin.kinds import TextEncoder

if TYPE_CHECKING:
    from tttdit.core.spec.tables import TextTable

WIDTH = 4096  # of t5-v1.1-xxl's embeddings, which CogVideoX reads
MAX_TOKENS = 512  # the longest text that it was trained with


def width(text: TextTable) -> int | None:
    """T5 v1.1 XXL's; unless a folder is stated, where another T5 may lie."""
    return WIDTH if text.encoder_folder is None else None


def stored_width(text: TextTable, folder: Path) -> int | None:
    """What the config.json in `text.encoder_folder` says."""
    from tttdit.plugins.t5.folder import T5Folder

    try:
        return T5Folder.of(text, folder).width
    except UsageError:
        return None  # whoever opens the folder says why


@hookimpl
def tttdit_text_encoders() -> list[TextEncoder]:
    """Google's T5 v1.1 XXL, or another T5 in a folder."""
    return [
        TextEncoder(
            name="t5",
            summary="T5 v1.1 XXL, or the T5 in text.encoder_folder: embeddings of width 4,096, texts of up to 512 tokens.",
            width=width,
            max_tokens=lambda text: MAX_TOKENS,
            module="tttdit.plugins.t5.module:T5Encoder",
            stored_width=stored_width,
        )
    ]
