"""Helpers beside the tests (`tiny_specs`, `reference_model`) are imported by their names; memory is poisoned.

Memory that nobody has written to yet reads as NaN, so that a result nobody wrote cannot pass for zero.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def poisoned_memory() -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)  # with it, torch fills new memory
    yield
    torch.use_deterministic_algorithms(before)
