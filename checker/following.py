"""Follows the model through the symbolic world, and makes findings of what stops it there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from tttdit.checker.rules.inexact_division import InexactDivision
from tttdit.checker.rules.module_error import ModuleError
from tttdit.checker.rules.shape_mismatch import ShapeMismatch
from tttdit.checker.rules.unknown_call import UnknownCall
from tttdit.checker.spelling import spelled
from tttdit.core.dimensions import Dimensions
from tttdit.core.errors import Unresolved
from tttdit.core.findings import Finding, Related, Span
from tttdit.core.rules import Page
from tttdit.core.stage import Stage
from tttdit.core.symbolic.dimension import formula_of
from tttdit.core.symbolic.formula import Formula
from tttdit.core.wording import spoken

if TYPE_CHECKING:
    from tttdit.core.shapes import NamedShape
    from tttdit.core.symbolic.trace import Problem

_PAGES: dict[str, Page] = {
    "shape": ShapeMismatch(),
    "division": InexactDivision(),
    "unknown": UnknownCall(),
    "error": ModuleError(),
}
# Errors of these families are about how a run goes: the model's shapes mean something nevertheless.
_ABOUT_THE_RUN = ("TTD4", "TTD5", "TTD6", "TTD7")


@frozen
class Followed:
    """The model's shapes as far as it could be followed, and why not further."""

    shapes: tuple[NamedShape, ...] = ()
    findings: tuple[Finding, ...] = ()
    proved: bool = False


def follow(stage: Stage, errors: list[Finding]) -> Followed:
    """The model of a stage for which these errors have been found already; some of them make its shapes meaningless."""
    if any(not error.code.startswith(_ABOUT_THE_RUN) for error in errors):
        return Followed()
    from tttdit.core.symbolic.trace import trace

    try:
        seen = trace(stage)
    except Unresolved as hole:
        return Followed(findings=() if errors else (_hole(hole.symbol, stage),))
    findings = tuple(_finding(problem, stage) for problem in seen.problems)
    return Followed(seen.once(), findings, proved=not findings)


def _hole(symbol: str, stage: Stage) -> Finding:
    """A dimension without a usable value that no rule has complained about."""
    line, value = stage.dims.describe(symbol), stage.dims.exact(symbol)
    formula = f" = {spelled(line.definition)}" if line.definition is not None else ""
    number = "has no value" if value is None else f"is {spoken(value)}, not a whole number of at least 1"
    key, *others = line.keys or ("model.plugin",)
    return InexactDivision().finding(
        f"the model needs {symbol}{formula} ({line.meaning}), which {number}",
        key=key,
        related=[Related(f"{symbol} depends on this", other) for other in others],
    )


def _finding(problem: Problem, stage: Stage) -> Finding:
    page = _PAGES[problem.kind]
    message, symbols = problem.message, frozenset[str]()
    if problem.left is not None and problem.right is not None:
        left, right = problem.left, problem.right
        symbols = (formula_of(left) - formula_of(right)).symbols() or formula_of(left).symbols()
        if problem.kind == "shape":
            message = f"{message}\n{_explained(problem, left, right, stage.dims)}"
    places = list(_keys(symbols, stage.dims)) or [(_module_key(problem, stage), "")]
    (key, _), *others = places
    return page.finding(
        message,
        key=key,
        help=HELP_FOR_UNKNOWN if problem.kind == "unknown" else "",
        related=[*_module(problem), *(Related(label, other) for other, label in others)],
    )


def _explained(problem: Problem, left: int, right: int, dims: Dimensions) -> str:
    """Why two lengths differ; what the message has said already is not said again."""
    from tttdit.checker.mismatch import differ, explain, names, told

    if problem.left_name and problem.right_name:
        return told(left, right, (problem.left_name, problem.right_name), dims)
    if all(f"{formula_of(side)} = {int(side):,}" in problem.message for side in (left, right)):
        return "; ".join(part for part in (names(left, right, dims), differ(left, right, dims)) if part)
    return explain(left, right, dims)


HELP_FOR_UNKNOWN = "nothing is wrong with the spec; the shapes that come after this call are not proved"


def _keys(symbols: frozenset[str], dims: Dimensions) -> Iterator[tuple[str, str]]:
    """The keys behind dimensions, each with what it gives."""
    inner = dims.expand(sum((Formula.symbol(name) for name in sorted(symbols & set(dims))), Formula({})), to_given=True)
    for name in dims:
        line = dims.describe(name)
        if name in inner.symbols() and line.keys:
            value = dims.exact(name)
            yield line.keys[0], f"{name} = {'?' if value is None else spoken(value)} ({line.meaning})"


def _module(problem: Problem) -> Iterator[Related]:
    """The line of the plugin's module."""
    if problem.path is None or problem.line is None:
        return
    where = f"in {problem.where}: " if problem.where else ""
    span = Span(problem.line, 1, problem.line, 1)
    yield Related(f"{where}{problem.code}", span=span, path=problem.path)


def _module_key(problem: Problem, stage: Stage) -> str:
    """The key that chose the module, for a problem that no dimension explains."""
    return "model.mixer.plugin" if problem.mixers else module_key(problem.path, stage)


def module_key(path: str | None, stage: Stage) -> str:
    """The key that chose the module in this file: the model's for its own files, else the mixer's."""
    module = stage.assembly.model.module.partition(":")[0].split(".")
    home = module[-2] if len(module) > 1 else module[-1]
    if path is None or home in (Path(path).parent.name, Path(path).stem):
        return "model.plugin"
    return "model.mixer.plugin"
