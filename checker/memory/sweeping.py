"""What a stage would need in many settings of its `[memory]`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tttdit.checker.memory.around import around_step, in_blocks
from tttdit.checker.memory.outlining import Structure, group_size, outlined, stage_values, structure_of
from tttdit.checker.memory.predicting import manner_of, predict, tape_of, with_memory
from tttdit.checker.memory.prediction import Runtime
from tttdit.checker.memory.settings import Outlook, Setting, own_setting
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Number
from tttdit.core.symbolic.outline import Evaluated, Figures, Outline
from tttdit.core.symbolic.periods import Rows, grouping, rows_of
from tttdit.core.symbolic.stepping import Manner, sized
from tttdit.core.symbolic.tape import Tape


def sweep(
    stage: Stage, settings: Sequence[Setting], *, device: str, runtime: Runtime, progress: Callable[[int], object]
) -> tuple[Outlook, ...]:
    """The outlooks of these settings, in their order; `progress` is told how many more are done each time some are.

    Raises Unpredicted for what cannot be predicted, and what the modules raise.
    """
    dtype = stage.parallelism.unsharded_dtype
    manner = manner_of(stage, device=device, dtype=dtype, runtime=runtime)
    own = tape_of(stage, device=device, dtype=dtype, runtime=runtime)
    around = around_step(stage, own, device=device, runtime=runtime)
    by_structure = _by_structure(stage, settings, manner)
    values = stage_values(stage)
    found: dict[int, Outlook] = {}
    anew = not _is_believed(stage, own, manner, values, device)
    for structure, outline in outlined(stage, [*by_structure], manner, anew=anew):
        members = by_structure[structure]
        for number, figures, peak in _figures(stage, outline, values, settings, members, device):
            found[number] = around.outlook(settings[number], figures, peak)
        progress(len(members))
    for number, setting in enumerate(settings):
        if number not in found:  # layers that are not alike, or that do not do the same
            found[number] = _alone(with_memory(stage, setting.values), setting, device, dtype, runtime)
            progress(1)
    return tuple(found[number] for number in range(len(settings)))


def _is_believed(stage: Stage, own: Tape, manner: Manner, values: Mapping[str, Number], device: str) -> bool:
    """Whether outlines say of the stage's own setting what its whole step says. If not they are of a step in another order."""
    setting = own_setting(stage)
    for structure, members in _by_structure(stage, [setting], manner).items():
        for _, outline in outlined(stage, [structure], manner):
            for _, figures, _ in _figures(stage, outline, values, [setting], members, device):
                mine = figures.saved_bytes, figures.peak_bytes, figures.flops, figures.recompute_flops
                return mine == (own.saved_bytes, own.peak_bytes, own.flops, own.recompute_flops)
    return True


def _by_structure(stage: Stage, settings: Sequence[Setting], manner: Manner) -> dict[Structure, list[tuple[int, Rows]]]:
    """Settings, by number, with the rows that their layers lie in; without those whose layers are not alike."""
    if manner.sharding is not None and manner.sharding.holds_every_layer:
        return {}
    group = grouping(stage)
    rows_of_size: dict[object, Rows | None] = {}
    found: dict[Structure, list[tuple[int, Rows]]] = defaultdict(list)
    for number, setting in enumerate(settings):
        size = setting.values[group] if group is not None else None
        if size not in rows_of_size:
            rows_of_size[size] = rows_of(stage if group is None else with_memory(stage, {group: size}))
        rows = rows_of_size[size]
        if rows is not None and not rows.rest:
            found[structure_of(stage, setting.values, rows, manner)].append((number, rows))
    return found


def _figures(
    stage: Stage,
    outline: Outline,
    values: Mapping[str, Number],
    settings: Sequence[Setting],
    members: Iterable[tuple[int, Rows]],
    device: str,
) -> Iterator[tuple[int, Figures, int]]:
    """Of each setting its number, its figures, and the peak in bytes as the device's allocator rounds them."""

    def block(nbytes: int) -> int:
        return in_blocks(nbytes, device)

    exact, rounded = outline.given(values), outline.given(values, block)
    evaluated: dict[tuple[object, ...], tuple[Evaluated, Evaluated]] = {}
    for number, rows in members:
        sizes = {key: group_size(stage, key, settings[number].values[key]) for key in sized(stage)}
        key = tuple(sizes.values())
        if key not in evaluated:
            now = {**values, **sizes}
            evaluated[key] = exact.evaluated(now), rounded.evaluated(now, block)
        plain, blocks = evaluated[key]
        yield number, plain.figures(rows), blocks.figures(rows).peak_bytes


def _alone(stage: Stage, setting: Setting, device: str, dtype: str, runtime: Runtime) -> Outlook:
    made = predict(stage, device=device, dtype=dtype, runtime=runtime)
    return Outlook(
        setting=setting,
        saved_bytes=made.saved_bytes,
        peak_bytes=made.peak_bytes,
        total_bytes=made.total_bytes,
        recompute_flops=made.recompute_flops,
        flops=made.flops,
        reserved_bytes=made.reserved_bytes,
        fits=made.fits,
    )
