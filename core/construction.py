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
) -> Any:
    """The model of a stage, with its mixers.

    `load` answers `"package.module:Name"` with a class of the wanted world, `regions` runs the model's regions, `layers` builds that many
    of the layers that are all alike (where the model says which keyword counts them). With `formulas` the sizes are `Dim`s, which
    remember how they came about; without, plain ints. Raises ValueError for sizes that the modules refuse, `Unresolved` for a
    dimension without a value, and PluginError for a module that cannot be had.
    """
    model, mixer = stage.assembly.model, stage.assembly.mixer
    arguments = _sizes(model.arguments(stage.model, stage.dims), formulas)
    mixer_arguments = _sizes(mixer.arguments(stage.mixer, stage.dims, stage.model), formulas)
    if layers is not None and model.repeated is not None:
        arguments[model.repeated] = min(arguments[model.repeated], layers)
    make_mixer = load(mixer.module)
    return load(model.module)(
        **arguments, mixer=lambda here: make_mixer(**mixer_arguments, regions=here), regions=regions
    )


def _sizes(arguments: Mapping[str, Any], formulas: bool) -> dict[str, Any]:
    return {name: int(value) if type(value) is Dim and not formulas else value for name, value in arguments.items()}
