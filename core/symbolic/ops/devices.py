"""Devices. The symbolic world has one, the CPU whose layouts it predicts; every other name for a place means the same memory.

So `x.to("cuda")` gives back `x`: on one device a move costs nothing, and where a model runs is not the module's business but the spec's.
`meta` is refused, because tensors there take no bytes.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic.names import known, known_property, known_value
from tttdit.core.symbolic.ops.copies import to
from tttdit.core.symbolic.tensor import Tensor


@frozen(init=False)
class Device:
    """`torch.device("cuda:0")`, `torch.device("cuda", 0)`; as a context manager it is the default device, which changes nothing."""

    type: str
    index: int | None

    def __init__(self, type: str | Device, index: int | None = None) -> None:
        name = str(type)
        kind, _, number = name.partition(":")
        if kind == "meta":
            raise UnknownCall('torch.device("meta")', "its tensors have no memory to predict")
        self.__attrs_init__(kind, int(number) if number else index)

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type={self.type!r}{'' if self.index is None else f', index={self.index}'})"


CPU = Device("cpu")
known_value("torch.device", Device)


def check_device(device: Any) -> None:
    """Raises UnknownCall for a device that this world has no memory for."""
    if isinstance(device, str):
        Device(device)
    elif not (device is None or isinstance(device, (Device, int))):
        raise UnknownCall(f"a {type(device).__name__} as a device")


@known_property("Tensor.device")
def device(input: Tensor) -> Device:
    """The one device there is."""
    return CPU


@known_property("Tensor.is_cuda")
def is_cuda(input: Tensor) -> bool:
    """Never: layouts and operators are those of the CPU."""
    return False


@known_property("Tensor.is_cpu")
def is_cpu(input: Tensor) -> bool:
    """Always."""
    return True


@known("Tensor.get_device")
def get_device(input: Tensor) -> int:
    """-1, as on the CPU."""
    return -1


@known("Tensor.cpu")
def cpu(input: Tensor) -> Tensor:
    """The tensor itself: there is one device."""
    result: Tensor = to(input)
    return result


@known("Tensor.cuda")
def cuda(input: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    """The tensor itself: there is one device."""
    check_device(device)
    result: Tensor = to(input)
    return result
