"""Announces the mixer `none`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Mixer


@hookimpl
def tttdit_mixers() -> list[Mixer]:
    """No mixer: the model has the layers of its attention alone."""
    return [
        Mixer(
            name="none",
            summary="No mixer: local attention only, as in the pretrained model.",
            table="tttdit.plugins.none.spec:NoneTable",
            module=None,
        )
    ]
