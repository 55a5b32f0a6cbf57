"""Types of fields that many tables share, with the bounds that every size in a spec has."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

LARGEST_DIMENSION = 10_000_000
LARGEST_COUNT = 100_000

# How long an axis of a tensor, or a picture, is.
Dimension: TypeAlias = Annotated[int, Field(ge=1, le=LARGEST_DIMENSION)]

# How many there are of something: layers, heads, ranks, steps.
Count: TypeAlias = Annotated[int, Field(ge=1, le=LARGEST_COUNT)]

# A share of one.
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]

# A step width of an optimizer; 0 leaves the parameters as they are.
LearningRate: TypeAlias = Annotated[float, Field(ge=0, le=1000)]

# A name or a path.
Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=4096)]

Dtype: TypeAlias = Literal["float32", "bfloat16", "float16"]
