"""From a folder to the answer of `tttdit why`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tttdit.checker.ending.ending import Answer, Ending
from tttdit.checker.ending.record import Record, record_of
from tttdit.checker.ending.silent import IsAtWork, silent
from tttdit.checker.ending.told import ENDS, told
from tttdit.core.wording import plural


def answer(path: Path, now: float, *, is_at_work: IsAtWork | None = None) -> Answer:
    """What ended the run in a folder. `now` is in seconds since the epoch. Raises UsageError for what is no such folder."""
    record = record_of(path)
    return Answer(record=record, ending=_ending(record, now, is_at_work), notes=tuple(_notes(record)))


def _ending(record: Record, now: float, is_at_work: IsAtWork | None) -> Ending:
    last = record.last(*ENDS)
    if last is not None:
        return told(record, last)
    if not record.launches:
        return Ending(
            kind="unknown",
            what="events.jsonl tells of no launch: the run was killed while it began, or the file is damaged",
            change=("start it again",),
        )
    return silent(record, now, is_at_work=is_at_work)


def _notes(record: Record) -> Iterator[str]:
    if record.launches > 1:
        yield f"launched {record.launches:,} times; this is the last one"
    skipped = record.all("skipped_step")
    if skipped:
        tensors = ", ".join(dict.fromkeys(name for each in skipped[-3:] if (name := each.text("tensor"))))
        steps = f"{len(skipped):,} {plural(len(skipped), 'step')}"
        yield f"{steps} skipped for numbers that are not finite{f', the last ones in {tensors}' if tensors else ''}"
    bad = record.all("bad_sample")
    if bad:
        where = bad[-1].text("where")
        yield f"{len(bad):,} {plural(len(bad), 'sample')} left out{f', the last one {where}' if where else ''}"
    not_saved = record.all("not_saved")
    if not_saved:
        yield f"{len(not_saved):,} {plural(len(not_saved), 'checkpoint')} not saved: {not_saved[-1].text('why')}"
    for left in record.partial:
        yield f"{left.relative_to(record.path) if left.is_relative_to(record.path) else left} was not finished; it is never loaded"
    yield from record.unreadable
