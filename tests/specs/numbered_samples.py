"""A data source whose samples say their numbers; here, so that other processes can import it."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

import torch
from attrs import field, frozen

from tttdit.core.runtime.data.source import BadSample


@frozen
class Numbers:
    """Samples that say their number, and what was drawn for them; those in `wrong` cannot be used."""

    count: int
    wrong: Mapping[int, str] = field(factory=dict)

    def __len__(self) -> int:
        return self.count

    def name(self, index: int) -> str:
        return f"numbers:{index}"

    def sample(self, index: int, chance: torch.Generator) -> dict[str, torch.Tensor]:
        match self.wrong.get(index):
            case "bad":
                raise BadSample("it is torn")
            case "fails":
                raise ZeroDivisionError("by zero\nand more")
            case "shape":
                return {"number": torch.zeros(2), "drawn": torch.zeros(1)}
            case "nan":
                return {"number": torch.full((1,), float("nan")), "drawn": torch.zeros(1)}
            case "lacks":
                return {"number": torch.zeros(1)}
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
        return {"number": torch.full((1,), float(index)), "drawn": torch.rand(1, generator=chance)}
