"""A stage as rules see it: typed tables, dimensions, and the plugins that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import frozen

from tttdit.core.dimensions import Dimensions
from tttdit.core.laws import Law, whole
from tttdit.core.plugin.kinds import Codec, Data, Logger, Memory, Mixer, Model, Sampler, TextEncoder
from tttdit.core.solving.question import Question
from tttdit.core.solving.solutions import Domain, Solutions
from tttdit.core.spec.fields import LARGEST_DIMENSION
from tttdit.core.spec.tables import (
    CheckpointTable,
    HardwareTable,
    OptimizerTable,
    ParallelismTable,
    TextTable,
    TrainingTable,
    VideoTable,
)
from tttdit.core.symbolic.formula import Number
from tttdit.core.unknowns import open_unknowns


@frozen(kw_only=True)
class Assembly:
    """The plugins that a stage uses; None for a table that the spec leaves out."""

    model: Model
    mixer: Mixer
    codec: Codec
    memory: Memory
    text_encoder: TextEncoder | None = None
    data: Data | None = None
    sampler: Sampler | None = None
    logger: Logger | None = None

    @property
    def of_a_step(self) -> tuple[str | None, ...]:
        """The plugins, by name, whose code decides what a training step does."""
        model, mixer = self.model, self.mixer
        return model.name, model.module, mixer.name, mixer.module, self.memory.name


@frozen(kw_only=True)
class Stage:
    """One stage of a spec, resolved as far as it goes.

    Tables of plugins are instances of the plugins' own pydantic classes. `wrote(key)` says whether the spec (the stage, a `--set`) states a
    key, or leaves it to a default or a preset. `laws` are all laws of all rules in force.
    """

    name: str
    video: VideoTable
    text: TextTable
    codec: Any
    model: Any
    mixer: Any
    memory: Any
    data: Any
    sampling: Any
    logging: Any
    training: TrainingTable
    optimizer: OptimizerTable
    parallelism: ParallelismTable
    hardware: HardwareTable
    checkpoint: CheckpointTable
    assembly: Assembly
    dims: Dimensions
    wrote: Callable[[str], bool]
    laws: Callable[[], Iterable[Law]]

    @property
    def inherits_weights(self) -> bool:
        """Whether, where a stage of a curriculum comes before it, it starts with that one's weights; else with those that it names."""
        return self.checkpoint.init_from is None

    @property
    def only_samples(self) -> bool:
        """Whether it says how videos are drawn, and nothing of training: no samples, no `[training]`, no `[optimizer]`."""
        trains = self.data is not None or any(self.wrote(table) for table in ("training", "optimizer"))
        return self.sampling is not None and not trains

    def sample_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of one sample, of `Dim`s, by the names of the model's inputs; levels of noise are drawn, and no part of it.

        Raises Unresolved where one has no value.
        """
        inputs = self.assembly.model.inputs(self.model, self.dims)
        return {name: each.shape[1:] for name, each in inputs.items() if each.dtype != "int64"}

    def every_law(self) -> tuple[Law, ...]:
        """The laws of all rules, and that dimensions come out whole."""
        return (*self.laws(), *whole(self.dims))

    def domain(self, symbol: str) -> Domain:
        """What the key that gives a symbol may be at all."""
        from tttdit.core.spec.domains import domain_of

        table, _, name = self.dims.describe(symbol).keys[0].rpartition(".")
        field = type(getattr(self, table.rpartition(".")[2])).model_fields.get(name)
        return (domain_of(field) if field is not None else None) or Domain(1, LARGEST_DIMENSION)

    def question(self, symbol: str, laws: Iterable[Law] | None = None) -> Question:
        """Which values of a given symbol keep these laws; by default all there are, and leave whole what follows from it."""
        chosen = self.every_law() if laws is None else tuple(laws)
        return Question(self.dims, chosen, symbol, open_unknowns(self.text))

    def solve(
        self, symbol: str, laws: Iterable[Law] | None = None, given: Mapping[str, Number] | None = None
    ) -> Solutions | None:
        """The answer to `question`, with `given` values for other symbols; None where a law needs a value that is not there."""
        return self.question(symbol, laws).answer(self.domain(symbol), given)


@frozen
class BuiltStage:
    """A stage, and the parameters that its model is made of.

    Of layers that are all alike only few are built; `repeated` says how many there are.
    """

    stage: Stage
    parameters: Mapping[str, tuple[int, ...]]  # shapes by name, of `Dim`s where sizes follow from the spec
    repeated: int | None
    is_first: bool  # of its curriculum
