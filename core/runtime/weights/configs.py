"""A project's `config.json`, which stands beside its weights: models with the same names and shapes may still be different ones."""

from __future__ import annotations

import json
from pathlib import Path

from tttdit.core.errors import UsageError
from tttdit.core.plugin.weight_names import WeightNames
from tttdit.core.runtime.weights.formats import read_whole
from tttdit.core.safetensors import parse

CONFIG = "config.json"

_LONGEST = 1_000_000  # bytes


def check_config(weights: Path, names: WeightNames) -> None:
    """Raises UsageError where the config beside the weights, if there is one, says that they belong to a model of another kind.

    `weights` is a file or a folder. Keys that the config does not have are not asked for.
    """
    path = (weights if weights.is_dir() else weights.parent) / CONFIG
    if not names.config or not path.is_file():
        return
    for key, value in parse(path, read_whole(path, _LONGEST, "config of a model"), "the config").items():
        if key in names.config and value != names.config[key]:
            wanted = json.dumps(names.config[key])
            raise UsageError(
                f"{path}: {key} is {json.dumps(value)}, and this model is one with {wanted}: the weights are another model's"
            )
