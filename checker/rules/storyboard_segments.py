"""TTD717."""

from __future__ import annotations

from tttdit.core.rules import Page


class StoryboardSegments(Page):
    """What: a storyboard has as many scenes as no stage has text segments (with `--prompts`).

    Why: each scene is the text of one segment, and a video is drawn at the length of the stage that has as many segments as its storyboard
    has scenes. `tttdit sample` refuses a file with such a storyboard before it draws anything.

    Example: a storyboard of two scenes, and stages of 3 seconds (one segment) and of 9 seconds (three).

    Instead: write as many scenes as a stage has segments, or add a stage of that length.

    Fix: none. The spec and the storyboards may each be what is meant.
    """

    code = "TTD717"
    name = "storyboard-segments"
