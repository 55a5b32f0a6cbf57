"""What a step takes of a device, in all and by part."""

from __future__ import annotations

from collections.abc import Callable

from tttdit.checker.memory.accounting import in_main_memory, on_gpu
from tttdit.checker.memory.gpus import SMALL_WORKSPACE, budget_bytes
from tttdit.checker.memory.outside import CUDA_CONTEXT
from tttdit.checker.memory.predicting import predict
from tttdit.core.spec.run_tables import HardwareTable
from tttdit.core.stage import Stage
from tttdit.core.symbolic.tape import Allocation, Moment, Standing, Tape

MIB = 1 << 20
TAPE = Tape(
    standing=(Standing("weight", "parameter", (700,), "uint8", 700),),
    moments=[Moment("aten::mul", "forward", "", "", False, live) for live in (100, 30 * MIB + 100, 100)],
    allocations=[
        Allocation((100,), "uint8", 100, 0, None, "activations", 0),
        Allocation((30 * MIB,), "uint8", 30 * MIB, 1, 2, "gradients", 1),
    ],
    high=[100, 30 * MIB + 100, 100],
    forward=3,
    saved_bytes=0,
    flops=0,
    recompute_flops=0,
)


def test_parts_add_up_with_rounding_and_the_workspaces_of_cublas() -> None:
    account = on_gpu(TAPE, {"parameters": 700}, HardwareTable(gpu="A100-80GB"), expandable=True)
    assert account.at == 1
    assert account.parts == {
        "parameters": 700,
        "activations": 100,
        "gradients": 30 * MIB,
        "workspace": 2 * SMALL_WORKSPACE,
        "rounding": (1024 - 700) + (512 - 100),
    }
    assert account.total_bytes == sum(account.parts.values())
    assert account.reserved_bytes == 2 * MIB + 60 * MIB  # one page for small blocks, three for the large ones


def test_main_memory_has_tensors_alone() -> None:
    account = in_main_memory(TAPE, {"parameters": 700})
    assert account.parts == {"parameters": 700, "activations": 100, "gradients": 30 * MIB}
    assert account.reserved_bytes == account.total_bytes == sum(account.parts.values())


def test_a_prediction_for_cuda_knows_the_gpu(nine_seconds: Callable[..., Stage]) -> None:
    stage = nine_seconds(added='[hardware]\ngpu = "H100-80GB"\n')
    made = predict(stage, device="cuda", dtype="bfloat16", runtime="plain")
    assert sum(made.parts.values()) == made.total_bytes <= made.reserved_bytes
    assert made.parts["rounding"] > 0
    assert (made.outside_bytes, made.budget_bytes) == (CUDA_CONTEXT, budget_bytes(stage.hardware))
    assert made.fits is True


def test_a_prediction_for_the_cpu_has_no_allocator(nine_seconds: Callable[..., Stage]) -> None:
    stage = nine_seconds(added='[hardware]\ngpu = "H100-80GB"\n')
    made = predict(stage, device="cpu", dtype="bfloat16", runtime="plain")
    assert "rounding" not in made.parts
    assert sum(made.parts.values()) == made.total_bytes == made.reserved_bytes
    assert (made.outside_bytes, made.budget_bytes, made.fits) == (0, None, None)
