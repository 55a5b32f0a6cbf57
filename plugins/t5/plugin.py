"""Announces the text encoder `t5`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import TextEncoder

WIDTH = 4096  # of t5-v1.1-xxl's embeddings, which CogVideoX reads
MAX_TOKENS = 512  # the longest text that it was trained with


@hookimpl
def tttdit_text_encoders() -> list[TextEncoder]:
    """Google's T5 v1.1 XXL."""
    return [
        TextEncoder(
            name="t5",
            summary="T5 v1.1 XXL: embeddings of width 4,096, texts of up to 512 tokens.",
            width=lambda text: WIDTH,
            max_tokens=lambda text: MAX_TOKENS,
        )
    ]
