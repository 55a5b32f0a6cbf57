"""TTD202."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import Equal, nearest, solve
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula
from tttdit.core.wording import worked, written

# How far from its own value a text's length is looked for, in tokens.
_REACH = 512


class FramesSegments(Rule):
    """What: the video's latent frames and its text segments do not belong together.

    Why: each attention window holds one text segment, 12 latent frames (`model.attention_frames`) and the frame before them
    (`model.prefix_frames`), so F = 12*S + 1. With fewer segments, frames are left that no window covers, and the mean over their windows is
    0/0; with more, windows are empty.

    Example: 9 seconds are 37 latent frames, which are 3 segments; `segments = 4` would need 49 frames.

    Instead: one segment for every 3 seconds at 16 frames a second, or `segments = "auto"`.

    Fix: unsafe. It changes how many texts a video has; where the new number needs texts of another length, that key is changed too.
    """

    code = "TTD202"
    name = "frames-segments"
    spoils = ("F", "S")

    def laws(self, stage: Stage) -> list[Equal]:
        """F = 12 S + 1."""
        return [Equal(stage.dims.symbol("F"), _covered(stage))]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the number of segments."""
        dims, attention, prefix = stage.dims, stage.model.attention_frames, stage.model.prefix_frames
        frames, segments = int(dims["F"]), int(dims["S"])
        covered = attention * segments + prefix
        if frames == covered:
            return
        right, rest = divmod(frames - prefix, attention)
        key, lengths = _video_lengths(stage, {segments} if rest == 0 else {segments, right, right + 1})
        choices: list[str] = []
        edits: list[Edit] = []
        if rest == 0 and right > 0:
            edits = [Edit("text.segments", right), *_text_length(stage, right)]
            choices.append(" and ".join(f"{edit.key} = {edit.value}" for edit in edits))
        choices += [f"{key} = {length} for {count:,} segment{'' if count == 1 else 's'}" for count, length in lengths]
        pixel_frames = worked("N = fps*seconds + 1" if key == "video.seconds" else "N", dims)
        yield self.finding(
            f"text.segments = {segments:,} needs F = {attention}*S + {prefix} = {covered:,} latent frames, "
            f"the video has {frames:,}: {_consequence(frames - covered)}",
            key="text.segments",
            help=f"write {', or '.join(choices)}" if choices else "",
            related=written(
                stage,
                {
                    key: f"F = {frames:,} latent frames, of {pixel_frames} pixel frames",
                    "model.attention_frames": f"{attention} latent frames in a segment",
                    "model.prefix_frames": f"{prefix} in front",
                },
            ),
            fix=Fix("unsafe", tuple(edits)) if edits else None,
        )


def _covered(stage: Stage) -> Formula:
    attention, prefix = int(stage.model.attention_frames), int(stage.model.prefix_frames)
    return stage.dims.symbol("S") * attention + prefix


def _consequence(uncovered: int) -> str:
    noun = "frame" if abs(uncovered) == 1 else "frames"
    if uncovered > 0:
        return f"{uncovered:,} {noun} would lie in no window"
    return f"the last windows would lack {-uncovered:,} {noun}"


def _video_lengths(stage: Stage, counts: set[int]) -> tuple[str, list[tuple[int, int]]]:
    """The key of the video's length, and for each of these numbers of segments the value that goes with it, if it is whole."""
    dims = stage.dims
    key, symbol = ("video.seconds", "seconds") if stage.video.pixel_frames is None else ("video.pixel_frames", "N")
    zero, one = (dims.exact("F", {symbol: value}) for value in (0, 1))
    found: list[tuple[int, int]] = []
    if zero is None or one is None or one == zero:
        return key, found
    for count in sorted(counts - {0}):
        covered = stage.model.attention_frames * count + stage.model.prefix_frames
        root = (Fraction(covered) - zero) / (one - zero)
        if root.denominator == 1 and root >= 1 and dims.exact("F", {symbol: int(root)}) == covered:
            found.append((count, int(root)))
    return key, found


def _text_length(stage: Stage, segments: int) -> list[Edit]:
    """The texts' length that goes with another number of segments, where the one that the spec states does not."""
    tokens = stage.text.tokens_per_segment
    if not isinstance(tokens, int):
        return []
    last = max(tokens, min(tokens + _REACH, stage.text.max_tokens))
    values = solve(stage.dims, stage.laws(), "T", range(max(1, tokens - _REACH), last + 1), {"S": segments})
    return [Edit("text.tokens_per_segment", value) for value in nearest(values, tokens, 1) if value != tokens]
