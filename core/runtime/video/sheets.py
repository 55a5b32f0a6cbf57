"""Many small pictures in one: what is in a dataset or a video, at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.running.files import beside
from tttdit.core.runtime.video.libraries import library

_GAP, _LINE = 4, 14  # pixels between pictures, and for a line under one
_PAPER, _INK = (255, 255, 255), (0, 0, 0)


def contact_sheet(path: Path, pictures: Sequence[Tensor], columns: int, captions: Sequence[str] = ()) -> None:
    """Writes pictures [3, Y, X], uint8 and all of one size, side by side as a PNG, each over its caption where there are some.

    Raises UsageError where it cannot be written.
    """
    image, drawing = library("PIL.Image"), library("PIL.ImageDraw")
    rows = -(-len(pictures) // columns)
    height, width = pictures[0].shape[1:]
    high, wide = height + _GAP + (_LINE if captions else 0), width + _GAP
    sheet = image.new("RGB", (columns * wide + _GAP, rows * high + _GAP), _PAPER)
    pen = drawing.Draw(sheet)
    for number, picture in enumerate(pictures):
        left, top = _GAP + number % columns * wide, _GAP + number // columns * high
        sheet.paste(image.fromarray(picture.permute(1, 2, 0).contiguous().numpy()), (left, top))
        if number < len(captions):
            pen.text((left, top + height), _fitting(captions[number], pen, width), fill=_INK)
    temporary = beside(path)
    try:
        sheet.save(temporary, format="PNG")
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _fitting(text: str, pen: object, width: int) -> str:
    """As much of a text as is as wide as its picture. Letters that the font does not have are question marks."""
    plain = text.encode("latin-1", "replace").decode("latin-1")
    while plain and pen.textlength(plain) > width:  # type: ignore[attr-defined]
        plain = plain[:-1]
    return plain
