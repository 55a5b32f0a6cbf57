"""Random seeds. There are no numbers, so they change nothing; they are taken because modules set them."""

from __future__ import annotations

from typing import Any

from tttdit.core.symbolic.names import known, known_value
from tttdit.core.symbolic.ops.devices import CPU, Device, check_device


class Generator:
    """`torch.Generator`."""

    def __init__(self, device: Any = None) -> None:
        check_device(device)
        self.device: Device = CPU
        self._seed = 0

    def manual_seed(self, seed: int) -> Generator:
        """Starts anew from this seed."""
        self._seed = int(seed)
        return self

    def initial_seed(self) -> int:
        """The seed it started from."""
        return self._seed


known_value("torch.Generator", Generator)


@known("torch.manual_seed", "torch.random.manual_seed", "torch.cuda.manual_seed", "torch.cuda.manual_seed_all")
def manual_seed(seed: int) -> Generator:
    """The default generator, from this seed."""
    return Generator().manual_seed(seed)
