"""Formulas of dimensions: exact sums of products of symbols, cheap enough to carry everywhere.

A formula is a polynomial whose powers may be negative (`D/A`, `(F*h*w + S*T)/b`), with rational coefficients. This form is
canonical, so equal formulas are equal objects, and divisions cancel. sympy makes the same things more generally and a thousand times
slower; it is asked only where somebody wants a formula factored or solved (`Formula.sympy`, `Formula.factored`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import sympy

Number: TypeAlias = int | Fraction
Monomial: TypeAlias = "tuple[tuple[Atom, int], ...]"


class Opaque:
    """A part that has no polynomial form, such as a rounded quotient; equal to another of the same name and arguments."""

    def __init__(self, name: str, *arguments: Formula) -> None:
        self.name = name  # floor, ceil, mod or ratio
        self.arguments = arguments
        self._key = (name, arguments)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        first, second = self.arguments
        if self.name == "ratio":
            return f"({first})/({second})"
        if self.name == "ceil":
            return f"ceil({first / second})"
        return f"floor(({first})/({second}))" if self.name == "floor" else f"(({first}) mod ({second}))"

    def evaluate(self, values: Mapping[str, Number]) -> Number:
        """The part's value; a division by zero raises ZeroDivisionError."""
        first, second = (argument.evaluate(values) for argument in self.arguments)
        if self.name == "ratio":
            return _plain(Fraction(first) / Fraction(second))
        if self.name == "ceil":
            return -(-first // second)
        return first // second if self.name == "floor" else first % second

    def sympy(self) -> sympy.Expr:
        """The same in sympy."""
        import sympy

        first, second = (argument.sympy() for argument in self.arguments)
        if self.name == "ratio":
            return first / second
        if self.name == "ceil":
            return sympy.ceiling(first / second)
        return sympy.floor(first / second) if self.name == "floor" else sympy.Mod(first, second)


Atom: TypeAlias = str | Opaque


class Formula:
    """An immutable formula over named positive integers."""

    __slots__ = ("__dict__", "terms")

    terms: dict[Monomial, Number]

    def __init__(self, terms: Mapping[Monomial, Number]) -> None:
        self.terms = {
            monomial: number if type(number) is int else _plain(number) for monomial, number in terms.items() if number
        }

    @classmethod
    def symbol(cls, name: str) -> Formula:
        """The formula that is one symbol."""
        return cls({((name, 1),): 1})

    @classmethod
    def number(cls, value: Number) -> Formula:
        """The formula that is one number."""
        return cls({(): value})

    @classmethod
    def of(cls, value: Formula | Number) -> Formula:
        """The value as a formula."""
        return value if isinstance(value, Formula) else cls.number(value)

    @classmethod
    def floor(cls, dividend: Formula, divisor: Formula) -> Formula:
        """`dividend / divisor` rounded down, where it does not come out even."""
        return cls({((Opaque("floor", dividend, divisor), 1),): 1})

    @classmethod
    def modulo(cls, dividend: Formula, divisor: Formula) -> Formula:
        """The remainder of `dividend / divisor`."""
        return cls({((Opaque("mod", dividend, divisor), 1),): 1})

    def __add__(self, other: Formula | Number) -> Formula:
        terms = dict(self.terms)
        for monomial, number in Formula.of(other).terms.items():
            terms[monomial] = terms.get(monomial, 0) + number
        return Formula(terms)

    __radd__ = __add__

    def __neg__(self) -> Formula:
        return Formula({monomial: -number for monomial, number in self.terms.items()})

    def __sub__(self, other: Formula | Number) -> Formula:
        return self + -Formula.of(other)

    def __rsub__(self, other: Number) -> Formula:
        return -self + other

    def __mul__(self, other: Formula | Number) -> Formula:
        factor = Formula.of(other).terms
        if factor == _ONE:
            return self
        terms: dict[Monomial, Number] = {}
        for left, a in self.terms.items():
            for right, b in factor.items():
                product = _times(left, right)
                terms[product] = terms.get(product, 0) + a * b
        return Formula(terms)

    __rmul__ = __mul__

    def __pow__(self, power: int) -> Formula:
        if power < 0:
            return Formula.number(1) / self**-power
        result = Formula.number(1)
        for _ in range(power):
            result = result * self
        return result

    def __truediv__(self, other: Formula | Number) -> Formula:
        divisor = Formula.of(other)
        if not divisor.terms:
            raise ZeroDivisionError(f"{self} divided by 0")
        if len(divisor.terms) == 1:
            ((monomial, number),) = divisor.terms.items()
            inverse = tuple((atom, -power) for atom, power in monomial)
            return self * Formula({inverse: Fraction(1) / number})
        quotient = _divide(self, divisor)
        return Formula({((Opaque("ratio", self, divisor), 1),): 1}) if quotient is None else quotient

    def __rtruediv__(self, other: Number) -> Formula:
        return Formula.number(other) / self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __reduce__(self) -> tuple[type[Formula], tuple[dict[Monomial, Number]]]:
        return Formula, (self.terms,)  # without its hash, which is another in another process

    def __repr__(self) -> str:
        return f"Formula({self})"

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        if not self.terms:
            return "0"
        ordered = sorted(self.terms.items(), key=lambda term: _order(term[0]))
        text = ""
        for monomial, number in ordered:
            sign = "-" if number < 0 else "+"
            body = _term(monomial, abs(Fraction(number)))
            text += f" {sign} {body}" if text else (f"-{body}" if number < 0 else body)
        return text

    @property
    def constant(self) -> Number | None:
        """Its value where it has no symbol, else None."""
        if not self.terms:
            return 0
        return self.terms.get(()) if len(self.terms) == 1 else None

    def symbols(self) -> frozenset[str]:
        """The names that occur in it."""
        return self._symbols

    @cached_property
    def _symbols(self) -> frozenset[str]:
        return frozenset(self._names())

    def _names(self) -> Iterator[str]:
        for monomial in self.terms:
            for atom, _ in monomial:
                if isinstance(atom, str):
                    yield atom
                else:
                    for argument in atom.arguments:
                        yield from argument._names()

    def evaluate(self, values: Mapping[str, Number]) -> Number:
        """Its value for these values of its symbols; an int where it is whole. Raises KeyError for a symbol without a value."""
        total: Number = 0
        for monomial, number in self.terms.items():
            product = number
            for atom, power in monomial:
                base = values[atom] if isinstance(atom, str) else atom.evaluate(values)
                product = product * base**power if power >= 0 else product / Fraction(base) ** -power
            total = total + product
        return _plain(total)

    def substitute(self, definition: Callable[[str], Formula | None]) -> Formula:
        """Each symbol replaced by its definition, where it has one."""
        result = Formula({})
        for monomial, number in self.terms.items():
            product = Formula.number(number)
            for atom, power in monomial:
                if isinstance(atom, str):
                    base = definition(atom) or Formula.symbol(atom)
                else:
                    inner = Opaque(atom.name, *(argument.substitute(definition) for argument in atom.arguments))
                    base = Formula({((inner, 1),): 1})
                product = product * base**power
            result = result + product
        return result

    def sympy(self) -> sympy.Expr:
        """The same as a sympy expression over positive integer symbols."""
        import sympy

        total = sympy.Integer(0)
        for monomial, number in self.terms.items():
            product = sympy.Rational(Fraction(number).numerator, Fraction(number).denominator)
            for atom, power in monomial:
                base = sympy.Symbol(atom, integer=True, positive=True) if isinstance(atom, str) else atom.sympy()
                product = product * base**power
            total = total + product
        return total

    def factored(self) -> str:
        """Its text as a product of factors, `T*(S - 1)` for `S*T - T`."""
        import sympy

        return str(sympy.factor(self.sympy()))


_ONE: dict[Monomial, Number] = {(): 1}


def _plain(number: Number) -> Number:
    return number.numerator if isinstance(number, Fraction) and number.denominator == 1 else number


def _atom_key(atom: Atom) -> tuple[bool, str]:
    return (isinstance(atom, Opaque), str(atom))


def _times(left: Monomial, right: Monomial) -> Monomial:
    if not left:
        return right
    if not right:
        return left
    powers = dict(left)
    for atom, power in right:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(((a, p) for a, p in powers.items() if p), key=lambda item: _atom_key(item[0])))


