"""Small sizes for a stage: every width and count that the spec states, as small as the laws allow, structure as it is.

Structure is what decides which operators run, and how often: frames and segments, flags, whether a group has one piece, some or all. Of
equal structure are sizes that keep every law, come out whole where the stage's own do, and are 1 only where these are. No two lengths of
the model's tensors may be equal by accident, else a mistake could hide behind it: what the trace knows as different formulas gets
different values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from tttdit.core.plugin.kinds import Region
from tttdit.core.spec.tables import PluginTable, VideoTable
from tttdit.core.stage import Stage
from tttdit.core.symbolic.dimension import formula_of
from tttdit.core.symbolic.formula import Formula, Number

if TYPE_CHECKING:
    from tttdit.core.shapes import NamedShape

# Keys whose values are structure, or no sizes of one rank's model.
_KEPT = (
    "video.seconds",
    "video.fps",
    "video.pixel_frames",
    "text.segments",
    "parallelism.",
    "training.grad_accum_steps",
)
# The tables of plugins whose lengths shrink, whether or not a dimension stands for them.
_MODULES = {"model": "model", "model.mixer": "mixer"}
# First, middle and last group: what can differ among groups does so in these.
_GROUPS = 3
# So many values are tried before a search is given up: for any sizes, and for better ones.
_MOST_TRIES, _MORE_TRIES = 50_000, 30_000

# A size with more values than these always finds one that nothing else has.
_MANY = 100

_LENGTH = VideoTable.model_fields["height"]  # a field of the type `Dimension`

Values = dict[str, Number]


@frozen
class Size:
    """One key's size, and what it is in the spec itself."""

    key: str
    small: int
    full: int


