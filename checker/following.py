"""Follows the model through the symbolic world, and makes findings of what stops it there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from tttdit.checker.rules.inexact_division import InexactDivision
from tttdit.checker.rules.module_error import ModuleError
from tttdit.checker.rules.shape_mismatch import ShapeMismatch
from tttdit.checker.rules.tensor_too_large import TensorTooLarge
from tttdit.checker.rules.unknown_call import UnknownCall
from tttdit.checker.rules.unusable_plugin import UnusablePlugin
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
    "plugin": UnusablePlugin(),
}
# torch counts bytes with a signed number of 64 bits, and no type of the model's tensors has fewer than 2 bytes.
_MOST_ELEMENTS = 2**62
# Errors of these families are about how a run goes: the model's shapes mean something nevertheless.
_ABOUT_THE_RUN = ("TTD4", "TTD5", "TTD6", "TTD7")


@frozen
class Followed:
    """The model's shapes as far as it could be followed, and why not further."""

    shapes: tuple[NamedShape, ...] = ()
    findings: tuple[Finding, ...] = ()
    proved: bool = False
    parameters: Mapping[str, tuple[int, ...]] = field(
        factory=dict
    )  # of few of the layers that are all alike; none: no model


def follow(stage: Stage, errors: list[Finding]) -> Followed:
    """The model of a stage for which these errors have been found already; some of them make its shapes meaningless."""
    if any(not error.code.startswith(_ABOUT_THE_RUN) for error in errors):
        return Followed()
    from tttdit.core.symbolic.trace import trace

    try:
        seen = trace(stage)
    except Unresolved as hole:
        return Followed(findings=() if errors else (_hole(hole.symbol, stage),))
    shapes = seen.once()
    findings = [_finding(problem, stage) for problem in seen.problems]
    largest = max(shapes, key=_elements, default=None)
    if largest is not None and _elements(largest) >= _MOST_ELEMENTS:
        findings.append(_too_large(largest, stage))
    parameters = {shape.name: shape.shape for shape in seen.shapes if shape.kind == "parameter"}
    return Followed(shapes, tuple(findings), not findings, parameters)


def _elements(tensor: NamedShape) -> int:
    return prod(map(int, tensor.shape))


def _too_large(tensor: NamedShape, stage: Stage) -> Finding:
    """A tensor that torch would not make on any machine."""
    symbols = frozenset(name for size in tensor.shape for name in formula_of(size).symbols())
    given = sorted(_given(symbols, stage.dims), key=lambda name: -(stage.dims.exact(name) or 0))
    (key, _), *others = _places(given, stage.dims) or [("model.plugin", "")]
    return TensorTooLarge().finding(
        f"{tensor.name} [{', '.join(str(formula_of(size)) for size in tensor.shape)}] would have {_elements(tensor):,} elements: "
        "more bytes than torch can count",
        key=key,
        help="one of these sizes is too large",
        related=[Related(label, other) for other, label in others],
    )


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
    places = _places(_given(symbols, stage.dims), stage.dims) or [(_module_key(problem, stage), "")]
    (key, _), *others = places
    return page.finding(
        message,
        key=key,
        help=_help(problem),
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
_HELP_FOR_FAILED = "this is a mistake in the plugin, not in the spec: please tell its authors"


def _help(problem: Problem) -> str:
    if problem.kind == "unknown":
        return HELP_FOR_UNKNOWN
    return _HELP_FOR_FAILED if problem.kind == "plugin" and problem.path is not None else ""


def _given(symbols: frozenset[str], dims: Dimensions) -> list[str]:
    """The given dimensions behind these."""
    inner = dims.expand(sum((Formula.symbol(name) for name in sorted(symbols & set(dims))), Formula({})), to_given=True)
    return [name for name in dims if name in inner.symbols() and dims.describe(name).keys]


def _places(given: Iterable[str], dims: Dimensions) -> list[tuple[str, str]]:
    """The keys of given dimensions, each with what it gives."""
    return [(dims.describe(name).keys[0], _told(name, dims)) for name in given]


def _told(name: str, dims: Dimensions) -> str:
    """`T = 502 (tokens in a text segment)`; what is called what it means is not said twice."""
    value, meaning = dims.exact(name), dims.describe(name).meaning
    number = f"{name} = {'?' if value is None else spoken(value)}"
    return number if name == meaning else f"{number} ({meaning})"


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
