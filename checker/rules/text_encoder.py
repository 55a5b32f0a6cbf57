"""TTD203."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix, Related
from tttdit.core.plugin.kinds import TextEncoder
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage


class TextEncoderWidth(Rule):
    """What: `text.width` is not the width of the text encoder that `[text]` names.

    Why: the data holds that encoder's embeddings, and the model's first linear layer for text takes `text.width` numbers a token: with
    another width the first step fails.

    Example: `encoder = "t5"` with `width = 768`; T5-XXL, which CogVideoX uses, gives 4,096 numbers a token.

    Instead: the encoder's own width.

    Fix: safe, for the width can only be the encoder's.
    """

    code = "TTD203"
    name = "text-encoder"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the width."""
        encoder = stage.assembly.text_encoder
        if encoder is not None:
            yield from self.held_against(stage, encoder, encoder.width(stage.text))

    def held_against(self, stage: Stage, encoder: TextEncoder, width: int | None) -> Iterator[Finding]:
        """One finding where the encoder's width is known and is another one than the spec's."""
        if width is None or width == stage.text.width:
            return
        yield self.finding(
            f'the text encoder "{encoder.name}" gives {width:,} numbers a token, not {stage.text.width:,}',
            key="text.width",
            help=f"write text.width = {width}",
            related=[Related(f"the encoder {encoder.name}", "text.encoder")],
            fix=Fix("safe", (Edit("text.width", width),)),
        )
