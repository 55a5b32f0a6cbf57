"""One training step of a stage in the symbolic world."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from attrs import evolve, frozen

from tttdit.core.construction import construct
from tttdit.core.regions import Regions
from tttdit.core.stage import Stage
from tttdit.core.stepping import OBJECTIVE, REMAT, Step, gradients_of, step_inputs, tensors_of, train_once
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dimension import Dim, remembering
from tttdit.core.symbolic.distributed.placements import DeviceMesh
from tttdit.core.symbolic.distributed.redistributing import COLLECTIVES
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.sharding import MASTER, ShardedCalls, Sharding
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.state import Recorder as Calls
from tttdit.core.symbolic.storage import Meter, Storage
from tttdit.core.symbolic.tape import Recorder, Standing, StandingKind, Tape
from tttdit.core.symbolic.tensor import Tensor, given
from tttdit.core.symbolic.trace import WORLD, are_alike

Result = TypeVar("Result")
PARALLELIZE = "tttdit.core.runtime.tensor_parallel.plans:parallelize"
INPUTS = ("video", "text", "timestep", "noise")  # what the objective takes behind the model


@frozen(kw_only=True)
class Manner:
    """How a step is run and counted.

    `dtype` is that of parameters and floating-point inputs. `device` chooses between operators' rules where they differ ("cpu", "cuda").
    With `in_place` gradients that meet are added in place, as training does; without, out of place, as under a dispatch mode, where
    bytes can be measured. `layers` builds so many of those that are all alike. With `lines` moments know the module's line. With
    `sharding` the model is spread over ranks, the first of which is recorded; `dtype` is then that of gathered parameters.
    """

    dtype: str
    device: str = "cpu"
    in_place: bool = False
    layers: int | None = None
    lines: bool = False
    sharding: Sharding | None = None


def is_module(path: str) -> bool:
    """Whether a file is a module's; that which recomputes regions is none."""
    return WORLD.runs(path) and path != WORLD.load(REMAT.partition(":")[0]).__file__


def record_step(stage: Stage, manner: Manner) -> Tape:
    """The record of one training step: its model is built, and trained once, with the regions of its memory strategy.

    Sizes keep their formulas. A custom operator counts as one, with its workspace. Raises `UnknownCall` for what this world does not
    know, and what the modules raise.
    """
    with remembering():
        return _recorded(stage, manner)


def _recorded(stage: Stage, manner: Manner) -> Tape:
    meter = Recorder(is_module=is_module if manner.lines else None)
    model = _model(stage, manner.dtype, layers=manner.layers, formulas=True)
    if manner.sharding is not None and manner.sharding.tensor > 1:
        WORLD.load(PARALLELIZE)(model, stage, DeviceMesh(manner.sharding.tensor), WORLD.load)
    layers = _layers(model, stage, manner)
    inputs = _inputs(stage, manner.dtype, formulas=True)
    calls: Calls = Places(model)
    shards = None
    if manner.sharding is not None:
        calls = shards = ShardedCalls(model, layers, manner.sharding, types.NAMES[manner.dtype], calls)
    standing = _standing(model, inputs, shards)
    with at_work(manner):
        loss = _train(model, inputs, meter, calls, look_inside=False)
    meter.is_for("gradients", [each.grad for each in model.parameters() if each.grad is not None])
    tape = meter.tape(_with_gradients(standing, model, shards), layers)
    if manner.sharding is not None and manner.sharding.tensor > 1:
        tape = evolve(tape, exchanges=[at for at, moment in enumerate(tape.moments) if moment.name in COLLECTIVES])
    del loss  # which is held until all is counted
    return tape


def _layers(model: Any, stage: Stage, manner: Manner) -> str:
    """The path of the model's list of layers that are alike."""
    repeated = stage.assembly.model.repeated
    if repeated is None:
        return ""
    count = stage.assembly.model.arguments(stage.model, stage.dims)[repeated]
    built = int(count) if manner.layers is None else min(int(count), manner.layers)
    paths = [path for path, each in model.named_modules() if are_alike(each) and len(each) == built]
    return paths[0] if len(paths) == 1 else ""


def _standing(model: Any, inputs: Sequence[Tensor], shards: ShardedCalls | None) -> tuple[Standing, ...]:
    named: list[tuple[str, StandingKind, Tensor]] = [
        *((name, "parameter", each) for name, each in model.named_parameters()),
        *((name, "buffer", each) for name, each in model.named_buffers()),
        *((name, "input", each) for name, each in zip(INPUTS, inputs, strict=True)),
    ]
    by_storage: dict[Storage, Standing] = {}
    for name, kind, each in named:
        stands = Standing(name, kind, each.shape, each.dtype.name, each.storage.nbytes)
        if shards is not None and kind == "parameter":
            part = shards.parameters[name]
            nbytes = int(part.elements) * MASTER.itemsize
            stands = evolve(stands, shape=part.shard, dtype=MASTER.name, nbytes=nbytes, of_heads=part.of_heads)
        by_storage.setdefault(each.storage, stands)
    return tuple(by_storage.values())


