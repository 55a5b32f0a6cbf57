"""What one rank needs for a training step: a bar a part against what its GPU has, and the figures behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import frozen

from tttdit.checker.render.paint import Paint, Role
from tttdit.checker.render.text import table, visible
from tttdit.core.wording import spoken_bytes, spoken_flops

if TYPE_CHECKING:
    from tttdit.checker.memory.prediction import Exchange, Part, Prediction
    from tttdit.checker.memory.sampling import SamplingPrediction

_COLUMNS = 48
_NEEDED = "needed"
_ORDER: tuple[Part, ...] = ("parameters", "optimizer", "gradients", "activations", "workspace", "buffers")


def memory_bars(prediction: Prediction, paint: Paint) -> Iterator[str]:
    """The verdict, the parts' bars one behind the other, and a line each for the peak, the host, compute and communication."""
    parts = _parts(prediction)
    needed = sum(parts.values())
    budget = prediction.budget_bytes
    yield f"  memory of one rank (predicted): {verdict(prediction, paint)}"
    scale, width, below = _Scale(max(needed, budget or 0, 1)), max(map(len, [*parts, _NEEDED])), 0
    for name, count in parts.items():
        bar = scale.bar(below, below + count, "=", paint, "related")
        yield f"    {name:<{width}}  {spoken_bytes(count, needed):>12} |{bar}|"
        below += count
    limit = needed if budget is None else min(needed, budget)
    role: Role = "strong" if budget is None else "good" if needed <= budget else "error"
    bar = scale.bar(0, limit, "#", paint, role, to=limit) + scale.bar(limit, needed, "!", paint, "error", since=limit)
    end = f" {spoken_bytes(budget, needed)}" if budget is not None and needed <= budget else ""
    yield f"    {_NEEDED:<{width}}  {spoken_bytes(needed, needed):>12} |{bar}|{end}"
    yield from table(_figures(prediction, needed), indent="    ")


@frozen
class _Scale:
    """The columns of a bar; `full` is the number of bytes that fills all of them."""

    full: int

    def column(self, count: int) -> int:
        """Where so many bytes end."""
        return round(_COLUMNS * count / self.full)

    def bar(
        self, first: int, last: int, fill: str, paint: Paint, role: Role, *, since: int = 0, to: int | None = None
    ) -> str:
        """What lies between two numbers of bytes, in the columns from `since` to `to`; by default in all there are."""
        begin, end = self.column(since), _COLUMNS if to is None else self.column(to)
        left, right = self.column(first), self.column(last)
        return " " * (left - begin) + paint(fill * (right - left), role) + " " * (end - right)


def _parts(prediction: Prediction) -> dict[str, int]:
    """All that the GPU must hold, by name: first what stays, then what comes and goes. What is too small for a column is one part."""
    known = {str(name): count for name, count in prediction.parts.items()}
    parts = {name: known.pop(name, 0) for name in _ORDER} | known
    parts["blocks"] = prediction.reserved_bytes - prediction.total_bytes
    parts["outside"] = prediction.outside_bytes
    least = max(sum(parts.values()), prediction.budget_bytes or 0) / (2 * _COLUMNS)
    small = {name: count for name, count in parts.items() if count < least}
    if sum(map(bool, small.values())) > 1:
        parts = {name: count for name, count in parts.items() if name not in small} | {"other": sum(small.values())}
    return {name: count for name, count in parts.items() if count}


def verdict(prediction: Prediction | SamplingPrediction, paint: Paint) -> str:
    """`fits, 45.87 GiB to spare`; for tight and too large by how much."""
    needed, budget = prediction.needed_bytes, prediction.budget_bytes
    if budget is None:
        return "no GPU is named"
    if needed <= budget:
        return f"{paint('fits', 'good')}, {spoken_bytes(budget - needed)} to spare"
    over = f"{spoken_bytes(needed - budget)} over the {spoken_bytes(budget)} of the GPU"
    if prediction.total_bytes + prediction.outside_bytes <= budget:
        return f"{paint('tight', 'warning')}, {over}, and less without what blocks waste"
    return f"{paint('does not fit', 'error')}, {over}"


def _figures(prediction: Prediction, needed: int) -> Iterator[tuple[str, str]]:
    """Labels and what is said behind them."""
    yield "highest", visible(prediction.total_at)
    yield (
        "step",
        f"{spoken_bytes(prediction.saved_bytes, needed)} saved by forward, peak {spoken_bytes(prediction.peak_bytes, needed)} in "
        f"{visible(prediction.peak_at)}",
    )
    if prediction.host_bytes:
        yield "host", f"{spoken_bytes(sum(prediction.host_bytes.values()))} of a node's main memory"
    recomputed = prediction.recompute_flops / prediction.flops if prediction.flops else 0
    yield "compute", f"{spoken_flops(prediction.flops)}, {100 * recomputed:.1f} % of it recomputed"
    if prediction.communication:
        yield "sends", _sent(prediction.communication)


def _sent(exchanges: tuple[Exchange, ...]) -> str:
    """`all-gather 12.30 GiB, reduce-scatter 6.10 GiB; 4.10 GiB of it between nodes`."""
    by_name: Counter[str] = Counter()
    for one in exchanges:
        by_name[one.name] += one.sent
    far = sum(one.sent for one in exchanges if one.between_nodes)
    text = ", ".join(f"{name} {spoken_bytes(count)}" for name, count in by_name.items())
    return f"{text}; {spoken_bytes(far)} of it between nodes" if far else text
