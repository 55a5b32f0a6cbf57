"""TTD205."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.dimensions import Dimensions
from tttdit.core.findings import Edit, Finding, Fix, Related
from tttdit.core.laws import AtMost, Law
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula


class EncoderLength(Rule):
    """What: a text segment has more tokens than the text encoder was made for.

    Why: it runs, for the model takes embeddings of any number of tokens. But the encoder was not trained with texts of that length: what
    is behind its limit was cut off, is padding, or means little. `"auto"` keeps to the limit.

    Example: `tokens_per_segment = 566` with `encoder = "t5"`, which was trained with texts of up to 512 tokens.

    Instead: a length up to the encoder's that the other laws allow; the help names the longest.

    Fix: unsafe. Texts of another length are another run, and have to be prepared again.
    """

    code = "TTD205"
    name = "encoder-length"
    severity = "warning"

    def laws(self, stage: Stage) -> list[Law]:
        """A segment is not longer than the encoder takes."""
        most = _most(stage)
        return [] if most is None else [AtMost(Dimensions.symbol("T"), Formula.number(most))]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the length."""
        encoder, most, tokens = stage.assembly.text_encoder, _most(stage), stage.text.tokens_per_segment
        if encoder is None or most is None or tokens == "auto" or tokens <= most:
            return
        fits = stage.solve("T")
        longest = None if fits is None or fits.largest is None else int(fits.largest)
        yield self.finding(
            f'a segment has {tokens:,} tokens, and the text encoder "{encoder.name}" was made for at most {most:,}',
            key="text.tokens_per_segment",
            help=f"write a length of at most {most}"
            if longest is None
            else f"write text.tokens_per_segment = {longest}",
            related=[Related(f"the encoder {encoder.name}", "text.encoder")],
            fix=None if longest is None else Fix("unsafe", (Edit("text.tokens_per_segment", longest),)),
        )


def _most(stage: Stage) -> int | None:
    encoder = stage.assembly.text_encoder
    return None if encoder is None else encoder.max_tokens(stage.text)