@frozen
class _Unknown:
    """A size to be found. One that `cuts` something into pieces that are grouped makes few of them by being large, and so may even be
    larger than in the spec; then this is the number of pieces."""

    symbol: str
    key: str
    full: int
    cuts: Formula | None = None
    values: tuple[int, ...] = ()  # those that all conditions allow in which it stands alone, the least first

    def candidates(self, values: Values) -> Iterable[int]:
        """What may be tried, with these values for all others: the smallest first, or the fewest pieces."""
        if self.cuts is None:
            return self.values
        whole = int(self.cuts.evaluate({**values, self.symbol: 1}))
        return [whole // pieces for pieces in range(1, whole + 1) if whole % pieces == 0]


@frozen
class _Condition:
    """What must hold of the unknown sizes named."""

    unknown: frozenset[str]
    holds: Callable[[Values], bool]


@frozen
class _Length:
    """A length of tensors, over what the spec states; and its value in the spec itself."""

    formula: Formula
    unknown: frozenset[str]
    full: Number


def small_sizes(stage: Stage, shapes: Iterable[NamedShape], least: Mapping[str, int]) -> tuple[Size, ...] | None:
    """The smallest sizes that were found, or None. `shapes` are the stage's own, `least` the smallest value allowed for a key."""
    given = {
        symbol: stage.dims.exact(symbol) for symbol in stage.dims if stage.dims.describe(symbol).definition is None
    }
    known: Values = {symbol: value for symbol, value in given.items() if value is not None}
    groups = [_Grouping(stage, region) for region in stage.memory.declared if _is_group(stage, region)]
    unknown = list(_unknown(stage, known, groups))
    names = frozenset(one.symbol for one in unknown)
    known |= {one.symbol: one.full for one in unknown}
    conditions = [*_laws(stage, names), *_whole(stage, names)]
    conditions += [group.condition(names) for group in groups if group.formula.symbols() & names]
    lengths = _lengths(stage, shapes, unknown, known)
    bounded = [_bounded(one, conditions, known, least) for one in unknown]
    orders = [_in_order(bounded, conditions, few_first) for few_first in (True, False)]
    for told_apart in (_all_apart, _apart_unless_equal_in_the_spec):
        question = _Question(conditions, lengths, told_apart, tuple(groups), names, known)
        answers = [answer for answer in map(question.answer, orders) if answer is not None]
        if answers:
            found = min(answers, key=lambda values: sum(length.formula.evaluate(values) for length in lengths))
            sizes = [Size(one.key, int(found[one.symbol]), one.full) for one in unknown]
            grouped = [group.sized(found) for group in groups if group.formula.symbols() & names]
            return tuple(size for size in [*sizes, *grouped] if size.small != size.full)
    return None


# -- what is to be found


def _unknown(stage: Stage, known: Values, groups: Sequence[_Grouping]) -> Iterator[_Unknown]:
    keys = set()
    for symbol, value in known.items():
        key, *others = stage.dims.describe(symbol).keys or ("",)
        keys.add(key)
        if key and not others and isinstance(value, int) and not key.startswith(_KEPT):
            cut = next((group.formula for group in groups if group.is_cut_by(symbol, known)), None)
            yield _Unknown(symbol, key, value, cut)
    for table, attribute in _MODULES.items():
        for name, value in _plain_lengths(getattr(stage, attribute)):
            if f"{table}.{name}" not in keys:
                yield _Unknown(f"{table}.{name}", f"{table}.{name}", value)


def _plain_lengths(table: PluginTable) -> Iterator[tuple[str, int]]:
    """The fields of the type `Dimension`."""
    for name, about in type(table).model_fields.items():
        value = getattr(table, name)
        if about.annotation is int and about.metadata == _LENGTH.metadata and isinstance(value, int):
            yield name, value


def _is_group(stage: Stage, region: Region) -> bool:
    return region.kind == "size" and region.is_region and region.count in stage.dims


class _Grouping:
    """A sized region: how its groups lie in what they group, which the small sizes keep."""

    def __init__(self, stage: Stage, region: Region) -> None:
        self.key = f"memory.{region.key}"
        self.full = int(getattr(stage.memory, region.key))
        self.count = int(stage.dims[region.count])
        self.formula = stage.dims.expand(Formula.symbol(region.count), to_given=True)
        self.size = min(2, self.full) if self.full < self.count else self.full

    def is_cut_by(self, symbol: str, known: Values) -> bool:
        """Whether this is the size of a piece: where it doubles, there are half as many."""
        return 2 * self.formula.evaluate({**known, symbol: 2 * known[symbol]}) == self.count

    def condition(self, names: frozenset[str]) -> _Condition:
        """As many groups as there are, up to three, of some pieces each or of all, coming out even or not."""
        return _Condition(self.formula.symbols() & names, lambda values: self._is_alike(self.formula.evaluate(values)))

    def _is_alike(self, count: Number) -> bool:
        if self.full == 0:
            return count >= min(_GROUPS, self.count)
        if self.full >= self.count:
            return count < self.full or self.full == self.count
        groups = min(_GROUPS, -(-self.count // self.full))
        return count > self.size * (groups - 1) and (count % self.size == 0) == (self.count % self.full == 0)

    def is_long(self, found: Values, names: frozenset[str]) -> bool:
        """Whether there are many more pieces than three groups take."""
        return bool(self.formula.symbols() & names) and self.formula.evaluate(found) > 2 * _GROUPS * max(1, self.size)

    def at_most_half(self, found: Values, names: frozenset[str]) -> _Condition:
        """No more than half of the pieces found."""
        most = self.formula.evaluate(found) / 2
        return _Condition(self.formula.symbols() & names, lambda values: self.formula.evaluate(values) <= most)

    def sized(self, found: Values) -> Size:
        """The small group."""
        whole = self.full == self.count
        return Size(self.key, int(self.formula.evaluate(found)) if whole else self.size, self.full)


# -- conditions


def _laws(stage: Stage, names: frozenset[str]) -> Iterator[_Condition]:
    """The laws that the stage itself keeps."""
    for law in stage.laws():
        if law.holds(stage.dims):
            sides = tuple(stage.dims.expand(side, to_given=True) for side in law.formulas())
            plain = type(law)(*sides)
            entering = frozenset(name for side in sides for name in side.symbols()) & names
            yield _Condition(entering, lambda values, law=plain: law.holds(stage.dims, values) is True)  # type: ignore[misc]


def _whole(stage: Stage, names: frozenset[str]) -> Iterator[_Condition]:
    """Dimensions are whole, and 1 only where the stage's own are."""
    for symbol in stage.dims:
        full, formula = stage.dims.value(symbol), stage.dims.expand(Formula.symbol(symbol), to_given=True)
        if full is not None:
            yield _Condition(
                formula.symbols() & names,
                lambda values, formula=formula, one=full == 1: _fits(formula.evaluate(values), one),  # type: ignore[misc]
            )


def _fits(value: Number, one: bool) -> bool:
    return value == 1 if one else value >= 2 and int(value) == value


# -- lengths


def _lengths(
    stage: Stage, shapes: Iterable[NamedShape], unknown: Sequence[_Unknown], known: Values
) -> tuple[_Length, ...]:
    """The lengths of all tensors, but for numbers that no dimension enters; and the sizes that no dimension stands for."""
    names = frozenset(size.symbol for size in unknown)
    written = {formula_of(size) for shape in shapes for size in shape.shape}
    # what is 1 stays so: B*F and F are one length where B is
    one = {symbol: Formula.number(1) for symbol in stage.dims if stage.dims.value(symbol) == 1}
    formulas = [stage.dims.expand(formula.substitute(one.get), to_given=True) for formula in written]
    formulas += [Formula.symbol(size.symbol) for size in unknown if size.symbol not in stage.dims]
    distinct = [formula for formula in dict.fromkeys(formulas) if formula.constant is None]
    return tuple(_Length(formula, formula.symbols() & names, formula.evaluate(known)) for formula in distinct)


def _all_apart(one: _Length, other: _Length) -> bool:
    """All but those that are equal in the spec and depend on the same unknown sizes: they may be the same by a law."""
    return one.full != other.full or one.unknown != other.unknown


def _apart_unless_equal_in_the_spec(one: _Length, other: _Length) -> bool:
    return one.full != other.full


# -- the search


def _bounded(one: _Unknown, conditions: Sequence[_Condition], known: Values, least: Mapping[str, int]) -> _Unknown:
    """With the values that it may have, as far as it alone decides."""
    first = 1 if one.full == 1 else min(max(2, least.get(one.key, 2)), one.full)
    alone = [condition for condition in conditions if condition.unknown == {one.symbol}]
    values = range(first, one.full + 1)
    fitting = (value for value in values if all(c.holds({**known, one.symbol: value}) for c in alone))
    return evolve(one, values=tuple(fitting))


def _in_order(unknown: Sequence[_Unknown], conditions: Sequence[_Condition], few_first: bool) -> list[_Unknown]:
    """First those without a choice. Then sizes that a condition ties together stand together, those that cut the others last.

    Free ones come at the end, for they find a value anyway; with `few_first` those that have few to choose from come early.
    """
    by_symbol = {one.symbol: one for one in unknown}
    families: list[set[str]] = [{symbol} for symbol in by_symbol]
    for condition in conditions:
        tied = [family for family in families if family & condition.unknown]
        if len(tied) > 1:
            families = [family for family in families if family not in tied] + [set().union(*tied)]
    free = {one.symbol for one in unknown if len(one.values) > _MANY or not few_first}
    families.sort(key=lambda family: (len(family) == 1 and family <= free, len(family), min(family)))
    ordered = [
        one
        for family in families
        for one in sorted(
            (by_symbol[symbol] for symbol in family),
            key=lambda one: (one.cuts is not None, len(one.values), one.symbol),
        )
    ]
    return sorted(ordered, key=lambda one: len(one.values) > 1)


@frozen
class _Question:
    """What is to be kept, whatever the order in which sizes are tried."""

    conditions: Sequence[_Condition]
    lengths: Sequence[_Length]
    told_apart: Callable[[_Length, _Length], bool]
    groups: tuple[_Grouping, ...]
    names: frozenset[str]
    known: Values

    def answer(self, order: Sequence[_Unknown]) -> Values | None:
        """Values that fit, with few pieces in what is cut: each is a step of a loop. So half as many are asked for, while there are."""
        found = self._search(order, (), _MOST_TRIES)
        while found is not None:
            long = [group for group in self.groups if group.is_long(found, self.names)]
            fewer = [group.at_most_half(found, self.names) for group in long]
            better = self._search(order, fewer, _MORE_TRIES) if fewer else None
            if better is None:
                break
            found = better
        return found

    def _search(self, order: Sequence[_Unknown], more: Iterable[_Condition], most: int) -> Values | None:
        return _Search(order, [*self.conditions, *more], self.lengths, self.told_apart, most).run(dict(self.known))


@frozen
class _Search:
    """Tries values, one unknown size after the other, and goes back where a condition fails."""

    order: Sequence[_Unknown]
    conditions: Sequence[_Condition]
    lengths: Sequence[_Length]
    told_apart: Callable[[_Length, _Length], bool]
    most: int
    _tries: list[int] = field(factory=lambda: [0])

    def run(self, values: Values) -> Values | None:
        """The first values that fit, kept ones included."""
        settled = [length for length in self.lengths if not length.unknown]
        return self._from(0, values, {length: int(length.full) for length in settled})

    def _from(self, depth: int, values: Values, lengths: dict[_Length, Number]) -> Values | None:
        if depth == len(self.order):
            return values
        now = self.order[depth]
        before = {one.symbol for one in self.order[:depth]}
        due = [c for c in self.conditions if now.symbol in c.unknown and c.unknown <= {*before, now.symbol}]
        new = [one for one in self.lengths if now.symbol in one.unknown and one.unknown <= {*before, now.symbol}]
        for value in now.candidates(values):
            self._tries[0] += 1
            if self._tries[0] >= self.most:
                return None
            values[now.symbol] = value
            if all(condition.holds(values) for condition in due):
                longer = self._with(new, values, lengths)
                found = self._from(depth + 1, values, longer) if longer is not None else None
                if found is not None:
                    return found
        values[now.symbol] = now.full
        return None

    def _with(
        self, new: Sequence[_Length], values: Values, lengths: dict[_Length, Number]
    ) -> dict[_Length, Number] | None:
        """The lengths with those that are settled now; None where two are equal by accident."""
        longer = dict(lengths)
        for length in new:
            value = length.formula.evaluate(values)
            if value == 1 and length.full > 1:
                return None
            if any(value == other and self.told_apart(length, one) for one, other in longer.items()):
                return None
            longer[length] = value
        return longer
