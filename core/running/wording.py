"""A step's metrics in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tttdit.core.wording import spoken_bytes

SLOW_DATA = 0.01  # share of a step that waiting for samples is mentioned from


def line_of(metrics: Mapping[str, Any]) -> str:
    """A step on a line: `9s step 120/5,000: loss 0.0312, gradient norm 0.08, ..., 1:02:03 left`."""
    left = duration((metrics["steps"] - metrics["step"]) * metrics["seconds"])
    parts = ", ".join([*parts_of(metrics), f"{left} left"])
    return f"{metrics['stage']} step {metrics['step']:,}/{metrics['steps']:,}: {parts}"


def parts_of(metrics: Mapping[str, Any]) -> list[str]:
    """What there is to say of a step: `["loss 0.0312", "gradient norm 0.08", ...]`."""
    parts = [
        f"loss {metrics['loss']:.4f}",
        f"gradient norm {metrics['gradient_norm']:.3g}",
        f"lr {metrics['lr']:.2e}, mixer {metrics['lr_mixer']:.2e}",
        f"{metrics['seconds']:.3g} s a step",
        f"{metrics['tokens_per_second']:,.0f} tokens/s",
    ]
    if metrics["data_seconds"] > SLOW_DATA * metrics["seconds"]:
        parts.append(f"{metrics['data_seconds']:.2g} s of it waiting for data")
    measured, predicted = metrics["peak_bytes"], metrics["predicted_bytes"]
    if measured is not None:
        parts.append(f"{spoken_bytes(measured)} at peak")
    if predicted is not None:
        parts.append(f"{spoken_bytes(predicted)} predicted")
    if metrics["skipped"]:
        parts.append("skipped")
    return parts


def duration(seconds: float) -> str:
    """`1:02:03`: hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
