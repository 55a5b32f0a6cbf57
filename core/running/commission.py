"""Videos that are to be drawn: which, from what, and where to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from tttdit.core.running.storyboard import Storyboard
from tttdit.core.stage import Stage


@frozen
class Commission:
    """One video. `told` stands in its file: everything that it was made from."""

    name: str
    storyboard: Storyboard
    stage: Stage = field(repr=False)
    seed: int
    folder: Path  # where its files go
    spec_text: str = field(repr=False)  # the stage as it was resolved, every default written out
    weights: str  # which weights of which checkpoint

    @property
    def video(self) -> Path:
        """The video's file."""
        return self.folder / f"{self.name}.mp4"

    @property
    def sheet(self) -> Path:
        """The contact sheet's file."""
        return self.folder / f"{self.name}.png"

    @property
    def told(self) -> Mapping[str, Any]:
        """What it is made from. `digest` is of all the rest: videos of one digest are the same."""
        facts = {
            "scenes": [scene.model_dump() for scene in self.storyboard.scenes],
            "seed": self.seed,
            "stage": self.stage.name,
            "weights": self.weights,
            "spec": self.spec_text,
        }
        text = json.dumps(facts, sort_keys=True, ensure_ascii=True)
        return {"tttdit": 1, **facts, "digest": hashlib.sha256(text.encode("ascii")).hexdigest()}
