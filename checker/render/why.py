"""What ended a run, as `tttdit why` shows it: for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tttdit.checker.ending.ending import Answer, Kind
from tttdit.checker.render.paint import Paint, Role
from tttdit.checker.render.text import one_line, visible

_TITLES: dict[Kind, str] = {
    "finished": "finished",
    "running": "still running",
    "interrupted": "interrupted",
    "other_world": "needs another number of ranks",
    "out_of_gpu_memory": "out of GPU memory",
    "out_of_host_memory": "out of main memory",
    "lost_rank": "lost a rank",
    "disk": "could not write",
    "not_finite": "not finite",
    "bad_sample": "bad sample",
    "error": "failed",
    "killed": "killed",
    "unknown": "unknown",
}
_GOOD = ("finished", "running")
_STOPPED = ("interrupted", "other_world")


def render(answer: Answer, paint: Paint) -> Iterator[str]:
    """The answer, for people."""
    ending, last = answer.ending, answer.checkpoint
    role: Role = "good" if ending.kind in _GOOD else "warning" if ending.kind in _STOPPED else "error"
    yield f"{paint(visible(str(answer.record.path)), 'strong')}: {paint(_TITLES[ending.kind], role)}"
    yield f"  {one_line(ending.what)}"
    for each in ending.seen:
        yield f"  seen: {one_line(each)}"
    for each in answer.notes:
        yield f"  note: {one_line(each)}"
    if last is not None:
        yield f"  last checkpoint: {visible(str(last[1]))}"
    for each in ending.change:
        yield f"  {paint('change', 'help')}: {one_line(each)}"
    if ending.command:
        yield f"  {paint('goes on with', 'help')}: {one_line(ending.command)}"


def as_json(answer: Answer) -> str:
    """The same as JSON."""
    return json.dumps(answer.as_dict(), indent=2)
