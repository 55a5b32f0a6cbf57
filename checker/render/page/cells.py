"""What the peak consists of as rectangles, whose areas are bytes.

Squarified treemaps: rows are laid along the shorter side, each as long as its rectangles come nearer to squares (Bruls, Huizing and
van Wijk, "Squarified Treemaps", 2000).
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen


@frozen
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    def within(self, margin: float, head: float = 0.0) -> Box:
        """What is left inside a margin, and below a heading."""
        width, height = max(self.width - 2 * margin, 0.0), max(self.height - 2 * margin - head, 0.0)
        return Box(self.x + margin, self.y + margin + head, width, height)


def squarified(sizes: Sequence[int], box: Box) -> list[Box]:
    """A rectangle for each size, in their order, which is that of the largest first; together they fill the box."""
    if not sizes:
        return []
    scale = box.width * box.height / max(sum(sizes), 1)
    areas = [size * scale for size in sizes]
    placed: list[Box] = []
    while len(placed) < len(areas):
        rest = areas[len(placed) :]
        row = _row(rest, min(box.width, box.height))
        boxes, box = _laid(rest[:row], box)
        placed += boxes
    return placed


def _row(areas: Sequence[float], side: float) -> int:
    """How many rectangles the next row takes: as long as its worst becomes no worse."""
    worst, total = float("inf"), 0.0
    for count, area in enumerate(areas, 1):
        total += area
        thickness = total / side if side else 0.0
        if not thickness:
            return len(areas)
        lengths = areas[0] / thickness, area / thickness
        now = max(max(length / thickness, thickness / length) if length else float("inf") for length in lengths)
        if now > worst:
            return count - 1
        worst = now
    return len(areas)


def _laid(areas: Sequence[float], box: Box) -> tuple[list[Box], Box]:
    """A row of rectangles along the shorter side, and what is left of the box."""
    total = sum(areas)
    is_column = box.width >= box.height
    side = box.height if is_column else box.width
    thickness = total / side if side else 0.0
    boxes, at = [], 0.0
    for area in areas:
        length = area / thickness if thickness else 0.0
        boxes.append(
            Box(box.x, box.y + at, thickness, length) if is_column else Box(box.x + at, box.y, length, thickness)
        )
        at += length
    if is_column:
        return boxes, Box(box.x + thickness, box.y, max(box.width - thickness, 0.0), box.height)
    return boxes, Box(box.x, box.y + thickness, box.width, max(box.height - thickness, 0.0))
