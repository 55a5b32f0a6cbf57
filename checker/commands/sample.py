"""`tttdit sample`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tttdit.checker.commands import options
from tttdit.checker.output import going_on, write
from tttdit.checker.render.text import visible
from tttdit.core.errors import UsageError
from tttdit.core.running.files import clear_away
from tttdit.core.wording import spoken_bytes

if TYPE_CHECKING:
    from tttdit.checker.sampling import Weights
    from tttdit.core.running.commission import Commission
    from tttdit.core.runtime.sampling.videos import Drawn
    from tttdit.core.runtime.training.world import World

EPILOG = """\b
Examples:
  tttdit sample clip.toml --checkpoint runs/clip --prompts storyboard.json
  tttdit sample clip.toml --checkpoint runs/clip --prompts prompts.jsonl --seed 7 \\
      --set sampling.steps=20 --output out/trial
  tttdit sample clip.toml --checkpoint model.safetensors --prompts a.json --dry-run
  torchrun --nproc-per-node 8 --no-python tttdit sample clip.toml \\
      --checkpoint runs/clip --prompts prompts.jsonl

\b
A storyboard is a JSON list of scenes, one for every 3 seconds (every text
segment): [{"text": "A fox runs."}, {"text": "It sleeps.",
"requires_scene_transition": true, "neg_text": "blurry"}]. A file may hold a list
of storyboards, or be .jsonl with one a line; {"name": "fox", "seed": 3,
"scenes": [...]} names one.

