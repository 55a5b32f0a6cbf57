"""`"auto"`: the keys that a spec leaves to the laws, solved for in turn.

Nothing here knows which plugin declared a law. Segments come first, for the length of each depends on how many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tttdit.checker.report import Chosen
from tttdit.checker.rules.no_solution import NoSolution
from tttdit.core.dimensions import Dimensions
from tttdit.core.findings import Edit, Finding, Fix, Related
from tttdit.core.laws import AtMost, Law
from tttdit.core.solving.question import Question, Unknown, entering
from tttdit.core.solving.solutions import Domain, Solutions
from tttdit.core.solving.wording import classes, say
from tttdit.core.spec.fields import LARGEST_DIMENSION
from tttdit.core.stage import Stage
from tttdit.core.unknowns import unknowns
from tttdit.core.wording import spoken, writable


def settle(stage: Stage) -> Iterator[Chosen | Finding]:
    """Gives every open dimension its value, and says why; or a finding where it has none.

    A dimension stays open, without a word, where a law needs what is missing or wrong itself; a rule says that.
    """
    dims, every = stage.dims, unknowns(stage.text)
    laws = stage.every_law() if dims.open_symbols() else ()
    for position, unknown in enumerate(every):
        if unknown.symbol not in dims.open_symbols():
            continue
        # what depends on a later unknown as well is the later one's to keep, be it open or stated
        later = {other.symbol for other in every[position + 1 :]}
        telling = [law for law in laws if not entering(dims, law) & later]
        if broken_before(dims, telling, unknown.symbol):
            continue
        found = Question(dims, telling, unknown.symbol).answer(Domain(1, unknown.last))
        if found is None:
            continue
        value = found.largest
        if value is None:
            yield _nothing(stage, telling, unknown, found)
        elif unknown.only and found.smallest != value:
            yield _several(unknown)
        else:
            dims.settle(unknown.symbol, value)
            yield Chosen(unknown.key, int(value), _reason(dims, unknown, found))


def broken_before(dims: Dimensions, laws: Sequence[Law], symbol: str) -> bool:
    """Whether a law about what the symbol's own laws build upon is broken already."""
    named = [(law, entering(dims, law)) for law in laws]
    depends = {name for _, names in named if symbol in names for name in names}
    return any(symbol not in names and names & depends and law.holds(dims) is False for law, names in named)


def _reason(dims: Dimensions, unknown: Unknown, found: Solutions) -> str:
    clauses = " and ".join(say(law, dims) for law in found.laws if not isinstance(law, AtMost))
    if unknown.only:
        return f"the only value with {clauses}"
    limit = f"{unknown.limit} = {unknown.last:,}" if found.last == unknown.last else f"{found.last:,}"
    reason = f"the largest up to {limit}" + (f" with {clauses}" if clauses else "")
    rule = classes(unknown.symbol, found)
    return f"{reason}; every {rule} works" if rule else reason


def _nothing(stage: Stage, laws: Sequence[Law], unknown: Unknown, found: Solutions) -> Finding:
    from tttdit.checker.moving import moves, others

    dims = stage.dims
    shown: list[Law] = [law for law in found.laws if not isinstance(law, AtMost)] or [*found.laws]
    clauses = " and ".join(say(law, dims) for law in shown)
    reason, advice, edits = found.why_none, [], list[Edit]()
    smallest = found.beyond(LARGEST_DIMENSION).smallest
    if smallest is not None:
        reason = f"the smallest would be {smallest:,}"
        raised = Question(dims, laws, unknown.symbol).answer(Domain(1, smallest)) if unknown.limit else None
        if raised is not None and raised.largest is not None:
            advice.append(f"{unknown.limit} = {smallest} (then {unknown.key} is {smallest:,})")
            edits.append(Edit(unknown.limit, writable(smallest)))
    domain = Domain(1, unknown.last)
    for move in moves(stage, unknown.symbol, domain, found, unknown.last):
        advice.append(f"{move} (then {unknown.key} is {spoken(move.then)})")
        edits.append(Edit(move.key, writable(move.value)))
    where = f" up to {unknown.last:,}" if unknown.limit else ""
    related = [
        Related(f"{dims.describe(symbol).meaning}: {spoken(value)}", key)
        for symbol, key, value in others(dims, unknown.symbol, found)
    ]
    return NoSolution().finding(
        f'"auto" finds no {unknown.key}{where} with {clauses}' + (f": {reason}" if reason else ""),
        key=unknown.key,
        help="write " + ", or ".join(advice) if advice else "",
        related=[*([Related(f"at most {unknown.last:,}", unknown.limit)] if unknown.limit else []), *related],
        fix=Fix("unsafe", (edits[0],)) if edits else None,
    )


def _several(unknown: Unknown) -> Finding:
    return NoSolution().finding(
        f'"auto" finds no {unknown.key}: none of the plugins in use declares a law that leaves one value only',
        key=unknown.key,
        help=f"write {unknown.key} as a number",
    )
