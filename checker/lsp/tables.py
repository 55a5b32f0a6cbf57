"""The tables of a stage, each with the class that says what it may hold, and the plugin that brings it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from tttdit.checker.assembling import KIND_OF, assemble
from tttdit.checker.freeing import known_tables
from tttdit.core.errors import PluginError
from tttdit.core.plugin.kinds import Announcement
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec.keys import Path
from tttdit.core.spec.stages import StageSpec
from tttdit.core.spec.table import Table

ABSENT = object()

# The key that names a plugin which has no table of its own, and its kind.
_TEXT_ENCODER = ("text.encoder", "text-encoder")


@frozen
class StageTables:
    """What a stage may hold, as far as the plugins that it names are there."""

    registry: Registry
    tables: Mapping[str, type[Table]]
    plugins: Mapping[str, Announcement]  # by tables, and the text encoder by its kind

    @classmethod
    def of(cls, spec: StageSpec, registry: Registry) -> StageTables:
        """Those of a stage, whatever else is wrong with it."""
        assembled = assemble(spec, registry)
        try:
            return cls(registry, known_tables(assembled, registry), assembled.plugins)
        except PluginError:  # a finding says so
            return cls(registry, {}, assembled.plugins)

    def kind_named_by(self, key: str) -> str | None:
        """The kind of plugins of which `model.plugin` or `text.encoder` names one; None for other keys."""
        table, _, name = key.rpartition(".")
        if key == _TEXT_ENCODER[0]:
            return _TEXT_ENCODER[1]
        return KIND_OF.get(table) if name == "plugin" else None

    def plugin_named_by(self, key: str) -> Announcement | None:
        """The plugin that the value of such a key names."""
        if self.kind_named_by(key) is None:
            return None
        return self.plugins.get(_TEXT_ENCODER[1] if key == _TEXT_ENCODER[0] else key.rpartition(".")[0])

    def names(self, key: str) -> Sequence[str]:
        """The names that a key chooses from: of the plugins that are installed, or the presets of the one in use."""
        table, _, name = key.rpartition(".")
        kind = self.kind_named_by(key)
        if kind is not None:
            return self.registry.names(kind)
        return tuple(self.presets(table)) if name == "preset" else ()

    def presets(self, table: str) -> Mapping[str, Mapping[str, object]]:
        """A table's named sets of values."""
        found: Mapping[str, Mapping[str, object]] = getattr(self.tables.get(table), "presets", {})
        return found


def value_at(values: Any, path: Path) -> Any:
    """What stands at a path of nested tables; `ABSENT` where nothing does."""
    for part in path:
        if not isinstance(values, dict) or part not in values:
            return ABSENT
        values = values[part]
    return values
