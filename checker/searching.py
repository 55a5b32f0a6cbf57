"""Plans beyond `[memory]`: over the mesh of a given number of GPUs, over the batch, and what helps where nothing fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from attrs import frozen

from tttdit.checker.memory.known import predicted
from tttdit.checker.memory.prediction import Runtime
from tttdit.checker.memory.settings import Outlook
from tttdit.checker.memory.surveying import search_space, survey
from tttdit.checker.planning import Plan, plan
from tttdit.checker.varying import Refused, varied
from tttdit.core.errors import Unpredicted
from tttdit.core.plugin.registry import Registry
from tttdit.core.solving.progressions import divisors
from tttdit.core.spec.stages import StageSpec
from tttdit.core.spec.tables import HardwareTable
from tttdit.core.stage import Stage

REPLICAS, SHARDS, TP = "parallelism.dp_replicate", "parallelism.dp_sharding", "parallelism.tp_sharding"
BATCH, PASSES = "training.global_batch_size", "training.grad_accum_steps"


@frozen(kw_only=True)
class Variant:
    """The stage with other values for some keys, and the plan for that; `refused` says why there is none.

    `sent_bytes` is what a rank sends to others in a step of the chosen setting.
    """

    values: Mapping[str, int]
    samples: int = 0  # of a rank at a time
    plan: Plan | None = None
    sent_bytes: int = 0
    refused: str = ""

    @property
    def chosen(self) -> Outlook | None:
        """The setting that fits with the least recomputation."""
        return self.plan.chosen if self.plan is not None else None


@frozen
class Remedy:
    """Other values for some keys, and what the setting with the fewest bytes would need then."""

    values: Mapping[str, int]
    needed_bytes: int
    fits: bool


@frozen(kw_only=True)
class Searcher:
    """Looks for plans of variants of one stage."""

    spec: StageSpec
    registry: Registry
    stage: Stage
    device: str
    runtime: Runtime
    budget_bytes: int | None = None

    def mesh_values(self, gpus: int | None) -> list[dict[str, int]]:
        """Every mesh of so many GPUs, by default those of the hardware, as values of the spec's keys."""
        hardware, mesh = self.stage.hardware, self.stage.parallelism
        if gpus is None and hardware.gpus_per_node is not None and hardware.nodes is not None:
            gpus = hardware.gpus_per_node * hardware.nodes
        elif gpus is None:
            gpus = mesh.dp_replicate * mesh.dp_sharding * mesh.tp_sharding
        nodes = _hardware(hardware, gpus)
        return [
            {REPLICAS: gpus // tp // shards, SHARDS: shards, TP: tp, **nodes}
            for tp in divisors(gpus)
            for shards in divisors(gpus // tp)
        ]

    def meshes(
        self, meshes: Iterable[dict[str, int]], progress: Callable[[int], object] = lambda done: None
    ) -> tuple[Variant, ...]:
        """The plans of these meshes: first those that fit, the best before the others; `progress` is told when one more has been looked at.

        Better is what recomputes a smaller share; then what sends fewer bytes; then what needs fewer.
        """
        found = []
        for values in meshes:
            found.append(self._variant(values))
            progress(1)
        return tuple(sorted(found, key=_rank))

    def largest_batch(self) -> tuple[Variant | None, Variant]:
        """The largest batch of a rank that fits, where one does; and the next larger one, which does not.

        A larger batch takes more bytes in every setting, so that halving finds the border.
        """
        fits: Variant | None = None
        too_large = self._batch(1)
        low, high = 0, 1
        while too_large.chosen is not None:
            fits, low, high = too_large, high, 2 * high
            too_large = self._batch(high)
        while high - low > 1:
            middle = (low + high) // 2
            one = self._batch(middle)
            if one.chosen is not None:
                fits, low = one, middle
            else:
                too_large, high = one, middle
        return fits, too_large

    def remedies(self, closest: Outlook, budget_bytes: int) -> tuple[Remedy, ...]:
        """What would take bytes off the setting that comes closest: more shards, more tensor-parallel ranks, a smaller batch."""
        found = []
        for values in self._easier():
            try:
                stage = varied(self.spec, self.registry, values)
                alone = survey(stage, (closest.setting,), device=self.device, runtime=self.runtime)
            except (Refused, Unpredicted):
                continue
            (outlook,) = alone.outlooks
            needed = alone.needed(outlook)
            found.append(Remedy(values, needed, needed <= budget_bytes))
        return tuple(sorted(found, key=lambda one: one.needed_bytes))

    def _easier(self) -> Iterator[dict[str, int]]:
        """Twice the shards or tensor-parallel ranks, on as many GPUs where replicas can be given up for them; half the batch."""
        mesh, batch = self.stage.parallelism, self.stage.training.global_batch_size
        replicas, left = divmod(mesh.dp_replicate, 2)
        passes = self.stage.training.grad_accum_steps
        if replicas and not left:
            yield {REPLICAS: replicas, SHARDS: 2 * mesh.dp_sharding}
            yield {REPLICAS: replicas, TP: 2 * mesh.tp_sharding, **({PASSES: 2 * passes} if batch is not None else {})}
        else:
            hardware = _hardware(self.stage.hardware, 2 * mesh.dp_replicate * mesh.dp_sharding * mesh.tp_sharding)
            yield {SHARDS: 2 * mesh.dp_sharding, **({BATCH: 2 * batch} if batch is not None else {}), **hardware}
            yield {TP: 2 * mesh.tp_sharding, **hardware}
        samples = int(self.stage.dims["B"])
        if batch is not None and samples > 1:
            yield {PASSES: 2 * passes} if samples % 2 == 0 else {BATCH: batch // samples}

    def _batch(self, samples: int) -> Variant:
        mesh, passes = self.stage.parallelism, self.stage.training.grad_accum_steps
        return self._variant({BATCH: samples * mesh.dp_replicate * mesh.dp_sharding * passes})

    def _variant(self, values: dict[str, int]) -> Variant:
        try:
            stage = varied(self.spec, self.registry, values)
            made = survey(
                stage,
                search_space(stage),
                device=self.device,
                runtime=self.runtime,
                budget_bytes=self.budget_bytes,
            )
            best = plan(made)
            sent = _sent(stage, best, self.device, self.runtime)
        except (Refused, Unpredicted) as why:
            return Variant(values=values, refused=str(why))
        return Variant(values=values, samples=int(stage.dims["B"]), plan=best, sent_bytes=sent)


def _rank(variant: Variant) -> tuple[bool, bool, float, int, int]:
    """Its place among variants: those with a plan first, then those that do not fit, then those that are refused."""
    best = variant.chosen
    if variant.plan is None or best is None:
        lacking = variant.plan.lacking_bytes if variant.plan is not None else 0
        return True, variant.plan is None, 0.0, 0, lacking
    return False, False, best.recompute_share, variant.sent_bytes, variant.plan.survey.needed(best)


def _sent(stage: Stage, best: Plan, device: str, runtime: Runtime) -> int:
    """What one rank sends in a step of the chosen setting; 0 where none fits."""
    from tttdit.checker.memory.predicting import with_memory

    if best.chosen is None:
        return 0
    made = predicted(with_memory(stage, best.chosen.setting.values), device=device, runtime=runtime)
    return sum(exchange.sent for exchange in made.communication)


def _hardware(hardware: HardwareTable, gpus: int) -> dict[str, int]:
    """More nodes, where the spec says how many it has and these have fewer GPUs."""
    per_node, nodes = hardware.gpus_per_node, hardware.nodes
    if per_node is None or nodes is None or gpus <= per_node * nodes:
        return {}
    return {"hardware.nodes": -(-gpus // per_node)}
