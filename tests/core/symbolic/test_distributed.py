"""Tensor-parallel ranks in the symbolic world: what moves between them is allocated as torch does, and styles are applied as torch does."""

from itertools import accumulate

import pytest
import torch
import torch.distributed._functional_collectives as functional
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributed import tensor as real
from torch.distributed.device_mesh import init_device_mesh
from torch.profiler import profile

from tttdit.core.errors import UnknownCall
from tttdit.core.runtime.proof.rank import RankBytes, pretended_ranks
from tttdit.core.symbolic.distributed import dtensor, placements
from tttdit.core.symbolic.distributed.redistributing import piece_of
from tttdit.core.symbolic.distributed.styles import ParallelStyle, PrepareModuleInput, parallelize_module
from tttdit.core.symbolic.dtype import bfloat16
from tttdit.core.symbolic.nn.linear import Linear
from tttdit.core.symbolic.nn.module import Identity, ModuleList, Sequential
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.storage import Meter
from tttdit.core.symbolic.tensor import given as existing
from tttdit.core.symbolic.world import TORCH

WAYS = [
    ("r", "s0"),
    ("r", "s1"),
    ("s0", "r"),
    ("s1", "r"),
    ("s2", "r"),
    ("s1", "s2"),
    ("s2", "s1"),
    ("s0", "s1"),
    ("p", "r"),
]


def placed(kind, way):
    """`Shard(1)` of either world for "s1"."""
    return kind.Replicate() if way == "r" else kind.Partial() if way == "p" else kind.Shard(int(way[1]))


def shape_of_part(shape, way, ranks):
    return [piece_of(size, ranks) if way == f"s{at}" else size for at, size in enumerate(shape)]


def on_torch(shape, source, target, ranks):
    """Bytes that live after each operator, and the layout of what comes of it."""
    with pretended_ranks(ranks):
        mesh = init_device_mesh("cpu", (ranks,))
        local = torch.zeros(shape_of_part(shape, source, ranks), dtype=torch.bfloat16)
        stride = torch.empty(shape, device="meta").stride()
        rod = RankBytes([local])
        with rod:
            tensor = real.DTensor.from_local(
                local, mesh, [placed(real, source)], run_check=False, shape=torch.Size(shape), stride=stride
            )
            moved = tensor.redistribute(placements=[placed(real, target)])
            live, peak = rod.now, max(each.high for each in rod.log)
            local = moved.to_local()
            return live, peak, tuple(local.shape), local.stride()


def foretold(shape, source, target, ranks):
    local = existing(shape_of_part(shape, source, ranks), bfloat16)
    with Meter(log=True) as meter:
        tensor = dtensor.DTensor.from_local(
            local, placements.DeviceMesh(ranks), [placed(placements, source)], shape=shape
        )
        moved = tensor.redistribute(placements=[placed(placements, target)])
        live, peak = meter.now, meter.peak
        local = moved.to_local()
        return live, peak, tuple(local.shape), local.strides


@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(2, 9), st.sampled_from([4, 8, 12])),
    way=st.sampled_from(WAYS),
    ranks=st.sampled_from([2, 4]),
)
def test_what_moves_is_allocated_as_torch_does(shape, way, ranks):
    assert foretold(shape, *way, ranks) == on_torch(shape, *way, ranks)


@pytest.fixture
def on_cuda():
    STATE.device = "cuda"
    yield
    STATE.device = "cpu"


def allocated_by_torch(shape, gather, shard):
    """The most bytes that torch's own all-to-all allocates, which runs on CUDA only but takes tensors of any device; and its result."""
    with pretended_ranks(2):
        group = functional._resolve_group((init_device_mesh("cpu", (2,)), 0))
        local = torch.zeros(shape, dtype=torch.bfloat16)
        with profile(profile_memory=True) as profiled:
            result = torch.ops._dtensor.shard_dim_alltoall(local, gather, shard, functional._group_or_group_name(group))
    events = [each for each in profiled.profiler.kineto_results.events() if each.name() == "[memory]"]
    lives = accumulate(each.nbytes() for each in sorted(events, key=lambda each: each.start_ns()))
    return max(lives), tuple(result.shape), result.stride()


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize(("gather", "shard"), [(2, 1), (1, 2)], ids=["heads to tokens", "tokens to heads"])
@pytest.mark.usefixtures("on_cuda")
def test_an_all_to_all_on_cuda_allocates_what_torchs_operator_does(samples, gather, shard):
    whole = [samples, 16, 32]
    live, peak, *layout = foretold(whole, f"s{gather}", f"s{shard}", ranks=2)
    whole[gather] //= 2
    assert (peak, *layout) == allocated_by_torch(whole, gather, shard)
    assert live == samples * 16 * 32, "half of the numbers, of two bytes: nothing is kept whole"


def test_gradients_of_ranks_are_summed_where_all_read():
    mesh, whole = placements.DeviceMesh(2), placements.Replicate()
    x = existing((1, 8, 4), bfloat16, requires_grad=True)
    with Meter(log=True) as meter:
        y = dtensor.DTensor.from_local(x, mesh, (whole,)).to_local(grad_placements=(placements.Partial(),))
        TORCH.sum(y * 2).backward()
    assert [each.name for each in meter.log].count("all_reduce") == 1
    assert x.grad.shape == x.shape


def test_ways_that_nobody_needs_are_not_guessed():
    x = dtensor.DTensor.from_local(existing((4, 4)), placements.DeviceMesh(2), (placements.Partial(),))
    with pytest.raises(UnknownCall, match=r"DTensor\.redistribute"):
        x.redistribute(placements=(placements.Shard(0),))


def test_a_plan_goes_to_all_modules_that_its_paths_name():
    met = []

    class Noting(ParallelStyle):
        def _apply(self, module, device_mesh):
            met.append((module, device_mesh.size()))
            return module

    first, second = Sequential(Linear(2, 2)), Sequential(Linear(2, 2))
    layers = ModuleList([first, second])
    parallelize_module(layers, placements.DeviceMesh(3), {"*.0": Noting(), "": Noting(), "elsewhere": Noting()})
    assert met == [(first[0], 3), (second[0], 3), (layers, 3)]


def test_inputs_are_prepared_and_gathered_again():
    mesh, module = placements.DeviceMesh(2), Sequential(Identity(), Identity())
    ways = placements.Replicate(), placements.Shard(1)
    plan = {
        "0": PrepareModuleInput(input_layouts=ways[0], desired_input_layouts=ways[1]),
        "1": PrepareModuleInput(input_layouts=ways[1], desired_input_layouts=ways[0], use_local_output=True),
    }
    parallelize_module(module, mesh, plan)
    x = existing((1, 5, 4), bfloat16)
    share = module[0](x)
    assert (type(share), share.shape, share.local.shape) == (dtensor.DTensor, (1, 5, 4), (1, 3, 4))
    assert module(x).shape == x.shape
