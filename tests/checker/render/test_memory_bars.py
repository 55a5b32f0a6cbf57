"""The bars of a rank's memory, as text: every column counts."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from tttdit.checker.memory.prediction import Exchange, Prediction
from tttdit.checker.render.memory_bars import memory_bars
from tttdit.checker.render.paint import Paint

GIB = 2**30
MADE = Prediction(
    stage="9s",
    device="cuda",
    dtype="bfloat16",
    runtime="fsdp2",
    saved_bytes=10 * GIB,
    peak_bytes=22 * GIB,
    peak_at="backward of layers.41.mlp",
    total_bytes=36 * GIB,
    total_at="backward of layers.41, recomputing attention",
    parts={"parameters": 6 * GIB, "activations": 18 * GIB, "optimizer": 12 * GIB},
    reserved_bytes=40 * GIB,
    outside_bytes=2 * GIB,
    host_bytes={},
    flops=4 * 10**15,
    recompute_flops=10**15,
    communication=(),
    budget_bytes=48 * GIB,
)


def drawn(**other: Any) -> str:
    return "\n".join(memory_bars(evolve(MADE, **other), Paint()))


def test_parts_stand_behind_each_other_and_end_where_the_need_ends() -> None:
    lines = drawn().split("\n")
    assert lines == [
        "  memory of one rank (predicted): fits, 6.00 GiB to spare",
        "    parameters       6.00 GiB |======                                          |",
        "    optimizer       12.00 GiB |      ============                              |",
        "    activations     18.00 GiB |                  ==================            |",
        "    blocks           4.00 GiB |                                    ====        |",
        "    outside          2.00 GiB |                                        ==      |",
        "    needed          42.00 GiB |##########################################      | 48.00 GiB",
        "    highest  backward of layers.41, recomputing attention",
        "    step     10.00 GiB saved by forward, peak 22.00 GiB in backward of layers.41.mlp",
        "    compute  4 PFLOP, 25.0 % of it recomputed",
    ]
    assert max(map(len, lines)) <= 100


def test_what_lies_beyond_the_gpu_is_marked() -> None:
    lines = drawn(budget_bytes=28 * GIB).split("\n")
    assert lines[0] == "  memory of one rank (predicted): does not fit, 14.00 GiB over the 28.00 GiB of the GPU"
    assert lines[6] == f"    needed          42.00 GiB |{'#' * 32}{'!' * 16}|"


def test_where_only_the_waste_of_blocks_is_too_much_it_is_tight() -> None:
    first, *_ = drawn(budget_bytes=40 * GIB).split("\n")
    assert first == (
        "  memory of one rank (predicted): tight, 2.00 GiB over the 40.00 GiB of the GPU, and less without what blocks waste"
    )


def test_without_a_gpu_there_is_no_verdict() -> None:
    lines = drawn(budget_bytes=None).split("\n")
    assert lines[0] == "  memory of one rank (predicted): no GPU is named"
    assert lines[6] == f"    needed          42.00 GiB |{'#' * 48}|"


def test_what_is_too_small_for_a_column_is_one_part() -> None:
    parts = {**MADE.parts, "inputs": GIB // 4, "tables": GIB // 8}
    text = drawn(parts=parts, total_bytes=sum(parts.values()), reserved_bytes=sum(parts.values()))
    names = [line.split()[0] for line in text.split("\n")[1:7]]
    assert names == ["parameters", "optimizer", "activations", "outside", "other", "needed"]
    assert "    other            0.38 GiB |" in text


def test_a_small_model_is_told_in_small_units() -> None:
    text = drawn(
        parts={"parameters": 3 * 2**20},
        total_bytes=3 * 2**20,
        reserved_bytes=3 * 2**20,
        outside_bytes=0,
        budget_bytes=None,
    )
    assert "parameters      3.00 MiB" in text


def test_host_and_communication_have_a_line_where_they_are_known() -> None:
    def exchange(name: str, sent: int, *, far: bool | None) -> Exchange:
        return Exchange(name, "shards", 8, 42, sent, sent, far, "parameters")

    text = drawn(
        host_bytes={"processes": 15 * GIB, "workers": 5 * GIB},
        communication=(
            exchange("all-gather", GIB, far=False),
            exchange("all-gather", 2 * GIB, far=False),
            exchange("all-reduce", 4 * GIB, far=True),
        ),
    )
    assert "    host     20.00 GiB of a node's main memory" in text
    assert "    sends    all-gather 3.00 GiB, all-reduce 4.00 GiB; 4.00 GiB of it between nodes" in text


def test_colours_say_whether_it_fits() -> None:
    fits, over = ("\n".join(memory_bars(evolve(MADE, budget_bytes=size * GIB), Paint(on=True))) for size in (48, 28))
    assert "\x1b[1;32mfits\x1b[0m" in fits
    assert f"\x1b[1;32m{'#' * 42}\x1b[0m" in fits
    assert f"\x1b[1;31m{'#' * 32}\x1b[0m\x1b[1;31m{'!' * 16}\x1b[0m" in over
