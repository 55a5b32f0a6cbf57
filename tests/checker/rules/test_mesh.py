"""Rules about the mesh and the types that it computes in: TTD604 and TTD605."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.checker.report import FileReport
from tttdit.core.findings import Finding

Check = Callable[..., FileReport]


def found(file: FileReport, code: str) -> list[Finding]:
    return [finding for finding in file.findings if finding.code == code]


def mesh(replicas: int, shards: int, together: int, gpus: int, nodes: int | None) -> tuple[str, ...]:
    sets = {
        "parallelism.dp_replicate": replicas,
        "parallelism.dp_sharding": shards,
        "parallelism.tp_sharding": together,
        "hardware.gpus_per_node": gpus,
        "hardware.nodes": nodes,
    }
    return tuple(f"{key}={value}" for key, value in sets.items() if value is not None)


@pytest.mark.parametrize(
    "sizes", [(16, 4, 4, 8, 32), (1, 4, 8, 8, 4), (1, 1, 3, 8, 1), (1, 2, 3, 8, None), (1, 64, 1, 8, 8)]
)
def test_groups_inside_a_node(check_spec: Check, sizes: tuple[int, int, int, int, int | None]) -> None:
    """Whatever fits into one node is inside it, 3 of 8 as well."""
    assert found(check_spec(sets=mesh(*sizes)), "TTD604") == []


@pytest.mark.parametrize(
    ("sizes", "share", "values"),
    [
        ((1, 4, 16, 8, 8), "every group", "8"),
        ((1, 8, 6, 8, 6), "some groups", "4"),
        ((2, 1, 12, 8, None), "every group", "8"),
    ],
)
def test_groups_across_nodes(
    check_spec: Check, sizes: tuple[int, int, int, int, int | None], share: str, values: str
) -> None:
    (finding,) = found(check_spec(sets=mesh(*sizes)), "TTD604")
    assert finding.severity == "warning"
    assert finding.message == (
        f"{sizes[2]} tensor-parallel ranks do not divide the 8 GPUs of a node: {share} would have ranks in several nodes"
    )
    assert finding.help == f"write parallelism.tp_sharding = {values}"


def test_a_mesh_that_the_hardware_has_no_room_for_is_told_once(check_spec: Check) -> None:
    file = check_spec(sets=mesh(1, 1, 16, 8, 1))
    assert [finding.code for finding in file.findings if finding.severity != "info"] == ["TTD603"]


# -- TTD605

FLOAT16 = "parallelism.unsharded_dtype=float16"


def test_gradients_in_float16(check_spec: Check) -> None:
    (finding,) = found(check_spec(sets=(FLOAT16, "training.steps=5000")), "TTD605")
    assert finding.message == (
        "in float16 gradients vanish: at each of the 3,196,800 numbers of a prediction that of the loss is about 6e-07, "
        "float16 rounds to multiples of 6e-08, and nothing scales the loss"
    )


@pytest.mark.parametrize(
    "sets",
    [
        (FLOAT16,),  # nothing is said of training
        ("parallelism.unsharded_dtype=bfloat16", "training.steps=5000"),
        (FLOAT16, "training.steps=5000", "codec.channels=1", "video.height=16", "video.width=32"),  # 296 numbers
    ],
)
def test_float16_that_is_no_trouble(check_spec: Check, sets: tuple[str, ...]) -> None:
    assert found(check_spec(sets=sets), "TTD605") == []


def test_that_is_what_gradients_in_float16_are() -> None:
    """A loss like the run's, over as many numbers as 63 seconds have: a part of the gradients is 0, the others are a few steps apart."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    prediction = torch.randn(16 * 253 * 60 * 90, dtype=torch.float16, requires_grad=True)
    (prediction.float() - torch.randn(prediction.shape)).square().mean().backward()
    gradient = prediction.grad
    assert gradient.dtype == torch.float16
    assert float((gradient == 0).float().mean()) > 0.1
    assert len(gradient.abs().unique()) < 20
