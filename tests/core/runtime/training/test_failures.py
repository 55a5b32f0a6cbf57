"""Whatever ends a run, as one line of a kind."""

from __future__ import annotations

import errno

import pytest
import torch
from torch import nn

from tttdit.core.errors import RunError, UsageError
from tttdit.core.runtime.training.failures import failure_of


class Greedy(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Sequential(nn.Identity(), Greedy())])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.layers[0](x)
        return y


def test_out_of_gpu_memory_names_the_module_at_work() -> None:
    with pytest.raises(torch.OutOfMemoryError) as raised:
        Model()(torch.zeros(1))
    failure = failure_of(raised.value)
    assert (failure.kind, failure.region) == ("out_of_gpu_memory", "layers.0.1")
    assert str(failure) == "out of GPU memory in layers.0.1: CUDA out of memory. Tried to allocate 20.00 GiB."


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (RunError("not_finite", "so it is"), "not_finite", "so it is"),
        (UsageError("no such file"), "error", "no such file"),
        (MemoryError(), "out_of_host_memory", "out of main memory"),
        (OSError(errno.ENOSPC, "No space", "runs/log.txt"), "disk", "the disk is full: runs/log.txt"),
        (ValueError("a\nplugin's own"), "error", "ValueError: a"),
    ],
)
def test_other_failures(error: Exception, kind: str, message: str) -> None:
    failure = failure_of(error)
    assert (failure.kind, str(failure)) == (kind, message)
