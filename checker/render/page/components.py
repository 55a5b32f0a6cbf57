"""What bytes are for: the layers of the stacked chart, from the bottom to the top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from attrs import frozen

from tttdit.checker.memory.explaining import Tensors
from tttdit.core.symbolic.tape import Kind

# Where these are, they lie at the bottom; most of them are there before the step and stay.
_BELOW = ("parameters", "optimizer", "inputs", "tables", "gradients")
_ABOVE = ("workspace", "buffers")
_REGIONS = 7  # as many colours can be told apart; smaller regions are one component
OTHER = "activations: other regions"


@frozen
class Component:
    """A layer of the chart; `colour` is the name of its variable in the page's style."""

    name: str
    colour: str


@frozen
class Components:
    """All that a page shows, in the order in which they are stacked."""

    every: tuple[Component, ...]

    def number(self, name: str) -> int:
        """The place of a component of this name; a region that has none of its own is among the others."""
        return self._numbers[name if name in self._numbers else OTHER]

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {each.name: number for number, each in enumerate(self.every)}


def name_of(kind: Kind, region: str) -> str:
    """`gradients`, `activations: attention`, `activations: outside of regions`."""
    if kind != "activations":
        return kind
    return f"activations: {region.rpartition('.')[2].replace('_', ' ') or 'outside of regions'}"


def component_of(tensors: Tensors) -> str:
    """The name of the component that tensors belong to."""
    return name_of(tensors.kind, tensors.region)


def components(highest: Mapping[str, int]) -> Components:
    """The components of a step, of which the most bytes are given that each ever has; regions by these."""
    found = [Component(name, name) for name in _BELOW if highest.get(name)]
    regions = [name for name, _ in _largest(highest) if name.startswith("activations: ")]
    found += [Component(name, f"activations-{number}") for number, name in enumerate(regions[:_REGIONS])]
    if len(regions) > _REGIONS:
        found.append(Component(OTHER, "activations-other"))
    found += [Component(name, name) for name in _ABOVE if highest.get(name)]
    return Components(tuple(found))


def _largest(highest: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    return sorted(highest.items(), key=lambda item: (-item[1], item[0]))
