"""`torch.nn.Module` and the containers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.dtype import DType
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Parameter, Tensor, given

PreHook: TypeAlias = "Callable[[Any, tuple[Any, ...]], Any]"
Hook: TypeAlias = "Callable[[Any, tuple[Any, ...], Any], Any]"


class Handle:
    """`torch.utils.hooks.RemovableHandle`."""

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self._hooks, self._hook = hooks, hook

    def remove(self) -> None:
        """The hook is called no more."""
        if self._hook in self._hooks:
            self._hooks.remove(self._hook)


class Module:
    """Parameters, buffers and modules are registered as they are assigned, under the names that torch gives them."""

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent: set[str]
    _forward_pre_hooks: list[PreHook]
    _forward_hooks: list[tuple[Hook, bool]]  # and whether it is called too where something was raised

    def __init__(self) -> None:
        own = self.__dict__
        own["training"] = True
        own["_parameters"] = {}
        own["_buffers"] = {}
        own["_modules"] = {}
        own["_non_persistent"] = set()
        own["_forward_pre_hooks"] = []
        own["_forward_hooks"] = []

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if "_modules" not in own:
            if isinstance(value, (Parameter, Module)):
                raise AttributeError("cannot assign parameters or modules before Module.__init__() call")
            own[name] = value
            return
        parameters, buffers, modules = own["_parameters"], own["_buffers"], own["_modules"]
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            own.pop(name, None)
            parameters.pop(name, None)
            buffers.pop(name, None)
            modules[name] = value
        elif name in parameters:
            if value is not None:
                raise TypeError(f"cannot assign a {type(value).__name__} as parameter {name!r}")
            parameters[name] = None
        elif name in modules and value is None:
            modules[name] = None
        elif name in buffers and (value is None or isinstance(value, Tensor)):
            buffers[name] = value
        else:
            own[name] = value

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            if table in own and name in own[table]:
                return own[table][name]
        if name in UNKNOWN_METHODS:
            raise UnknownCall(f"nn.Module.{name}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                return
        object.__delattr__(self, name)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """`forward`, of which a recorder is told."""
        recorder = STATE.recorder
        if recorder is None:
            return self.run(arguments, keywords)
        return recorder.call(self, arguments, keywords)

    def run(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """`forward` between its hooks: `Module._call_impl` of torch/nn/modules/module.py, whose names hold what they hold here."""
        if not self._forward_pre_hooks and not self._forward_hooks:
            return self.forward(*arguments, **keywords)
        result, called = None, 0
        try:
            for before in self._forward_pre_hooks:
                changed = before(self, arguments)
                if changed is not None:
                    arguments = changed = changed if isinstance(changed, tuple) else (changed,)
            result = self.forward(*arguments, **keywords)
            for after, _ in self._forward_hooks:
                called += 1
                other = after(self, arguments, result)
                if other is not None:
                    result = other
        except Exception:
            for after, always in self._forward_hooks[called:]:
                if always:
                    after(self, arguments, result)
            raise
        return result

    def register_forward_pre_hook(self, hook: PreHook) -> Handle:
        """Calls `hook(module, arguments)` before each forward; what it returns, if anything, takes the arguments' place."""
        self._forward_pre_hooks.append(hook)
        return Handle(self._forward_pre_hooks, hook)

    def register_forward_hook(self, hook: Hook, *, always_call: bool = False) -> Handle:
        """Calls `hook(module, arguments, result)` after each forward; what it returns, if anything, takes the result's place."""
        entry = hook, always_call
        self._forward_hooks.append(entry)
        return Handle(self._forward_hooks, entry)

    forward: Callable[..., Any]

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """A parameter under this name."""
        self.__dict__.pop(name, None)
        self._buffers.pop(name, None)
        self._modules.pop(name, None)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """A tensor that is no parameter; a persistent one is part of the state dict."""
        self.__dict__.pop(name, None)
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent.discard(name)
        else:
            self._non_persistent.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """A module under this name."""
        self._modules[name] = module

    register_module = add_module

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path."""
        found: Module = self
        for part in target.split(".") if target else ():
            found = getattr(found, part)
        return found

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path."""
        owner, _, name = target.rpartition(".")
        parameter: Parameter = getattr(self.get_submodule(owner), name)
        return parameter

    def children(self) -> Iterator[Module]:
        """The modules right inside."""
        return (module for _, module in self.named_children())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules right inside, with their names."""
        seen: set[int] = set()
        for name, module in self._modules.items():
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def modules(self) -> Iterator[Module]:
        """The module and all inside it."""
        return (module for _, module in self.named_modules())

    def named_modules(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """The module and all inside it, with their paths."""
        memo = set() if memo is None else memo
        if remove_duplicate and id(self) in memo:
            return
        memo.add(id(self))
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def _named(
        self, table: str, prefix: str, recurse: bool, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix) if recurse else iter([(prefix, self)])
        for path, module in modules:
            for name, value in getattr(module, table).items():
                if value is None or (remove_duplicate and id(value) in seen):
                    continue
                seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their paths, each once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """All buffers with their paths, each once."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers by path."""
        found: dict[str, Tensor] = {}
        for path, module in self.named_modules(remove_duplicate=False):
            lead = f"{path}." if path else ""
            for name, parameter in module._parameters.items():
                if parameter is not None:
                    found[lead + name] = parameter
            for name, buffer in module._buffers.items():
                if buffer is not None and name not in module._non_persistent:
                    found[lead + name] = buffer
        return found

    def apply(self, fn: Callable[[Module], None]) -> Module:
        """Calls `fn` on every module, the inner ones first."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Module:
        """Training mode."""
        for module in self.modules():
            module.__dict__["training"] = mode
        return self

    def eval(self) -> Module:
        """Evaluation mode."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Whether the parameters want gradients."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients."""
        for parameter in self.parameters():
            parameter.grad = None

    def to(self, *target: Any, dtype: DType | None = None, device: Any = None) -> Module:
        """Parameters and buffers of floating point in another type; devices are all one here."""
        for each in target:
            if isinstance(each, DType):
                dtype = each
        wanted = dtype
        if wanted is None:
            return self

        def convert(tensor: Tensor) -> Tensor:
            return (
                given(tensor.shape, wanted) if tensor.dtype.is_floating_point and tensor.dtype is not wanted else tensor
            )

        return self._apply(convert)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Module:
        """What `fn` makes of every parameter and buffer takes its place; a module may override it for itself."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is not None:
                made = fn(parameter)
                parameter.dtype, parameter.storage, parameter.strides = made.dtype, made.storage, made.strides
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def float(self) -> Module:
        """In float32."""
        return self.to(types.float32)

    def double(self) -> Module:
        """In float64."""
        return self.to(types.float64)

    def bfloat16(self) -> Module:
        """In bfloat16."""
        return self.to(types.bfloat16)

    def half(self) -> Module:
        """In float16."""
        return self.to(types.float16)

    def extra_repr(self) -> str:
        """What `repr` says between the parentheses."""
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"


