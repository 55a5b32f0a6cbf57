"""An integer that remembers its formula: `S*T + F*h*w = 51456`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from tttdit.core.symbolic.formula import Formula

# Formulas are built when somebody reads them. A chain of this many steps is built at once, so that no chain grows with a loop.
LONGEST_CHAIN = 64

_listening = threading.local()


# What arithmetic has made, by the operation and the identities of its operands, which are held so that they stay.
Results: TypeAlias = "dict[tuple[object, int, int], tuple[Dim, object, object]]"


class _Remembered(threading.local):
    """What arithmetic in this thread has made; None where it is not remembered."""

    results: Results | None = None


_remembered = _Remembered()


class Dim(int):
    """A dimension: a plain int wherever Python wants one, with the formula that it came from.

    Arithmetic of dimensions and ints keeps both. Comparisons, hashing, loops and indexing use the value alone.
    """

    _formula: Formula | None
    _made: tuple[Callable[[Formula, Formula], Formula], int, int] | None
    _depth: int

    def __new__(cls, value: int, formula: Formula | None = None) -> Dim:
        """The value with its formula (default: the number itself)."""
        self = int.__new__(cls, value)
        self._formula = formula if formula is not None else Formula.number(int(value))
        self._made = None
        self._depth = 0
        return self

    @property
    def formula(self) -> Formula:
        """How the value came about, over the dimensions' symbols."""
        if self._formula is None:
            assert self._made is not None
            combine, left, right = self._made
            self._formula = combine(formula_of(left), formula_of(right))
            self._made = None
        return self._formula

    def __add__(self, other: Any) -> Any:
        return _make(_add, self, other, int.__add__)

    def __radd__(self, other: Any) -> Any:
        return _make(_add, other, self, int.__add__)

    def __sub__(self, other: Any) -> Any:
        return _make(_subtract, self, other, int.__sub__)

    def __rsub__(self, other: Any) -> Any:
        return _make(_subtract, other, self, int.__sub__)

    def __mul__(self, other: Any) -> Any:
        return _make(_multiply, self, other, int.__mul__)

    def __rmul__(self, other: Any) -> Any:
        return _make(_multiply, other, self, int.__mul__)

    def __neg__(self) -> Dim:
        result = _make(_subtract, 0, self, int.__sub__)
        assert isinstance(result, Dim)
        return result

    def __pos__(self) -> Dim:
        return self

    def __abs__(self) -> Dim:
        return -self if self < 0 else self

    def __pow__(self, power: Any, modulus: Any = None) -> Any:
        if modulus is None and type(power) is int and 0 <= power <= 4:
            return Dim(int(self) ** power, self.formula**power)
        return int.__pow__(self, power) if modulus is None else int.__pow__(self, power, modulus)

    def __floordiv__(self, other: Any) -> Any:
        return _quotient(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _quotient(other, self)

    def __mod__(self, other: Any) -> Any:
        return _remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return _remainder(other, self)

    def __divmod__(self, other: Any) -> Any:
        # whoever asks for quotient and remainder together has seen that it may not come out even
        with listening(lambda dividend, divisor: None):
            return _quotient(self, other), _remainder(self, other)

    def __repr__(self) -> str:
        return f"{self.formula} = {int(self)}"

    def __str__(self) -> str:
        return str(int(self))

    def __reduce__(self) -> tuple[type[Dim], tuple[int]]:
        return (Dim, (int(self),))


def formula_of(value: int) -> Formula:
    """The formula of a dimension, or of a plain number."""
    return value.formula if isinstance(value, Dim) else Formula.number(int(value))


def rounded_up(dividend: int, divisor: int) -> Dim:
    """The quotient rounded up, with a formula that says so even where it comes out even."""
    quotient = _make(_ceiling, dividend, divisor, lambda a, b: -(-int(a) // int(b)))
    assert isinstance(quotient, Dim)
    return quotient


@contextmanager
def listening(heard: Callable[[int, int], None]) -> Iterator[None]:
    """Calls `heard(dividend, divisor)` for each floor division of dimensions, in this thread, that leaves a remainder.

    `-(-a // b)`, rounding up, is deliberate and is not told.
    """
    before = getattr(_listening, "heard", None)
    _listening.heard = heard
    try:
        yield
    finally:
        _listening.heard = before


def _make(
    combine: Callable[[Formula, Formula], Formula], left: Any, right: Any, compute: Callable[[int, int], int]
) -> Any:
    results, key = _remembered.results, (combine, id(left), id(right))
    if results is not None and key in results:
        return results[key][0]
    if not (isinstance(left, int) and isinstance(right, int)):
        return compute(left, right) if isinstance(left, int) else NotImplemented
    self = int.__new__(Dim, compute(left, right))
    self._formula = None
    self._made = (combine, left, right)
    self._depth = 1 + max(left._depth if isinstance(left, Dim) else 0, right._depth if isinstance(right, Dim) else 0)
    if self._depth > LONGEST_CHAIN:
        self.formula  # noqa: B018
        self._depth = 0
    if results is not None:
        results[key] = self, left, right
    return self


@contextmanager
def remembering(results: Results | None = None) -> Iterator[None]:
    """What arithmetic of the same dimensions has made in here is found again, formula and all: layers that are alike count alike.

    With `results` it is found there by others too, who are given the same.
    """
    before = _remembered.results
    if results is not None:
        _remembered.results = results
    elif before is None:
        _remembered.results = {}
    try:
        yield
    finally:
        _remembered.results = before


def _add(left: Formula, right: Formula) -> Formula:
    return left + right


def _subtract(left: Formula, right: Formula) -> Formula:
    return left - right


def _multiply(left: Formula, right: Formula) -> Formula:
    return left * right


def _divide(left: Formula, right: Formula) -> Formula:
    return left / right


def _ceiling(left: Formula, right: Formula) -> Formula:
    return -Formula.floor(-left, right)


def _quotient(left: Any, right: Any) -> Any:
    if not (isinstance(left, int) and isinstance(right, int)):
        return NotImplemented
    if int(left) % int(right) == 0:
        return _make(_divide, left, right, lambda a, b: int(a) // int(b))
    heard = getattr(_listening, "heard", None)
    if heard is not None and left >= 0:
        heard(left, right)
    return _make(Formula.floor, left, right, lambda a, b: int(a) // int(b))


def _remainder(left: Any, right: Any) -> Any:
    if not (isinstance(left, int) and isinstance(right, int)):
        return NotImplemented
    return _make(Formula.modulo, left, right, lambda a, b: int(a) % int(b)) if int(left) % int(right) else 0
