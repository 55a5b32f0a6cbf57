"""`"auto"`: the keys that a spec leaves to the laws, solved for in turn.

Nothing here knows which plugin declared a law. Segments come first, for the length of each depends on how many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from tttdit.checker.report import Chosen
from tttdit.checker.rules.no_solution import NoSolution
from tttdit.core.dimensions import Dimensions
from tttdit.core.findings import Finding, Related
from tttdit.core.laws import AtMost, Divisible, Equal, Law
from tttdit.core.solving import Question, Solutions, entering, solve
from tttdit.core.spec.fields import LARGEST_COUNT
from tttdit.core.spec.tables import TextTable
from tttdit.core.symbolic.formula import Formula

# How far from its value another key is moved in search of one that would help, and how many such keys are named.
_REACH = 100
_MOVES = 3


@frozen
class _Unknown:
    symbol: str
    key: str
    last: int
    limit: str  # the key behind `last`, "" where it is a bound of the field
    only: bool  # several answers are no answer


def settle(dims: Dimensions, laws: Sequence[Law], text: TextTable) -> Iterator[Chosen | Finding]:
    """Gives every open dimension its value, and says why; or a finding where it has none.

    A dimension stays open, without a word, where a law needs what is missing or wrong itself; a rule says that.
    """
    unknowns = [
        _Unknown("S", "text.segments", LARGEST_COUNT, "", only=True),
        _Unknown("T", "text.tokens_per_segment", text.max_tokens, "text.max_tokens", only=False),
    ]
    for position, unknown in enumerate(unknowns):
        if unknown.symbol not in dims.open_symbols():
            continue
        # what depends on a later unknown as well is the later one's to keep, be it open or stated
        later = {other.symbol for other in unknowns[position + 1 :]}
        telling = [law for law in laws if not entering(dims, law) & later]
        found = None if _broken_before(dims, telling, unknown) else solve(dims, telling, unknown.symbol, unknown.last)
        if found is None:
            continue
        value = found.largest
        if value is None:
            yield _nothing(dims, telling, unknown, found, laws)
        elif unknown.only and found.lowest != value:
            yield _several(unknown)
        else:
            dims.settle(unknown.symbol, value)
            yield Chosen(unknown.key, value, _reason(dims, unknown, found))


def _broken_before(dims: Dimensions, laws: Sequence[Law], unknown: _Unknown) -> bool:
    """Whether a law about what the unknown's own laws build upon is broken already."""
    depends = {name for law in laws if unknown.symbol in entering(dims, law) for name in entering(dims, law)}
    return any(
        law.holds(dims) is False
        for law in laws
        if unknown.symbol not in entering(dims, law) and entering(dims, law) & depends
    )


def say(law: Law, dims: Dimensions) -> str:
    """A law as a clause: `L divisible by b = 64`."""
    left, right = (str(side) for side in law.formulas())
    if isinstance(law, Divisible):
        return f"{left} divisible by {_with_value(law.divisor, dims)}"
    return f"{right} = {_with_value(law.left, dims)}" if isinstance(law, Equal) else f"{left} at most {right}"


def _with_value(formula: Formula, dims: Dimensions) -> str:
    value = dims.evaluate(formula)
    return str(formula) if formula.constant is not None or value is None else f"{formula} = {value:,}"


def _reason(dims: Dimensions, unknown: _Unknown, found: Solutions) -> str:
    shown = [law for law in found.laws if not isinstance(law, AtMost)]
    clauses = " and ".join(say(law, dims) for law in shown)
    if unknown.only:
        return f"the only value with {clauses}"
    limit = f"{unknown.limit} = {unknown.last:,}" if found.last == unknown.last else f"{found.last:,}"
    reason = f"the largest up to {limit}" + (f" with {clauses}" if clauses else "")
    if found.step > 1:
        reason += f"; {unknown.symbol} = {found.residue:,} (mod {found.step:,}) works"
    return reason


def _nothing(
    dims: Dimensions, laws: Sequence[Law], unknown: _Unknown, found: Solutions, every: Sequence[Law]
) -> Finding:
    shown: list[Law] = [law for law in found.laws if not isinstance(law, AtMost)] or [*found.laws]
    clauses = " and ".join(say(law, dims) for law in shown)
    reason, advice = found.why_none, []
    smallest = found.smallest
    if smallest is not None:
        reason = f"the smallest would be {smallest:,}"
        raised = solve(dims, laws, unknown.symbol, smallest) if unknown.limit else None
        if raised is not None and raised.largest is not None:
            advice.append(f"{unknown.limit} = {smallest} (then {unknown.key} is {smallest:,})")
    advice += [
        f"{key} = {value} (then {unknown.key} is {then:,})"
        for key, value, then in _moves(dims, laws, unknown, found, every)
    ]
    where = f" up to {unknown.last:,}" if unknown.limit else ""
    related = [
        Related(f"{dims.value(symbol):,} {dims.describe(symbol).meaning}", key)
        for symbol, key in _keys(dims, unknown, found)
    ]
    return NoSolution().finding(
        f'"auto" finds no {unknown.key}{where} with {clauses}' + (f": {reason}" if reason else ""),
        key=unknown.key,
        help="write " + ", or ".join(advice) if advice else "",
        related=[*([Related("the most", unknown.limit)] if unknown.limit else []), *related],
    )


def _several(unknown: _Unknown) -> Finding:
    return NoSolution().finding(
        f'"auto" finds no {unknown.key}: none of the plugins in use declares a law that leaves one value only',
        key=unknown.key,
        help=f"write {unknown.key} as a number",
    )


def _keys(dims: Dimensions, unknown: _Unknown, found: Solutions) -> Iterator[tuple[str, str]]:
    """The other given symbols that the laws depend on, each with the one key that gives it."""
    symbols = {name for law in found.laws for name in entering(dims, law)} - {unknown.symbol}
    for symbol in dims:
        keys = dims.describe(symbol).keys
        if symbol in symbols and len(keys) == 1 and dims.value(symbol) is not None:
            yield symbol, keys[0]


def _moves(
    dims: Dimensions, laws: Sequence[Law], unknown: _Unknown, found: Solutions, every: Sequence[Law]
) -> list[tuple[str, int, int]]:
    """Other keys, each with the nearest value for which there is an answer, and that answer; the smallest changes first.

    The answer has to keep the laws about what the spec states itself, too.
    """
    moves = []
    question = Question(dims, laws, unknown.symbol)
    for symbol, key in _keys(dims, unknown, found):
        value = dims.value(symbol)
        assert value is not None
        others = [law for law in laws if symbol in entering(dims, law) and law not in question.laws]
        for other in (value + sign * step for step in range(1, _REACH) for sign in (1, -1)):
            if other < 1 or any(law.holds(dims, {symbol: other}) is False for law in others):
                continue
            answer = question.answer(unknown.last, {symbol: other})
            if answer is not None and answer.largest is not None:
                given = {symbol: other, unknown.symbol: answer.largest}
                if any(law.holds(dims, given) is False for law in every if symbol in entering(dims, law)):
                    continue
                moves.append((abs(other - value) / value, key, other, answer.largest))
                break
    return [move[1:] for move in sorted(moves)[:_MOVES]]
