"""From clips to datasets: which clips, in how many processes, and what people are told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from tttdit.checker.commands.progress import clear_bar, clips_bar
from tttdit.checker.output import going_on
from tttdit.checker.render.text import visible
from tttdit.checker.sampling import around
from tttdit.core.errors import UsageError
from tttdit.core.running.captions import CaptionFile, Captions
from tttdit.core.running.files import clear_away
from tttdit.core.stage import Stage
from tttdit.core.wording import plural

if TYPE_CHECKING:
    from tttdit.core.runtime.preparing.dataset import Job
    from tttdit.core.runtime.preparing.samples import ClipSamples


@frozen
class Asked:
    """What the command line said of the spec, so that other processes read it as this one did."""

    path: str
    sets: tuple[str, ...]
    allowed: tuple[str, ...]
    device: str | None
    measures: bool | None


def clips_at(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files that are named, and all in a folder that is named, but hidden ones. Raises UsageError for one that is not there."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
            found += inside
            if not inside:
                raise UsageError(f"{path} has no files")
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(f"{path} is not there")
    return tuple(dict.fromkeys(found))


def prepare_stage(
    asked: Asked, stage: Stage, clips: Sequence[Path], captions: CaptionFile | None, folder: Path, workers: int | None
) -> Iterator[str]:
    """Makes the dataset of one stage, and says what became of clips that gave less than they might have, and how much there is.

    Raises UsageError where no sample could be made, or one could not be written.
    """
    from tttdit.core.runtime.preparing.dataset import MANIFEST, jobs_of, write_dataset

    said: dict[Path, Captions] = {}
    for clip in clips:
        of_clip = captions.of(clip) if captions is not None else None
        if of_clip is not None:
            said[clip] = of_clip
        elif captions is not None:
            yield f"{visible(str(clip))}: no captions in {visible(str(captions.path))}: its texts are empty"
    jobs = jobs_of(clips, said)
    done: list[ClipSamples] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear_away(folder)
        with going_on(), clips_bar(len(jobs), stage.name) as more:
            made = _made(asked, stage, jobs, folder, workers, lambda samples: more(0, samples))
            for job, found in zip(jobs, made, strict=True):
                done.append(found)
                clear_bar()
                yield from _about(job, found, stage)
                more(1, 0)
        if not any(each.samples for each in done):
            raise UsageError(f'no clip gave a sample of stage "{stage.name}", which is {_seconds(stage)} long')
        write_dataset(folder, stage, Path(asked.path).parent, done)
    except OSError as error:
        raise UsageError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from None
    yield _summary(stage, done)
    yield f"written: {visible(str(folder / MANIFEST))}"


def describe(stage: Stage, clips: Sequence[Path], seen_from: Path) -> Iterator[str]:
    """What would be made of clips for a stage, line by line; paths of the spec are seen from its folder, `seen_from`."""
    from tttdit.core.runtime.video.reading import length_of

    yield f"{visible(stage.name)}: samples of {_seconds(stage)}"
    step, total = int(stage.dims["N"]) - 1, 0
    for clip in clips:
        try:
            frames = length_of(clip).frames(stage.video.fps)
        except UsageError as error:
            yield f"  {visible(str(error))}"
            continue
        count = frames // step
        total += count
        yield f"  {visible(str(clip))}: {frames / stage.video.fps:.2f} s, {_count(count, 'sample')}"
    yield f"  {_count(total, 'sample')} in all"
    yield from around(stage, seen_from, ("encoding", "text_encoding"))


def _made(
    asked: Asked,
    stage: Stage,
    jobs: Sequence[Job],
    folder: Path,
    workers: int | None,
    tell: Callable[[int], object],
) -> Iterator[ClipSamples]:
    """What each clip gives, in their order; `tell` is told of samples while they are made."""
    from tttdit.core.runtime.preparing.dataset import default_workers

    count = min(len(jobs), workers if workers is not None else default_workers(asked.device))
    # where there are others, too: it raises what the user should know
    _start(asked, stage.name, folder, tell, is_alone=True)
    if count <= 1:
        yield from map(_make, jobs)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    context = multiprocessing.get_context("spawn")
    counter = context.Value("q")  # samples that all of them have made
    with ProcessPoolExecutor(count, context, initializer=_begin, initargs=(asked, stage.name, folder, counter)) as pool:
        waiting = [pool.submit(_make, job) for job in jobs]
        told = 0
        try:
            for future in waiting:
                is_done = False
                while not is_done:
                    is_done = bool(wait([future], _GLANCE).done)
                    now = counter.get_obj().value  # without its lock, which a process that is killed may keep
                    tell(now - told)
                    told = now
                yield future.result()
        except BrokenProcessPool:
            raise UsageError(
                "one of the processes was killed, most often because memory ran out: the same command, with fewer --workers, goes on"
            ) from None
        except BaseException:
            # others may be at work on a clip for hours; a file that is being written has another name yet
            for child in multiprocessing.active_children():
                child.terminate()
            raise


_GLANCE = 0.2  # seconds between looks at how far the others are
_AT_WORK: list[Callable[[Job], ClipSamples]] = []  # of this process


def _begin(asked: Asked, stage: str, folder: Path, counter: Any) -> None:
    """Makes a process ready that works beside others, and ends when the one that started it has ended, in whatever way."""
    import threading

    def count(samples: int) -> None:
        with counter.get_lock():
            counter.value += samples

    threading.Thread(target=_end_with_parent, daemon=True).start()
    _start(asked, stage, folder, count, is_alone=False)


def _end_with_parent() -> None:
    from multiprocessing import parent_process

    parent = parent_process()
    assert parent is not None, "this process is another one's"
    parent.join()
    os._exit(1)  # a file that is being written has another name yet


def _start(asked: Asked, stage: str, folder: Path, tell: Callable[[int], object], *, is_alone: bool) -> None:
    """Makes ready what this process does to every clip."""
    from tttdit.checker.api import load_spec
    from tttdit.core.runtime.preparing.dataset import Preparer

    spec = load_spec(asked.path, sets=asked.sets, allow_plugins=asked.allowed)
    (chosen,) = (each for each in spec.stages if each.name == stage)
    seen_from = Path(asked.path).parent
    _AT_WORK[:] = [Preparer(chosen, seen_from, folder, asked.device, tell, measures=asked.measures, is_alone=is_alone)]


def _make(job: Job) -> ClipSamples:
    return _AT_WORK[0](job)


def _about(job: Job, found: ClipSamples, stage: Stage) -> Iterator[str]:
    """A line for whatever kept a clip from giving all that it might have."""
    name = visible(str(job.clip))
    if found.problem:
        kept = f"; {_count(len(found.samples), 'sample')} before that" if found.samples else ""
        # what went wrong names the file already
        yield (
            f"{visible(found.problem)}{kept}"
            if str(job.clip) in found.problem
            else f"{name}: {visible(found.problem)}{kept}"
        )
    elif not found.samples:
        yield f"{name}: too short: {found.left:.2f} s, and a sample is {_seconds(stage)}"
    if found.rates is not None and found.samples:
        few, many = found.rates
        yield f"{name}: its rate changes, from {few:.3g} to {many:.3g} pictures a second: taken by its time stamps"
    if any(each.held for each in found.samples):
        yield f"{name}: its last picture stands once more, for the one frame that its last sample lacks"
    segments = len(found.samples) * int(stage.dims["S"])
    missing = job.captions.missing(segments) if job.captions is not None else 0
    if missing:
        yield f"{name}: {_count(missing, 'segment')} of {segments:,} without a caption"
    cut = sum(each.cut for each in found.samples)
    if cut:
        verbs = ("does", "is") if cut == 1 else ("do", "are")
        fitting = f"{int(stage.dims['T']):,} a segment"
        yield f"{name}: {_count(cut, 'token')} of its captions {verbs[0]} not fit into {fitting}, and {verbs[1]} cut off"


def _summary(stage: Stage, done: Sequence[ClipSamples]) -> str:
    """`3s: 4 samples, 12.0 s, from 2 of 3 clips (2 there already); dropped 3.3 s at the ends of clips and 1 clip; PSNR 24.1 dB`."""
    samples = [sample for each in done for sample in each.samples]
    length = (int(stage.dims["N"]) - 1) / stage.video.fps
    reused = sum(sample.reused for sample in samples)
    again = f" ({reused:,} there already)" if reused else ""
    used = sum(bool(each.samples) for each in done)
    made = f"{_count(len(samples), 'sample')}{again}, {len(samples) * length:.1f} s"
    parts = [f"{visible(stage.name)}: {made}, from {used:,} of {_count(len(done), 'clip')}"]
    left = sum(each.left for each in done if each.samples)
    dropped = [f"{left:.1f} s at the ends of clips"] if left else []
    short = sum(not each.samples and not each.problem for each in done)
    broken = sum(bool(each.problem) for each in done)
    dropped += [f"{_count(short, 'clip')} too short"] if short else []
    dropped += [f"{_count(broken, 'clip')} that cannot be read to the end"] if broken else []
    if dropped:
        parts.append(f"dropped: {', '.join(dropped)}")
    known = [sample.psnr for sample in samples if sample.psnr is not None]
    if known:
        parts.append(f"the codec's reconstruction: PSNR {sum(known) / len(known):.1f} dB, {min(known):.1f} at worst")
    lengths = [tokens for sample in samples for tokens in sample.tokens]
    if any(lengths):
        few, many = min(lengths), max(lengths)
        told = f"{few:,} to {many:,}" if few != many else f"{many:,}"
        parts.append(f"texts of {told} tokens, padded to {int(stage.dims['T']):,}")
    return "; ".join(parts)


def _seconds(stage: Stage) -> str:
    """A sample's length, its last frame included: `3.06 s (49 frames)`."""
    frames = int(stage.dims["N"])
    return f"{frames / stage.video.fps:.2f} s ({frames:,} frames)"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {plural(number, noun)}"
