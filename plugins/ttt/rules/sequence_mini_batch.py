"""TTD201."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import Divisible
from tttdit.core.rules import Rule
from tttdit.core.solving.solutions import Domain, Solutions
from tttdit.core.solving.wording import classes
from tttdit.core.spec.fields import LARGEST_DIMENSION
from tttdit.core.stage import Stage
from tttdit.core.wording import either, worked, written

KEY = "text.tokens_per_segment"


class SequenceMiniBatch(Rule):
    """What: the sequence is not a whole number of mini-batches.

    Why: a TTT mixer cuts its L = V + S*T tokens into mini-batches of b and updates its fast weights after each. A rest has no place: the
    model fails in its first step. Video tokens V follow from the video and cannot be moved by a little, so the length T of the text
    segments is what makes it come out.

    Example: 3 s of video are V = 17,550 tokens. With T = 493 the sequence has 18,043, which is 281 mini-batches of 64 and 59 tokens.

    Instead: one of the lengths that the help names (498 at 3 s; at 9 s every T = 54 (mod 64), so 438 or 502), or
    `tokens_per_segment = "auto"`, which takes the longest.

    Fix: safe where the text gets longer: nothing of it is cut off, it is padded further. Unsafe where it gets shorter, for long texts lose
    their ends. Either way text embeddings that were prepared for the old length have to be prepared again.
    """

    code = "TTD201"
    name = "sequence-mini-batch"

    def laws(self, stage: Stage) -> list[Divisible]:
        """L is a multiple of b."""
        return [Divisible(stage.dims.symbol("L"), stage.dims.symbol("b"))]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the text's length."""
        dims = stage.dims
        length, batch, tokens = int(dims["L"]), int(dims["b"]), int(dims["T"])
        if length % batch == 0:
            return
        found = stage.question("T").answer(Domain(1, stage.text.max_tokens))
        yield self.finding(
            f"the sequence of {worked('L = V + S*T', dims)} tokens is no whole number of mini-batches of b = {batch:,}: "
            f"{length // batch:,} mini-batches and {length % batch:,} tokens",
            key=KEY,
            help=_no_length(found, stage) if found is None or found.largest is None else _lengths(found, stage),
            related=written(
                stage,
                {
                    "model.mixer.mini_batch_size": f"b = {batch:,} tokens in a mini-batch",
                    "text.segments": f"S = {int(dims['S']):,}, each of T = {tokens:,} tokens",
                    dims.describe("N").keys[-1]: f"V = {int(dims['V']):,} video tokens",
                },
            ),
            fix=_fix(found, tokens),
        )


def _lengths(found: Solutions, stage: Stage) -> str:
    """The nearest lengths, and all others in a word."""
    rule = classes("T", found)
    limit = f"; up to text.max_tokens = {stage.text.max_tokens} every {rule} works" if rule else ""
    return f"write {KEY} = {either(found.nearest(int(stage.dims['T'])))}{limit}"


def _no_length(found: Solutions | None, stage: Stage) -> str:
    """What else to move, where no text length up to the limit works."""
    first = None if found is None else found.beyond(LARGEST_DIMENSION).smallest
    if found is None or found.why_none:
        why = f"no length works{f', for {found.why_none}' if found is not None else ''}"
    else:
        why = f"no length up to text.max_tokens = {stage.text.max_tokens} works, the first is {first}"
    batches = stage.solve("b")
    near = batches.nearest(int(stage.dims["b"])) if batches is not None else []
    return f"{why}; write model.mixer.mini_batch_size = {either(near)} for this one" if near else why


def _fix(found: Solutions | None, tokens: int) -> Fix | None:
    """The next longer text where there is one, else the longest."""
    if found is None or found.largest is None:
        return None
    longer = next(found.upwards(tokens + 1), None)
    return Fix("unsafe" if longer is None else "safe", (Edit(KEY, found.largest if longer is None else longer),))
