"""Small sizes: every law is kept, structure stays, and nothing is equal by accident."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from attrs import frozen

import tttdit
from tttdit.checker.examining import examine
from tttdit.checker.resolving import resolve
from tttdit.checker.shrinking import shrink
from tttdit.core.plugin.registry import Registry
from tttdit.core.shapes import NamedShape
from tttdit.core.spec.defaults import DEFAULT_PLUGINS
from tttdit.core.spec.document import read
from tttdit.core.spec.sets import Set
from tttdit.core.spec.stages import stages
from tttdit.core.stage import Stage
from tttdit.core.symbolic.dimension import Dim, formula_of

ROOT = Path(__file__).parents[2]
LARGE = [path for path in sorted((ROOT / "examples").glob("*.toml")) if path.stem != "tiny"]  # which is small as it is
STAGES = [(path, stage.name) for path in LARGE for stage in tttdit.load_spec(path).stages]


@frozen
class Both:
    """A stage, and what became of it."""

    full: Stage
    small: Stage
    sizes: dict[str, int]
    lengths: dict[str, tuple[int, int]]  # of all tensors, by their formulas: full, small


def lengths(shapes: Iterable[NamedShape]) -> dict[str, int]:
    return {str(formula_of(size)): int(size) for shape in shapes for size in shape.shape if isinstance(size, Dim)}


@pytest.fixture
def both() -> Callable[..., Both]:
    registry = Registry.of_environment()

    def shrunk(path: Path, name: str, *sets: str) -> Both:
        parsed = [Set.parse(text) for text in sets]
        (spec,) = [each for each in stages(read(path), parsed, DEFAULT_PLUGINS).stages if each.name == name]
        examined = examine(resolve(spec, registry))
        errors = [finding for finding in examined.findings if finding.severity == "error"]
        assert all(finding.code == "TTD506" for finding in errors), "whether it fits a GPU is no matter here"
        small = shrink(examined, registry)
        assert examined.resolved.stage is not None
        full = lengths(examined.followed.shapes)
        both = {formula: (full[formula], value) for formula, value in lengths(small.examined.followed.shapes).items()}
        return Both(examined.resolved.stage, small.stage, {size.key: size.small for size in small.sizes}, both)

    return shrunk


@pytest.mark.parametrize(("path", "name"), STAGES, ids=[f"{path.stem}-{name}" for path, name in STAGES])
def test_structure_stays_and_sizes_shrink(both: Callable[..., Both], path: Path, name: str) -> None:
    found = both(path, name)
    full, small = found.full, found.small
    for symbol in ("N", "F", "S"):
        assert small.dims[symbol] == full.dims[symbol]
    assert (small.model.attention_frames, small.model.adapter) == (full.model.attention_frames, full.model.adapter)
    assert small.parallelism == full.parallelism
    for symbol in ("D", "A", "X", "E", "C", "T", "h", "w", "L"):
        assert 1 < small.dims[symbol] < full.dims[symbol]
    for region in full.memory.declared:
        if region.kind == "switch":
            assert getattr(small.memory, region.key) == getattr(full.memory, region.key)


@pytest.mark.parametrize(("path", "name"), STAGES, ids=[f"{path.stem}-{name}" for path, name in STAGES])
def test_no_two_lengths_are_equal_by_accident(both: Callable[..., Both], path: Path, name: str) -> None:
    found = both(path, name)
    symbols = {symbol: int(found.small.dims[symbol]) for symbol in ("D", "A", "X", "E", "C", "T", "h", "w", "F")}
    assert len(set(symbols.values())) == len(symbols)
    for one, other in itertools.combinations(found.lengths.values(), 2):
        assert one == other or one[1] != other[1]  # equal where a law, or a 1 in the spec, makes them so


LAYERS, SCAN = "memory.transformer_checkpoint_layer_group_size", "memory.scan_checkpoint_group_size"


@pytest.mark.parametrize(
    ("layers", "group", "small_group", "groups"),
    [
        (42, 0, 0, None),
        (42, 1, 1, 3),
        (42, 2, 2, 3),
        (42, 6, 2, 3),
        (42, 4, 2, 3),
        (42, 21, 2, 2),
        (42, 42, None, 1),
        (42, 50, 50, 1),
        (1, 1, 1, 1),
    ],
)
def test_layers_lie_in_their_groups_as_before(
    both: Callable[..., Both], layers: int, group: int, small_group: int | None, groups: int | None
) -> None:
    """None, one each, some with or without a rest, all of them, or room for more."""
    found = both(ROOT / "examples/nine-seconds.toml", "nine-seconds", f"model.layers={layers}", f"{LAYERS}={group}")
    count, size = int(found.small.dims["layers"]), found.small.memory.transformer_checkpoint_layer_group_size
    assert size == (count if small_group is None else small_group)
    if groups is None:
        assert count >= 3
    else:
        assert -(-count // size) >= groups
        assert (-(-count // size) == 1) == (groups == 1)
        assert (count % size == 0) == (layers % group == 0) or group > layers


@pytest.mark.parametrize("group", [0, 1, 4, 16, 100_000])
def test_mini_batches_lie_in_their_groups_as_before(both: Callable[..., Both], group: int) -> None:
    found = both(ROOT / "examples/nine-seconds.toml", "nine-seconds", f"{SCAN}={group}")
    n, size, full = int(found.small.dims["n"]), found.small.memory.scan_checkpoint_group_size, int(found.full.dims["n"])
    assert 3 <= n <= 40
    assert size == (min(group, 2) if group < full else group)
    if 0 < group < full:
        assert n > 2 * size
        assert (n % size == 0) == (full % group == 0)


def test_a_batch_of_several_stays_one_of_several(both: Callable[..., Both]) -> None:
    found = both(ROOT / "examples/nine-seconds.toml", "nine-seconds", "training.global_batch_size=512")
    assert found.full.dims["B"] == 8
    assert 1 < found.small.dims["B"] < 8


def test_the_encoder_and_what_no_step_reads_are_left_out(both: Callable[..., Both]) -> None:
    found = both(ROOT / "examples/nine-seconds.toml", "nine-seconds")
    assert found.full.text.encoder == "t5"
    assert found.small.text.encoder is None
    assert (found.small.data, found.small.assembly.data) == (None, None)


def test_heads_still_go_over_the_tensor_parallel_ranks(both: Callable[..., Both]) -> None:
    found = both(ROOT / "examples/nine-seconds.toml", "nine-seconds", "parallelism.tp_sharding=4", "hardware.nodes=32")
    assert found.sizes["model.heads"] % 4 == 0
