"""The names that a model's weights have in other projects' files: what a model plugin says in its `weight_names`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from attrs import field, frozen

from tttdit.core.errors import PluginError
from tttdit.core.plugin.kinds import Model
from tttdit.core.plugin.references import load

# A layer's number. Four digits, so that nobody makes us count to a billion.
NUMBER = re.compile(r"0|[1-9][0-9]{0,3}")


@frozen(kw_only=True)
class WeightNames:
    """One project's names, and the model's own.

    In a name, one part between dots may be `*`, which stands for a layer's number, the same on both sides. In `added` and `unplaced`,
    `**` stands for any text besides.
    """

    project: str  # whose names they are, for people: "diffusers"
    names: Mapping[str, str]  # each parameter: their name, our name
    prefixes: tuple[str, ...] = ()  # any of which may stand before all of their names: "dit."
    container: str = ""  # under which a training checkpoint has the weights, beside other state: "model."
    folder: str = ""  # of a whole pipeline, in which the weights lie: "transformer"
    added: tuple[str, ...] = ()  # of our names, those that their files need not have: all of them or none
    unplaced: Mapping[str, str] = field(factory=dict)  # what their files may have and this model cannot use: name, why
    config: Mapping[str, object] = field(factory=dict)  # what a config.json beside their weights has to say: key, value

    def is_added(self, ours: str) -> bool:
        """Whether their files need not have the parameter that we call so."""
        return any(like(pattern, ours) for pattern in self.added)


def weight_names(model: Model) -> tuple[WeightNames, ...]:
    """What a model's announcement refers to. Raises PluginError where that cannot be had."""
    if model.weight_names is None:
        return ()
    found = load(model.weight_names)
    if not (isinstance(found, tuple) and all(isinstance(names, WeightNames) for names in found)):
        raise PluginError(f'the model "{model.name}": "{model.weight_names}" is no tuple of WeightNames')
    return found


def like(pattern: str, name: str) -> bool:
    """Whether a name is one that a pattern stands for."""
    return regex(pattern).fullmatch(name) is not None


@cache
def regex(pattern: str) -> re.Pattern[str]:
    """`*` a layer's number, a group of its own; `**` any text."""
    parts = {"*": f"({NUMBER.pattern})", "**": ".+"}
    return re.compile("".join(parts.get(part) or re.escape(part) for part in re.split(r"(\*+)", pattern)))
