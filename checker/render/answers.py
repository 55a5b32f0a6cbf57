"""The answers of `tttdit solve`, for people and for programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby, islice
from typing import Any

from tttdit.checker.answering import Answer
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.text import visible
from tttdit.checker.spelling import spelled
from tttdit.checker.trying import Tried
from tttdit.core.dimensions import Dimensions
from tttdit.core.laws import Law
from tttdit.core.solving.question import Unknown
from tttdit.core.solving.solutions import MOST_IN_A_ROW, Solutions
from tttdit.core.solving.wording import classes, say
from tttdit.core.spec.fields import LARGEST_DIMENSION
from tttdit.core.symbolic.formula import Formula, Number
from tttdit.core.wording import spoken, writable


def render(answer: Answer, path: str, paint: Paint) -> Iterator[str]:
    """The answer for one stage, which has nothing in its way."""
    yield f"{paint(visible(path), 'strong')}, stage {paint(visible(answer.stage), 'strong')}: {visible(answer.key)}{_now(answer)}"
    if answer.found is None:
        yield from _tried(answer)
        return
    stage, found = answer.resolved, answer.found
    assert stage is not None
    for law in found.laws:
        code = f" ({answer.rules[law]})" if law in answer.rules else ""
        yield f"  {paint('law', 'help')}: {say(law, stage.dims, answer.symbol)}{code}"
        for line in _formulas(law, answer, stage.dims):
            yield f"       {line}"
    for unknown in answer.opened:
        yield f'  {visible(unknown.key)} is "auto": it follows{_limit(unknown)}'
    yield f"  {_bounds(answer)}"
    if answer.ok:
        yield f"  {paint('values', 'good')}: {_values(answer)}"
        return
    yield f"  {paint('no value', 'error')}{_why_none(found)}"
    if answer.moves:
        choices = [f"{move} (then {answer.key} is {spoken(move.then)})" for move in answer.moves]
        yield f"  {paint('help', 'help')}: write {', or '.join(choices)}"


def _why_none(found: Solutions) -> str:
    if found.tested is not None:
        return f" next to it: {MOST_IN_A_ROW:,} on either side were tried"
    first = found.beyond(LARGEST_DIMENSION).smallest
    return (
        f": the smallest would be {spoken(first)}"
        if first is not None
        else f": {found.why_none}"
        if found.why_none
        else ""
    )


def as_dict(answer: Answer) -> dict[str, Any]:
    """The same for JSON."""
    found, stage, tried, domain = answer.found, answer.resolved, answer.tried, answer.domain
    dims = stage.dims if stage is not None else None
    laws = found.laws if found is not None else ()
    return {
        "stage": answer.stage,
        "key": answer.key,
        "symbol": answer.symbol or None,
        "solved": found is not None or tried is not None,
        "present": answer.present if isinstance(answer.present, str) else _plain(answer.present),
        "given_by": answer.given_by or None,
        "works": _works(answer),
        "laws": [
            {
                "text": say(law, dims, answer.symbol),
                "code": answer.rules.get(law),
                "formulas": _formulas(law, answer, dims),
            }
            for law in laws
            if dims is not None
        ],
        "classes": _classes(answer),
        "bounds": None
        if found is None or domain is None
        else {"lowest": _plain(found.lowest), "last": _plain(found.last), "limit": answer.limit or None},
        "values": [_plain(value) for value in answer.values],
        "free": answer.is_free,
        "tried": [_plain(value) for value in tried.values] if tried is not None else None,
        "follow": [unknown.key for unknown in answer.opened],
        "why_none": _why_none(found).removeprefix(": ").strip() if found is not None and not answer.ok else "",
        "moves": [{"key": move.key, "value": _plain(move.value), "then": _plain(move.then)} for move in answer.moves],
    }


def _now(answer: Answer) -> str:
    """What the key is as the spec stands."""
    if answer.present is None:
        return ""
    if answer.present == "auto":
        return ' = "auto"'
    return f" = {writable(answer.present)}" + (f", which {visible(answer.given_by)} gives" if answer.given_by else "")


def _tried(answer: Answer) -> Iterator[str]:
    tried = answer.tried
    assert tried is not None
    if answer.is_free:
        yield "  any value: no law reads it"
        return
    around = f"{len(tried.values):,} values from {spoken(tried.values[0])} to {spoken(tried.values[-1])} were tried"
    works = ", ".join(_runs(tried)) + (" work" if len(tried.right) > 1 else " works") if tried.right else "none works"
    yield f"  no law has it as an unknown; {around}: {works}"


def _runs(tried: Tried) -> Iterator[str]:
    """What is right, runs of values that were tried one after the other as `8 to 24`."""
    for right, run in groupby(tried.values, key=lambda value: value in tried.right):
        if right:
            first, *more = (str(writable(value)) for value in run)
            yield f"{first} to {more[-1]}" if more else first


def _formulas(law: Law, answer: Answer, dims: Dimensions | None) -> list[str]:
    """The sides of a law in which the unknown hides: `L = S*T + V = 3*T + 49,950`."""
    assert dims is not None
    lines = []
    for side in law.formulas():
        (name, *more) = side.symbols() or ("",)
        if more or side != Formula.symbol(name) or name == answer.symbol:
            continue
        definition = dims.describe(name).definition
        if definition is None:
            continue
        lines.append(" = ".join(dict.fromkeys([name, spelled(definition), _numbers(side, answer, dims)])))
    return lines


def _numbers(formula: Formula, answer: Answer, dims: Dimensions) -> str:
    """The formula over what the spec states, with all numbers but those that are asked for."""
    left = {answer.symbol, *(unknown.symbol for unknown in answer.opened)}

    def value(name: str) -> Formula | None:
        number = None if name in left else dims.exact(name)
        return None if number is None else Formula.number(number)

    text = spelled(dims.expand(formula, to_given=True).substitute(value))
    return re.sub(r"\d{4,}", lambda match: f"{int(match[0]):,}", text)


def _bounds(answer: Answer) -> str:
    found, domain = answer.found, answer.domain
    assert found is not None
    assert domain is not None
    most = f"at most {spoken(found.last)}"
    if answer.limit:
        most += f" ({answer.limit})" if found.last == domain.last else ""
    least = f"at least {spoken(found.lowest)}, " if found.lowest > 1 else ""
    return f"{least}{most}"


def _limit(unknown: Unknown) -> str:
    return f", at most {unknown.limit} = {unknown.last:,}" if unknown.limit else ""


def _values(answer: Answer) -> str:
    """`T = 54 (mod 64): ... 438, 502 (the spec's), 566 ...`."""
    found, values = answer.found, answer.values
    assert found is not None
    rule = classes(answer.symbol, found)
    before = "... " if next(islice(found.downwards(values[0]), 1, None), None) is not None else ""
    after = " ..." if next(islice(found.upwards(values[-1]), 1, None), None) is not None else ""
    shown = ", ".join(
        f"{writable(value)} (the spec's)" if value == answer.present else str(writable(value)) for value in values
    )
    wrong = "" if _works(answer) is not False else f"; {writable(answer.present)} is none of them"  # type: ignore[arg-type]
    return f"{rule}{': ' if rule else ''}{before}{shown}{after}{wrong}"


def _works(answer: Answer) -> bool | None:
    """Whether the present value is one of those that work; None where there is none, or nothing is known."""
    if answer.present is None or answer.present == "auto":
        return None
    if answer.tried is not None:
        return answer.present in answer.tried.right
    return None if answer.found is None else answer.present in answer.found


def _classes(answer: Answer) -> Mapping[str, Any] | None:
    found = answer.found
    if found is None or found.listed is not None or found.why_none:
        return None
    text = classes(answer.symbol, found)
    return {"text": text, "step": _plain(found.step), "residues": [_plain(residue) for residue in found.residues]}


def _plain(value: Number | None) -> int | float | None:
    return None if value is None else writable(value)
