"""A stage as rules see it: typed tables, dimensions, and the plugins that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from attrs import frozen

from tttdit.core.dimensions import Dimensions
from tttdit.core.laws import Law, solve
from tttdit.core.plugin.kinds import Codec, Data, Logger, Memory, Mixer, Model, Sampler, TextEncoder
from tttdit.core.spec.tables import (
    CheckpointTable,
    HardwareTable,
    OptimizerTable,
    ParallelismTable,
    TextTable,
    TrainingTable,
    VideoTable,
)


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

    def solve(self, symbol: str, candidates: Iterable[int]) -> list[int]:
        """The candidates for a given symbol with which every law that it enters holds."""
        return solve(self.dims, self.laws(), symbol, candidates)
