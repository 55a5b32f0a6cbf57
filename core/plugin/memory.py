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
    for region in regions:
        if region.key in base.model_fields:
            raise PluginError(
                f'the region "{region.key}" has the name of a key that {base.__name__} has already: it must be renamed'
            )
    fields: dict[str, Any] = {region.key: _field(region) for region in regions}
    table = cast(
        "type[MemoryTable]",
        create_model(base.__name__, __base__=base, __module__=base.__module__, __doc__=base.__doc__, **fields),
    )
    table.declared = regions
    return table


def _field(region: Region) -> tuple[Any, Any]:
    if region.kind == "switch":
        return bool, Field(default=bool(region.default), description=region.meaning)
    return int, Field(default=int(region.default), ge=0, le=LARGEST_GROUP, description=region.meaning)
