"""A stage's memory, predicted when somebody asks: what rules weigh, and what the report shows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tttdit.checker.memory.known import is_news, predicted
from tttdit.checker.memory.refusing import refuse
from tttdit.checker.memory.sampling import SamplingPrediction, can_sample, predicted_sampling
from tttdit.core.errors import Unpredicted

if TYPE_CHECKING:
    from tttdit.checker.memory.prediction import Prediction, Runtime
    from tttdit.core.stage import Stage

# A check speaks of what a rank of `tttdit run` needs on its GPU.
DEVICE = "cuda"
RUNTIME: Runtime = "fsdp2"


class Weighing:
    """A stage, and what its training step needs in any setting of `[memory]`."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @property
    def prediction(self) -> Prediction:
        """What it needs as the spec says it. Raises Unpredicted where that cannot be said."""
        if isinstance(self._own, str):
            raise Unpredicted(self._own)
        return self._own

    @property
    def is_news(self) -> bool:
        """Whether the prediction has yet to be made, and will be kept then."""
        return not self.stage.only_samples and is_news(self.stage, device=DEVICE, runtime=RUNTIME)

    @property
    def unpredicted(self) -> str:
        """Why that cannot be said, in one sentence; "" where it can."""
        return self._own if isinstance(self._own, str) else ""

    @property
    def sampling(self) -> SamplingPrediction | None:
        """What drawing a video needs; None where the stage has no sampler that can be run. Raises Unpredicted where that cannot be said."""
        if not can_sample(self.stage):
            return None
        return predicted_sampling(self.stage, device=DEVICE)

    def outlook(self, **memory: Any) -> Prediction:
        """What it would need with other values for keys of `[memory]`.

        Raises Unpredicted where that cannot be said, and UsageError for a key or a value that the table does not take.
        """
        refuse(self.stage)
        return predicted(self._with(memory), device=DEVICE, runtime=RUNTIME)

    @cached_property
    def _own(self) -> Prediction | str:
        """The prediction, or why there is none: tried once, whoever asks."""
        try:
            return self.outlook()
        except Unpredicted as why:
            return str(why)

    def _with(self, memory: Mapping[str, Any]) -> Stage:
        if not memory:  # what is known is told without importing what predicts
            return self.stage
        from tttdit.checker.memory.predicting import with_memory

        return with_memory(self.stage, memory)
