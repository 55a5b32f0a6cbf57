"""What a verification says of a stage, in a few lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from tttdit.checker.render.paint import Paint
from tttdit.checker.render.text import visible
from tttdit.checker.report import ProofReport

_WIDTH = 120
_GIB = 2**30


def proof(report: ProofReport, paint: Paint) -> Iterator[str]:
    """The verdict, its figures, and the sizes that it holds for."""
    if report.agrees:
        where = "small" if report.scale == "small" else "at full size"
        yield (
            f"  {paint('verified', 'good')} {where}: {report.operators:,} operators agree in shapes, strides, dtypes and bytes; "
            f"{report.parameters:,} parameters; FLOPs {100 * report.flops_apart:.1f} % apart"
        )
        yield from _memory(report)
        yield from _sizes(report)
    elif report.agrees is False:
        yield f"  {paint('not verified', 'error')}: torch does something else than the check believes (TTD320)"
        yield from _memory(report)
        yield from _sizes(report)
    elif report.traced and not report.note:
        yield (
            f"  {paint('not verified', 'warning')}: the check does not know every call (TTD312); traced on torch's fake tensors instead: "
            f"{report.operators:,} operators,"
        )
        yield (
            f"    {report.parameters:,} parameters, {(report.saved_bytes or 0) / _GIB:.2f} GiB live after forward, "
            f"{report.peak_bytes / _GIB:.2f} GiB at the peak, parameters and their gradients left out"
        )
    else:
        yield f"  {paint('not verified', 'warning')}: {visible(report.note)}"


def _memory(report: ProofReport) -> Iterator[str]:
    """Saved and peak bytes, and how many regions take what is predicted."""
    if report.predicted_saved_bytes is None or report.saved_bytes is None:
        return
    saved = _figure("saved", report.saved_bytes, report.predicted_saved_bytes)
    peak = _figure("peak", report.peak_bytes, report.predicted_peak_bytes)
    agree = sum(
        (region.saved_bytes, region.peak_bytes) == (region.predicted_saved_bytes, region.predicted_peak_bytes)
        for region in report.regions
    )
    if not report.regions:
        yield f"    {saved}, {peak}"
    elif agree < len(report.regions):
        yield f"    {saved}, {peak}; {agree} of {len(report.regions)} regions as predicted"
    else:
        yield f"    {saved}, {peak}; each of {len(report.regions)} regions as predicted"


def _figure(what: str, measured: int, predicted: int | None) -> str:
    told = "as predicted" if measured == predicted else f"predicted {predicted:,}"
    return f"{what} {measured:,} bytes ({told})"


def _sizes(report: ProofReport) -> Iterator[str]:
    """`with model.width = 48, ...`, as many to a line as fit."""
    text = ", ".join(f"{key} = {small}" for key, small, _ in report.sizes)
    if text:
        yield from textwrap.wrap(visible(text), _WIDTH, initial_indent="    with ", subsequent_indent="    ")
