"""Memory that nobody has written to yet reads as NaN, so that a result nobody wrote cannot pass for zero."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def poisoned_memory() -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)  # with it, torch fills new memory
    yield
    torch.use_deterministic_algorithms(before)
