"""A stage made small: the same structure with small sizes, checked like any other."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from math import prod

from attrs import evolve, frozen

from tttdit.checker.examining import Examined, examine
from tttdit.checker.report import Chosen
from tttdit.checker.resolving import resolve
from tttdit.checker.small_sizes import Size, small_sizes
from tttdit.core.errors import TttditError
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec.stages import StageSpec
from tttdit.core.stage import Stage

# What no training step of one rank's model reads; and the encoder, which has a width of its own.
_LEFT_OUT = ("data", "sampling", "logging", "checkpoint", "text.encoder", "text.encoder_folder")
# A small stage has no tensor with more elements.
_LARGEST = 2**24
# So often sizes are raised that a rule without a law objects to.
_MOST_ROUNDS = 40


class NotShrunk(TttditError):
    """No small sizes are right for a stage."""


@frozen
class Shrunk:
    """The small stage as the checker sees it, and the sizes that differ from the spec's."""

    examined: Examined
    stage: Stage
    sizes: tuple[Size, ...]


def shrink(full: Examined, registry: Registry) -> Shrunk:
    """A stage without errors of its own, made small; as it is where it is small already and no other sizes are right.

    Sizes are chosen by the laws of the rules in force. A rule that has no law objects to some when the small stage is examined: the
    size that it names, or else every one, gets twice the value. Raises NotShrunk where no small sizes are right.
    """
    stage = full.resolved.stage
    assert stage is not None, "a stage without errors is there"
    least: dict[str, int] = {}
    why = "no small sizes keep all laws"
    for _ in range(_MOST_ROUNDS):
        sizes = small_sizes(stage, full.followed.shapes, least)
        if sizes is None:
            break
        small = examine(resolve(_with_sizes(full.resolved.spec, full.resolved.chosen, sizes), registry))
        errors = small.own_errors
        if not errors and small.resolved.stage is not None:
            return Shrunk(_small_enough(small), small.resolved.stage, sizes)
        why = f"{errors[0].code} {errors[0].name}: {errors[0].message.partition(chr(10))[0]}"
        blamed = {place for error in errors for place in (error.key, *(related.key for related in error.related))}
        raised = [size for size in sizes if size.key in blamed and 2 * size.small <= size.full] or sizes
        least |= {size.key: min(2 * size.small, size.full) for size in raised}
    if _largest(full) <= _LARGEST:
        return Shrunk(full, stage, ())
    raise NotShrunk(why)


def _small_enough(small: Examined) -> Examined:
    if _largest(small) > _LARGEST:
        largest = max(small.followed.shapes, key=lambda shape: _elements(shape.shape))
        raise NotShrunk(f"with the smallest sizes that were found {largest.name} still is {_text(largest.shape)}")
    return small


def _largest(examined: Examined) -> int:
    """The elements of its largest tensor."""
    return max((_elements(shape.shape) for shape in examined.followed.shapes), default=0)


def _elements(shape: tuple[int, ...]) -> int:
    return prod(map(int, shape))


def _text(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(f'{int(size):,}' for size in shape)}]"


def _with_sizes(spec: StageSpec, chosen: Iterable[Chosen], sizes: Iterable[Size]) -> StageSpec:
    """The stage's own values with other sizes; what was solved for is not solved for again."""
    values = copy.deepcopy(spec.values)
    for key, value in [*((one.key, one.value) for one in chosen), *((size.key, size.small) for size in sizes)]:
        *tables, name = key.split(".")
        table = values
        for each in tables:
            table = table.setdefault(each, {})
        table[name] = value
    for key in _LEFT_OUT:
        outer, _, name = key.rpartition(".")
        (values.get(outer, {}) if outer else values).pop(name, None)
    return evolve(spec, values=values)
