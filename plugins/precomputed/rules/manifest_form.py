"""TTD402."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.spec.wording import show
from tttdit.core.stage import Stage

KEY = "data.manifest"
WANTED = "a manifest is one JSON Lines file, with one sample a line"

# What files of these names hold, if they are named for what they hold.
OTHERS = {
    ".json": "one JSON value",
    ".csv": "comma-separated values",
    ".tsv": "tab-separated values",
    ".parquet": "a Parquet table",
    ".pt": "tensors",
    ".safetensors": "tensors",
    ".mp4": "a video",
    ".toml": "TOML",
    ".yaml": "YAML",
    ".yml": "YAML",
}


class ManifestForm(Rule):
    """What: the name of the manifest is that of something else: a folder, several files, a file of another format.

    Why: a manifest is one JSON Lines file: each line is a sample, and says where its latents and its text embeddings are. The run reads the
    first line and stops where that is none. (A file may be named as one likes; a JSON Lines file named .json works.)

    Example: `manifest = "clips.csv"`; `manifest = "data/9s/"`; `manifest = "a.jsonl,b.jsonl"`, as the public training jobs list several.

    Instead: `manifest = "clips.jsonl"`. Several become one by writing one behind the other.

    Fix: none; only the name is known here.
    """

    code = "TTD402"
    name = "manifest-form"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the manifest."""
        manifest: str = stage.data.manifest
        parts = [part.strip() for part in manifest.split(",")]
        suffix = PurePosixPath(manifest).suffix.lower()
        if manifest.endswith("/"):
            what = "is the name of a folder"
        elif len(parts) > 1 and all(PurePosixPath(part).suffix for part in parts):
            what = f"names {len(parts)} files"
        elif suffix in OTHERS:
            what = f"is named like a file with {OTHERS[suffix]}"
        else:
            return
        yield self.finding(
            f"{KEY} = {show(manifest)} {what}; {WANTED}",
            key=KEY,
            help=f'write {KEY} = "....jsonl"',
            severity="info" if what.endswith(OTHERS[".json"]) else None,
        )
