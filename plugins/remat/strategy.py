"""Keeps or recomputes each region as its own key in `[memory]` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from tttdit.core.errors import PluginError
from tttdit.core.plugin.layers import layers_of

if TYPE_CHECKING:
    from tttdit.core.plugin.memory import MemoryTable


@frozen
class RegionStrategy:
    """The answers of one `[memory]` table; `switches` by a region's name in the module, with the layers in which they are on where they are
    not on or off in all; `sizes` by key.
    """

    switches: dict[str, bool | frozenset[int]]
    sizes: dict[str, int]

    @property
    def tells_layers_apart(self) -> bool:
        """Whether a switch is on in some layers only."""
        return any(not isinstance(value, bool) for value in self.switches.values())

    def recomputes(self, region: str) -> bool:
        """Whether a region, `layers.0.attention` or `layers.0.layer_group`, is recomputed in backward.

        A region that lies in no layer is, where it is in all layers. Raises PluginError for a region that neither the model nor the mixer
        has declared.
        """
        *path, name = region.split(".")
        if name not in self.switches:
            raise PluginError(f'the region "{region}" was not declared; there are {", ".join(self.switches) or "none"}')
        chosen = self.switches[name]
        if isinstance(chosen, bool):
            return chosen
        layer = next((part for part in path if part.isdigit()), None)
        return layer is not None and int(layer) in chosen

    def group_size(self, key: str, count: int) -> int:
        """How many of `count` equal pieces lie in one group: never more than there are; all of them where the key says 0."""
        if key not in self.sizes:
            raise PluginError(f'the size "{key}" was not declared; there are {", ".join(self.sizes) or "none"}')
        size = self.sizes[key]
        return size if 0 < size < count else count


def strategy(table: MemoryTable) -> RegionStrategy:
    """The strategy that a completed `[memory]` table describes."""
    switches: dict[str, bool | frozenset[int]] = {}
    sizes: dict[str, int] = {}
    for region in table.declared:
        value = getattr(table, region.key)
        if not region.is_region:
            continue
        if region.kind == "switch":
            switches[region.key] = _where(value)
        else:
            sizes[region.key] = value
            if region.group:
                # only a `LayeredTable` says which groups
                switches[region.group] = value > 0 and _where(getattr(table, region.group, True))
    return RegionStrategy(switches, sizes)


def _where(value: bool | str) -> bool | frozenset[int]:
    """What a switch says: on or off, or the layers in which it is on. A text that says none is a finding, TTD511."""
    return value if isinstance(value, bool) else layers_of(value) or frozenset()
