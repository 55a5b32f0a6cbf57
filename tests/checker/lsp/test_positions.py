"""Places in a text as an editor counts them, and the smallest changes from one text to another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types
from pygls.workspace import PositionCodec

from tttdit.checker.lsp.edits import text_edits
from tttdit.checker.lsp.positions import Positions
from tttdit.core.findings import Span

ENCODINGS = list(types.PositionEncodingKind)
TEXTS = st.text(alphabet="ab \t=[]\n\r\u00e9\u2028\x0c\N{FILM FRAMES}", max_size=40)


@given(TEXTS, st.sampled_from(ENCODINGS))
def test_every_offset_has_a_place_of_its_own(text: str, encoding: types.PositionEncodingKind) -> None:
    positions = Positions(text, PositionCodec(encoding))
    places = [positions.position(offset) for offset in range(len(text) + 1)]
    assert [positions.offset(place) for place in places] == list(range(len(text) + 1))
    assert places == sorted(places)


@given(TEXTS, TEXTS)
def test_the_edits_make_the_one_text_of_the_other(before: str, after: str) -> None:
    positions = Positions(before, PositionCodec())
    changed = before
    for edit in reversed(text_edits(before, after, positions)):
        start, end = positions.offset(edit.range.start), positions.offset(edit.range.end)
        changed = changed[:start] + edit.new_text + changed[end:]
    assert changed == after


def test_only_what_is_different_is_changed() -> None:
    before = "[video]\nseconds = 9  # long\nfps = 16\n\n[text]\nsegments = 3\n"
    after = before.replace("= 9 ", "= 12 ").replace("= 3\n", "= 4\n")
    edits = text_edits(before, after, Positions(before, PositionCodec()))
    assert [(edit.range.start.line, edit.new_text) for edit in edits] == [(1, "12"), (5, "4")]


@pytest.mark.parametrize(
    ("position", "offset"),
    [((0, 99), 5), ((1, 0), 6), ((1, 99), 6), ((99, 0), 6)],
    ids=["line", "last", "end", "beyond"],
)
def test_a_place_behind_the_end_is_the_end(position: tuple[int, int], offset: int) -> None:
    assert Positions("fps=1\n", PositionCodec()).offset(types.Position(*position)) == offset


def test_a_finding_without_a_place_is_shown_at_the_first_line() -> None:
    shown = Positions("# a spec\nfps = 1\n", PositionCodec()).range(None)
    assert (shown.start, shown.end) == (types.Position(0, 0), types.Position(0, 8))


def test_a_span_beyond_the_text_ends_with_it() -> None:
    shown = Positions("a = 1", PositionCodec()).range(Span(1, 1, 9, 9))
    assert (shown.start, shown.end) == (types.Position(0, 0), types.Position(0, 5))
