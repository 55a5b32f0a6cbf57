"""The namespace that answers `import torch` in the symbolic world.

It is made of what the families of functions say they are known as (`names.known`), of the data types, modules and modes. Whatever is not
there raises `UnknownCall` when it is asked for.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import autograd, checkpoint, distributed, dtype, engine, function, library, nn, ops  # noqa: F401 - for the names that they make known
from tttdit.core.symbolic.names import NAMES
from tttdit.core.symbolic.nn import init, module
from tttdit.core.symbolic.tensor import Parameter, Size, Tensor


def _modules(package: ModuleType) -> list[ModuleType]:
    return [
        importlib.import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)
    ]


_modules(ops)
_modules(distributed)


def _unknown_operator(name: str) -> Any:
    def operator(*operands: Any) -> Any:
        raise UnknownCall(f"Tensor.{name}")

    return operator


# Python looks operators up on the class: those that no family defines would end in a TypeError, as if the author had made a mistake.
for _name in (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift", "divmod",
):  # fmt: skip
    for _form in (f"__{_name}__", f"__r{_name}__", f"__i{_name}__"):
        if _form not in vars(Tensor) and not (_form.startswith("__i") and f"__{_name}__" in vars(Tensor)):
            setattr(Tensor, _form, _unknown_operator(_form))
for _form in (
    "__getitem__", "__setitem__", "__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__", "__invert__", "__neg__", "__abs__",
    "__pos__", "__float__", "__int__", "__index__", "__contains__", "__round__", "__complex__",
):  # fmt: skip
    if _form not in vars(Tensor):
        setattr(Tensor, _form, _unknown_operator(_form))


class Namespace(ModuleType):
    """A module of the stand-in. What it does not have is an unknown call."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnknownCall(f"{self.__name__}.{name}")


def build() -> Namespace:
    """`torch`, as a fresh tree of namespaces."""
    spaces: dict[str, Namespace] = {}

    def space(path: str) -> Namespace:
        if path not in spaces:
            spaces[path] = Namespace(path)
            parent, _, name = path.rpartition(".")
            if parent:
                setattr(space(parent), name, spaces[path])
        return spaces[path]

    def put(path: str, **values: Any) -> None:
        for name, value in values.items():
            setattr(space(path), name, value)

    for name, known in NAMES.items():
        owner, _, attribute = name.rpartition(".")
        if owner != "Tensor":
            put("torch.nn.functional" if owner == "F" else owner, **{attribute: known})
    put("torch", Tensor=Tensor, Size=Size, dtype=dtype.DType, **dtype.NAMES)
    put("torch", no_grad=autograd.no_grad, enable_grad=autograd.enable_grad, inference_mode=autograd.no_grad)
    put("torch", contiguous_format="contiguous_format", preserve_format="preserve_format")
    put("torch.nn", Parameter=Parameter, **_layers())
    put("torch.nn.parameter", Parameter=Parameter)
    put("torch.nn.init", **{name: getattr(init, name) for name in init.__all__})
    put("torch.autograd.graph", saved_tensors_hooks=autograd.saved_tensors_hooks)
    put("torch.library", custom_op=library.custom_op)
    put("torch.utils")
    return spaces["torch"]


def _layers() -> dict[str, Any]:
    """Every class of a module in `nn/`."""
    return {
        name: value
        for source in _modules(nn)
        for name, value in vars(source).items()
        if isinstance(value, type) and issubclass(value, module.Module) and not name.startswith("_")
    }


TORCH: Any = build()
