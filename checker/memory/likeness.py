"""Layers that do alike whatever is recomputed: what is seen in a few families of structures saves most of the recording in the others.

The structures of a family have their switches in common and differ in the form of their layers. From form to form little changes: a layer
is a group's first one or its last, a model's last, one whose replay the next one waits for. So all places of all forms fall into
few classes, and short forms have one place of each. Where each two switches are seen in all their positions, families are recorded in their
own forms and in the short ones; of the others the short ones are recorded, and the rest is put together from their runs.

Alike are places only if they did the same, to the last allocation that counts, in all families that were seen; and where several
short places are alike they have to do the same in each further family too, or that one is recorded in its own forms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

from attrs import frozen

from tttdit.checker.memory.structures import Form, Structure, Values
from tttdit.core.symbolic.atlas import Sheet
from tttdit.core.symbolic.periods import Rows, Who

Family: TypeAlias = Mapping[Form, Structure]
Sheets: TypeAlias = Mapping[Form, Sheet]  # a family's, which speak of runs by the numbers of one atlas


def families(structures: Iterable[Structure]) -> dict[Values, Family]:
    """By their switches, those that come in all forms."""
    found: dict[Values, dict[Form, Structure]] = defaultdict(dict)
    for structure in structures:
        found[structure.switches][structure.form] = structure
    forms = {form for family in found.values() for form in family}
    return {switches: family for switches, family in found.items() if len(family) == len(forms)}


def shortened(switches: Values, family: Family) -> Family:
    """The family in short forms."""
    return {form: Structure(switches, form) for form in dict.fromkeys(form.short for form in family)}


def worth_seeing(every: Mapping[Values, Family]) -> list[Values]:
    """Few families in which each two switches are seen in all their positions; all of them where that would save nothing, or where the
    model is shorter than a short form.
    """
    left = {two for switches in every for two in combinations(switches, 2)}
    chosen: list[Values] = []
    while left:
        chosen.append(max(every, key=lambda switches: len(left.intersection(combinations(switches, 2)))))
        left -= {*combinations(chosen[-1], 2)}
    if not chosen:
        return [*every]
    own = [form.rows.layers for form in every[chosen[0]]]
    short = [form.rows.layers for form in shortened(chosen[0], every[chosen[0]])]
    saves = len(every) * sum(short) < (len(every) - len(chosen)) * sum(own)
    return chosen if saves and max(short) <= max(own) else [*every]


Place: TypeAlias = tuple[Form, int]  # a short form's, and a run in its sheet


@frozen
class _Alike:
    """A form as it is put together: of each of its runs the short places that do the same."""

    rows: Rows
    whos: tuple[Who, ...]
    places: tuple[Sequence[Place], ...]


class Likeness:
    """What has been seen in some families, in their own forms and in short ones."""

    def __init__(self, own: Sequence[Sheets], short: Sequence[Sheets]) -> None:
        self._whos = {form: whos for form in short[0] if (whos := _same_whos(form, short)) is not None}
        places: dict[tuple[int, ...], list[Place]] = defaultdict(list)
        for form in self._whos:
            for at, runs in enumerate(zip(*(sheets[form].runs for sheets in short), strict=True)):
                places[runs].append((form, at))
        self._alike: dict[Form, _Alike] = {}
        for form in own[0]:
            whos = _same_whos(form, own)
            if whos is None:
                continue
            runs_of_all = [*zip(*(sheets[form].runs for sheets in own), strict=True)]
            if all(runs in places for runs in runs_of_all):
                self._alike[form] = _Alike(form.rows, whos, tuple(places[runs] for runs in runs_of_all))

    def put_together(self, form: Form, short: Sheets) -> Sheet | None:
        """A family's sheet of a form, from its short ones; None where it does not follow."""
        alike = self._alike.get(form)
        if alike is None or any(form not in short or short[form].whos != whos for form, whos in self._whos.items()):
            return None
        runs: list[int] = []
        for places in alike.places:
            did = {short[form].runs[at] for form, at in places}
            if len(did) > 1:
                return None
            runs += did
        return Sheet(alike.rows, alike.whos, tuple(runs))


def _same_whos(form: Form, families: Collection[Sheets]) -> tuple[Who, ...] | None:
    """Who runs in a form, in order, if that is the same in all families."""
    whos = {sheets[form].whos if form in sheets else None for sheets in families}
    return whos.pop() if len(whos) == 1 else None
