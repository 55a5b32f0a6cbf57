"""A stage's model, put together from what its plugins announce: the same in both worlds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tttdit.core.regions import Regions
from tttdit.core.stage import Stage
from tttdit.core.symbolic.dimension import Dim


def construct(
    load: Callable[[str], Any],
    stage: Stage,
    regions: Regions,
    *,
    layers: int | None = None,
    formulas: bool = False,
    of_mixer: Callable[[Callable[[], Any]], Any] = lambda make: make(),
) -> Any:
    """The model of a stage, with its mixers.

    `load` answers `"package.module:Name"` with a class of the wanted world, `regions` runs the model's regions, `layers` builds that many
    of the layers that are all alike (where the model says which keyword counts them). With `formulas` the sizes are `Dim`s, which
    remember how they came about; without, plain ints. `of_mixer` calls whatever belongs to the making of a mixer: who wants to tell its
    failures from the model's. Raises ValueError for sizes that the modules refuse, `Unresolved` for a dimension without a value, and
    PluginError for a module that cannot be had.
    """
    model = stage.assembly.model
    arguments = _sizes(model.arguments(stage.model, stage.dims), formulas)
    make_mixer = of_mixer(lambda: _mixer_of(load, stage, formulas))
    if layers is not None and model.repeated is not None:
        arguments[model.repeated] = min(arguments[model.repeated], layers)
    return load(model.module)(**arguments, mixer=lambda here: of_mixer(lambda: make_mixer(here)), regions=regions)


def _mixer_of(load: Callable[[str], Any], stage: Stage, formulas: bool) -> Callable[[Regions], Any]:
    """What makes one mixer from the regions of the place that it stands in; nothing where the plugin has no module."""
    mixer = stage.assembly.mixer
    if mixer.module is None:
        return lambda regions: None
    arguments = _sizes(mixer.arguments(stage.mixer, stage.dims, stage.model), formulas)
    make = load(mixer.module)
    return lambda regions: make(**arguments, regions=regions)


def _sizes(arguments: Mapping[str, Any], formulas: bool) -> dict[str, Any]:
    return {name: int(value) if type(value) is Dim and not formulas else value for name, value in arguments.items()}
