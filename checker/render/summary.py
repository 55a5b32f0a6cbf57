"""A stage in a few lines: its numbers, and the formulas that they come from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from tttdit.checker.render.memory_bars import memory_bars
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.proof import proof
from tttdit.checker.render.sampling import sampling_line
from tttdit.checker.render.text import table, visible
from tttdit.checker.report import DimensionReport, StageReport
from tttdit.core.spec import writing

# What the lines are called, and the dimensions that each one shows; a line whose dimensions the stage does not have is left out.
_LINES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("pixel frames", ("N",)),
    ("latent frames", ("F",)),
    ("latent grid", ("H", "W")),
    ("token grid", ("h", "w")),
    ("video tokens", ("V",)),
    ("text tokens", ("S", "T")),
    ("sequence length", ("L",)),
    ("mini-batches", ("n",)),
    ("heads", ("A",)),
    ("head width", ("K",)),
    ("batch of a rank", ("B",)),
)
_OPEN = "?"


def summary(stage: StageReport, paint: Paint) -> Iterator[str]:
    """The stage's heading and lines."""
    verdict = paint("ok", "good") if stage.ok else paint("has errors", "error")
    yield f"{paint('stage', 'strong')} {visible(stage.name)}: {verdict}"
    rows = []
    for title, symbols in _LINES:
        found = [dimension for symbol in symbols if (dimension := stage.dimension(symbol)) is not None]
        if len(found) == len(symbols):
            rows.append((title, *_cells(symbols, found)))
    yield from table(rows, right=frozenset({2}))
    for reason, together in groupby(stage.chosen, key=lambda chosen: chosen.reason):
        values = ", ".join(f"{visible(chosen.key)} = {writing.value(chosen.value)}" for chosen in together)
        yield f"  {paint('auto', 'help')}: {values}, {visible(reason)}"
    if stage.shapes and stage.proved:
        yield f"  shapes: {len(stage.shapes)} tensors, proved from the video to the prediction"
    elif stage.ok:
        yield "  shapes: not proved"
    if stage.memory is not None:
        yield from memory_bars(stage.memory, paint)
    elif stage.weighing is not None:
        yield f"  memory: not predicted: {visible(stage.unpredicted)}"
    if stage.sampling is not None:
        yield from sampling_line(stage.sampling, paint)
    if stage.proof is not None:
        yield from proof(stage.proof, paint)


def number(value: int | None) -> str:
    """`49,950`, or a question mark where the value is open or not whole."""
    return _OPEN if value is None else f"{value:,}"


def _cells(symbols: tuple[str, ...], found: list[DimensionReport]) -> tuple[str, str, str]:
    values = [dimension.value for dimension in found]
    if symbols == ("S", "T"):
        total = None if None in values else values[0] * values[1]  # type: ignore[operator]
        return "S*T", number(total), " * ".join(number(value) for value in values)
    formulas = [dimension.formula for dimension in found]
    return (
        " x ".join(symbols),
        " x ".join(number(value) for value in values),
        f"= {' x '.join(formulas)}" if all(formulas) and formulas != [str(values[0])] else "",
    )
