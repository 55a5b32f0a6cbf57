"""What a process can have of a GPU."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from tttdit.checker.memory.gpus import LARGE_WORKSPACE, MEMORY, SMALL_WORKSPACE, blas_workspaces, budget_bytes
from tttdit.core.spec.run_tables import Gpu, HardwareTable

GIB = 1 << 30


def test_every_gpu_of_a_spec_has_a_memory() -> None:
    assert [*MEMORY] == [*get_args(Gpu)]


@pytest.mark.parametrize("name", get_args(Gpu))
def test_it_is_a_little_less_than_what_is_sold(name: Gpu) -> None:
    """The name has GiB, or GB: CUDA reports between 92 % of the one and 100 % of the other."""
    sold = re.search(r"(\d+)GB$", name)
    assert sold is not None
    assert 0.92 * int(sold[1]) * GIB < MEMORY[name].nbytes < int(sold[1]) * GIB or (
        0.98 * int(sold[1]) * 10**9 < MEMORY[name].nbytes < 1.07 * int(sold[1]) * 10**9
    )


def test_a_stated_size_comes_before_a_name() -> None:
    assert budget_bytes(HardwareTable(gpu="H100-80GB", gpu_memory_gib=40)) == 40 * GIB
    assert budget_bytes(HardwareTable(gpu="H100-80GB")) == int(79.11 * GIB)
    assert budget_bytes(HardwareTable()) is None


def test_cublas_keeps_a_workspace_for_forward_and_one_for_backward() -> None:
    assert blas_workspaces(HardwareTable(gpu="H100-80GB")) == (LARGE_WORKSPACE, LARGE_WORKSPACE)
    assert blas_workspaces(HardwareTable(gpu="A100-80GB")) == (SMALL_WORKSPACE, SMALL_WORKSPACE)
    assert blas_workspaces(HardwareTable(gpu_memory_gib=80)) == (LARGE_WORKSPACE, LARGE_WORKSPACE)
    assert (LARGE_WORKSPACE, SMALL_WORKSPACE) == (33_554_432, 8_519_680)
