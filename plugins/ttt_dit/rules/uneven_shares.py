"""TTD607."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.wording import worked

KEY = "parallelism.tp_sharding"


class UnevenShares(Rule):
    """What: the tokens cannot be shared out evenly over the tensor-parallel ranks.

    Why: the MLP and the output projections work on each rank's share of the tokens, of a window in the attention and of the sequence
    elsewhere. Lengths that do not come out work: the last rank has fewer tokens. What it costs: the others wait for the largest share, and
    whatever is sent is padded to it, which takes a copy of the share, or of the whole, for a moment.

    Example: 51,456 tokens with `tp_sharding = 5`.

    Instead: nothing has to change. Where it matters, a number of ranks that divides both lengths.

    Fix: none. The run is right as it is.
    """

    code = "TTD607"
    name = "uneven-shares"
    severity = "info"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding for the lengths that leave a rest."""
        ranks = stage.parallelism.tp_sharding
        dims = stage.dims
        if ranks == 1 or int(dims["A"]) % ranks != 0:  # the heads come first
            return
        window = int(dims["T"]) + (stage.model.attention_frames + stage.model.prefix_frames) * int(
            dims["h"] * dims["w"]
        )
        lengths = {worked("L = V + S*T", dims): int(dims["L"]), f"the {window:,} of a window": window}
        uneven = {text: length for text, length in lengths.items() if length % ranks}
        if not uneven:
            return
        largest = " and ".join(f"{-(-length // ranks):,}" for length in uneven.values())
        yield self.finding(
            f"{ranks:,} tensor-parallel ranks share tokens unevenly, {' and '.join(uneven)}: the first ones have {largest}, the last "
            "fewer, and what they send is padded to the largest share",
            key=KEY,
        )
