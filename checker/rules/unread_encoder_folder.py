"""TTD207."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding, Fix, Related, Removal
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage

KEY = "text.encoder_folder"


class UnreadEncoderFolder(Rule):
    """What: the spec names a folder with a text encoder's weights, and its text encoder, if it names one, has none.

    Why: the folder is never opened, and no text is encoded with what lies in it; who wrote it expects that it is.

    Example: `encoder_folder = "weights/t5"` in a `[text]` without `encoder`.

    Instead: the encoder that the weights are for, `encoder = "t5"`, or no folder.

    Fix: safe. It takes the key away, and nothing changes.
    """

    code = "TTD207"
    name = "unread-encoder-folder"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the folder."""
        encoder = stage.assembly.text_encoder
        if stage.text.encoder_folder is None or (encoder is not None and encoder.stored_width is not None):
            return
        why = "no text encoder is named" if encoder is None else f'the text encoder "{encoder.name}" has no weights'
        yield self.finding(
            f"{KEY} is never opened: {why}",
            key=KEY,
            help=f"leave {KEY} out, or name the encoder that its weights are for in text.encoder",
            related=[] if encoder is None else [Related(f"the encoder {encoder.name}", "text.encoder")],
            fix=Fix("safe", (Removal(KEY),)),
        )
