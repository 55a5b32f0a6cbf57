"""Which of the optimizer's groups a parameter belongs to: mixers and the rest, with weight decay and without."""

from __future__ import annotations

from attrs import frozen

from tttdit.core.stage import Stage


@frozen
class ParameterGroup:
    """Parameters with one learning rate (`optimizer.lr_mixer` for a `mixer`'s, else `optimizer.lr`) and one weight decay."""

    mixer: bool
    decays: bool


def group_of(stage: Stage, name: str, dimensions: int) -> ParameterGroup:
    """The group of the parameter of this name. Biases, norms and whatever else has one dimension have no weight decay."""
    parts = name.split(".")
    plain = dimensions < 2 or any("norm" in part for part in parts) or parts[-1].endswith("bias")
    return ParameterGroup(stage.assembly.model.of_mixer(stage.model, name), not plain)
