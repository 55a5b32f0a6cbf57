"""A sum of bytes as people read it: `64*B*D*L + 14*B*D*S*(13*h*w + T) + ...`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import gcd

from tttdit.checker.memory.abbreviating import Abbreviations, product
from tttdit.checker.memory.explaining import Tensors
from tttdit.core.symbolic.formula import Formula


def polynomial(tensors: Iterable[Tensors], known: Abbreviations) -> str:
    """The bytes of all of these as a sum of products, the largest first; what differs by a number only is one product.

    `known` are the derived symbols of the stage, over which it is written.
    """
    plain, numbers = Formula({}), Counter[Formula]()
    for each in tensors:
        short = known.shorten(each.formula)
        if len(short.terms) == 1:
            plain = plain + each.count * short
        else:
            number, rest = _split(short)
            numbers[rest] += each.count * number
    products = [Formula({monomial: number}) for monomial, number in known.shorten(plain).terms.items()]
    products += [number * rest for rest, number in numbers.items()]
    products.sort(key=lambda one: -known.value(one))
    return " + ".join(map(product, products)) or "0"


def _split(formula: Formula) -> tuple[int, Formula]:
    """A formula as a whole number times the rest."""
    numbers = [number for number in formula.terms.values() if isinstance(number, int)]
    if len(numbers) < len(formula.terms):
        return 1, formula
    common = gcd(*numbers)
    return common, formula / common
