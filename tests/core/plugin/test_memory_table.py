"""The table of [memory]: made from the regions that the model and the mixer declare."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from pydantic import ValidationError

from tttdit.core.errors import PluginError
from tttdit.core.plugin.kinds import Memory, Mixer, Model, Region
from tttdit.core.plugin.memory import MemoryTable
from tttdit.core.plugin.registry import Registry

ANNOUNCED = """
    from tttdit import hookimpl
    from tttdit.core.plugin.kinds import Memory

    @hookimpl
    def tttdit_memory_strategies():
        return [Memory(name="mine", summary="", table="tttdit.plugins.console.spec:ConsoleTable", strategy=lambda table: None)]
"""


@pytest.fixture
def plugins(registry: Registry) -> tuple[Any, Any, Any]:
    return registry.find("memory", "regions"), registry.find("model", "ttt-dit"), registry.find("mixer", "ttt-mlp")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.of_environment()


@pytest.fixture
def table(registry: Registry, plugins: tuple[Memory, Model, Mixer]) -> type[MemoryTable]:
    return registry.memory_table(*plugins)


def test_every_region_is_a_key_with_its_default(table: type[MemoryTable]) -> None:
    assert table.model_validate({"plugin": "regions"}).model_dump() == {
        "plugin": "regions",
        "preset": None,
        "transformer_checkpoint_layer_group_size": 1,
        "scan_checkpoint_group_size": 16,
        "attention": False,
        "forward_ssm": False,
        "reverse_ssm": False,
        "mlp": False,
        "seq_modeling_block": False,
        "shard_transformer_inputs": False,
    }
    assert [region.key for region in table.declared if region.kind == "size"] == [
        "transformer_checkpoint_layer_group_size",
        "scan_checkpoint_group_size",
    ]


def test_every_key_says_what_it_means(table: type[MemoryTable]) -> None:
    schema = table.model_json_schema()["properties"]
    assert schema["mlp"]["description"] == "Recompute both linear layers of the MLP and the GELU between them."
    assert all(schema[region.key]["description"] == region.meaning for region in table.declared)


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("attention", 1, "bool_type"),
        ("scan_checkpoint_group_size", 1e6, "int_type"),
        ("scan_checkpoint_group_size", -1, "greater_than_equal"),
        ("scan_checkpoint_group_size", 100_001, "less_than_equal"),
        ("atention", True, "extra_forbidden"),
    ],
)
def test_what_a_spec_may_not_say(key: str, value: object, error: str, table: type[MemoryTable]) -> None:
    with pytest.raises(ValidationError) as caught:
        table.model_validate({"plugin": "regions", key: value})
    assert [(one["type"], one["loc"]) for one in caught.value.errors()] == [(error, (key,))]


def test_the_same_regions_give_the_same_table(
    registry: Registry, plugins: tuple[Memory, Model, Mixer], table: type[MemoryTable]
) -> None:
    assert registry.memory_table(*plugins) is table


def test_two_meanings_of_one_region_are_refused(registry: Registry, plugins: tuple[Memory, Model, Mixer]) -> None:
    memory, model, mixer = plugins
    other = evolve(mixer, regions=(Region("attention", "switch", "Another attention."),))
    with pytest.raises(PluginError) as caught:
        registry.memory_table(memory, model, other)
    assert str(caught.value) == (
        '"ttt-dit" and "ttt-mlp" both declare the region "attention", and do not mean the same: they cannot be used together'
    )


def test_a_region_may_not_hide_the_strategys_own_keys(registry: Registry, plugins: tuple[Memory, Model, Mixer]) -> None:
    memory, model, mixer = plugins
    other = evolve(mixer, regions=(Region("plugin", "switch", "No."),))
    with pytest.raises(PluginError, match='the region "plugin" has the name of a key that RegionsTable has already'):
        registry.memory_table(memory, model, other)


def test_a_strategys_table_is_a_memory_table(
    install: Callable[..., None], installed: Callable[[], Registry], plugins: tuple[Memory, Model, Mixer]
) -> None:
    install("mine", plugin=ANNOUNCED)
    registry = installed()
    memory = registry.find("memory", "mine")
    assert isinstance(memory, Memory)
    with pytest.raises(
        PluginError, match=r'mine 1\.0: "tttdit\.plugins\.console\.spec:ConsoleTable" is no MemoryTable'
    ):
        registry.memory_table(memory, *plugins[1:])
