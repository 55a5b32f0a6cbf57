"""Laws and their solutions in words, the same in findings, in the reasons of `"auto"`, and in the answers of `tttdit solve`."""

from __future__ import annotations

from tttdit.core.dimensions import Dimensions
from tttdit.core.laws import AtMost, Divisible, Equal, Law
from tttdit.core.solving.solutions import Solutions
from tttdit.core.symbolic.formula import Formula
from tttdit.core.wording import spoken

# More classes than these are counted, not listed.
MOST_LISTED = 8


def say(law: Law, dims: Dimensions, asked: str = "") -> str:
    """A law as a clause: `L divisible by b = 64`; without the values of what depends on the symbol that is asked for."""
    if isinstance(law, Divisible):
        return f"{law.dividend} divisible by {_with_value(law.divisor, dims, asked)}"
    if isinstance(law, Equal):
        return f"{law.right} = {_with_value(law.left, dims, asked)}"
    if isinstance(law, AtMost):
        most = law.right.constant
        return f"{law.left} at most {law.right if most is None else spoken(most)}"
    return f"{law.formula} whole"


def classes(symbol: str, found: Solutions) -> str:
    """`T = 54 (mod 64)`, `S = 1, 3 (mod 4)`; "" where every whole number works, or only some that have to be listed."""
    if found.listed is not None or found.tested is not None or found.step == 1 or found.why_none:
        return ""
    if len(found.residues) > MOST_LISTED:
        return f"{symbol} in {len(found.residues):,} classes (mod {spoken(found.step)})"
    return f"{symbol} = {', '.join(spoken(residue) for residue in found.residues)} (mod {spoken(found.step)})"


def _with_value(formula: Formula, dims: Dimensions, asked: str) -> str:
    value = None if asked in dims.expand(formula, to_given=True).symbols() else dims.evaluate(formula)
    return str(formula) if formula.constant is not None or value is None else f"{formula} = {spoken(value)}"
