"""What becomes of the tensors of a file with weights: as text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tttdit.checker.render.paint import Paint, Role
from tttdit.checker.render.text import table, visible

if TYPE_CHECKING:
    from tttdit.core.runtime.weights.formats import Stored
    from tttdit.core.runtime.weights.matching import Match

FORMAT = 1  # of the JSON
_SHOWN = 12  # rows of a list; all are in the JSON


def render(found: Match, tensors: Mapping[str, Stored], paint: Paint) -> Iterator[str]:
    """Lines for people: how many of each, and which, those of many layers as one."""
    size = gigabytes(sum(tensor.nbytes for tensor in tensors.values()))
    yield f"{paint('taken', 'good')}: {len(tensors):,} tensors, {size}, named as {visible(found.project)} names them"
    yield from _listed("left out", "info", found.left_out, paint)
    yield from _listed("new, to be initialised", "info", dict.fromkeys(found.new, ""), paint)
    yield from _listed("missing", "error", dict.fromkeys(found.missing, ""), paint)
    yield from _listed("unexpected", "error", found.unexpected, paint)
    shapes = {each.name: f"is {list(each.shape)}, expected {list(each.expected)}" for each in found.mismatched}
    yield from _listed("of another shape", "error", shapes, paint)


def as_dict(found: Match, tensors: Mapping[str, Stored]) -> dict[str, Any]:
    """Everything by its name, for programs."""
    return {
        "version": FORMAT,
        "names": found.project,
        "fits": found.fits,
        "bytes": sum(tensor.nbytes for tensor in tensors.values()),
        "converted": [
            {
                "from": theirs,
                "to": ours,
                "shape": list(tensors[ours].shape),
                "dtype": str(tensors[ours].dtype).removeprefix("torch."),
            }
            for ours, theirs in found.taken.items()
        ],
        "new": list(found.new),
        "missing": list(found.missing),
        "unexpected": [{"name": name, "why": why} for name, why in found.unexpected.items()],
        "other_shapes": [
            {"from": each.source, "to": each.name, "shape": list(each.shape), "expected": list(each.expected)}
            for each in found.mismatched
        ],
        "left_out": [{"name": name, "why": why} for name, why in found.left_out.items()],
    }


def gigabytes(size: int) -> str:
    """Bytes for people: `11.14 GB`, and smaller ones in MB and kB."""
    unit, power = next(((unit, power) for unit, power in (("GB", 9), ("MB", 6)) if size >= 10**power), ("kB", 3))
    return f"{size / 10**power:.2f} {unit}"


def _listed(what: str, role: Role, names: Mapping[str, str], paint: Paint) -> Iterator[str]:
    if not names:
        return
    yield f"{paint(what, role)}: {len(names):,}"
    rows = list(_rows(names))
    yield from table(rows[:_SHOWN])
    if len(rows) > _SHOWN:
        yield f"  and {len(rows) - _SHOWN} more: --output-format json lists them"


def _rows(names: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    """Names, how often, and what is to say of them, those in many layers of which the same is to say as one."""
    from tttdit.core.runtime.weights.matching import grouped

    for note in dict.fromkeys(names.values()):
        for name, count in grouped(name for name, said in names.items() if said == note).items():
            yield name, f"x {count}" if count > 1 else "", note
