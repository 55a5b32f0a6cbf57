"""The table of a memory strategy: its own fields, and one for each region that the model and the mixer declare."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, cast

from pydantic import Field, create_model

from tttdit.core.errors import PluginError
from tttdit.core.plugin.kinds import Region
from tttdit.core.spec.tables import PluginTable

LARGEST_GROUP = 100_000


class MemoryTable(PluginTable):
    """The base of a memory strategy's table. `declared` holds the regions that a completed table has keys for."""

    declared: ClassVar[tuple[Region, ...]] = ()

    @classmethod
    def fields(cls, region: Region) -> dict[str, tuple[Any, Any]]:
        """The fields of a region: pydantic's types and `Field`s by key."""
        return {region.key: _switch(region) if region.kind == "switch" else _size(region)}


class LayeredTable(MemoryTable):
    """A table whose switches may also be on in some layers only (`core.plugin.layers` reads them). What a size groups gets a switch of its
    own, by the name of the region that the groups are; a group is recomputed where its first layer is named.
    """

    @classmethod
    def fields(cls, region: Region) -> dict[str, tuple[Any, Any]]:
        """Those of any table, with `bool | str` for switches, and one more for a region that is made of groups."""
        found = super().fields(region)
        if region.kind == "switch" and region.is_region:
            meaning = f'{region.meaning} In all layers, or in some: "0-17, 30".'
            found[region.key] = bool | str, Field(default=bool(region.default), description=meaning)
        elif region.group:
            meaning = (
                f'Where groups of {region.key} are recomputed: everywhere, or in layers that are named: "0-17, 30".'
            )
            found[region.group] = bool | str, Field(default=True, description=meaning)
        return found


def distinct_regions(*declarations: tuple[str, tuple[Region, ...]]) -> tuple[Region, ...]:
    """The regions of several plugins, each given with its name. Raises PluginError where two of them declare one key differently."""
    found: dict[str, tuple[str, Region]] = {}
    for plugin, regions in declarations:
        for region in regions:
            before, other = found.setdefault(region.key, (plugin, region))
            if other != region:
                raise PluginError(
                    f'"{before}" and "{plugin}" both declare the region "{region.key}", and do not mean the same: '
                    "they cannot be used together"
                )
    return tuple(region for _, region in found.values())


@lru_cache(maxsize=64)
def completed(base: type[MemoryTable], regions: tuple[Region, ...]) -> type[MemoryTable]:
    """The strategy's table with a field for each region."""
    fields: dict[str, Any] = {}
    for region in regions:
        for key, field in base.fields(region).items():
            if key in base.model_fields or key in fields:
                raise PluginError(
                    f'the region "{key}" has the name of a key that {base.__name__} has already: it must be renamed'
                )
            fields[key] = field
    table = cast(
        "type[MemoryTable]",
        create_model(base.__name__, __base__=base, __module__=base.__module__, __doc__=base.__doc__, **fields),
    )
    table.declared = regions
    return table


def _switch(region: Region) -> tuple[Any, Any]:
    return bool, Field(default=bool(region.default), description=region.meaning)


def _size(region: Region) -> tuple[Any, Any]:
    return int, Field(default=int(region.default), ge=0, le=LARGEST_GROUP, description=region.meaning)
