"""Keeps or recomputes each region as its own key in `[memory]` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from tttdit.core.errors import PluginError

if TYPE_CHECKING:
    from tttdit.core.plugin.memory import MemoryTable


@frozen
class RegionStrategy:
    """The answers of one `[memory]` table; `switches` by a region's name in the module, `sizes` by key."""

    switches: dict[str, bool]
    sizes: dict[str, int]

    def recomputes(self, region: str) -> bool:
        """Whether a region, `layers.0.attention` or `layers.0.layer_group`, is recomputed in backward.

        Raises PluginError for a region that neither the model nor the mixer has declared.
        """
        name = region.rpartition(".")[2]
        if name not in self.switches:
            raise PluginError(f'the region "{region}" was not declared; there are {", ".join(self.switches) or "none"}')
        return self.switches[name]

    def group_size(self, key: str, count: int) -> int:
        """How many of `count` equal pieces lie in one group: never more than there are; all of them where the key says 0."""
        if key not in self.sizes:
            raise PluginError(f'the size "{key}" was not declared; there are {", ".join(self.sizes) or "none"}')
        size = self.sizes[key]
        return size if 0 < size < count else count


def strategy(table: MemoryTable) -> RegionStrategy:
    """The strategy that a completed `[memory]` table describes."""
    switches: dict[str, bool] = {}
    sizes: dict[str, int] = {}
    for region in table.declared:
        value = getattr(table, region.key)
        if not region.is_region:
            continue
        if region.kind == "switch":
            switches[region.key] = value
        else:
            sizes[region.key] = value
            if region.group:
                switches[region.group] = value > 0
    return RegionStrategy(switches, sizes)
