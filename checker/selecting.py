"""Which codes a check speaks of: `--select TTD2,LAX --ignore TTD201`.

A selector is a code (TTD201), what codes begin with (TTD2, LAX) or ALL. Where several speak of one code the longest decides, as in ruff;
of one in both options, --ignore. Without --select everything is selected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import ne

from attrs import frozen

from tttdit.core.errors import UsageError
from tttdit.core.spec.wording import nearest

ALL = "ALL"

_FAMILY = len("TTD2")


@frozen
class Selection:
    """Selectors in capitals; `selected` is empty where everything is."""

    selected: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @classmethod
    def of(cls, select: Iterable[str], ignore: Iterable[str], codes: Sequence[str]) -> Selection:
        """What the options say, each with one selector or several with commas. Raises UsageError for one that fits none of the codes."""
        return cls(_selectors(select, "--select", codes), _selectors(ignore, "--ignore", codes))

    def __contains__(self, code: object) -> bool:
        code = str(code)
        chosen = _weight(code, self.selected or (ALL,))
        return chosen > 0 and chosen > _weight(code, self.ignored)


def nearest_code(text: str, codes: Iterable[str]) -> str | None:
    """The code that was probably meant: one of the same family before all others, with most digits right, and the nearest number."""
    known = sorted(codes)
    family = [code for code in known if code[:_FAMILY] == text[:_FAMILY]]
    digits = text[_FAMILY:]
    if digits.isdecimal():
        numbered = [code for code in family if len(code) == len(text) and code[_FAMILY:].isdecimal()]

        def distance(code: str) -> tuple[int, int]:
            other = code[_FAMILY:]
            return sum(map(ne, other, digits)), abs(int(other) - int(digits))

        if numbered:
            return min(numbered, key=distance)
    return nearest(text, family) or nearest(text, known)


def _weight(code: str, selectors: Iterable[str]) -> int:
    """How closely one of the selectors fits, 0 where none does."""
    return max(
        (1 if one == ALL else 1 + len(one) for one in selectors if one == ALL or code.startswith(one)), default=0
    )


def _selectors(texts: Iterable[str], option: str, codes: Sequence[str]) -> tuple[str, ...]:
    found = []
    for text in texts:
        for part in map(str.strip, text.split(",")):
            selector = part.upper()
            if not part:
                raise UsageError(f"{option} takes codes such as TTD201, with commas between them; one is empty")
            if selector != ALL and not any(code.startswith(selector) for code in codes):
                raise UsageError(_unknown(part, option, codes))
            found.append(selector)
    return tuple(found)


def _unknown(text: str, option: str, codes: Sequence[str]) -> str:
    is_code = text[-3:].isdigit()
    known = codes if is_code else [ALL, *(family for code in codes for family in _families(code))]
    near = nearest_code(text.upper(), known)
    meant = f"; did you mean {near}?" if near else ""
    return f'{option}: no code is "{text}" or begins with it{meant} (tttdit rule --all lists them)'


def _families(code: str) -> Iterator[str]:
    """TTD, TTD2, TTD20 and TTD201 of TTD201."""
    letters = code.rstrip("0123456789")
    return (code[:length] for length in range(len(letters), len(code) + 1))
