"""Full output, as text: every character counts."""

from __future__ import annotations

from textwrap import dedent

from tttdit.checker.render import full
from tttdit.checker.render.paint import Paint
from tttdit.checker.report import Chosen, DimensionReport, FileReport, Report, StageReport
from tttdit.core.findings import Finding, Related, Span


def drawn(text: str, *findings: Finding, path: str = "spec.toml", on: bool = False) -> str:
    report = Report((FileReport(path, findings, (), text),))
    return "\n".join(full.render(report, Paint(on=on)))


def block(text: str) -> str:
    return dedent(text).strip("\n")


def finding(span: Span | None, message: str = "it is wrong", help: str = "", *related: Related) -> Finding:
    return Finding("TTD999", "example", "error", message, help, "a.b", related, span=span)


def test_carets_stand_under_every_place_in_the_order_of_the_lines() -> None:
    text = "\n".join(f"key{number} = {number}" for number in range(1, 13))
    said = drawn(
        text,
        finding(
            Span(11, 9, 11, 11),
            "11 is not 3",
            "write key11 = 3\nor leave it",
            Related("the three", span=Span(3, 1, 3, 9)),
            Related("twelve", span=Span(12, 1, 12, 6)),
            Related("as the module has it", span=Span(7, 1, 7, 1), path="mixer/module.py"),
            Related("a default", "a.c"),
        ),
    )
    assert said == block(
        """
        error[TTD999] example: 11 is not 3
          --> spec.toml:11:9
           |
         3 | key3 = 3
           | -------- the three
        ...
        11 | key11 = 11
           |         ^^
        12 | key12 = 12
           | ----- twelve
           |
           = note: mixer/module.py:7: as the module has it
           = note: a.c: a default
           = help: write key11 = 3
                   or leave it

        1 error in 1 file
        """
    )


def test_two_places_in_one_line_share_it() -> None:
    said = drawn("a = { b = 1, c = 2 }", finding(Span(1, 7, 1, 12), "", "", Related("this", span=Span(1, 14, 1, 19))))
    assert said.splitlines()[3:6] == [
        "1 | a = { b = 1, c = 2 }",
        "  |       ^^^^^",
        "  |              ----- this",
    ]


def test_a_place_over_several_lines_is_shown_by_its_first() -> None:
    said = drawn("betas = [\n  0.9,\n]\n", finding(Span(1, 9, 3, 2)))
    assert said.splitlines()[2:6] == ["  |", "1 | betas = [", "  |         ^", "  |"]


def test_wide_characters_and_tabs_do_not_move_the_carets() -> None:
    said = drawn('\tname = "日本語" # é', finding(Span(1, 9, 1, 14)))
    assert said.splitlines()[3:5] == ['1 |     name = "日本語" # é', "  |            ^^^^^^^^"]
    # a letter and its accent as two characters, one column
    said = drawn("e\u0301 = 1", finding(Span(1, 6, 1, 7)))
    assert said.splitlines()[4] == "  |     ^"


def test_a_long_line_is_cut_to_what_is_wrong() -> None:
    text = "x = [" + "1, " * 400 + "WRONG" + ", 1" * 400 + "]"
    at = text.index("WRONG") + 1
    said = drawn(text, finding(Span(1, at, 1, at + 5), "", "", Related("and this", span=Span(1, 1, 1, 2)))).splitlines()
    assert max(map(len, said)) < 140
    assert said[3] == "1 | ..." + text[at - 41 : at + 79] + "..."
    assert said[4] == "  | " + " " * 43 + "^^^^^"
    # the other place of the same line has a window of its own
    assert said[5].startswith("1 | x = [1, 1, 1,")
    assert said[6] == "  | - and this"


def test_four_megabytes_in_one_line_are_no_trouble() -> None:
    text = "x" * (4 * 1024 * 1024)
    said = drawn(text, finding(Span(1, len(text), 1, len(text) + 1)))
    assert len(said) < 500
    assert said.splitlines()[4] == "  | " + " " * 43 + "^"


