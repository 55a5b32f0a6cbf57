"""Stages made of the built-in model's and a mixer's tables, for `trace`: sizes are given as they are, no video or text behind them."""

from types import SimpleNamespace

from tttdit.core.dimensions import Dimensions
from tttdit.core.plugin.registry import Registry


def stage_of(model, mixer, sizes):
    """What `trace` reads of a stage: `model` and `mixer` are tables, `sizes` gives B, F, H, W, C, S, T and X."""
    registry = Registry.of_environment()
    models, mixers = registry.find("model", model["plugin"]), registry.find("mixer", mixer["plugin"])
    model_table, mixer_table = registry.table(models)(**model), registry.table(mixers)(**mixer)
    dims = Dimensions()
    for symbol, value in sizes.items():
        dims.give(symbol, value, meaning=symbol, keys=())
    models.dimensions(model_table, dims)
    mixers.dimensions(mixer_table, dims)
    assembly = SimpleNamespace(model=models, mixer=mixers)
    return SimpleNamespace(assembly=assembly, model=model_table, mixer=mixer_table, dims=dims)
