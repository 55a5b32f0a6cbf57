"""TTD202."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import Equal, apart
from tttdit.core.rules import Rule
from tttdit.core.solving.question import Question
from tttdit.core.solving.solutions import Domain
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula, Number
from tttdit.core.wording import worked, writable, written

# How many segments more or fewer than the video has are tried, and how many choices are named.
_AROUND = 3
_NAMED = 3


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
        key, symbol = ("video.seconds", "seconds") if stage.video.pixel_frames is None else ("video.pixel_frames", "N")
        choices = _choices(stage, key, symbol, segments, *divmod(frames - prefix, attention))
        pixel_frames = worked("N = fps*seconds + 1" if key == "video.seconds" else "N", dims)
        yield self.finding(
            f"text.segments = {segments:,} needs F = {attention}*S + {prefix} = {covered:,} latent frames, "
            f"the video has {frames:,}: {_consequence(frames - covered)}",
            key="text.segments",
            help=f"write {', or '.join(_told(edits) for edits in choices)}" if choices else "",
            related=written(
                stage,
                {
                    key: f"F = {frames:,} latent frames, of {pixel_frames} pixel frames",
                    "model.attention_frames": f"{attention} latent frames in a segment",
                    "model.prefix_frames": f"{prefix} in front",
                },
            ),
            fix=Fix("unsafe", choices[0]) if choices else None,
        )


def _covered(stage: Stage) -> Formula:
    attention, prefix = int(stage.model.attention_frames), int(stage.model.prefix_frames)
    return stage.dims.symbol("S") * attention + prefix


def _consequence(uncovered: int) -> str:
    noun = "frame" if abs(uncovered) == 1 else "frames"
    if uncovered > 0:
        return f"{uncovered:,} {noun} would lie in no window"
    return f"the last windows would lack {-uncovered:,} {noun}"


def _told(edits: tuple[Edit, ...]) -> str:
    return " and ".join(f"{edit.key} = {edit.value}" for edit in edits)


def _choices(stage: Stage, key: str, symbol: str, segments: int, right: int, rest: int) -> list[tuple[Edit, ...]]:
    """What to write instead: the number of segments that the video has, or another length of the video; the nearest one first.

    What leaves the texts without a length that works is not proposed, unless nothing else is.
    """
    found: list[tuple[list[Edit], list[Edit] | None]] = []
    if rest == 0 and right > 0:
        found.append(([Edit("text.segments", right)], _text_length(stage, {"S": right})))
    near = {segments} if rest == 0 else {segments, *range(max(1, right - _AROUND), right + _AROUND + 2)}
    for count, length in _video_lengths(stage, symbol, near):
        edits = [Edit(key, writable(length))] + ([] if count == segments else [Edit("text.segments", count)])
        found.append((edits, _text_length(stage, {"S": count, symbol: length})))
    fitting = [(edits, length) for edits, length in found if length is not None] or found
    return [(*edits, *(length or [])) for edits, length in fitting][:_NAMED]


def _video_lengths(stage: Stage, symbol: str, counts: set[int]) -> list[tuple[int, Number]]:
    """For each of these numbers of segments the length of the video that goes with it, if there is one; the nearest one first."""
    now = stage.dims.exact(symbol)
    if now is None:
        return []
    windows = Question(stage.dims, [Equal(stage.dims.symbol("F"), _covered(stage))], symbol)
    answers = {count: windows.answer(stage.domain(symbol), {"S": count}) for count in sorted(counts)}
    found = [(count, value) for count, answer in answers.items() if answer for value in answer.nearest(now, 1)]
    return sorted(found, key=lambda pair: apart(pair[1], now))


def _text_length(stage: Stage, given: dict[str, Number]) -> list[Edit] | None:
    """The texts' length that goes with these values, where the one that the spec states does not; None where no length does."""
    tokens, most = stage.text.tokens_per_segment, stage.text.max_tokens
    about = tokens if isinstance(tokens, int) else most
    answer = stage.question("T").answer(Domain(1, max(about, most)), given)
    near = answer.nearest(about, 1) if answer is not None else []
    if not near:
        return None
    return [Edit("text.tokens_per_segment", near[0])] if isinstance(tokens, int) and near[0] != tokens else []
