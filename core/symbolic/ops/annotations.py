"""Names that appear in annotations only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.names import NAMES


class _Annotation(type):
    """A class that can be named, not used."""

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        raise UnknownCall(f"torch.{cls.__name__}", "outside annotations")

    def __instancecheck__(cls, instance: Any) -> bool:
        raise UnknownCall(f"torch.{cls.__name__}", "outside annotations")


for _name in (
    "FloatTensor",
    "DoubleTensor",
    "HalfTensor",
    "BFloat16Tensor",
    "LongTensor",
    "IntTensor",
    "ShortTensor",
    "ByteTensor",
    "CharTensor",
    "BoolTensor",
    "memory_format",
    "layout",
):
    NAMES[f"torch.{_name}"] = _Annotation(_name, (), {})

NAMES["torch.types.Number"] = int | float | bool
NAMES["torch.types.Device"] = Any
NAMES["torch.types._dtype"] = DType
NAMES["torch.types._size"] = Sequence[int]
NAMES["torch.types._int"], NAMES["torch.types._float"], NAMES["torch.types._bool"] = int, float, bool
