"""A stage's model, put together from what its plugins announce: the same in both worlds."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from tttdit.core.errors import PluginError, TttditError
from tttdit.core.plugin.references import one_line
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
    PluginError for a module that cannot be had, or does not take what its plugin announces.
    """
    model = stage.assembly.model
    named = f'the model "{model.name}"'
    arguments = _arguments(named, formulas, model.arguments, stage.model, stage.dims)
    make_mixer = of_mixer(lambda: _mixer_of(load, stage, formulas))
    if layers is not None and model.repeated is not None:
        arguments[model.repeated] = min(arguments[model.repeated], layers)
    arguments |= {"mixer": lambda here: of_mixer(lambda: make_mixer(here)), "regions": regions}
    return _made(named, load(model.module), arguments)


def _arguments(plugin: str, formulas: bool, function: Callable[..., Mapping[str, Any]], *about: Any) -> dict[str, Any]:
    """What a plugin's module takes. Raises PluginError where the plugin's function fails, and what it raises itself to say no."""
    try:
        return _sizes(function(*about), formulas)
    except TttditError:
        raise
    except Exception as error:
        raise PluginError(f"{plugin} fails when it is asked for its module's arguments: {one_line(error)}") from error


def _mixer_of(load: Callable[[str], Any], stage: Stage, formulas: bool) -> Callable[[Regions], Any]:
    """What makes one mixer from the regions of the place that it stands in; nothing where the plugin has no module."""
    mixer = stage.assembly.mixer
    if mixer.module is None:
        return lambda regions: None
    named = f'the mixer "{mixer.name}"'
    arguments = _arguments(named, formulas, mixer.arguments, stage.mixer, stage.dims, stage.model)
    make = load(mixer.module)
    return lambda regions: _made(named, make, {**arguments, "regions": regions})


def _made(plugin: str, make: Callable[..., Any], keywords: dict[str, Any]) -> Any:
    """The module. Raises PluginError where it does not take these keywords, and what it raises itself."""
    try:
        return make(**keywords)
    except TypeError:
        unfit = _why_unfit(make, keywords)
        if unfit is None:
            raise
        raise PluginError(f"{plugin} cannot be made: {make.__qualname__} of {make.__module__} {unfit}") from None


def _why_unfit(make: Callable[..., Any], keywords: dict[str, Any]) -> str | None:
    """What keeps a class from being called with keywords: one that it does not take, or one that it lacks."""
    try:
        inspect.signature(make).bind(**keywords)
    except TypeError as error:
        return str(error)
    return None


def _sizes(arguments: Mapping[str, Any], formulas: bool) -> dict[str, Any]:
    return {name: int(value) if type(value) is Dim and not formulas else value for name, value in arguments.items()}
