"""A step for PyTorch's memory viewer (https://pytorch.org/memory_viz), written without torch.

The form is that of `torch.cuda.memory._snapshot` (torch/cuda/memory.py, and `_memory_viz.py` beside it, PyTorch 2.13): segments with their
blocks as they are at the end of the step, and a trace of what happened in it. Segments and addresses are those of the simulated allocator;
times count operators. Frames are the module's line, then the spec's lines that the bytes depend on, with the keys as names.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from attrs import evolve

from tttdit.checker.creating import replace
from tttdit.checker.memory.allocator import SMALL_BUFFER, is_expandable
from tttdit.checker.memory.explaining import described, in_any_layer, when_made, workspace_of
from tttdit.checker.memory.gpus import blas_workspaces
from tttdit.checker.memory.placing import LARGE, Event, placed
from tttdit.checker.memory.stage_view import StageView
from tttdit.core.symbolic.tape import Moment

Frame: TypeAlias = "dict[str, str | int]"
Frames: TypeAlias = list[Frame]

_PROTOCOL = 4
_FIRST = 0x7F00_0000_0000  # the address of the first segment; nothing depends on it
_POOL = (0, 0)  # torch's default pool of memory
_NOWHERE = "tttdit"  # the file of what no line has made
_LIBRARY = "workspace that cuBLAS keeps"


def write_snapshot(path: str, spec: str, view: StageView) -> None:
    """Writes the step of a stage of the spec at `spec` to a file. Raises UsageError where it cannot be written."""
    replace(path, pickle.dumps(snapshot(spec, view), protocol=_PROTOCOL))


def snapshot(spec: str, view: StageView) -> dict[str, Any]:
    """The snapshot as lists and dictionaries."""
    standing = [(f"{one.name} ({one.kind})", one.nbytes) for one in view.tape.standing]
    if view.prediction.device == "cuda":
        standing += [(_LIBRARY, nbytes) for nbytes in blas_workspaces(view.stage.hardware)]
    expandable = is_expandable(view.prediction.runtime)
    events = placed(view.tape, [nbytes for _, nbytes in standing], expandable=expandable)
    frames = _framing(spec, view)
    live: dict[int, tuple[Event, Frames]] = {}
    for event in events.before:
        if event.what == "alloc" and event.owner is not None:
            live[event.address] = event, [_frame(_NOWHERE, 0, standing[event.owner][0])]
    trace: list[dict[str, Any]] = []
    for event in events.step:
        its = frames(event)
        trace += _told(event, its, expandable=expandable)
        if event.what == "alloc":
            live[event.address] = event, its
        elif event.what == "free":
            del live[event.address]
    segments = [event for event in (*events.before, *events.step) if event.what == "segment"]
    if expandable:
        segments = _joined(segments)
    return {"segments": list(_segments(segments, live, expandable=expandable)), "device_traces": [trace]}


def _told(event: Event, frames: Frames, *, expandable: bool) -> Iterator[dict[str, Any]]:
    segment = ("segment_map",) if expandable else ("segment_alloc",)
    actions = {"segment": segment, "alloc": ("alloc",), "free": ("free_requested", "free_completed")}
    for action in actions[event.what]:
        yield {
            "action": action,
            "addr": _FIRST + event.address,
            "size": event.nbytes,
            "stream": 0,
            "frames": frames,
            "time_us": event.at,
        }


def _framing(spec: str, view: StageView) -> Callable[[Event], Frames]:
    """Frames of events; the same list for tensors that are alike, for a pickle writes an object once."""
    tape = view.tape
    known: dict[tuple[object, ...], Frames] = {}
    lines: dict[tuple[object, ...], list[Frame]] = {}

    def of_event(event: Event) -> Frames:
        if event.what == "segment":
            return []
        one = None if event.owner is None else tape.allocations[event.owner]
        maker = tape.moments[event.at if one is None else one.made]
        # a tape has one object for shapes that it has recorded once
        size = () if one is None else (id(one.shape), one.dtype)
        sort = (maker.name, maker.place, maker.region, maker.phase, maker.recomputing, maker.line, size)
        if sort not in known:
            size_in_region = (*size, in_any_layer(maker.region, tape.layers))
            if size_in_region not in lines:
                tensors = workspace_of(maker) if one is None else described(tape, one)
                lines[size_in_region] = [_frame(spec, line, key) for key, line in view.lines_behind(tensors)]
            known[sort] = [_made_by(maker, "workspace" if one is None else one.kind), *lines[size_in_region]]
        return known[sort]

    return of_event


def _made_by(maker: Moment, kind: str) -> Frame:
    file, _, line = maker.line.rpartition(":")
    place = f" of {maker.place}" if maker.place else ""
    return _frame(file or _NOWHERE, int(line or 0), f"{maker.name}{place} ({when_made(maker)}, {kind})")


def _frame(filename: str, line: int, name: str) -> Frame:
    return {"filename": filename, "line": line, "name": name}


def _joined(segments: Sequence[Event]) -> list[Event]:
    """Segments that have grown, each whole."""
    joined: list[Event] = []
    for each in sorted(segments, key=lambda event: event.address):
        if joined and joined[-1].address + joined[-1].size == each.address:
            joined[-1] = evolve(joined[-1], size=joined[-1].size + each.size)
        else:
            joined.append(each)
    return joined


def _segments(
    segments: Sequence[Event], live: Mapping[int, tuple[Event, Frames]], *, expandable: bool
) -> Iterator[dict[str, Any]]:
    """The segments with their blocks, and the gaps between these."""
    left = sorted(live.items())[::-1]
    for segment in sorted(segments, key=lambda event: event.address):
        at, end, blocks = segment.address, segment.address + segment.size, list[dict[str, Any]]()
        while left and left[-1][0] < end:
            address, (event, frames) = left.pop()
            if address > at:
                blocks.append(_gap(at, address))
            blocks.append(_block(event, frames))
            at = address + event.size
        if at < end:
            blocks.append(_gap(at, end))
        yield _segment(segment, blocks, expandable=expandable)


def _segment(segment: Event, blocks: list[dict[str, Any]], *, expandable: bool) -> dict[str, Any]:
    is_small = segment.address < LARGE if expandable else segment.size == SMALL_BUFFER
    active = sum(block["size"] for block in blocks if block["state"] == "active_allocated")
    return {
        "device": 0,
        "address": _FIRST + segment.address,
        "total_size": segment.size,
        "allocated_size": active,
        "active_size": active,
        "requested_size": sum(block["requested_size"] for block in blocks),
        "stream": 0,
        "segment_type": "small" if is_small else "large",
        "segment_pool_id": _POOL,
        "is_expandable": expandable,
        "frames": [],
        "blocks": blocks,
    }


def _block(event: Event, frames: Frames) -> dict[str, Any]:
    return {
        "address": _FIRST + event.address,
        "size": event.size,
        "requested_size": event.nbytes,
        "state": "active_allocated",
        "frames": frames,
    }


def _gap(start: int, end: int) -> dict[str, Any]:
    return {"address": _FIRST + start, "size": end - start, "requested_size": 0, "state": "inactive", "frames": []}
