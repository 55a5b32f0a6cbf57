"""What `tttdit solve` answers: for a key of a spec all values that keep the laws, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import evolve, field, frozen

from tttdit.checker.assembling import assemble
from tttdit.checker.auto import broken_before
from tttdit.checker.checking import Checker
from tttdit.checker.freeing import Key, find_key, known_tables, stated, with_value
from tttdit.checker.judging import laws_of
from tttdit.checker.moving import Move, moves
from tttdit.checker.resolving import Resolved, resolve
from tttdit.checker.trying import Tried, tried
from tttdit.core.laws import Equal, Law
from tttdit.core.solving.question import Question, Unknown, entering
from tttdit.core.solving.solutions import Domain, Solutions
from tttdit.core.spec.document import Document
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula, Number
from tttdit.core.unknowns import open_unknowns, unknowns

# So many values are shown.
SHOWN = 5


@frozen(kw_only=True)
class Answer:
    """The answer for one stage; `found` and `tried` are both None where something else that is wrong stands in the way.

    A key that gives no dimension has no `symbol`: values around the present one have been `tried` then.
    """

    stage: str
    key: str
    present: Number | Literal["auto"] | None = None  # None: the spec does not say, or nothing that it may be
    given_by: str = ""  # the other key that gives the present value
    symbol: str = ""
    resolved: Stage | None = None  # with some value for the key
    domain: Domain | None = None
    found: Solutions | None = None
    tried: Tried | None = None
    values: tuple[Number, ...] = ()  # some that work, near what was asked for
    moves: tuple[Move, ...] = ()  # other keys that would help where none does
    opened: tuple[Unknown, ...] = ()  # other keys that are "auto", and follow
    rules: Mapping[Law, str] = field(factory=dict)  # the codes of the rules whose laws they are
    limit: str = ""  # the key that limits this one where it is "auto"

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return bool(self.values)

    @property
    def is_free(self) -> bool:
        """Whether any value will do."""
        return self.tried is not None and self.tried.values == self.tried.right


def answers(checker: Checker, document: Document, key: str, near: Number | None = None) -> list[Answer]:
    """The answers for all stages that are looked at. Raises UsageError for a key that there is not, or that takes no numbers."""
    return [_answer(checker, resolved, key, near) for resolved in checker.resolved(document)]


def _answer(checker: Checker, was: Resolved, text: str, near: Number | None) -> Answer:
    spec, registry = was.spec, checker.registry
    assembled = assemble(spec, registry)
    key = find_key(text, known_tables(assembled, registry), spec.words)
    if key is None:
        return Answer(stage=spec.name, key=text)
    present = stated(spec, key, assembled)
    number = None if present == "auto" else present
    stand_in = number if number is not None else key.domain.lowest if key.domain.whole else 1
    freed = with_value(spec, key, stand_in)
    again = resolve(freed, registry) if freed is not None else None
    answer = Answer(stage=spec.name, key=text, present=present)
    if freed is None or again is None or again.stage is None:
        return answer
    stage, symbol = again.stage, _symbol(again.stage, key)
    rules = {law: rule.code for rule in again.rules for law in laws_of([rule], stage)}
    answer = evolve(answer, resolved=stage, symbol=symbol, rules=rules)
    if present is None and key.other and spec.wrote(key.other) and was.stage is not None:
        number = _as_it_stands(was.stage, stage, symbol, key)
        if number is not None:
            stage.dims.settle(symbol, number)
        answer = evolve(answer, present=number, given_by=key.other)
    solved = _solved(answer, key, stage, near if near is not None else number)
    if solved is not None:
        return solved
    about = near if near is not None and key.takes(near) else stand_in
    looked_at = tried(freed, registry, key, about)
    return evolve(answer, tried=looked_at, values=looked_at.right)


def _symbol(stage: Stage, key: Key) -> str:
    """The dimension that the key gives, "" for none."""
    lines = (stage.dims.describe(symbol) for symbol in stage.dims)
    return next((line.symbol for line in lines if line.definition is None and line.keys == (key.name,)), "")


def _as_it_stands(was: Stage, stage: Stage, symbol: str, key: Key) -> Number | None:
    """What the other key makes of the dimension."""
    if symbol in was.dims:
        return was.dims.exact(symbol)
    given = next((name for name in was.dims if was.dims.describe(name).keys == (key.other,)), None)
    value = was.dims.exact(given) if given is not None else None
    if given is None or value is None:
        return None
    answer = Question(stage.dims, [Equal(Formula.symbol(given), Formula.number(value))], symbol).answer(key.domain)
    return answer.smallest if answer is not None else None


def _solved(answer: Answer, key: Key, stage: Stage, near: Number | None) -> Answer | None:
    """The answer by the laws; None where none reads the key."""
    symbol = answer.symbol
    question = stage.question(symbol) if symbol else None
    if question is None or not question.laws:
        return None
    unknown = next((one for one in unknowns(stage.text) if one.symbol == symbol), None)
    is_auto = answer.present == "auto" and unknown is not None
    domain = Domain(1, unknown.last) if is_auto and unknown is not None else key.domain
    opened = tuple(one for one in open_unknowns(stage.text) if one.symbol != symbol)
    free = {one.symbol for one in opened}
    settled = [law for law in stage.every_law() if not entering(stage.dims, law) & free]
    answer = evolve(answer, domain=domain, limit=unknown.limit if is_auto and unknown is not None else "")
    if broken_before(stage.dims, settled, symbol):
        return answer
    found = question.answer(domain)
    if found is None:
        return answer
    if not found.laws and not found.why_none:
        return None
    where = near if near is not None else found.last if is_auto else found.lowest
    values = tuple(found.nearest(where, SHOWN))
    others = () if values or found.tested is not None else tuple(moves(stage, symbol, domain, found, where))
    found = evolve(found, laws=tuple(sorted(found.laws, key=lambda law: symbol not in entering(stage.dims, law))))
    opened = tuple(one for one in opened if one.symbol in question.following)
    return evolve(answer, found=found, values=values, moves=others, opened=opened)