def _order(monomial: Monomial) -> tuple[int, int, tuple[tuple[bool, str], ...]]:
    """Terms of many factors first, numbers last; then by the alphabet."""
    degree = sum(power for _, power in monomial if power > 0)
    return (not monomial, -degree, tuple(_atom_key(atom) for atom, _ in monomial))


def _term(monomial: Monomial, coefficient: Number) -> str:
    number = Fraction(coefficient)
    above = [_power(atom, power) for atom, power in monomial if power > 0]
    below = [_power(atom, -power) for atom, power in monomial if power < 0]
    if number.numerator != 1 or not above:
        above.insert(0, str(number.numerator))
    if number.denominator != 1:
        below.insert(0, str(number.denominator))
    text = "*".join(above)
    if not below:
        return text
    return f"{text}/{below[0]}" if len(below) == 1 else f"{text}/({'*'.join(below)})"


def _power(atom: Atom, power: int) -> str:
    return str(atom) if power == 1 else f"{atom}**{power}"


def _divide(dividend: Formula, divisor: Formula) -> Formula | None:
    """The quotient where it comes out even: long division by the leading term, None if a remainder stays."""

    def leading(formula: Formula) -> Monomial:
        return max(formula.terms, key=lambda m: (sum(p for _, p in m), [(_atom_key(a), p) for a, p in m]))

    top = leading(divisor)
    quotient, rest = Formula({}), dividend
    for _ in range(len(dividend.terms) + 1):
        if not rest.terms:
            return quotient
        lead = leading(rest)
        inverse = tuple((atom, -power) for atom, power in top)
        factor = Formula({_times(lead, inverse): Fraction(rest.terms[lead]) / divisor.terms[top]})
        quotient, rest = quotient + factor, rest - factor * divisor
    return None
