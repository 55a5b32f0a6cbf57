"""`tttdit prepare`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tttdit.checker.commands import options
from tttdit.checker.output import complain, write
from tttdit.checker.render.text import visible
from tttdit.core.errors import UsageError

EPILOG = """\b
Examples:
  tttdit prepare clip.toml bikes.mp4 bunny.mp4 --output data/clips
  tttdit prepare curriculum.toml videos/ --captions captions.jsonl --output data/videos
  tttdit prepare curriculum.toml videos/ --stage 9s --output data/nine --workers 4
  tttdit prepare curriculum.toml videos/ --output data/videos --dry-run

\b
Captions are JSON Lines, one clip a line: {"clip": "bikes.mp4", "caption": "Bicycles."}
or, for every 3 seconds (text segment) of it, {"clip": "bikes.mp4", "captions":
["An empty road.", {"text": "A crossing.", "requires_scene_transition": true}]}.

\b
The dataset of a stage is FOLDER, or FOLDER/STAGE where a spec has several. Its
manifest is what the data source "precomputed" reads (data.manifest), its card
what tttdit data describe shows. A command that was stopped goes on.

\b
Exit codes: 0 there are samples, 1 the spec has errors, 2 the command was wrong,
a file could not be written, or no clip gave a sample.
"""


@click.command(epilog=EPILOG, short_help="Make a dataset of videos.")
@click.argument("path", metavar="SPEC", type=click.Path())
@click.argument("clips", metavar="CLIPS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", metavar="FOLDER", required=True, type=click.Path(path_type=Path), help="Where samples go.")
@click.option(
    "--captions",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What is said of the clips. By default nothing: empty texts.",
)
@options.choosing
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Processes, a clip each at a time. By default up to 4 on a CPU, 1 on a GPU.",
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="By default cuda where torch finds a GPU.")
@click.option(
    "--psnr/--no-psnr",
    "measures",
    default=None,
    help="Decode what was encoded, and say how near it comes. By default where the codec does that fast.",
)
@click.option("--dry-run", is_flag=True, help="Check, say what would be made and what it takes, and stop.")
def prepare(
    path: str,
    clips: tuple[Path, ...],
    output: Path,
    captions: Path | None,
    stage: str | None,
    sets: tuple[str, ...],
    allowed: tuple[str, ...],
    workers: int | None,
    device: str | None,
    measures: bool | None,
    dry_run: bool,
) -> int:
    """Make a dataset of videos: samples of a spec's length, as latents of its codec and embeddings of its text encoder.

    CLIPS are video files, or folders of them, in any format that FFmpeg reads. They are resampled by their time stamps to the spec's
    frames a second, scaled and cut to its size, and cut into samples one after the other. A clip that cannot be read, or is too short, is
    said in a line, and the rest goes on.
    """
    from tttdit.checker.api import check_paths, load_spec
    from tttdit.checker.preparing import Asked, clips_at, describe, prepare_stage
    from tttdit.checker.showing import show_report
    from tttdit.core.running.captions import read_captions

    report = check_paths((path,), sets=sets, allowed=allowed, stage=stage)
    if report.unreadable or report.exit_code:
        show_report(report, "full", sys.stdout, statistics=False)
        return report.exit_code or 2
    spec = load_spec(path, sets=sets, allow_plugins=allowed)
    try:
        from tttdit.core.runtime.preparing.dataset import check_libraries
    except ModuleNotFoundError as error:
        raise UsageError(f"preparing needs {error.name}: pip install 'tttdit[run,video]'") from None
    check_libraries()
    found = clips_at(clips)
    chosen = [each for each in spec.stages if stage in (None, each.name)]
    if dry_run:
        write(line for each in chosen for line in describe(each, found, Path(spec.path).parent))
        return 0
    said = read_captions(captions) if captions is not None else None
    if said is None:
        complain("no --captions: all texts are empty")
    else:
        for name in said.unused(found):
            complain(f"{visible(str(said.path))}: {visible(name)} is none of the clips")
    asked = Asked(path, sets, allowed, device, measures)
    made = 0
    for each in chosen:
        folder = output / each.name if len(spec.stages) > 1 else output
        try:
            for line in prepare_stage(asked, each, found, said, folder, workers):
                write([line])  # each at once, and whether or not anybody reads them
            made += 1
        except UsageError as error:
            if len(chosen) == 1:
                raise
            complain(str(error))
    if not made:
        raise UsageError("no stage has a sample")
    return 0
