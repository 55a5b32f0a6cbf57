"""Announces the importer `ttt-video-dit`."""

from __future__ import annotations

from tttdit import hookimpl
from tttdit.core.plugin.kinds import Importer
from tttdit.plugins.ttt_video_dit.recognising import recognises


@hookimpl
def tttdit_importers() -> list[Importer]:
    """The job files of the public code that test-time training on video came with."""
    return [
        Importer(
            name="ttt-video-dit",
            summary="Job files of ttt-video-dit, for training and for sampling, as specs.",
            rules="tttdit.plugins.ttt_video_dit.rules",
            recognises=recognises,
            reader="tttdit.plugins.ttt_video_dit.reading:read",
        )
    ]
