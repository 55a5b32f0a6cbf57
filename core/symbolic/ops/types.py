"""What there is to know about data types: their limits, which one wins, which one is the default."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.names import known, known_property, known_value
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Size, Tensor

# Bits of the fraction, and the exponents of the largest and the smallest normal number, as powers of two.
FLOATS = {
    types.float16: (10, 15, -14),
    types.bfloat16: (7, 127, -126),
    types.float32: (23, 127, -126),
    types.float64: (52, 1023, -1022),
}
RESOLUTIONS = {types.float16: 1e-3, types.bfloat16: 1e-2, types.float32: 1e-6, types.float64: 1e-15}


@frozen(init=False)
class FloatInfo:
    """`torch.finfo(dtype)`. Raises TypeError for a type that is not floating point."""

    dtype: str
    bits: int
    eps: float
    max: float
    min: float
    tiny: float
    smallest_normal: float
    resolution: float

    def __init__(self, dtype: DType | None = None) -> None:
        dtype = dtype or types.default_dtype()
        if dtype not in FLOATS:
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{dtype}'")
        fraction, highest, lowest = FLOATS[dtype]
        largest = (2.0 - 2.0**-fraction) * 2.0**highest
        smallest = 2.0**lowest
        self.__attrs_init__(
            dtype.name, dtype.itemsize * 8, 2.0**-fraction, largest, -largest, smallest, smallest, RESOLUTIONS[dtype]
        )


@frozen(init=False)
class IntegerInfo:
    """`torch.iinfo(dtype)`. Raises TypeError for a type that is not an integer."""

    dtype: str
    bits: int
    max: int
    min: int

    def __init__(self, dtype: DType) -> None:
        if dtype.category != 1:
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{dtype}'")
        bits = dtype.itemsize * 8
        signed = dtype is not types.uint8
        largest = 2 ** (bits - signed) - 1
        self.__attrs_init__(dtype.name, bits, largest, -largest - 1 if signed else 0)


known_value("torch.finfo", FloatInfo)
known_value("torch.iinfo", IntegerInfo)
known_value("torch.strided", "strided")


@known("torch.promote_types")
def promote_types(type1: DType, type2: DType) -> DType:
    """The smallest type that holds both."""
    return types.promote(type1, type2)


@known("torch.result_type")
def result_type(tensor1: Any, tensor2: Any) -> DType:
    """The type of an operation on these."""
    return types.result_type(tensor1, tensor2)


@known("torch.can_cast")
def can_cast(from_: DType, to: DType) -> bool:
    """Whether a cast keeps the kind: not from floating point to integers, nor from numbers to bool."""
    return from_.category <= to.category


@known("torch.is_floating_point", "Tensor.is_floating_point")
def is_floating_point(input: Tensor) -> bool:
    """Whether gradients can flow through it."""
    return input.dtype.is_floating_point


@known("torch.is_complex", "Tensor.is_complex")
def is_complex(input: Tensor) -> bool:
    """Never."""
    return False


@known("torch.is_tensor")
def is_tensor(obj: Any) -> bool:
    """Whether it is a tensor."""
    return isinstance(obj, Tensor)


@known("torch.get_default_dtype")
def get_default_dtype() -> DType:
    """The floating point type that factories use."""
    return types.default_dtype()


@known("torch.set_default_dtype")
def set_default_dtype(d: DType) -> None:
    """The floating point type that factories use from now on, in this thread. Raises TypeError for any other type."""
    if not d.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    STATE.default_dtype = d


@known("Tensor.element_size")
def element_size(input: Tensor) -> int:
    """Bytes of an element."""
    return input.dtype.itemsize


@known_property("Tensor.itemsize")
def itemsize(input: Tensor) -> int:
    """Bytes of an element."""
    return input.dtype.itemsize


@known_property("Tensor.nbytes")
def nbytes(input: Tensor) -> int:
    """Bytes of its elements."""
    return Size(input.shape).numel() * input.dtype.itemsize


@known_property("Tensor.layout")
def layout(input: Tensor) -> str:
    """Always strided."""
    return "strided"
