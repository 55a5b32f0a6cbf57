"""`tttdit data`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tttdit.checker.commands import options
from tttdit.checker.commands.progress import progress_bar
from tttdit.checker.output import write
from tttdit.checker.render.text import table, visible
from tttdit.core.errors import UsageError
from tttdit.core.wording import spoken_bytes

if TYPE_CHECKING:
    from tttdit.core.runtime.preparing.describing import Description, Numbers

EPILOG = """\b
Examples:
  tttdit data describe data/clips
"""

DESCRIBE_EPILOG = """\b
Examples:
  tttdit data describe data/clips
  tttdit data describe data/videos/9s --sheet nine.png
  tttdit data describe data/clips --output-format json --no-sheet

\b
Exit codes: 0 described, 1 files of it cannot be used, 2 there is no dataset, or
its sheet cannot be made.
"""

_PICTURES, _COLUMNS = 24, 6


@click.group(epilog=EPILOG, short_help="Look into a dataset.")
def data() -> None:
    """Look into a dataset that tttdit prepare has made."""


@data.command(epilog=DESCRIBE_EPILOG, short_help="Say what is in a dataset.")
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--sheet",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where the first frames of samples are shown. By default sheet.png in the folder.",
)
@click.option("--no-sheet", is_flag=True, help="Write no pictures.")
@options.output_format
def describe(folder: Path, sheet: Path | None, no_sheet: bool, output_format: str) -> int:
    """Say what is in a dataset: its card, what its files really hold, and a contact sheet of decoded first frames.

    Every file is read. FOLDER is what tttdit prepare wrote, with a card.json.
    """
    try:
        from tttdit.core.runtime.preparing import describing
        from tttdit.core.runtime.video.sheets import contact_sheet
    except ModuleNotFoundError as error:
        raise UsageError(f"datasets need {error.name}: pip install 'tttdit[run,video]'") from None
    wanted = describing.card_of(folder).get("samples")
    with progress_bar(wanted if isinstance(wanted, int) else 0, folder.name, noun="samples") as looked_at:
        found = describing.describe(folder, looked_at)
    to = None if no_sheet else sheet or folder / "sheet.png"
    if to is not None:
        pictures, captions = describing.first_pictures(folder, _PICTURES)
        if not pictures:
            raise UsageError(f"{folder} has no sample that could be shown")
        contact_sheet(to, pictures, min(_COLUMNS, len(pictures)), captions)
    if output_format == "json":
        write([json.dumps(_as_dict(found, to), indent=2)])
    else:
        write(_lines(found, to))
    return 1 if found.problems else 0


def _lines(found: Description, sheet: Path | None) -> Iterator[str]:
    card, values, codec = found.card, found.values, found.card["made_by"].get("codec")
    by = codec.get("plugin") if isinstance(codec, dict) else codec
    clips, seconds = card.get("clips"), card.get("seconds")
    yield from table(
        [
            ("stage", visible(str(card.get("stage")))),
            ("samples", f"{found.samples:,} from {clips} clip{'s' * (clips != 1)}, {seconds} s in all"),
            (
                "video",
                f"{card.get('pixel_frames')} frames of {card.get('height')} x {card.get('width')}, {card.get('fps')} a second",
            ),
            (
                "latents",
                f"[C, F, H, W] = {_shapes(found.latents)}, by {visible(str(by))}{_posterior(card)}",
            ),
            *([("values", _numbers(values))] if values is not None else []),
            ("texts", f"[S, T, X] = {_shapes(found.texts)}, by {visible(str(card['made_by'].get('text_encoder')))}"),
            *([("tokens", f"{found.tokens[0]:,} to {found.tokens[1]:,} a text")] if found.tokens is not None else []),
            ("captions", f"{found.captions:,} different ones; {found.empty_texts:,} segments without any"),
            *(
                [("PSNR", f"{card['psnr']:.1f} dB, the codec's reconstruction")]
                if isinstance(card.get("psnr"), float)
                else []
            ),
            ("on disk", spoken_bytes(found.files_bytes)),
            *([("sheet", visible(str(sheet)))] if sheet is not None else []),
        ]
    )
    for problem in found.problems:
        yield f"cannot be used: {visible(problem)}"


def _posterior(card: Mapping[str, Any]) -> str:
    return ": a posterior's means, then log variances" if card.get("holds") == "posterior" else ""


def _numbers(values: Numbers) -> str:
    return f"{values.lowest:.2f} to {values.highest:.2f}, mean {values.mean:.3f}, standard deviation {values.deviation:.3f}"


def _shapes(found: Mapping[tuple[int, ...], int]) -> str:
    """`16 x 13 x 8 x 12`; where samples differ, with how many have which."""
    spoken = [(" x ".join(f"{size:,}" for size in shape), count) for shape, count in found.items()]
    if len(spoken) == 1:
        return spoken[0][0]
    return ", ".join(f"{shape} ({count:,} samples)" for shape, count in spoken) or "no sample"


def _as_dict(found: Description, sheet: Path | None) -> dict[str, object]:
    values = found.values
    return {
        "card": dict(found.card),
        "samples": found.samples,
        "bytes": found.files_bytes,
        "latents": [{"shape": list(shape), "samples": count} for shape, count in found.latents.items()],
        "texts": [{"shape": list(shape), "samples": count} for shape, count in found.texts.items()],
        "values": {
            "lowest": values.lowest,
            "highest": values.highest,
            "mean": values.mean,
            "standard_deviation": values.deviation,
        }
        if values is not None
        else None,
        "tokens": list(found.tokens) if found.tokens is not None else None,
        "captions": found.captions,
        "empty_texts": found.empty_texts,
        "sheet": str(sheet) if sheet is not None else None,
        "problems": list(found.problems),
    }