def _with_gradients(standing: Sequence[Standing], model: Any, shards: ShardedCalls | None) -> tuple[Standing, ...]:
    """The same, after the step."""
    if shards is None:
        have = {name for name, each in model.named_parameters() if each.grad is not None}
    else:
        have = {name for name, each in shards.parameters.items() if each.reduced}
    return tuple(evolve(one, has_gradient=one.kind == "parameter" and one.name in have) for one in standing)


def symbolic_step(stage: Stage, dtype: str, meter: Meter, *, look_inside: bool = True) -> Step:
    """Builds the stage's model and trains it once, with the regions of its memory strategy.

    `meter` counts. With `look_inside` the bodies of custom operators run, every step of their loops included, else each counts as one
    operator. Raises `UnknownCall` for what this world does not know, and what the modules raise.
    """
    model = _model(stage, dtype)
    tensors = tensors_of(model, lambda tensor: tensor.dtype.name)
    _train(model, _inputs(stage, dtype), meter, Places(model), look_inside=look_inside)
    return Step(tuple(meter.log or ()), tensors, gradients_of(model))


def _model(stage: Stage, dtype: str, *, layers: int | None = None, formulas: bool = False) -> Any:
    symbols = sized(stage) if formulas else frozenset[str]()
    regions = _noted(symbols)(stage.assembly.memory.strategy(stage.memory))
    model = construct(WORLD.load, stage, regions, layers=layers, formulas=formulas).to(types.NAMES[dtype])
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(stage.assembly.model.trains(stage.model, name))
    return model


def _inputs(stage: Stage, dtype: str, *, formulas: bool = False) -> list[Tensor]:
    wanted = step_inputs(stage, dtype, formulas=formulas)
    return [given(each.shape, types.NAMES[each.dtype]) for each in wanted]


def _train(model: Any, inputs: Sequence[Tensor], meter: Meter, calls: Calls, *, look_inside: bool) -> Any:
    """The loss, after a step. `calls` runs the modules."""
    before, STATE.recorder, STATE.inside_operators = STATE.recorder, calls, look_inside
    try:
        with meter:
            return train_once(WORLD.load(OBJECTIVE), model, inputs)
    finally:
        STATE.recorder, STATE.place, STATE.inside_operators = before, "", True


class at_work:  # noqa: N801 - used like a function
    """This thread's rules are those of a device and of a way to count."""

    def __init__(self, manner: Manner) -> None:
        self._manner = manner

    def __enter__(self) -> None:
        self._before = STATE.device, STATE.in_place
        STATE.device, STATE.in_place = self._manner.device, self._manner.in_place

    def __exit__(self, *exception: object) -> None:
        STATE.device, STATE.in_place = self._before


def sized(stage: Stage) -> frozenset[str]:
    """The keys of sizes that make no region of their own, but that an operator is given: formulas have them as symbols."""
    regions = (*stage.assembly.model.regions, *stage.assembly.mixer.regions)
    return frozenset(region.key for region in regions if region.kind == "size" and not region.group)


def _noted(symbols: frozenset[str]) -> Callable[[Any], Regions]:
    """The regions of the runtime, in this world, that say which of them is at work. Sizes in `symbols` are so in formulas too."""
    recomputed = WORLD.load(REMAT)

    class NotedRegions(recomputed):  # type: ignore[valid-type, misc]
        def group_size(self, name: str, count: int) -> int:
            size: int = super().group_size(name, count)
            return Dim(size, Formula.symbol(name)) if name in symbols else size

        def within(self, name: str) -> Regions:
            return NotedRegions(self.strategy, self._join(name))

        def __call__(self, name: str, function: Callable[..., Result], *arguments: Any) -> Result:
            full = self._join(name)

            def noted(*given: Any) -> Result:
                outer, STATE.region = STATE.region, full
                try:
                    return function(*given)
                finally:
                    STATE.region = outer

            result: Result = super().__call__(name, noted, *arguments)
            return result

    return NotedRegions


class Places:
    """Says which module is at work. One that several layers share has, in each of them, the path that it has there."""

    def __init__(self, model: Any) -> None:
        self._paths: dict[int, list[str]] = defaultdict(list)
        for path, each in model.named_modules(remove_duplicate=False):
            self._paths[id(each)].append(path)

    def call(self, module: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """`module.run(arguments, keywords)`, with the module's path in the log."""
        outer, STATE.place = STATE.place, self._path(module)
        try:
            return module.run(arguments, keywords)
        finally:
            STATE.place = outer

    def _path(self, module: Any) -> str:
        here = STATE.place
        paths = self._paths.get(id(module), [here])
        return paths[0] if len(paths) == 1 else next((path for path in paths if path.startswith(f"{here}.")), paths[0])
