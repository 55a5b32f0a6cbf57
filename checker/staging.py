"""What a report says about a stage: its dimensions and shapes as plain numbers and texts."""

from __future__ import annotations

from functools import partial

from tttdit.checker.following import Followed
from tttdit.checker.memory.weighing import Weighing
from tttdit.checker.report import Chosen, DimensionReport, ProofReport, ShapeReport, StageReport
from tttdit.checker.spelling import spelled
from tttdit.core.dimensions import Dimensions
from tttdit.core.stage import Stage
from tttdit.core.symbolic.dimension import formula_of


def stage_report(
    stage: Stage,
    chosen: tuple[Chosen, ...],
    followed: Followed,
    proof: ProofReport | None = None,
    weighing: Weighing | None = None,
    *,
    ok: bool,
) -> StageReport:
    """The report on a stage; `ok` says that it has no errors."""
    return StageReport(
        name=stage.name,
        ok=ok,
        dimensions=tuple(_dimension(stage.dims, symbol) for symbol in stage.dims),
        sequence=_sequence(stage.dims),
        chosen=chosen,
        shapes=tuple(
            ShapeReport(
                name=shape.name,
                kind=shape.kind,
                dtype=shape.dtype,
                formula=tuple(str(formula_of(size)) for size in shape.shape),
                value=tuple(int(size) for size in shape.shape),
                symbols=frozenset(name for size in shape.shape for name in formula_of(size).symbols()),
            )
            for shape in followed.shapes
        ),
        proved=followed.proved,
        proof=proof,
        weighing=weighing,
    )


def _dimension(dims: Dimensions, symbol: str) -> DimensionReport:
    line = dims.describe(symbol)
    return DimensionReport(
        symbol=symbol,
        value=_whole(dims, symbol),
        formula=spelled(line.definition) if line.definition is not None else "",
        meaning=line.meaning,
        keys=line.keys,
    )


def _sequence(dims: Dimensions) -> dict[str, int | None]:
    """The lengths that a sequence is made of, as far as the stage's plugins define them."""

    value = partial(_whole, dims)
    segments, tokens = value("S"), value("T")
    return {
        "video_tokens": value("V"),
        "text_tokens": None if segments is None or tokens is None else segments * tokens,
        "total_tokens": value("L"),
        "rope_positions": value("V"),
        "mini_batches": value("n"),
    }


def _whole(dims: Dimensions, symbol: str) -> int | None:
    """What the spec makes of a dimension, be it right or wrong, where that is a length at all."""
    value = dims.exact(symbol) if symbol in dims else None
    return value if isinstance(value, int) and value >= 1 else None
