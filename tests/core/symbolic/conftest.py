"""The helpers beside the tests (`worlds`, `programs`) are imported by their names."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors: threads only get in each other's way."""
    import torch

    torch.set_num_threads(1)
