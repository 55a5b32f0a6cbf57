"""What a stage would need in many settings of its `[memory]`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import frozen

from tttdit.checker.memory.accounting import in_blocks
from tttdit.checker.memory.collector import collector_at_rest
from tttdit.checker.memory.mixing import Mixed, Way, mixed
from tttdit.checker.memory.outlining import Outlines, stage_values
from tttdit.checker.memory.predicting import manner_of, predict, with_memory
from tttdit.checker.memory.prediction import Prediction
from tttdit.checker.memory.settings import Outlook, Setting, outlook_of, own_setting
from tttdit.checker.memory.structures import Structure, group_size, structure_of
from tttdit.core.plugin.memory import LayeredTable
from tttdit.core.stage import Stage
from tttdit.core.symbolic.evaluating import Evaluation, Figures, NotWhole
from tttdit.core.symbolic.periods import Rows, grouping, rows_of
from tttdit.core.symbolic.stepping import Manner, sized


def sweep(
    stage: Stage,
    settings: Sequence[Setting],
    *,
    own: Prediction,
    progress: Callable[[int], object],
) -> Swept:
    """The outlooks of these settings; `progress` is told how many more are done each time some are.

    `own` is the prediction of the stage in its own setting, in which layers are alike; the others are of the same device and runtime.
    Raises Unpredicted for what cannot be predicted, and what the modules raise.
    """
    with collector_at_rest():
        found, mixtures = _Sweep(stage, own).outlooks(settings, progress)
        for number, setting in enumerate(settings):
            if number not in found:  # layers that are not alike, or that do not do the same
                found[number] = _alone(with_memory(stage, setting.values), setting, own)
                progress(1)
    return Swept(tuple(found[number] for number in range(len(settings))), mixtures)


@frozen
class Swept:
    """The outlooks of settings, in their order; where layers may be told apart, those of their mixtures."""

    outlooks: tuple[Outlook, ...]
    mixed: Mixed


class _Sweep:
    """The outlooks that follow from outlines."""

    def __init__(self, stage: Stage, own: Prediction) -> None:
        self._stage, self._own = stage, own
        self._manner = manner_of(stage, device=own.device, dtype=own.dtype, runtime=own.runtime)
        self._values = stage_values(stage)
        self._sizes: dict[tuple[str, int], int] = {}

    def outlooks(
        self, settings: Sequence[Setting], progress: Callable[[int], object]
    ) -> tuple[dict[int, Outlook], Mixed]:
        """By the number of the setting; and those of mixtures, where layers may be told apart."""
        outlines = Outlines(self._stage, self._manner)
        if not self._is_believed(outlines):
            outlines = Outlines(self._stage, self._manner, anew=True)
            if not self._is_believed(outlines):
                return {}, Mixed((), 0)
        by_structure = _by_structure(self._stage, settings, self._manner)
        for structure in outlines.record([*by_structure]):
            progress(len(by_structure[structure]) if structure.name in outlines.atlas else 0)
        evaluation, group = self._evaluation(outlines), grouping(self._stage)
        found, ways, layers = dict[int, Outlook](), list[Way](), 0
        for structure, members in by_structure.items():
            if structure.name not in outlines.atlas:
                continue
            sheet = outlines.atlas.sheets[structure.name]
            for number, rows, sizes in self._sized(settings, members):
                found[number] = self._outlook(settings[number], evaluation.figures(structure.name, rows, sizes))
                if group is None or settings[number].values[group] in (0, 1):
                    ways.append(Way(settings[number], sheet, sizes))
                    layers = rows.layers
        if not isinstance(self._stage.memory, LayeredTable):
            return found, Mixed((), 0)
        sharding = self._manner.sharding
        groups_send = sharding is not None and sharding.tensor > 1
        return found, mixed(self._stage, ways, evaluation, layers, self._outlook, groups_send=groups_send)

    def _is_believed(self, outlines: Outlines) -> bool:
        """Whether outlines say of the stage's own setting what its whole step says. If not they are of a step in another order."""
        own, setting = self._own, own_setting(self._stage)
        for structure, members in _by_structure(self._stage, [setting], self._manner).items():
            for recorded in outlines.record([structure]):
                if recorded.name not in outlines.atlas:
                    return True  # and it is found out alone
                ((_, rows, sizes),) = self._sized([setting], members)
                try:
                    one = self._evaluation(outlines).figures(recorded.name, rows, sizes)
                except NotWhole:
                    return False
                mine = one.saved_bytes, one.peak_bytes, one.flops, one.recompute_flops
                return mine == (own.saved_bytes, own.peak_bytes, own.flops, own.recompute_flops)
        return True

    def _outlook(self, setting: Setting, figures: Figures) -> Outlook:
        """The outlook of a setting in which forward and backward come to these figures. What is around them is the same in all settings."""
        own = self._own
        total = own.standing_bytes + max(figures.peak_in_blocks, own.after_bytes)
        return Outlook(
            setting=setting,
            saved_bytes=figures.saved_bytes,
            peak_bytes=figures.peak_bytes,
            total_bytes=total,
            recompute_flops=figures.recompute_flops,
            flops=figures.flops,
            reserved_bytes=None,
            fits=None if own.budget_bytes is None else total + own.outside_bytes <= own.budget_bytes,
        )

    def _evaluation(self, outlines: Outlines) -> Evaluation:
        return Evaluation(outlines.atlas, self._values, lambda nbytes: in_blocks(nbytes, self._own.device))

    def _sized(
        self, settings: Sequence[Setting], members: Sequence[tuple[int, Rows]]
    ) -> Iterator[tuple[int, Rows, Mapping[str, int]]]:
        """Members with what the strategy makes of the sizes that operators are given."""
        for number, rows in members:
            values = settings[number].values
            yield number, rows, {key: self._group_size(key, int(values[key])) for key in sorted(sized(self._stage))}

    def _group_size(self, key: str, value: int) -> int:
        if (key, value) not in self._sizes:
            self._sizes[key, value] = group_size(self._stage, key, value)
        return self._sizes[key, value]


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


def _alone(stage: Stage, setting: Setting, own: Prediction) -> Outlook:
    return outlook_of(setting, predict(stage, device=own.device, dtype=own.dtype, runtime=own.runtime))