\b
Exit codes: 0 all videos are there, 1 the check found errors (nothing was drawn),
2 the command was wrong or a file could not be read or written.
"""


@click.command(epilog=EPILOG, short_help="Draw videos from a trained model.")
@click.argument("path", metavar="SPEC", type=click.Path())
@click.option(
    "--checkpoint",
    required=True,
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="The folder of a run, one of its checkpoints, or weights in a safetensors file or folder.",
)
@click.option(
    "--prompts", required=True, metavar="FILE", type=click.Path(path_type=Path), help="Storyboards, .json or .jsonl."
)
@click.option(
    "--output",
    metavar="FOLDER",
    default="out",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where NAME.mp4 and NAME.png (a contact sheet) go.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**62),
    default=0,
    show_default=True,
    help="Of the first storyboard; the next has one more, and so on. One that names its own keeps that.",
)
@options.choosing
@click.option("--average", is_flag=True, help="With the moving average of the weights (training.average_decay).")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="By default cuda where torch finds a GPU.")
@click.option(
    "--measure-memory",
    is_flag=True,
    help="On the CPU, too, measure what each video takes, operator by operator; it is slower by that.",
)
@click.option("--overwrite", is_flag=True, help="Draw anew what is there, and replace what others have written.")
@click.option("--dry-run", is_flag=True, help="Check, say what would be drawn and what it takes, and stop.")
def sample(
    path: str,
    checkpoint: Path,
    prompts: Path,
    output: Path,
    seed: int,
    stage: str | None,
    sets: tuple[str, ...],
    allowed: tuple[str, ...],
    average: bool,
    device: str | None,
    measure_memory: bool,
    overwrite: bool,
    dry_run: bool,
) -> int:
    """Draw videos from storyboards with a trained model.

    SPEC is checked first, exactly as by tttdit-check --prompts, and refused if it has errors. A storyboard is drawn at the length of the
    stage that has as many text segments as it has scenes. A video that is there already, made from the same, is left alone: a command that
    was stopped goes on. The same seed gives the same video. Started on several ranks (torchrun), they share the storyboards.
    """
    from tttdit.checker.api import check_paths, load_spec
    from tttdit.checker.sampling import commissions, describe, weights_at
    from tttdit.checker.showing import show_report
    from tttdit.core.running.storyboard import read_storyboards

    boards = read_storyboards(prompts)  # once, for it may be a pipe
    report = check_paths((path,), sets=sets, allowed=allowed, stage=stage, storyboards=boards)
    leads = os.environ.get("RANK", "0") == "0"
    if leads and (report.findings or report.unreadable):
        show_report(report, "full" if report.exit_code else "concise", sys.stderr, statistics=False)
    if report.unreadable or report.exit_code:
        return report.exit_code or 2
    spec = load_spec(path, sets=sets, allow_plugins=allowed)
    weights = weights_at(checkpoint, average=average)
    wanted = commissions(spec, boards, weights, output, stage=stage, seed=seed)
    if dry_run:
        if leads:
            write(describe(wanted, weights, device or "cuda", Path(spec.path).parent))
        return 0
    try:
        from tttdit.core.runtime.training.world import allow_growing_segments, world_of
    except ModuleNotFoundError as error:
        raise UsageError(f"sampling needs {error.name}: pip install 'tttdit[run,video]'") from None
    allow_growing_segments()
    world = world_of(os.environ, device)
    mine = [each for each in wanted[world.rank :: world.size] if not _is_there(each, overwrite)]
    left = len(wanted[world.rank :: world.size]) - len(mine)
    if left:
        write([f"{left:,} video{'s are' if left != 1 else ' is'} there already"])
    try:
        output.mkdir(parents=True, exist_ok=True)
        if world.size == 1:  # other ranks may be of other machines, and at work
            clear_away(output)
    except OSError as error:
        raise UsageError(f"{output} cannot be written to: {error.strerror or error}") from None
    order = {each.name: index for index, each in enumerate(spec.stages)}
    mine.sort(key=lambda each: order[each.stage.name])
    with going_on():
        for _, together in groupby(mine, key=lambda each: each.stage.name):
            _draw([*together], weights, world, Path(spec.path).parent, measure_memory)
    return 0


def _draw(wanted: Sequence[Commission], weights: Weights, world: World, seen_from: Path, measures: bool) -> None:
    """Draws videos of one stage, and says a line of each."""
    from tttdit.checker.commands.progress import progress_bar
    from tttdit.checker.memory.sampling import predicted_sampling
    from tttdit.core.runtime.sampling.videos import draw_videos
    from tttdit.core.runtime.sampling.weights import Fill

    drawn = draw_videos(
        wanted,
        Fill(weights.path, weights.is_checkpoint, weights.average),
        world.device,
        seen_from,
        say=lambda line: write([visible(line)]),
        bar=progress_bar,
        measures=measures,
    )
    for each in drawn:
        kind = world.device.type
        predicted = predicted_sampling(each.commission.stage, device=kind) if each.peak_bytes is not None else None
        high = None if predicted is None else predicted.total_bytes if kind == "cuda" else predicted.peak_bytes
        write([_told(each, high)])


def _told(drawn: Drawn, predicted: int | None) -> str:
    """`out/fox.mp4: 145 frames in 9.2 s, seed 3; memory 12.10 MiB, predicted 12.10 MiB`."""
    line = f"{visible(str(drawn.commission.video))}: {drawn.frames:,} frames in {drawn.seconds:.1f} s, seed {drawn.commission.seed}"
    if drawn.peak_bytes is None:
        return line
    beside = f", predicted {spoken_bytes(predicted)}" if predicted is not None else ""
    return f"{line}; memory {spoken_bytes(drawn.peak_bytes)}{beside}"


def _is_there(commission: Commission, overwrite: bool) -> bool:
    """Whether this very video has been drawn before. Raises UsageError where another one is in its place."""
    from tttdit.core.runtime.video.writing import read_metadata

    if overwrite or not commission.video.exists():
        return False
    found = read_metadata(commission.video) or {}
    if found.get("digest") == commission.told["digest"]:
        return commission.sheet.exists()
    raise UsageError(
        f"{commission.video} is there, and was made from something else: give another --output, or --overwrite"
    )
