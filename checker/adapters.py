"""What a model's plugin says of training: which parameters are trained, and which key of `[model]` decides that."""

from __future__ import annotations

from typing import Any

from tttdit.core.spec.wording import show
from tttdit.core.stage import BuiltStage


def trained(built: BuiltStage) -> list[str]:
    """The names of the parameters that the stage trains."""
    stage = built.stage
    return [name for name in built.parameters if stage.assembly.model.trains(stage.model, name)]


def choice(built: BuiltStage) -> str:
    """The key that decides what is trained: the first one that the plugin looks at; the table where it looks at none."""
    table = _Watched(built.stage.model)
    for name in built.parameters:
        built.stage.assembly.model.trains(table, name)
    return f"model.{table.looked_at[0]}" if table.looked_at else "model"


def told(built: BuiltStage) -> str:
    """That key with its value: `model.adapter = "none"`."""
    key = choice(built)
    return key if key == "model" else f"{key} = {show(getattr(built.stage.model, key.removeprefix('model.')))}"


class _Watched:
    """A table that remembers which of its keys were read."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self.looked_at: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.looked_at.append(name)
        return getattr(self._table, name)
