"""The shapes of a stage's tensors as a table: name, formula, value."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.checker.render.paint import Paint
from tttdit.checker.render.text import table, visible
from tttdit.checker.report import FileReport, ShapeReport, StageReport


def render(file: FileReport, *, symbolic: bool, paint: Paint) -> Iterator[str]:
    """The tables of a file's stages; with `symbolic`, without numbers."""
    for stage in file.stages:
        yield f"{paint(visible(file.path), 'strong')}, stage {paint(visible(stage.name), 'strong')}"
        if not symbolic:
            yield from (f"  {line}" for line in _values(stage))
        yield from table(_rows(stage.shapes, symbolic))
        if not stage.proved:
            yield "  (the model could not be followed to its end: tttdit check says why)"
        yield ""


def as_dict(file: FileReport, *, symbolic: bool) -> dict[str, object]:
    """The same as JSON has it, in the form of a check's."""
    return {
        "path": file.path,
        "ok": file.ok,
        "findings": file.as_dict()["findings"],
        "stages": [
            {
                "name": stage.name,
                "proved": stage.proved,
                **({} if symbolic else {"dims": stage.dims}),
                "shapes": [
                    {key: value for key, value in shape.as_dict().items() if not (symbolic and key == "value")}
                    for shape in stage.shapes
                ],
            }
            for stage in file.stages
        ],
    }


def _values(stage: StageReport) -> Iterator[str]:
    """Which number each symbol of the formulas stands for."""
    used = {symbol for shape in stage.shapes for symbol in shape.symbols}
    known = [f"{d.symbol} = {d.value:,}" for d in stage.dimensions if d.symbol in used and d.value is not None]
    if known:
        yield ", ".join(known)


def _rows(shapes: tuple[ShapeReport, ...], symbolic: bool) -> Iterator[tuple[str, ...]]:
    for shape in shapes:
        formula = f"[{', '.join(shape.formula)}]"
        value = f"[{', '.join(str(size) for size in shape.value)}]"
        yield (shape.name, shape.kind, formula) if symbolic else (shape.name, shape.kind, formula, value)
