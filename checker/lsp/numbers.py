"""What follows from a key: the dimensions that it gives or enters, the laws about it, and the values that keep these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tttdit.checker.lsp import markdown
from tttdit.checker.render.text import table
from tttdit.checker.spelling import spelled
from tttdit.core.solving.question import entering
from tttdit.core.solving.wording import classes, say
from tttdit.core.stage import Stage
from tttdit.core.wording import spoken, worked

_HOLDS = {True: "holds", False: "is broken", None: "cannot be told yet"}


def numbers(key: str, stages: Sequence[Stage]) -> Iterator[str]:
    """Formulas with their numbers and the laws of one stage; of several the formulas, and a table of the numbers."""
    symbols = [symbol for symbol in stages[0].dims if key in stages[0].dims.describe(symbol).keys] if stages else []
    if not symbols:
        return
    given = [symbol for symbol in symbols if stages[0].dims.describe(symbol).keys == (key,)]
    if len(stages) == 1:
        yield markdown.block(
            table(((_worked(symbol, stages[0]), _meaning(symbol, stages[0])) for symbol in symbols), indent="")
        )
        yield from _laws(given, stages[0])
        return
    yield markdown.block(
        table(((_formula(symbol, stages[0]), _meaning(symbol, stages[0])) for symbol in symbols), indent="")
    )
    rows = [
        (
            markdown.code(stage.name),
            *(_number(symbol, stage) for symbol in symbols),
            "; ".join(_values(symbol, stage)[0] for symbol in given),
        )
        for stage in stages
    ]
    yield markdown.table(("stage", *symbols, "what works"), rows)


def _laws(given: Sequence[str], stage: Stage) -> Iterator[str]:
    lines = [
        f"- {markdown.code(say(law, stage.dims))} {_HOLDS[law.holds(stage.dims)]}"
        for law in stage.laws()
        if entering(stage.dims, law) & {*given}
    ]
    if lines:
        yield "\n".join(["Laws:", "", *lines])
        for symbol in given:
            values, why_none = _values(symbol, stage)
            if values or why_none:
                yield f"Values that keep them: {values}." if values else f"No value keeps them: {why_none}."


def _values(symbol: str, stage: Stage) -> tuple[str, str]:
    """The values next to the present one with which all laws hold that a symbol enters; or why there are no such.

    Nothing where no law limits it, or one waits for another value.
    """
    found = stage.solve(symbol)
    if found is None or not found.laws:
        return "", ""
    near = ", ".join(spoken(value) for value in found.nearest(stage.dims.exact(symbol) or 1))
    rule = classes(symbol, found)
    return f"{near}; {rule}" if near and rule else near, found.why_none


def _worked(symbol: str, stage: Stage) -> str:
    return worked(_formula(symbol, stage), stage.dims)


def _formula(symbol: str, stage: Stage) -> str:
    definition = stage.dims.describe(symbol).definition
    return symbol if definition is None else f"{symbol} = {spelled(definition)}"


def _meaning(symbol: str, stage: Stage) -> str:
    return stage.dims.describe(symbol).meaning


def _number(symbol: str, stage: Stage) -> str:
    value = stage.dims.exact(symbol) if symbol in stage.dims else None
    return "?" if value is None else spoken(value)
