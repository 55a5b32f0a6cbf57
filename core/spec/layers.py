"""Tables laid one over the other, key by key, with the origin of every value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tttdit.core.spec import keys
from tttdit.core.spec.either_or import EITHER_OR
from tttdit.core.spec.keys import Path
from tttdit.core.spec.sets import Set

# Tables that name a plugin, and so are a plugin's own; one may lie in another.
SLOTS = ("codec", "model", "model.mixer", "data", "memory", "sampling", "logging")

# Says where a path of a layer was written.
Origin: TypeAlias = Callable[[Path], "Path | Set"]


class Layers:
    """Layers of tables, one over the other, and the origin of every key of the result.

    Where a layer names another plugin for a table than the ones below, that table starts anew; a table in it that has a plugin of its own
    stays. Of two keys that exclude each other, a layer's own replaces the one below.
    """

    def __init__(self, default_plugins: Mapping[str, str]) -> None:
        self.default_plugins = default_plugins
        self.values: dict[str, Any] = {}
        self.origins: dict[Path, Path | Set] = {}

    def lay(self, layer: Mapping[str, Any], origin: Origin) -> None:
        """`origin(path)` says where a path of the layer was written."""
        for slot in SLOTS:
            self._start_anew(keys.split(slot), layer, origin)
        for pair in EITHER_OR:
            own = [key for key in pair.keys if key in (_table(layer, (pair.table,)) or {})]
            if len(own) == 1:
                self._drop((pair.table, pair.other(own[0])))
        self._over(self.values, layer, (), origin)

    def _start_anew(self, path: Path, layer: Mapping[str, Any], origin: Origin) -> None:
        below, above = _table(self.values, path), _table(layer, path)
        if below is None or above is None or "plugin" not in above:
            return
        if above["plugin"] == below.get("plugin", self.default_plugins.get(keys.join(path))):
            return
        for key in list(below):
            if keys.join((*path, key)) not in SLOTS:
                self._drop((*path, key))
        self.origins[path] = origin(path)

    def _over(self, below: dict[str, Any], above: Mapping[str, Any], path: Path, origin: Origin) -> None:
        for key, value in above.items():
            here = (*path, key)
            is_table = isinstance(below.get(key), dict)
            if isinstance(value, dict):
                if not is_table:
                    below[key] = {}
                    self.origins[here] = origin(here)
                self._over(below[key], value, here, origin)
            else:
                if is_table:
                    self._drop(here)
                below[key] = value
                self.origins[here] = origin(here)

    def _drop(self, path: Path) -> None:
        table = _table(self.values, path[:-1])
        if table is None or path[-1] not in table:
            return
        del table[path[-1]]
        for known in [known for known in self.origins if known[: len(path)] == path]:
            del self.origins[known]


def _table(values: Any, path: Path) -> dict[Any, Any] | None:
    for part in path:
        values = values.get(part) if isinstance(values, dict) else None
    return values if isinstance(values, dict) else None
