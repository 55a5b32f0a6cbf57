"""FSDP2 on one rank: which memory it takes and gives back, and when.

What `torch.distributed.fsdp.fully_shard` of PyTorch 2.13 does around the modules that it is applied to, function by function, without
communication and without streams: memory follows from who holds which tensor, which is the same on the CPU and on CUDA. (FSDP2 calls
no `record_stream`; its events order kernels, and keep no memory.) Each `Group` is an `FSDPState` and its `FSDPParamGroup`
(torch/distributed/fsdp/_fully_shard/_fsdp_state.py, _fsdp_param_group.py, _fsdp_collectives.py, _fsdp_param.py): the functions
named below are theirs.

A group is one of the layers that are alike, and everything outside of them (the root). Parameters are sharded over dimension 0, with
rows of padding where the ranks do not divide it. Masters and gradients are float32, whatever the type that a gathered parameter has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from typing import Any

from attrs import frozen

from tttdit.core.errors import Unpredicted
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.dimension import Dim, rounded_up
from tttdit.core.symbolic.distributed.dtensor import DTensor
from tttdit.core.symbolic.dtype import NAMES, DType, float32
from tttdit.core.symbolic.function import Function
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.state import Recorder as Calls
from tttdit.core.symbolic.storage import Storage, uncounted
from tttdit.core.symbolic.tape import Kind, Recorder
from tttdit.core.symbolic.tensor import Parameter, Tensor

MASTER = float32  # the type of sharded parameters, of their gradients and of the optimizer's state


@frozen(kw_only=True)
class Sharding:
    """How a model is spread over ranks: `replicas` copies of it, each over `shards` ranks (HSDP; with one replica FSDP), each of which is
    `tensor` ranks that compute a sample together.

    `reduce_dtype` is the type in which gradients travel. Where a step `accumulates` there are sharded gradients from the micro-steps before
    it, to which its own are added. `for_any_size` has formulas that round up, even where the ranks divide the rows of a parameter.
    """

    replicas: int = 1
    shards: int = 1
    tensor: int = 1
    reduce_dtype: str = "float32"
    accumulates: bool = False
    for_any_size: bool = False

    def rows(self, size: int) -> int:
        """How many of so many rows a rank holds, padding included."""
        if self.for_any_size and isinstance(size, Dim):
            return rounded_up(size, self.shards)
        return -(-size // self.shards)

    @property
    def holds_every_layer(self) -> bool:
        """Whether something of every layer lives to the end of backward: what HSDP sums in another type than the gradient's."""
        return self.replicas > 1 and self.reduce_dtype != MASTER.name


class Training(Enum):
    """`TrainingState`."""

    IDLE = "idle"
    FORWARD = "forward"
    PRE_BACKWARD = "pre-backward"
    POST_BACKWARD = "post-backward"


class ShardedParameter:
    """One parameter of a group (`FSDPParam`).

    Its tensor is the unsharded one, of a DTensor this rank's part; its memory is there only from `to_unsharded` to `to_sharded`. `shard` is
    the shape of every rank's part, padding included: that of the first rank, which has none. `gradient` is a part too, of one that is not
    added to another of an earlier micro-step; `reduced` says whether there was any.
    """

    def __init__(self, name: str, tensor: Parameter, sharding: Sharding) -> None:
        whole = tensor
        tensor = tensor.local if isinstance(tensor, DTensor) else tensor  # type: ignore[assignment]
        if not tensor.shape:
            raise Unpredicted(
                f"the parameter {name} has no dimension, and fully_shard takes none without one: make it [1]"
            )
        rows = sharding.rows(tensor.shape[0])
        self.name = name
        self.whole = whole  # whose gradient autograd makes
        self.tensor = tensor
        self.shard = (rows, *tensor.shape[1:])
        self.gradient: Tensor | None = None
        self.reduced = False
        with uncounted():
            tensor.storage = whole.storage = Storage((rows * sharding.shards, *tensor.shape[1:]), tensor.dtype)

    @property
    def of_heads(self) -> bool:
        """Whether tensor-parallel ranks have shared it out."""
        return isinstance(self.whole, DTensor) and self.whole.placement.is_shard()

    @property
    def elements(self) -> int:
        """Numbers in a rank's part."""
        count = 1
        for size in self.shard:
            count = count * size
        return count

    def take_gradient(self) -> Tensor:
        """The gradient, which the parameter has no more: `unsharded_grad_data`. Summands of tensor-parallel ranks are summed."""
        gradient, self.whole.grad = self.whole.grad, None
        assert gradient is not None
        if not isinstance(gradient, DTensor):
            return gradient
        assert isinstance(self.whole, DTensor)
        if gradient.placement != self.whole.placement:
            gradient = gradient.redistribute(placements=self.whole.placements)
        local: Tensor = gradient.local
        return local

    def to_unsharded(self) -> None:
        """`alloc_all_gather_outputs`."""
        self.tensor.storage.allocate()
        _is_for("buffers", self.tensor)

    def to_sharded(self) -> None:
        """`free_unsharded_param`."""
        self.tensor.storage.release()


