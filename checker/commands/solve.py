"""`tttdit solve`."""

from __future__ import annotations

import json
import os
import re
import sys
from fractions import Fraction

import click

from tttdit.checker.commands import options
from tttdit.checker.output import write
from tttdit.core.errors import UsageError
from tttdit.core.solving.progressions import plain

_NUMBER = re.compile(r"\d{1,12}(\.\d{1,12})?", re.ASCII)

EPILOG = """\b
Examples:
  tttdit solve nine-seconds.toml text.tokens_per_segment
  tttdit solve nine-seconds.toml video.height --near 720
  tttdit solve curriculum.toml model.mixer.mini_batch_size --stage 63s
  tttdit solve nine-seconds.toml video.seconds --set video.fps=24
  tttdit solve nine-seconds.toml video.pixel_frames

\b
Exit codes: 0 solved, 1 there is no value, or something else in the spec is
wrong, 2 the command was wrong or the file could not be read.
"""


@click.command(epilog=EPILOG, short_help="Say which values a key may have.")
@click.argument("path", metavar="SPEC", type=click.Path())
@click.argument("key", metavar="KEY", shell_complete=options.offering("number_keys"))
@click.option("--near", metavar="N", help="Show the values next to this one, not to the present one.")
@options.output_format
@options.choosing
def solve(
    path: str,
    key: str,
    near: str | None,
    output_format: str,
    stage: str | None,
    sets: tuple[str, ...],
    allowed: tuple[str, ...],
) -> int:
    """Say which values a key may have, by the laws of everything that the spec uses; or why there is none, and what to move.

    SPEC is a file, or - for standard input. KEY is one that takes numbers, such as text.tokens_per_segment, text.segments, video.seconds,
    video.height, model.heads or model.mixer.mini_batch_size. What the spec says for it, be it wrong, "auto" or nothing, does not count. A
    key that is "auto" itself follows: it finds a value for each of the values shown.
    """
    from tttdit.checker.answering import answers
    from tttdit.checker.checking import Checker
    from tttdit.checker.inputs import document_at
    from tttdit.checker.render import answers as rendering
    from tttdit.checker.render import full
    from tttdit.checker.render.paint import paint_for
    from tttdit.checker.report import FORMAT, FileReport, Report

    wanted = _number(near) if near is not None else None
    checker, document = Checker(stage=stage, sets=sets, allowed=allowed), document_at(path)
    found = answers(checker, document, key, wanted)
    in_the_way: FileReport | None = None
    if not found or any(answer.found is None and answer.tried is None for answer in found):
        in_the_way = checker.check(document)
    if output_format == "json":
        report = in_the_way.as_dict()["findings"] if in_the_way is not None else []
        content = {"version": FORMAT, "file": document.path, "findings": report}
        write([json.dumps({**content, "answers": [rendering.as_dict(answer) for answer in found]}, indent=2)])
    else:
        paint = paint_for(sys.stdout, os.environ)
        for answer in found:
            if answer.found is not None or answer.tried is not None:
                write(rendering.render(answer, document.path, paint))
        if in_the_way is not None:
            write(full.findings(Report((in_the_way,)), paint_for(sys.stderr, os.environ)), sys.stderr)
    return 0 if found and in_the_way is None and all(answer.ok for answer in found) else 1


def _number(text: str) -> int | Fraction:
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"--near takes a number, not {text!r}")
    return plain(Fraction(text))