def test_no_control_character_of_a_spec_reaches_the_terminal() -> None:
    evil = 'a = "\x1b[2J\x9b31m\u202egpj.exe\u200b\x07"\r'
    said = drawn(
        evil,
        finding(Span(1, 5, 1, 9), "value \x1b[31mred\r\nsecond", "\x00help", Related("\x08", span=Span(1, 1, 1, 2))),
        path="sp\x1bec\n.toml",
    )
    assert all(character == "\n" or character.isprintable() for character in said)
    assert 'a = "\\x1b[2J\\x9b31m\\u202egpj.exe\\u200b\\x07"' in said
    assert "--> sp\\x1bec\\n.toml:1:5" in said
    assert "error[TTD999] example: value \\x1b[31mred\\r\n  second\n" in said


def test_a_message_cannot_draw_a_finding_of_its_own() -> None:
    """Further lines of a message are set in, so that none of them begins like a finding."""
    said = drawn("a = 1", finding(Span(1, 1, 1, 2), "first\nerror[TTD000] forged: gone"))
    assert "\n  error[TTD000] forged" in said
    assert "\nerror[TTD000]" not in said


def test_an_empty_text_and_a_place_behind_the_end_are_no_trouble() -> None:
    assert drawn("", finding(Span(1, 1, 1, 1))).splitlines()[2:5] == ["  |", "1 |", "  | ^"]
    assert drawn("a = 1", finding(Span(9, 4, 9, 8))).splitlines()[3:5] == ["9 |", "  | ^"]


def test_a_finding_without_a_place_names_the_file() -> None:
    assert drawn("a = 1", finding(None, help="look elsewhere")) == block(
        """
        error[TTD999] example: it is wrong
         --> spec.toml
          = help: look elsewhere

        1 error in 1 file
        """
    )


def test_a_stage_is_named_where_there_are_several() -> None:
    text = "a = 1"
    nine = Finding("TTD999", "example", "warning", "odd", key="a", span=Span(1, 1, 1, 2), stage="9s")
    report = Report((FileReport("spec.toml", (nine,), (stage("3s"), stage("9s")), text),))
    said = list(full.render(report, Paint()))
    assert said[0] == "warning[TTD999] example: odd"
    assert said[1] == " --> spec.toml:1:1 (stage 9s)"
    assert said[-1] == "1 warning in 1 file, 2 stages"


def stage(name: str, *, ok: bool = True) -> StageReport:
    def given(symbol: str, value: int | None, formula: str = "") -> DimensionReport:
        return DimensionReport(symbol, value, formula, "", ())

    dimensions = (
        given("N", 145, "fps*seconds + 1"),
        given("F", 37, "(N + 3)/4"),
        given("H", 60, "pixel_height/8"),
        given("W", 90, "pixel_width/8"),
        given("V", 49_950, "F*h*w"),
        given("S", 3),
        given("T", 502),
        given("L", 51_456, "V + S*T"),
        given("n", None, "L/b"),
    )
    chosen = Chosen("text.segments", 3, "the only value with 12*S + 1 = F = 37")
    return StageReport(name, ok, dimensions, {}, (chosen,), (), proved=False)


def test_a_stage_is_summed_up_in_numbers_and_formulas() -> None:
    report = Report((FileReport("spec.toml", (), (stage("9s"),), ""),))
    assert "\n".join(full.render(report, Paint())) == block(
        """
        spec.toml
        stage 9s: ok
          pixel frames     N          145  = fps*seconds + 1
          latent frames    F           37  = (N + 3)/4
          latent grid      H x W  60 x 90  = pixel_height/8 x pixel_width/8
          video tokens     V       49,950  = F*h*w
          text tokens      S*T      1,506  3 * 502
          sequence length  L       51,456  = V + S*T
          mini-batches     n            ?  = L/b
          auto: text.segments = 3, the only value with 12*S + 1 = F = 37
          shapes: not proved

        ok: nothing wrong in 1 file, 1 stage
        """
    )


def test_colours_are_escapes_around_the_same_text() -> None:
    import re

    plain = drawn("a = 1", finding(Span(1, 1, 1, 2), "wrong", "help"))
    coloured = drawn("a = 1", finding(Span(1, 1, 1, 2), "wrong", "help"), on=True)
    assert "\x1b[1;31merror[TTD999]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