class Communication:
    """What all groups share (`FSDPCommContext`, `FSDPStateContext`)."""

    def __init__(self, sharding: Sharding, dtype: DType) -> None:
        self.sharding = sharding
        self.dtype = dtype  # of gathered parameters
        self.groups: list[Group] = []  # the root first, then as they come in the model
        self.all_gather_output: Tensor | None = None  # of the group before, kept until the next one's has been issued
        self.reduce_scatter_input: Tensor | None = None  # of the group before; `reduce_scatter_max_input_buffers` is 1
        self.order: list[Group] = []  # `post_forward_order`
        self.forward_root: Group | None = None
        self.queued = False  # `post_backward_final_callback_queued`

    def finish(self) -> None:
        """`_root_post_backward_final_callback`: groups whose inputs needed no gradient reduce now."""
        for group in self.groups:
            if group.training is not Training.POST_BACKWARD:
                group.post_backward()
            group.training = group.state = Training.IDLE
            group.finalize_backward()
        self.order.clear()
        self.reduce_scatter_input = None
        self.queued = False


# What `FSDPParamGroup.unshard` leaves where there is nobody to gather from.
_ALONE = object()


class Group:
    """Parameters that are gathered and reduced together. `keeps` says that they stay gathered after forward, as the root's do."""

    def __init__(self, path: str, parameters: list[ShardedParameter], shared: Communication, *, keeps: bool) -> None:
        self.path = path
        self.parameters = parameters
        self.shared = shared
        self.keeps = keeps
        self.state = Training.IDLE  # FSDPState._training_state
        self.training = Training.IDLE  # FSDPParamGroup._training_state
        self.unsharded = False
        self.gathered: Any = None  # `_all_gather_result`
        self.reduced: Tensor | None = None  # `_all_reduce_state`
        self.uses: list[int] = []  # `_post_forward_indices`

    # -- around forward

    def pre_forward(
        self, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """`FSDPState._pre_forward`: in a replay of its own region the group has been gathered by the backward hook."""
        if self.state is Training.PRE_BACKWARD:
            if not self.unsharded:
                self.unshard()
                self.wait_for_unshard()
            return self._cast((arguments, keywords))  # type: ignore[no-any-return]
        self.state = Training.FORWARD
        if self.shared.forward_root is None:
            self.shared.forward_root = self
        arguments, keywords = self._cast((arguments, keywords))
        self.training = Training.FORWARD
        self.unshard()
        self.wait_for_unshard()
        return self._register_post_backward(arguments, keywords)

    def post_forward(self, output: Any) -> Any:
        """`FSDPState._post_forward`."""
        if self.state is Training.PRE_BACKWARD:
            return output
        if STATE.after_backward is None:
            if not self.keeps:
                self.reshard()
            self.uses.append(len(self.shared.order))
            self.shared.order.append(self)
        self.training = Training.IDLE
        if STATE.grad_enabled:
            for tensor in _wanting_gradients(output):
                if tensor.node is not None:
                    tensor.node.hooks += (self.pre_backward,)
        self.state = Training.IDLE
        if self.shared.forward_root is self:
            self.shared.all_gather_output = None
            self.shared.forward_root = None
        return output

    def _cast(self, value: Any) -> Any:
        """`_cast_forward_inputs`."""
        return _mapped(value, partial(_cast_floating, dtype=self.shared.dtype))

    def _register_post_backward(
        self, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """`_register_post_backward_hook`: the gradients of what goes into the module come last."""
        tensors = list(_wanting_gradients((arguments, keywords))) if STATE.grad_enabled else []
        if not tensors:
            return arguments, keywords
        passed = iter(_PostBackward.apply(self, *tensors))
        return _mapped(  # type: ignore[no-any-return]
            (arguments, keywords), lambda tensor: next(passed) if tensor.requires_grad else tensor
        )

    # -- parameters

    def unshard(self) -> None:
        """`FSDPParamGroup.unshard`: asks for the whole parameters, once."""
        if self.gathered is None and not self.unsharded:
            self.gathered = _ALONE if self.shared.sharding.shards == 1 else self._all_gather()

    def _all_gather(self) -> Tensor:
        """`foreach_all_gather`, `_get_param_all_gather_inputs`. What is cast lives until the function returns."""
        numbers = sum((each.elements for each in self.parameters[1:]), self.parameters[0].elements)
        if self.shared.dtype is not MASTER:
            cast = _buffer("empty", numbers, self.shared.dtype)
            raw.inplace("_foreach_copy_", cast)
        output = _buffer("empty", numbers * self.shared.sharding.shards, self.shared.dtype)
        raw.dispatched("all_gather_copy_in", output)
        return raw.dispatched("_allgather_base_", output)

    def wait_for_unshard(self) -> None:
        """`FSDPParamGroup.wait_for_unshard`, `foreach_all_gather_copy_out`: puts what has arrived into the parameters.

        In forward the output is kept until the next group's parameters have been copied out: its name, `prev_all_gather_state`, holds it to
        the end of the function.
        """
        if self.gathered is None:
            return
        before = None
        if self.training is Training.FORWARD:
            before, self.shared.all_gather_output = self.shared.all_gather_output, None
        if self.gathered is _ALONE:
            self._copy_own()
        else:
            for each in self.parameters:
                each.to_unsharded()
            raw.dispatched("split_with_sizes_copy", self.parameters[-1].tensor)
            if self.training is Training.FORWARD:
                self.shared.all_gather_output = self.gathered
        self.unsharded = True
        self.gathered = None
        del before

    def _copy_own(self) -> None:
        """`wait_for_unshard` on a mesh of one: each parameter is cast, and copied; the cast one lives until the next has been cast."""
        own: Tensor | None = None
        for each in self.parameters:
            if self.shared.dtype is not MASTER:
                own = _buffer("_to_copy", each.elements, self.shared.dtype)
            each.to_unsharded()
            raw.dispatched("copy_", each.tensor)
        del own

    def reshard(self) -> None:
        """`FSDPParamGroup.reshard`."""
        if self.unsharded:
            for each in self.parameters:
                each.to_sharded()
            self.unsharded = False

    # -- around backward

    def pre_backward(self) -> None:
        """`FSDPState._pre_backward`, `FSDPParamGroup.pre_backward`, `_backward_prefetch`: a gradient of an output has arrived."""
        self.state = Training.PRE_BACKWARD
        if not self.shared.queued:
            assert STATE.after_backward is not None
            STATE.after_backward.append(self.shared.finish)
            self.shared.queued = True
        if self.training is Training.PRE_BACKWARD:
            return
        self.training = Training.PRE_BACKWARD
        self.unshard()
        self.wait_for_unshard()
        if self.uses and (use := self.uses.pop()) > 0:
            self.shared.order[use - 1].unshard()

    def post_backward(self) -> None:
        """`FSDPParamGroup.post_backward`: gives the parameters back, and reduces their gradients."""
        self.training = Training.POST_BACKWARD
        outer, STATE.place = STATE.place, self.path
        reduced = [each for each in self.parameters if each.whole.grad is not None]
        gradients = [each.take_gradient() for each in reduced]
        _is_for("gradients", *gradients)
        self.reshard()
        self.shared.reduce_scatter_input = None
        if gradients:
            self.reduced = None
            self.shared.reduce_scatter_input, self.reduced = self._reduce(reduced, gradients)
        STATE.place = outer

    def _reduce(self, reduced: list[ShardedParameter], gradients: list[Tensor]) -> tuple[Tensor, Tensor | None]:
        """`foreach_reduce`: copies the gradients into one buffer in the type of the reduction, which gives this rank's part.

        Returns what goes into the reduce-scatter, and what goes into the all-reduce of HSDP.
        """
        sharding = self.shared.sharding
        dtype = NAMES[sharding.reduce_dtype]
        # its loop over the gradients leaves their name bound to the last one, which lives until the function returns
        last = gradients[-1] if sharding.shards > 1 else None
        numbers = sum((each.elements for each in reduced[1:]), reduced[0].elements)
        given = _buffer("empty", numbers * sharding.shards, dtype)
        raw.inplace("chunk_cat", given)
        gradients.clear()
        part = _buffer("empty", numbers, dtype)
        raw.dispatched("_reduce_scatter_base_" if sharding.shards > 1 else "copy_", part)
        summed = None
        if sharding.replicas > 1:
            summed = raw.dispatched("allreduce_", part)
        if dtype is not MASTER:
            part = _buffer("_to_copy", numbers, MASTER)
        if not sharding.accumulates:
            _is_for("gradients", part)
        for each in reduced:
            mine = raw.dispatched("as_strided", raw.alias(part))
            if sharding.accumulates:
                raw.inplace("add_", mine)
            else:
                each.gradient = mine
            each.reduced = True
        del last
        return given, summed

    def finalize_backward(self) -> None:
        """`FSDPParamGroup.finalize_backward`."""
        self.reduced = None
        self.gathered = None
        self.uses.clear()


class _PostBackward(Function):
    """`RegisterPostBackwardFunction`."""

    @staticmethod
    def forward(ctx: Any, group: Group, *inputs: Tensor) -> tuple[Tensor, ...]:
        ctx.group = group
        return inputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        ctx.group.post_backward()
        return (None, *gradients)


class ShardedCalls:
    """Runs a model's modules as `inner` does, and what FSDP2 does before and after those that it was applied to."""

    def __init__(self, model: Any, layers: str, sharding: Sharding, dtype: DType, inner: Calls) -> None:
        """`layers` is the path of the list of layers that are alike; "" for a model without, which is one group.

        Raises Unpredicted for what `fully_shard` refuses.
        """
        self._inner = inner
        shared = Communication(sharding, dtype)
        names = {id(tensor): name for name, tensor in model.named_parameters()}
        paths = [f"{layers}.{index}" for index in range(len(model.get_submodule(layers)))] if layers else []
        taken: dict[int, str] = {}
        inside = [_group(model, path, shared, names, taken) for path in paths]
        shared.groups += [_group(model, "", shared, names, taken), *inside]
        self._groups = {id(model.get_submodule(group.path)): group for group in shared.groups}
        self.parameters = {each.name: each for group in shared.groups for each in group.parameters}

    def call(self, module: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """`module.run(arguments, keywords)`, between the hooks of its group."""
        group = self._groups.get(id(module))
        if group is None or not group.parameters:
            return self._inner.call(module, arguments, keywords)
        outer, STATE.place = STATE.place, group.path
        try:
            arguments, keywords = group.pre_forward(arguments, keywords)
            return group.post_forward(self._inner.call(module, arguments, keywords))
        finally:
            STATE.place = outer


def _group(model: Any, path: str, shared: Communication, names: dict[int, str], taken: dict[int, str]) -> Group:
    """A module's group: its parameters that are in no other (`_get_managed_states`)."""
    parameters = []
    for tensor in dict.fromkeys(_inner_first(model.get_submodule(path))):
        if taken.setdefault(id(tensor), path) == path:
            parameters.append(ShardedParameter(names[id(tensor)], tensor, shared.sharding))
        elif path:
            name = names[id(tensor)]
            raise Unpredicted(
                f"{taken[id(tensor)]} and {path} share the parameter {name}, which fully_shard does not allow"
            )
    return Group(path, parameters, shared, keeps=not path)


def _inner_first(module: Any) -> Iterator[Parameter]:
    """A module's parameters, those of the modules inside first (`_get_managed_modules`)."""
    for inner in module.children():
        yield from _inner_first(inner)
    yield from module.parameters(recurse=False)


def _buffer(name: str, elements: int, dtype: DType) -> Tensor:
    """A flat tensor for communication."""
    tensor = raw.empty((elements,), dtype)
    _is_for("buffers", tensor)
    return raw.dispatched(name, tensor)


def _is_for(kind: Kind, *tensors: Tensor) -> None:
    """Tells a recorder what this memory is for."""
    if isinstance(STATE.meter, Recorder):
        STATE.meter.is_for(kind, tensors)


def _cast_floating(tensor: Tensor, dtype: DType) -> Any:
    return tensor.to(dtype) if tensor.dtype.is_floating_point and tensor.dtype is not dtype else tensor


def _wanting_gradients(value: Any) -> Iterator[Tensor]:
    """`collect_grad_tensors`."""
    if isinstance(value, Tensor):
        if value.requires_grad:
            yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _wanting_gradients(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _wanting_gradients(each)


def _mapped(value: Any, function: Callable[[Tensor], Any]) -> Any:
    """`replace_grad_tensors`, `_apply_to_tensors`: the same with what the function makes of every tensor in it."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {key: _mapped(each, function) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        made = [_mapped(each, function) for each in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    return value
