"""What an editor offers to write where the cursor stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from editor import Editor, start

ROOT = Path(__file__).parents[3]
NINE_SECONDS = (ROOT / "examples" / "nine-seconds.toml").read_text("utf-8")
CURRICULUM = (ROOT / "examples" / "curriculum.toml").read_text("utf-8")
CURSOR = "|"


def offered(editor: Editor, text: str) -> dict[str, dict[str, Any]]:
    """The completions at the cursor, which is taken out of the text, by what they would write."""
    at = start(text, CURSOR)
    editor.open(text.replace(CURSOR, "", 1))
    params = {"textDocument": {"uri": "file:///specs/spec.toml"}, "position": at}
    found = editor.ask("textDocument/completion", params)
    return {item["textEdit"]["newText"]: item for item in found}


def test_keys_of_the_table_that_are_not_there_yet(editor: Editor) -> None:
    found = offered(editor, NINE_SECONDS.replace("[text]\n", "[text]\nmax|\n"))
    assert found["max_tokens"]["detail"] == "whole number from 1 to 10,000,000"
    assert "The most tokens a segment may have" in found["max_tokens"]["documentation"]["value"]
    assert "segments" not in found
    begin, end = (found["max_tokens"]["textEdit"]["range"][side]["character"] for side in ("start", "end"))
    assert (begin, end) == (0, 3)


def test_keys_that_plugins_bring(editor: Editor) -> None:
    found = offered(editor, NINE_SECONDS.replace("[memory]\n", "[memory]\n|\n"))
    assert {"attention", "forward_ssm", "mlp"} <= found.keys()
    found = offered(editor, NINE_SECONDS.replace("[model.mixer]\n", "[model.mixer]\n|\n"))
    assert "learning_rates" in found


def test_tables(editor: Editor) -> None:
    found = offered(editor, NINE_SECONDS + "\n[|")
    assert {"video", "model.mixer", "sampling", "stage"} <= found.keys()


def test_keys_of_a_stage_by_dots(editor: Editor) -> None:
    found = offered(editor, CURRICULUM.replace('name = "18s"', 'name = "18s"\ntext.|'))
    assert "text.segments" in found
    found = offered(editor, CURRICULUM.replace('name = "18s"', 'name = "18s"\n|'))
    assert {"video", "hardware"} <= found.keys()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('plugin = "ttt-mlp"', 'plugin = "ttt-|"', {'"ttt-mlp"', '"ttt-linear"', '"none"'}),
        ('preset = "5B"', "preset = |", {'"5B"', '"debug"'}),
        ('adapter = "qkvo"', "adapter = |", {'"sft"', '"qkvo"', '"none"'}),
        ("segments = 3 ", "segments = |", {'"auto"'}),
        ('encoder = "t5"', "encoder = |", {'"t5"'}),
        ("[memory]\n", "[memory]\nattention = |\n", {"true", "false"}),
        ("fps = 16", "fps = |", set()),
        ("fps = 16", "fps = 16 # |", set()),
    ],
)
def test_values(editor: Editor, old: str, new: str, expected: set[str]) -> None:
    assert old in NINE_SECONDS
    found = offered(editor, NINE_SECONDS.replace(old, new))
    assert expected <= found.keys()
    assert bool(expected) == bool(found)


def test_a_closing_quote_is_not_written_twice(editor: Editor) -> None:
    found = offered(editor, NINE_SECONDS.replace('plugin = "ttt-mlp"', 'plugin = "ttt-|"'))
    place = found['"ttt-linear"']["textEdit"]["range"]
    line = 'plugin = "ttt-"'
    assert (place["start"]["character"], place["end"]["character"]) == (len("plugin = "), len(line))
    assert "Test-time training" in found['"ttt-linear"']["documentation"]["value"]


def test_in_a_spec_that_is_no_toml_elsewhere_its_own_tables_are_known(editor: Editor) -> None:
    found = offered(editor, NINE_SECONDS.replace("fps = 16", "fps = ").replace("[text]\n", "[text]\n|\n"))
    assert "max_tokens" in found


def test_nothing_is_offered_outside_of_specs(editor: Editor) -> None:
    at = {"textDocument": {"uri": "file:///specs/spec.toml"}, "position": {"line": 0, "character": 1}}
    editor.open("[project]\nname = 'x'\n")
    assert editor.ask("textDocument/completion", at) is None
