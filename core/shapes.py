"""Names and shapes of a model's tensors, as either world notes them while the model runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from attrs import frozen

Kind: TypeAlias = Literal["input", "parameter", "buffer", "intermediate", "output"]
Look: TypeAlias = Callable[[Any], "tuple[tuple[int, ...], str] | None"]


@frozen
class NamedShape:
    """One tensor: its name in the model, and its dimensions with their formulas."""

    name: str  # layers.0.seq_modeling_block.q
    kind: Kind
    shape: tuple[int, ...]
    dtype: str


class ShapeNotes:
    """What has been noted, in order. `look` gives a tensor's shape and dtype, and None for what is no tensor of its world."""

    def __init__(self, look: Look) -> None:
        self.shapes: list[NamedShape] = []
        self._look = look
        self._seen: dict[str, list[tuple[int, ...]]] = {}

    def note(self, name: str, kind: Kind, value: Any) -> None:
        """One tensor, or each of several: `layers.0.0`, `layers.0.1`.

        What a module returns again is noted where it has another shape: `norm`, `norm#2`.
        """
        found = self._look(value)
        if found is not None:
            self._note(name, kind, *found)
        elif isinstance(value, (tuple, list)):
            for index, each in enumerate(value):
                self.note(f"{name}.{index}", kind, each)

    def _note(self, name: str, kind: Kind, shape: tuple[int, ...], dtype: str) -> None:
        shapes = self._seen.setdefault(name, [])
        if shape in shapes:
            return
        shapes.append(shape)
        numbered = name if len(shapes) == 1 else f"{name}#{len(shapes)}"
        self.shapes.append(NamedShape(numbered, kind, shape, dtype))


def gives_back(result: Any, arguments: tuple[Any, ...]) -> bool:
    """Whether a module's result is what it was called with, and no new tensor."""
    return any(result is each for each in arguments)