# Methods of torch's Module that this one does not have: calling one is a gap of the symbolic world, not a typing mistake of the author.
UNKNOWN_METHODS = frozenset(
    {
        "compile", "cpu", "cuda", "type", "to_empty", "share_memory", "load_state_dict",
        "register_full_backward_hook", "register_full_backward_pre_hook", "register_backward_hook",
        "register_state_dict_pre_hook", "register_load_state_dict_post_hook", "register_load_state_dict_pre_hook",
        "set_submodule", "get_buffer", "get_extra_state", "set_extra_state", "ipu", "xpu", "mtia", "named_members",
    }
)  # fmt: skip


class Sequential(Module):
    """Modules one after the other."""

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        named = modules[0].items() if len(modules) == 1 and isinstance(modules[0], Mapping) else enumerate(modules)
        for name, module in named:
            self.add_module(str(name), module)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, at: Any) -> Any:
        values = list(self._modules.values())
        return Sequential(*values[at]) if isinstance(at, slice) else values[at]

    def append(self, module: Module) -> Sequential:
        """One more."""
        self.add_module(str(len(self)), module)
        return self

    def forward(self, input: Any) -> Any:
        """Through all of them."""
        for module in self:
            input = module(input)
        return input


class ModuleList(Module):
    """Modules in a list."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """These behind the others."""
        for module in modules:
            self.append(module)
        return self

    def append(self, module: Module) -> ModuleList:
        """One more."""
        self.add_module(str(len(self._modules)), module)
        return self

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, at: Any) -> Any:
        values = list(self._modules.values())
        return ModuleList(values[at]) if isinstance(at, slice) else values[at]  # type: ignore[arg-type]


class ModuleDict(Module):
    """Modules by name."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        for name, module in (modules or {}).items():
            self.add_module(name, module)

    def __getitem__(self, name: str) -> Module:
        found = self._modules[name]
        assert found is not None
        return found

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)

    def __contains__(self, name: str) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Module | None]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Module | None]]:
        """Names and modules."""
        return self._modules.items()


class ParameterList(Module):
    """Parameters in a list."""

    def __init__(self, values: Iterable[Tensor] = ()) -> None:
        super().__init__()
        for value in values:
            self.append(value)

    def append(self, value: Tensor) -> ParameterList:
        """One more."""
        self.register_parameter(str(len(self._parameters)), value if isinstance(value, Parameter) else Parameter(value))
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parameters.values())

    def __len__(self) -> int:
        return len(self._parameters)

    def __getitem__(self, at: int) -> Any:
        return list(self._parameters.values())[at]


class Identity(Module):
    """Gives back what it gets, whatever it was made with."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """The input."""
        return input
