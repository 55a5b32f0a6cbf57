"""The JSON Schema of specs for the plugins of this environment."""

from __future__ import annotations

from typing import Any

from tttdit.checker.assembling import KIND_OF
from tttdit.core.errors import PluginError
from tttdit.core.plugin.kinds import Mixer, Model, Region
from tttdit.core.plugin.memory import MemoryTable, completed
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec.defaults import DEFAULT_PLUGINS
from tttdit.core.spec.schema import schema
from tttdit.core.spec.tables import PluginTable


def environment_schema(registry: Registry) -> dict[str, Any]:
    """The schema."""
    return schema(environment_tables(registry), DEFAULT_PLUGINS)


def environment_tables(registry: Registry) -> dict[str, dict[str, type[PluginTable]]]:
    """For each table that names a plugin, the table of every plugin it may name.

    A plugin that cannot be used is left out, for a spec that uses it is an error anyway.
    """
    regions = _regions(registry)
    tables: dict[str, dict[str, type[PluginTable]]] = {}
    for key, kind in KIND_OF.items():
        tables[key] = {}
        for name in registry.names(kind):
            try:
                table = registry.table(registry.find(kind, name))
                if issubclass(table, MemoryTable):
                    table = completed(table, regions)
                tables[key][name] = table
            except PluginError:
                continue
    return tables


def _regions(registry: Registry) -> tuple[Region, ...]:
    """The regions of all models and mixers; of two that have one key, the first."""
    found: dict[str, Region] = {}
    for kind in ("model", "mixer"):
        for offer in registry.offers(kind):
            assert isinstance(offer.announcement, Model | Mixer)
            for region in offer.announcement.regions:
                found.setdefault(region.key, region)
    return tuple(found.values())
