"""TTD206."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix, Related
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage


class MaxTokens(Rule):
    """What: the spec states how many tokens a segment has, and that it may have fewer at most.

    Why: it runs with the length that is stated. `text.max_tokens` is the limit of `"auto"`, and a number beside it is not held against it;
    who wrote the limit expects that it is kept.

    Example: `tokens_per_segment = 502` with `max_tokens = 256`.

    Instead: a limit that is not below the length, or `tokens_per_segment = "auto"`, which keeps to it.

    Fix: safe. The limit is raised to the length; the run stays what it is.
    """

    code = "TTD206"
    name = "max-tokens"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the limit."""
        tokens, most = stage.text.tokens_per_segment, stage.text.max_tokens
        if tokens == "auto" or tokens <= most or not stage.wrote("text.max_tokens"):
            return
        yield self.finding(
            f'a segment has {tokens:,} tokens, more than text.max_tokens = {most:,}, which only "auto" keeps to',
            key="text.max_tokens",
            help=f'write text.max_tokens = {tokens}, or text.tokens_per_segment = "auto"',
            related=[Related(f"{tokens:,} tokens", "text.tokens_per_segment")],
            fix=Fix("safe", (Edit("text.max_tokens", tokens),)),
        )
