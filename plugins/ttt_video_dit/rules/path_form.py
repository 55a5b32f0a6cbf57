"""TTD814."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from tttdit.core.findings import Finding
from tttdit.core.spec.wording import show
from tttdit.plugins.ttt_video_dit.job import Job
from tttdit.plugins.ttt_video_dit.job_rule import JobRule

FOLDER, TEXTS = "job.dump_folder", "eval.input_file"
SUFFIXES = (".json", ".jsonl")


class PathForm(JobRule):
    """What: a path in a job of ttt-video-dit is not of the form that that code takes.

    Why: `dump_folder` is an absolute path there, and `input_file` a .json or a .jsonl file.

    Example: `dump_folder = "runs"`.

    Instead: `dump_folder = "/data/runs"`.

    Fix: none; where things are, a person knows.
    """

    code = "TTD814"
    name = "path-form"
    severity = "warning"
    reads = (FOLDER, TEXTS)

    def look(self, job: Job) -> Iterator[Finding]:
        """The folder, then the texts."""
        folder, texts = job.job.dump_folder, job.eval.input_file
        if folder is not None and not PurePosixPath(folder).is_absolute():
            yield job.finding(
                self,
                f"{job.key(FOLDER)} is {show(folder)}, expected an absolute path",
                key=FOLDER,
                help="begin the path with /",
            )
        if texts is not None and PurePosixPath(texts).suffix not in SUFFIXES:
            yield job.finding(
                self,
                f"{job.key(TEXTS)} is {show(texts)}, expected a .json or a .jsonl file",
                key=TEXTS,
            )
