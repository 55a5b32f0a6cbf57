"""The memory strategy: what it answers about regions, for the checker and the runtime alike."""

from collections.abc import Callable

import pytest

from tttdit.core.errors import PluginError
from tttdit.core.plugin.kinds import Strategy
from tttdit.core.stage import Stage


@pytest.fixture
def strategy_of(stage_of: Callable[..., Stage]) -> Callable[..., Strategy]:
    def make(**memory: object) -> Strategy:
        stage = stage_of(memory=memory)
        return stage.assembly.memory.strategy(stage.memory)

    return make


def test_switches_go_by_the_last_part_of_a_regions_name(strategy_of: Callable[..., Strategy]) -> None:
    strategy = strategy_of(attention=True)
    assert strategy.recomputes("layers.0.attention")
    assert strategy.recomputes("attention")
    assert not strategy.recomputes("layers.0.mlp")


def test_layer_groups_are_recomputed_by_default_and_kept_at_0(strategy_of: Callable[..., Strategy]) -> None:
    assert strategy_of().recomputes("layer_group")
    assert strategy_of().group_size("transformer_checkpoint_layer_group_size", 42) == 1
    none = strategy_of(transformer_checkpoint_layer_group_size=0)
    assert not none.recomputes("layer_group")
    assert none.group_size("transformer_checkpoint_layer_group_size", 42) == 42


@pytest.mark.parametrize(("size", "count", "group"), [(16, 804, 16), (804, 804, 804), (1000, 804, 804), (0, 804, 804)])
def test_a_group_is_never_larger_than_what_there_is(
    size: int, count: int, group: int, strategy_of: Callable[..., Strategy]
) -> None:
    strategy = strategy_of(scan_checkpoint_group_size=size)
    assert strategy.group_size("scan_checkpoint_group_size", count) == group


def test_an_option_of_the_runtime_is_no_region(strategy_of: Callable[..., Strategy]) -> None:
    with pytest.raises(
        PluginError, match='the region "shard_transformer_inputs" was not declared; there are layer_group'
    ):
        strategy_of().recomputes("shard_transformer_inputs")


def test_sizes_that_nobody_declared(strategy_of: Callable[..., Strategy]) -> None:
    with pytest.raises(PluginError, match='the size "frames" was not declared'):
        strategy_of().group_size("frames", 3)
