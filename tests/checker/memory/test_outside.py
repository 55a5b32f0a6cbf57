"""What torch's allocator does not know of."""

from __future__ import annotations

from tttdit.checker.memory.outside import CONNECTION, CUDA_CONTEXT, outside_bytes, ring_bytes
from tttdit.core.spec.run_tables import ParallelismTable

MIB = 1 << 20


def test_a_connection_has_a_buffer_for_each_protocol() -> None:
    assert CONNECTION == 524_288 + 4_915_200 + 4_194_304
    assert ring_bytes() == 32 * (10_485_760 + 2_097_152)  # the sizes that NCCL's log shows


def test_one_rank_has_the_context_alone() -> None:
    assert outside_bytes(ParallelismTable()) == CUDA_CONTEXT


def test_each_dimension_of_the_mesh_is_a_communicator() -> None:
    two = outside_bytes(ParallelismTable(dp_sharding=8))
    assert two == CUDA_CONTEXT + ring_bytes()
    assert (
        outside_bytes(ParallelismTable(dp_replicate=16, dp_sharding=4, tp_sharding=4))
        == CUDA_CONTEXT + 3 * ring_bytes()
    )
