"""What one rank needs for a stage's training step, for those who read or write the keys of `[memory]`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tttdit.checker.lsp import markdown
from tttdit.checker.render.memory_bars import verdict
from tttdit.checker.render.paint import Paint
from tttdit.core.wording import spoken_bytes

if TYPE_CHECKING:
    from tttdit.checker.memory.prediction import Prediction
    from tttdit.checker.report import StageReport

_TITLE = "What one rank needs for a training step"
_SMALL = 0.01  # of the total
_HEAD = ("total", "reserved", "outside", "GPU")


def needs(stages: Sequence[tuple[str, StageReport | None]], *, with_parts: bool) -> Iterator[str]:
    """Of one stage the verdict, the figures, with its parts if these are wanted, and where the step is highest; of several a table.

    `stages` are names and reports, at least one; None for a stage that could not be made.
    """
    if len(stages) > 1:
        yield f"{_TITLE} (predicted):"
        head = ("stage", *_HEAD, "verdict", "highest in")
        yield markdown.table(head, ((markdown.code(name), *_row(report)) for name, report in stages))
        return
    ((_, report),) = stages
    now = _prediction(report)
    if now is None:
        yield f"{_TITLE} is {_why_not(report)}."
        return
    yield f"{_TITLE} (predicted): **{_verdict(now)}**. It is highest in {markdown.code(now.total_at)}."
    rows = [*(_parts(now) if with_parts else ()), *zip(_HEAD, _figures(now), strict=True)]
    yield markdown.table(("", "bytes"), rows)


def _row(report: StageReport | None) -> tuple[str, ...]:
    now = _prediction(report)
    if now is None:
        return (*("" for _ in _HEAD), _why_not(report), "")
    return (*_figures(now), _verdict(now), markdown.code(now.total_at))


def _prediction(report: StageReport | None) -> Prediction | None:
    return report.memory if report is not None else None


def _why_not(report: StageReport | None) -> str:
    return f"not predicted: {markdown.plain(report.unpredicted if report is not None else 'the stage has errors')}"


def _verdict(now: Prediction) -> str:
    return verdict(now, Paint())


def _parts(now: Prediction) -> Iterator[tuple[str, str]]:
    """What the total consists of, the largest first; what is small is one part."""
    large = {name: count for name, count in now.parts.items() if count >= _SMALL * now.total_bytes}
    for name, count in sorted(large.items(), key=lambda part: -part[1]):
        yield name, spoken_bytes(count, now.total_bytes)
    other = now.total_bytes - sum(large.values())
    if other:
        yield "other", spoken_bytes(other, now.total_bytes)


def _figures(now: Prediction) -> tuple[str, ...]:
    """Those of `_HEAD`."""
    counts = (now.total_bytes, now.reserved_bytes, now.outside_bytes, now.budget_bytes)
    return tuple("not named" if count is None else spoken_bytes(count, now.total_bytes) for count in counts)
