"""Diffs, as text."""

from __future__ import annotations

from tttdit.checker.render import diff
from tttdit.checker.render.paint import Paint

BEFORE = 'a = """\n-- \u202eb"""\n# \u200dc \x9b2J\n'
AFTER = 'a = ""\n# \u200dc \x9b2J\n'


def test_on_a_terminal_everything_that_is_not_drawn_is_spelled_out() -> None:
    assert list(diff.render("a\nb.toml", BEFORE, AFTER, Paint(), is_seen=True)) == [
        r"--- a\nb.toml",
        r"+++ a\nb.toml",
        "@@ -1,3 +1,2 @@",
        '-a = """',
        r'--- \u202eb"""',
        '+a = ""',
        r" # \u200dc \x9b2J",
    ]


def test_elsewhere_only_control_characters_are() -> None:
    said = list(diff.render("a.toml", BEFORE, AFTER, Paint(), is_seen=False))
    assert said[4:] == ['--- \u202eb"""', '+a = ""', " # \u200dc \\x9b2J"]


def test_a_line_without_an_end_says_so_whatever_it_looks_like() -> None:
    said = list(diff.render("a.toml", "-- a", "++ a\n", Paint(on=True), is_seen=True))
    assert said == [
        "\x1b[1m--- a.toml\x1b[0m",
        "\x1b[1m+++ a.toml\x1b[0m",
        "\x1b[1;34m@@ -1 +1 @@\x1b[0m",
        "\x1b[1;31m--- a\x1b[0m",
        "\\ No newline at end of file",
        "\x1b[1;32m+++ a\x1b[0m",
    ]
    assert list(diff.render("a.toml", "a", "a", Paint(), is_seen=True)) == []
