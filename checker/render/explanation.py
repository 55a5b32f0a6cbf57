"""What a stage's saved bytes and peak consist of, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import frozen

from tttdit.checker.memory.abbreviating import Abbreviations
from tttdit.checker.memory.explaining import Balance, Explanation, Share, Tensors
from tttdit.checker.memory.polynomial import polynomial
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.text import table, visible
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula
from tttdit.core.wording import plural, spoken_bytes

# Of a share so much is listed tensor by tensor; what is smaller than all of these is one line.
_LISTED = 0.999
_SHOWN = 3  # layers that are named one by one


@frozen(kw_only=True)
class Explained:
    """A stage that was explained: for which device, parameter type and runtime."""

    stage: Stage
    device: str
    dtype: str
    runtime: str
    explanation: Explanation


def render(explained: Explained, path: str, paint: Paint) -> Iterator[str]:
    """The tables of a stage in the file at `path`."""
    known = Abbreviations(explained.stage)
    told = f"one rank, runtime {explained.runtime}, {explained.device}, {explained.dtype} (predicted)"
    yield f"{paint(visible(path), 'strong')}, stage {paint(visible(explained.stage.name), 'strong')}: {told}"
    values = known.among(_formulas(explained.explanation))
    yield f"  {', '.join(f'{symbol} = {value:,}' for symbol, value in values.items())}"
    for title, balance in _balances(explained.explanation):
        yield f"  {paint(title, 'strong')} {visible(balance.at)}: {_bytes(balance.nbytes)}"
        for share in balance.shares:
            yield f"    {_heading(share, explained.explanation.layers, known)}"
            yield from _lines(share, known)
    yield ""


def as_dict(explained: Explained) -> dict[str, Any]:
    """The same, with every tensor, as JSON has it."""
    known = Abbreviations(explained.stage)
    parts = {title: _balance(balance, known) for title, balance in _balances(explained.explanation)}
    return {
        "name": explained.stage.name,
        "device": explained.device,
        "dtype": explained.dtype,
        "runtime": explained.runtime,
        "dims": known.among(_formulas(explained.explanation)),
        "layers": explained.explanation.layers,
        **parts,
    }


def named_layers(numbers: Sequence[int], layers: str) -> str:
    """`layers.0 to layers.40`, `layers.1, layers.3, layers.5 ... layers.41`; for none, `outside of layers`."""
    if not numbers:
        return f"outside of {layers}" if layers else "all"
    names = [f"{layers}.{number}" for number in numbers]
    if len(names) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{names[0]} to {names[-1]}"
    if len(names) > _SHOWN + 1:
        return f"{', '.join(names[:_SHOWN])} ... {names[-1]}"
    return ", ".join(names)


def made_by(tensors: Tensors) -> str:
    """`addmm of layers.*.mlp.layer1, replayed`: the operator, where it ran and when."""
    operator = f"workspace of {tensors.operator}" if tensors.kind == "workspace" else tensors.operator
    place = f" of {tensors.place}" if tensors.place else ""
    when = {"forward": "", "replay": ", replayed"}.get(tensors.when, f", {tensors.when}")
    return f"{operator}{place}{when}"


def formula_text(tensors: Tensors, known: Abbreviations) -> str:
    """The bytes of one of them as a formula; "" for workspace, which is known as a number."""
    return "" if tensors.kind == "workspace" else known.text(tensors.formula)


def shape_text(tensors: Tensors, known: Abbreviations) -> str:
    """`[B, V, D]`; "" for workspace."""
    return "" if tensors.kind == "workspace" else f"[{', '.join(known.text(size) for size in tensors.shape)}]"


def _balances(explanation: Explanation) -> tuple[tuple[str, Balance], ...]:
    return (("saved", explanation.saved), ("peak", explanation.peak))


def _bytes(count: int) -> str:
    return f"{count:,} bytes ({spoken_bytes(count)})"


def _formulas(explanation: Explanation) -> Iterator[Formula]:
    """All that are shown."""
    for _, balance in _balances(explanation):
        for share in balance.shares:
            yield share.formula
            for each in share.tensors:
                yield from (each.formula, *each.shape)


def _heading(share: Share, layers: str, known: Abbreviations) -> str:
    many = f", {share.times} alike, each" if share.times > 1 else ":"
    return f"{visible(named_layers(share.layers, layers))}{many} {_bytes(share.nbytes)} = {polynomial(share.tensors, known)}"


def _lines(share: Share, known: Abbreviations) -> Iterator[str]:
    listed, rest = _split(share)
    rows = [_row(each, known) for each in listed]
    if rest:
        rows.append(
            (f"{sum(each.total for each in rest):,}", "", f"{len(rest)} smaller {plural(len(rest), 'line')}", *[""] * 4)
        )
    yield from table(rows, right=frozenset({0, 1}), indent="      ")


def _split(share: Share) -> tuple[Sequence[Tensors], Sequence[Tensors]]:
    """What is listed one by one, and what is too small for that."""
    below = 0
    for number, each in enumerate(share.tensors):
        if below >= _LISTED * share.nbytes and len(share.tensors) > number + 1:
            return share.tensors[:number], share.tensors[number:]
        below += each.total
    return share.tensors, ()


def _row(each: Tensors, known: Abbreviations) -> tuple[str, ...]:
    count = f"{each.count} x" if each.count > 1 else ""
    region = f"region {each.region}" if each.region else ""
    return (
        f"{each.total:,}",
        count,
        formula_text(each, known),
        shape_text(each, known),
        each.dtype,
        made_by(each),
        region,
    )


def _balance(balance: Balance, known: Abbreviations) -> dict[str, Any]:
    return {
        "bytes": balance.nbytes,
        "at": balance.at,
        "shares": [
            {
                "layers": list(share.layers),
                "times": share.times,
                "bytes": share.nbytes,
                "formula": polynomial(share.tensors, known),
                "tensors": [_tensors(each, known) for each in share.tensors],
            }
            for share in balance.shares
        ],
    }


def _tensors(each: Tensors, known: Abbreviations) -> dict[str, Any]:
    return {
        "operator": each.operator,
        "module": each.place,
        "region": each.region,
        "when": each.when,
        "kind": each.kind,
        "dtype": each.dtype,
        "shape": [known.text(size) for size in each.shape],
        "value": [int(known.value(size)) for size in each.shape],
        "formula": formula_text(each, known),
        "bytes": each.nbytes,
        "count": each.count,
        "line": each.line,
    }
