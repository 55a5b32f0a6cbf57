"""Saved and peak bytes, region by region: those that are predicted, beside those that torch takes.

Torch does not say which region an operator belongs to; the symbolic world does. So this asks for two logs that agree operator by operator,
and takes the regions from the one and the bytes from the other. What is predicted comes from neither: it is the record that
`predict_memory` reads, in which layers may have been put together from a few, and custom operators count as one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import frozen

from tttdit.core.runtime.proof.comparing import SILENT, Difference, audible, results
from tttdit.core.symbolic.storage import Operator
from tttdit.core.symbolic.tape import Moment, Tape

OUTSIDE = "outside all regions"


class Counted(Protocol):
    """What counted a step on torch: `LiveBytes`, or a `FakeRun`."""

    @property
    def log(self) -> Sequence[Operator]:
        """Every operator."""

    @property
    def saved_by(self) -> Mapping[int, int]:
        """Bytes live when the loss had been computed, by the number of the operator that made them."""


@frozen
class RegionBytes:
    """What the regions of one name take: bytes that their results save, of all layers, and the most that lives while one is at work.

    In backward a region is at work while it is replayed, and while what its forward pass made is gone back through.
    """

    name: str
    saved_bytes: int
    peak_bytes: int
    predicted_saved_bytes: int
    predicted_peak_bytes: int

    @property
    def agrees(self) -> bool:
        """Whether torch takes what is predicted."""
        return (self.saved_bytes, self.peak_bytes) == (self.predicted_saved_bytes, self.predicted_peak_bytes)


@frozen
class MemoryProof:
    """What a step takes on torch, and what is predicted. No regions where the two logs are not of the same operators."""

    saved_bytes: int
    peak_bytes: int
    predicted_saved_bytes: int
    predicted_peak_bytes: int
    regions: tuple[RegionBytes, ...] = ()
    difference: Difference | None = None


def compare_memory(counted: Counted, symbolic: Sequence[Operator], tape: Tape) -> MemoryProof:
    """Holds a record against what was counted; `symbolic` is the log of the same step in the symbolic world."""
    proof = MemoryProof(
        sum(counted.saved_by.values()),
        max((operator.high for operator in counted.log), default=0),
        tape.saved_bytes,
        tape.peak_bytes,
    )
    named = _named(counted.log, symbolic)
    if named is None:
        return proof
    measured, predicted = _Figures.of_log(counted, named), _Figures.of_tape(tape)
    regions = tuple(
        RegionBytes(
            name,
            measured.saved[name].total(),
            measured.high(name),
            predicted.saved[name].total(),
            predicted.high(name),
        )
        for name in dict.fromkeys([*predicted.peaks, *measured.peaks])
    )
    different = next((region for region in regions if not region.agrees), None)
    difference = None if different is None else _told(different, measured, predicted, named)
    return MemoryProof(
        proof.saved_bytes,
        proof.peak_bytes,
        proof.predicted_saved_bytes,
        proof.predicted_peak_bytes,
        regions,
        difference,
    )


def _named(log: Sequence[Operator], symbolic: Sequence[Operator]) -> list[Operator] | None:
    """For each operator on torch the symbolic one that has its place; for a silent one, the next that counts."""
    theirs = audible(symbolic)
    if len(audible(log)) != len(theirs) or not theirs:
        return None
    named, heard = [], 0
    for operator in log:
        named.append(theirs[min(heard, len(theirs) - 1)])
        heard += operator.name not in SILENT
    return named


def _name(region: str) -> str:
    """`layers.*.attention`."""
    return re.sub(r"(^|\.)\d+(?=\.|$)", r"\1*", region) or OUTSIDE


class _Figures:
    """Bytes of one side, by region: what is saved by the name of the operator that made it, and where the peak stands."""

    def __init__(self) -> None:
        self.saved: dict[str, Counter[str]] = {}
        self.peaks: dict[str, tuple[int, int, Operator | Moment]] = {}  # bytes, number, operator

    @classmethod
    def of_log(cls, counted: Counted, named: Sequence[Operator]) -> _Figures:
        figures = cls()
        for at, operator in enumerate(counted.log):
            if operator.name not in SILENT:
                figures._peak(_name(named[at].region), operator.high, at, operator)
        for at, nbytes in counted.saved_by.items():
            figures._saved(_name(named[at].region), named[at].name, nbytes)
        return figures

    @classmethod
    def of_tape(cls, tape: Tape) -> _Figures:
        figures = cls()
        for at, moment in enumerate(tape.moments):
            if moment.name not in SILENT:
                figures._peak(_name(moment.region), moment.high, at, moment)
        for one in tape.allocations:
            if one.made < tape.forward and (one.gone is None or one.gone > tape.forward):
                moment = _audible_from(tape, one.made)
                figures._saved(_name(moment.region), moment.name, one.nbytes)
        return figures

    def high(self, name: str) -> int:
        return self.peaks[name][0] if name in self.peaks else 0

    def _peak(self, name: str, nbytes: int, at: int, operator: Operator | Moment) -> None:
        self.saved.setdefault(name, Counter())
        if nbytes > self.high(name):
            self.peaks[name] = nbytes, at, operator

    def _saved(self, name: str, operator: str, nbytes: int) -> None:
        self.saved.setdefault(name, Counter())[operator] += nbytes


def _audible_from(tape: Tape, at: int) -> Moment:
    """The moment, or where that is silent the next one that counts."""
    following = (moment for moment in tape.moments[at:] if moment.name not in SILENT)
    return next(following, tape.moments[at])


def _told(region: RegionBytes, measured: _Figures, predicted: _Figures, named: Sequence[Operator]) -> Difference:
    """Which figure of a region differs, and the operator to look at."""
    if region.saved_bytes != region.predicted_saved_bytes:
        ours, theirs = measured.saved.get(region.name, Counter()), predicted.saved.get(region.name, Counter())
        apart = max({*ours, *theirs}, key=lambda name: abs(ours[name] - theirs[name]))
        return Difference(
            f"saved bytes of {region.name} differ: {region.saved_bytes:,} on torch, {region.predicted_saved_bytes:,} predicted\n"
            f"results of {apart}: {ours[apart]:,} bytes on torch, {theirs[apart]:,} predicted",
            *_lines(next((each for each in named if each.name == apart and _name(each.region) == region.name), None)),
        )
    lines = [
        f"the peak of {region.name} differs: {region.peak_bytes:,} bytes on torch, {region.predicted_peak_bytes:,} predicted"
    ]
    where: Operator | None = None
    if region.name in measured.peaks:
        _, at, operator = measured.peaks[region.name]
        where = named[at]
        what = f" {results(operator)}" if isinstance(operator, Operator) else ""
        lines.append(f"{'torch:':10} operator {at + 1:,} of {len(named):,}, {operator.name}{what} in {where.place}")
    if region.name in predicted.peaks:
        _, _, moment = predicted.peaks[region.name]
        beside = f", with a workspace of {moment.workspace:,} bytes" if moment.workspace else ""
        lines.append(f"{'predicted:':10} {moment.name} in {moment.place}{beside}")
    return Difference("\n".join(lines), *_lines(where))


def _lines(operator: Operator | None) -> tuple[str, str]:
    """Of the module and of the rule."""
    return (operator.line, operator.rule) if operator else ("", "")
