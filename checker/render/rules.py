"""Pages about rules, for people: one page, or all of them in short by family."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from tttdit.checker.pages import RulePage
from tttdit.checker.render.paint import Paint
from tttdit.checker.render.text import visible

WIDEST = 100  # columns: longer lines are hard to read
NARROWEST = 20

_FAMILIES = {
    "TTD0": "TOML, keys, types, plugins, comments",
    "TTD1": "frames, VAE, latent grid, patches",
    "TTD2": "segments, windows, sequence length, mini-batches",
    "TTD3": "model and mixers",
    "TTD4": "data",
    "TTD5": "memory",
    "TTD6": "parallelism",
    "TTD7": "training",
    "TTD8": "job files of other projects",
}


def page(one: RulePage, columns: int, paint: Paint) -> Iterator[str]:
    """One page, wrapped to a terminal of so many columns."""
    where = visible(f"{one.owner} ({', '.join(one.plugins)})" if one.plugins else one.owner)
    head = paint(f"{one.severity}[{visible(one.code)}]", one.severity)
    yield f"{head} {paint(visible(one.name), 'strong')}, from {where}"
    for label, text in one.paragraphs:
        yield ""
        yield from _wrapped(f"{label}: ", text, columns, paint)
    yield ""
    silence = f"# tttdit: ignore[{one.code}] at the end of the line, or --ignore {one.code}."
    yield from _wrapped("Silence: ", silence, columns, paint)


def listing(pages: Sequence[RulePage], columns: int, paint: Paint) -> Iterator[str]:
    """All pages, by family: code, severity, name and the first sentence of each."""
    code, severity, name = (
        max((len(visible(getattr(one, field))) for one in pages), default=0) for field in ("code", "severity", "name")
    )
    for family, members in groupby(pages, key=lambda one: family_of(one.code)):
        yield paint(visible(title_of(family)), "strong")
        for one in members:
            painted = paint(f"{one.severity:{severity}}", one.severity)
            lead = f"  {visible(one.code):{code}}  {painted}  {visible(one.name):{name}}  "
            indent = 8 + code + severity + name
            first, *more = _lines(one.summary, min(columns, WIDEST) - indent) or [""]
            yield (lead + first).rstrip()
            yield from (" " * indent + line for line in more)


def family_of(code: str) -> str:
    """TTD2 for TTD201; a third party's codes are one family."""
    return code[: len("TTD2")] if code.startswith("TTD") else code.rstrip("0123456789")


def title_of(family: str) -> str:
    """`TTD5xx: memory`."""
    return f"{family}xx: {_FAMILIES[family]}" if family in _FAMILIES else family


def _wrapped(label: str, text: str, columns: int, paint: Paint) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        first, *more = _lines(label + paragraph, min(columns, WIDEST))
        yield paint(first[: len(label)].rstrip(), "help") + first[len(label.rstrip()) :] if label else first
        yield from more
        label = ""


def _lines(text: str, columns: int) -> list[str]:
    return textwrap.wrap(visible(text), max(columns, NARROWEST), break_long_words=False, break_on_hyphens=False)
