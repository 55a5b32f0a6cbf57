"""Which stage a storyboard is drawn at; with `--prompts`, what a check says of one that fits none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from tttdit.checker.examining import Examined
from tttdit.checker.rules.storyboard_segments import StoryboardSegments
from tttdit.core.findings import Finding, Related, Span
from tttdit.core.stage import Stage
from tttdit.core.wording import either, plural

if TYPE_CHECKING:
    from tttdit.core.running.storyboard import Storyboard

ONLY_WITH_PROMPTS = frozenset({StoryboardSegments.code})

_MOST_SHOWN = 3


def stage_of(board: Storyboard, stages: Sequence[Stage]) -> Stage | None:
    """The first stage that has as many text segments as the storyboard has scenes."""
    return next((stage for stage in stages if stage.dims.value("S") == len(board.scenes)), None)


def held_against(boards: Sequence[Storyboard], examined: Sequence[Examined]) -> Iterator[Finding]:
    """One finding, with its place, for each number of scenes that no stage has; none where a stage could not be resolved."""
    stages = [each.resolved.stage for each in examined]
    known = [stage for stage in stages if stage is not None and stage.dims.value("S") is not None]
    if not known or len(known) < len(stages):
        return
    unfit: dict[int, list[Storyboard]] = {}
    for board in boards:
        if stage_of(board, known) is None:
            unfit.setdefault(len(board.scenes), []).append(board)
    names = tuple(stage.name for stage in known)
    for scenes, those in unfit.items():
        located = examined[0].resolved.locator.located(_finding(scenes, those, known))
        yield evolve(located, stage=None, stages=names) if len(names) > 1 else located


def _finding(scenes: int, those: Sequence[Storyboard], stages: Sequence[Stage]) -> Finding:
    segments = {int(stage.dims["S"]): stage.name for stage in reversed(stages)}
    has = ", ".join(f"{number:,} ({name})" for number, name in sorted(segments.items()))
    count = f"{scenes:,} {plural(scenes, 'scene')}"
    others = f" and {len(those) - 1:,} more have" if len(those) > 1 else " has"
    shown = [
        Related(count, path=str(board.path), span=Span(board.line, 1, board.line, 1)) for board in those[:_MOST_SHOWN]
    ]
    more = [Related(f"and {len(those) - _MOST_SHOWN:,} more")] if len(those) > _MOST_SHOWN else []
    return StoryboardSegments().finding(
        f"the storyboard {those[0].where}{others} {count}, one a text segment, and videos of this spec have {has}",
        key="text.segments",
        help=f"write {either(sorted(segments))} scenes, or add a stage with text.segments = {scenes}",
        related=[*shown, *more],
    )
