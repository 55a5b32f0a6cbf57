"""TTD201."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import Divisible, nearest
from tttdit.core.rules import Rule
from tttdit.core.spec.fields import LARGEST_DIMENSION
from tttdit.core.stage import Stage
from tttdit.core.wording import either, progression, worked, written

KEY = "text.tokens_per_segment"

# So many valid lengths on either side of the present one are looked at.
_REACH = 512


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
        every = _every_length(stage)
        fits = stage.solve("T", _around(every, tokens, stage.text.max_tokens))
        yield self.finding(
            f"the sequence of {worked('L = V + S*T', dims)} tokens is no whole number of mini-batches of b = {batch:,}: "
            f"{length // batch:,} mini-batches and {length % batch:,} tokens",
            key=KEY,
            help=_lengths(stage, fits) if fits else _no_length(stage, every),
            related=written(
                stage,
                {
                    "model.mixer.mini_batch_size": f"b = {batch:,} tokens in a mini-batch",
                    "text.segments": f"S = {int(dims['S']):,}, each of T = {tokens:,} tokens",
                    dims.describe("N").keys[-1]: f"V = {int(dims['V']):,} video tokens",
                },
            ),
            fix=_fix(fits, tokens),
        )


def _every_length(stage: Stage) -> range:
    """The T with which L is a multiple of b: an arithmetic progression, or nothing."""
    dims, batch, length = stage.dims, int(stage.dims["b"]), stage.dims.symbol("L")
    zero, one = (int(dims.evaluate(length, {"T": tokens}) or 0) for tokens in (0, 1))
    common = gcd(one - zero, batch)
    if zero % common:
        return range(0)
    step = batch // common
    first = -zero // common * pow((one - zero) // common, -1, step) % step if step > 1 else 0
    return range(first or step, LARGEST_DIMENSION + 1, step)


def _around(every: range, tokens: int, most: int) -> range:
    """Those next to the present length, up to the most that a text may have."""
    if not every:
        return every
    allowed = every[: max(0, (most - every.start) // every.step + 1)]
    here = max(0, (tokens - every.start) // every.step)
    return allowed[max(0, min(here, len(allowed)) - _REACH) : here + _REACH]


def _lengths(stage: Stage, fits: list[int]) -> str:
    values = either(nearest(fits, int(stage.dims["T"])))
    rule = progression("T", fits)
    limit = f"; up to text.max_tokens = {stage.text.max_tokens} every {rule} works" if rule else ""
    return f"write {KEY} = {values}{limit}"


def _no_length(stage: Stage, every: range) -> str:
    """What else to move, where no text length up to the limit works."""
    dims, length, batch = stage.dims, int(stage.dims["L"]), int(stage.dims["b"])
    if every:
        why = f"no length up to text.max_tokens = {stage.text.max_tokens} works, the first is {every[0]}"
    else:
        why = f"no length works, for {int(dims['S']):,}*T + {int(dims['V']):,} is never a multiple of {batch:,}"
    divisors = [value for value in range(1, batch + min(batch, 4096)) if length % value == 0]
    batches = nearest(stage.solve("b", divisors), batch)
    return f"{why}; write model.mixer.mini_batch_size = {either(batches)} for this one"


def _fix(fits: list[int], tokens: int) -> Fix | None:
    """The next longer text where there is one, else the longest."""
    if not fits:
        return None
    longer = [value for value in fits if value > tokens]
    return Fix("safe" if longer else "unsafe", (Edit(KEY, longer[0] if longer else fits[-1]),))
