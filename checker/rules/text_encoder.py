"""TTD203."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.dimensions import Dimensions
from tttdit.core.findings import Edit, Finding, Fix, Related
from tttdit.core.laws import AtMost, Law, solve
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula

# How far below the longest text a length is looked for that the other laws allow.
_REACH = 512


class TextEncoderFits(Rule):
    """What: `[text]` does not agree with the text encoder that it names.

    Why: the data holds that encoder's embeddings. With another width the first linear layer fails; a text longer than the encoder takes
    does not exist.

    Example: `encoder = "t5"` with `width = 768`; T5-XXL, which CogVideoX uses, gives 4,096 numbers a token.

    Instead: the encoder's own width, and at most as many tokens a segment as it takes.

    Fix: safe for the width, which can only be the encoder's.
    """

    code = "TTD203"
    name = "text-encoder"

    def laws(self, stage: Stage) -> list[Law]:
        """A segment is not longer than the encoder takes."""
        most = _most(stage)
        return [] if most is None else [AtMost(Dimensions.symbol("T"), Formula.number(most))]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """Width, then length."""
        encoder = stage.assembly.text_encoder
        if encoder is None:
            return
        named = Related(f"the encoder {encoder.name}", "text.encoder")
        width = encoder.width(stage.text)
        if width is not None and width != stage.text.width:
            yield self.finding(
                f'the text encoder "{encoder.name}" gives {width:,} numbers a token, not {stage.text.width:,}',
                key="text.width",
                help=f"write text.width = {width}",
                related=[named],
                fix=Fix("safe", (Edit("text.width", width),)),
            )
        most = _most(stage)
        if most is not None and stage.dims["T"] > most:
            yield self.finding(
                f'the text encoder "{encoder.name}" takes at most {most:,} tokens, a segment has {int(stage.dims["T"]):,}',
                key="text.tokens_per_segment",
                help=_shorter(stage, most),
                related=[named],
            )


def _shorter(stage: Stage, most: int) -> str:
    """The longest text that the encoder takes and the other laws allow."""
    fits = solve(stage.dims, stage.laws(), "T", range(max(1, most - _REACH), most + 1))
    return f"write text.tokens_per_segment = {fits[-1]}" if fits else f"write a length of at most {most}"


def _most(stage: Stage) -> int | None:
    encoder = stage.assembly.text_encoder
    return None if encoder is None else encoder.max_tokens(stage.text)
