"""The loss on samples that are held out, at the same levels and with the same noise each time."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.distributed as distributed
from torch import nn

from tttdit.core.errors import RunError
from tttdit.core.runtime.data.source import BadSample, Source, read_sample
from tttdit.core.runtime.objective import LEVELS, training_loss
from tttdit.core.runtime.training.drawing import generator
from tttdit.core.runtime.training.step import data_position
from tttdit.core.runtime.training.world import World
from tttdit.core.stage import Stage


class Validation:
    """The last samples of a source, one after the other: the levels of noise of all of them cover the range evenly."""

    def __init__(self, source: Source, wanted: Mapping[str, tuple[int, ...]], stage: Stage, world: World) -> None:
        """`wanted` are the shapes of one sample. Held-out samples have to be good ones, whatever the data source does with others."""
        self._source, self._wanted, self._stage, self._world = source, wanted, stage, world
        self._count = stage.training.validation_samples
        self._rank, self._ranks = data_position(stage, world)

    @torch.no_grad()
    def loss(self, model: nn.Module) -> float:
        """The mean over the samples. All ranks must call it; each looks at its share, and at one again where shares are uneven."""
        total = torch.zeros((), device=self._world.device)
        model.eval()
        try:
            for turn in range(-(-self._count // self._ranks)):
                number = turn * self._ranks + self._rank
                loss = self._of(model, min(number, self._count - 1))
                total += loss if number < self._count else 0 * loss
        finally:
            model.train()
        distributed.all_reduce(total)
        tensor_parallel = self._world.size // self._ranks
        return float(total) / (self._count * tensor_parallel)

    def _of(self, model: nn.Module, number: int) -> torch.Tensor:
        device, dtype = self._world.device, getattr(torch, self._stage.parallelism.unsharded_dtype)
        key = (self._stage.training.seed, "validation", number)
        index = len(self._source) - self._count + number
        try:
            sample = read_sample(self._source, index, generator(*key, "sample"), self._wanted)
        except BadSample as bad:
            raise RunError("bad_sample", f"{bad}; it is held out for validation") from None
        video, text = (sample[name].unsqueeze(0).to(device, dtype) for name in ("video", "text"))
        level = torch.tensor([int((number + 0.5) * LEVELS / self._count)], device=device)
        noise = torch.randn(video.shape, dtype=dtype, device=device, generator=generator(*key, device=device))
        return training_loss(model, video, text, level, noise)
