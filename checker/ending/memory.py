"""What main memory was like when a rank wrote its last line about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import frozen

from tttdit.checker.ending.record import Line, Record
from tttdit.core.running.host_memory import SCARCE_FROM
from tttdit.core.wording import spoken_bytes


@frozen(kw_only=True)
class MemoryLine:
    """Main memory of a rank's node, and what the rank was doing. Bytes; `time` in seconds since the epoch."""

    rank: int
    time: float
    doing: str
    at: tuple[Any, ...]  # stage, step and doing
    rss: int
    workers: int
    used: int
    limit: int
    limited_by: str
    rose: int = 0  # since the line before

    @property
    def share(self) -> float:
        """How much of the limit was in use."""
        return self.used / self.limit

    @property
    def room(self) -> int:
        """What more could be had."""
        return max(self.limit - self.used, 0)

    @property
    def is_scarce(self) -> bool:
        """Whether it was near the limit, or would have been there a line later."""
        return self.share >= SCARCE_FROM or 0 < self.room <= self.rose

    @property
    def said(self) -> str:
        """`97% of the limit`."""
        return f"{self.share:.0%} of {'the container' if self.limited_by == 'cgroup' else 'the machine'}'s limit"

    @property
    def holders(self) -> dict[str, int]:
        """Who held memory that is not given back for the asking, the most first."""
        others = max(self.used - self.rss - self.workers, 0)
        parts = {f"rank {self.rank}": self.rss, "its data workers": self.workers, "other processes": others}
        return dict(sorted(parts.items(), key=lambda item: -item[1]))


def lines_of(record: Record, rank: int) -> Iterator[MemoryLine]:
    """The lines of a rank that say enough."""
    before = None
    for line in record.memory.get(rank, ()):
        made = _made(rank, line, before)
        if made is not None:
            before = made.used
            yield made


def last_of_all(record: Record) -> list[MemoryLine]:
    """The last line of each rank."""
    last = (list(lines_of(record, rank))[-1:] for rank in record.memory)
    return [line for lines in last for line in lines]


def memory_seen(record: Record) -> tuple[str, ...]:
    """What the fullest node's last line says, for people; nothing where no rank has written any."""
    every = last_of_all(record)
    return told_of(max(every, key=lambda one: one.share)) if every else ()


def told_of(line: MemoryLine) -> tuple[str, ...]:
    """What a line says, for people."""
    held = ", ".join(f"{spoken_bytes(count)} by {holder}" for holder, count in line.holders.items() if count)
    said = [f"the last line about memory: {spoken_bytes(line.used)} of {spoken_bytes(line.limit)} in use, {held}"]
    if 0 < line.room <= line.rose:
        said.append(f"it had risen by {spoken_bytes(line.rose)} since the line before")
    return tuple(said)


def _made(rank: int, line: Line, before: int | None) -> MemoryLine | None:
    time, used, limit = line.number("time"), line.count("node_used_bytes"), line.count("node_limit_bytes")
    if time is None or used is None or not limit or limit < 0 or used < 0:
        return None
    return MemoryLine(
        rank=rank,
        time=time,
        doing=line.text("doing"),
        at=(line.text("stage"), line.count("step"), line.text("doing")),
        rss=line.count("rss_bytes") or 0,
        workers=line.count("workers_bytes") or 0,
        used=used,
        limit=limit,
        limited_by=line.text("limited_by"),
        rose=used - before if before is not None else 0,
    )
