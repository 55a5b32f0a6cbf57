"""Names that appear in annotations only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.names import known_value


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
    known_value(f"torch.{_name}", _Annotation(_name, (), {}))

for _name, _value in {
    "Number": int | float | bool,
    "Device": Any,
    "_dtype": DType,
    "_size": Sequence[int],
    "_int": int,
    "_float": float,
    "_bool": bool,
}.items():
    known_value(f"torch.types.{_name}", _value)
