"""What an editor offers to do about findings, and what becomes of a spec when somebody accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from editor import Editor, start

from tttdit.checker.checking import Checker
from tttdit.core.spec.document import Document

URI = "file:///specs/spec.toml"
ROOT = Path(__file__).parents[3]


def broken(name: str) -> str:
    """A broken example that asks nobody to pass it over."""
    return (
        (ROOT / "examples" / "broken" / f"{name}.toml").read_text("utf-8").replace("# tttdit: skip", "# not left out")
    )


def offered(editor: Editor, text: str, words: str, only: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """The actions at these words, by their titles."""
    at = start(text, words)
    context: dict[str, Any] = {"diagnostics": []} if only is None else {"diagnostics": [], "only": only}
    params = {"textDocument": {"uri": URI}, "range": {"start": at, "end": at}, "context": context}
    return {action["title"]: action for action in editor.ask("textDocument/codeAction", params)}


def applied(text: str, action: dict[str, Any]) -> str:
    """The text after an action's edits, none of which overlap."""
    lines = text.split("\n")

    def offset(position: dict[str, int]) -> int:
        before = lines[position["line"]].encode("utf-16-le")[: 2 * position["character"]].decode("utf-16-le")
        return sum(len(line) + 1 for line in lines[: position["line"]]) + len(before)

    edits = [
        (offset(edit["range"]["start"]), offset(edit["range"]["end"]), edit["newText"])
        for edit in action["edit"]["changes"][URI]
    ]
    for begin, end, new in sorted(edits, reverse=True):
        text = text[:begin] + new + text[end:]
    return text


def codes(text: str) -> list[str]:
    return [finding.code for finding in Checker().check(Document.parse(text)).findings]


def test_a_safe_fix_is_preferred_and_changes_the_value_alone(editor: Editor) -> None:
    text = broken("text-of-493-tokens")
    editor.open(text)
    action = offered(editor, text, "tokens_per_segment = 493")["Write text.tokens_per_segment = 498 (safe)"]
    assert (action["kind"], action["isPreferred"]) == ("quickfix", True)
    assert [diagnostic["code"] for diagnostic in action["diagnostics"]] == ["TTD201"]
    (edit,) = action["edit"]["changes"][URI]
    assert edit["newText"] == "8"
    assert edit["range"]["end"]["character"] - edit["range"]["start"]["character"] == 1
    assert applied(text, action) == text.replace("= 493", "= 498")
    assert codes(applied(text, action)) == []


def test_an_unsafe_fix_says_what_it_does_and_is_not_preferred(editor: Editor) -> None:
    text = broken("layers-in-groups-of-four")
    editor.open(text)
    action = offered(editor, text, "transformer_checkpoint_layer_group_size =")[
        "Write memory.transformer_checkpoint_layer_group_size = 3 (changes the run)"
    ]
    assert "isPreferred" not in action
    assert "TTD501" not in codes(applied(text, action))


def test_a_misspelt_key_can_be_renamed(editor: Editor) -> None:
    text = broken("misspelled-key")
    editor.open(text)
    (title, action), *_ = offered(editor, text, "minibatch_size = 64").items()
    assert title == "Rename model.mixer.minibatch_size to mini_batch_size"
    assert applied(text, action) == text.replace("minibatch_size = 64", "mini_batch_size = 64")


def test_a_fix_of_a_stage_is_written_in_that_stage(editor: Editor) -> None:
    text = (ROOT / "examples" / "curriculum.toml").read_text("utf-8")
    text = text.replace("video.seconds = 9\n", "video.seconds = 9\ntext.tokens_per_segment = 500\n")
    editor.open(text)
    (title, action), *_ = offered(editor, text, "text.tokens_per_segment = 500").items()
    assert title == "Write text.tokens_per_segment = 502 (safe)"
    assert applied(text, action) == text.replace("tokens_per_segment = 500", "tokens_per_segment = 502")
    assert codes(applied(text, action)) == []


def test_a_finding_can_be_silenced_on_its_line(editor: Editor) -> None:
    text = broken("layers-in-groups-of-four")
    editor.open(text)
    action = offered(editor, text, "transformer_checkpoint_layer_group_size =")["Ignore TTD501 on this line"]
    silent = applied(text, action)
    assert "_group_size = 4  # tttdit: ignore[TTD501]\n" in silent
    assert codes(silent) == []


def test_a_comment_that_silences_another_code_takes_one_more(editor: Editor) -> None:
    text = broken("text-of-493-tokens").replace("= 493", "= 493  # why not  # tttdit: ignore[TTD202] so they say")
    editor.open(text)
    action = offered(editor, text, "tokens_per_segment = 493")["Ignore TTD201 on this line"]
    assert "= 493  # why not  # tttdit: ignore[TTD202, TTD201] so they say\n" in applied(text, action)


def test_all_safe_fixes_can_be_made_at_once(editor: Editor) -> None:
    text = (ROOT / "examples" / "curriculum.toml").read_text("utf-8")
    text = text.replace("video.seconds = 9\n", "video.seconds = 9\ntext.tokens_per_segment = 500\n")
    text = text.replace("video.seconds = 18\n", "video.seconds = 18\ntext.tokens_per_segment = 500\n")
    editor.open(text)
    (action,) = offered(editor, text, "name =", only=["source.fixAll"]).values()
    assert (action["title"], action["kind"]) == ("Apply 2 safe fixes of tttdit", "source.fixAll.tttdit")
    assert codes(applied(text, action)) == []


@pytest.mark.parametrize("only", [["refactor"], ["source.organizeImports"]])
def test_nothing_of_other_kinds_is_offered(editor: Editor, only: list[str]) -> None:
    text = broken("text-of-493-tokens")
    editor.open(text)
    assert offered(editor, text, "tokens_per_segment = 493", only=only) == {}


def test_where_nothing_is_wrong_nothing_is_offered(editor: Editor) -> None:
    text = (ROOT / "examples" / "nine-seconds.toml").read_text("utf-8")
    editor.open(text)
    assert offered(editor, text, "seconds = 9") == {}


def test_of_a_text_that_is_no_toml_no_place_is_silenced(editor: Editor) -> None:
    text = "[video]\nfps = \n"
    editor.open(text)
    assert [title for title in offered(editor, text, "fps") if "Ignore" in title] == []


def test_columns_of_an_edit_count_code_units(editor: Editor) -> None:
    text = broken("text-of-493-tokens")
    for line in ("[text]", "segments = 1", "tokens_per_segment = 493"):
        assert f"\n{line}" in text
        text = text.replace(f"\n{line}", "\n", 1)
    film = '"\N{FILM FRAMES}"'
    line = f"text = {{ {film} = {film}, segments = 1, tokens_per_segment = 493, width = 4096 }}"
    text = text.replace("\nwidth = 4096", "").replace("[video]", f"{line}\n\n[video]")
    editor.open(text)
    (action,) = (one for title, one in offered(editor, text, film).items() if title.startswith("Ignore TTD002"))
    assert applied(text, action) == text.replace(line, f"{line}  # tttdit: ignore[TTD002]")
