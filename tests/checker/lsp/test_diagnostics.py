"""Findings in an editor, while a spec is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from editor import Editor, start

ROOT = Path(__file__).parents[3]
NINE_SECONDS = (ROOT / "examples" / "nine-seconds.toml").read_text("utf-8")
TEXT_OF_493 = (
    (ROOT / "examples" / "broken" / "text-of-493-tokens.toml")
    .read_text("utf-8")
    .replace("# tttdit: skip", "# not left out")
)


def test_a_mistake_is_shown_and_goes_away_when_it_is_mended(editor: Editor) -> None:
    editor.open(TEXT_OF_493)
    (shown,) = editor.diagnostics()
    assert (shown["code"], shown["source"], shown["severity"]) == ("TTD201", "tttdit", 1)
    assert shown["message"].splitlines()[0].endswith("281 mini-batches and 59 tokens")
    assert "\nhelp: write text.tokens_per_segment = 370, 434 or 498" in shown["message"]
    begin = start(TEXT_OF_493, "tokens_per_segment = 493")
    assert shown["range"] == {
        "start": begin,
        "end": {**begin, "character": begin["character"] + len("tokens_per_segment = 493")},
    }
    editor.change(TEXT_OF_493.replace("= 493", "= 498"), version=2)
    assert editor.diagnostics(version=2) == []


def test_places_that_disagree_can_be_jumped_to(editor: Editor) -> None:
    editor.open(TEXT_OF_493)
    (shown,) = editor.diagnostics()
    related = {one["location"]["range"]["start"]["line"]: one["message"] for one in shown["relatedInformation"]}
    assert related[start(TEXT_OF_493, "segments = 1")["line"]] == "S = 1, each of T = 493 tokens"
    assert {one["location"]["uri"] for one in shown["relatedInformation"]} == {"file:///specs/spec.toml"}


def test_a_text_that_is_no_toml_yet_is_told_where(editor: Editor) -> None:
    text = NINE_SECONDS.replace("fps = 16", "fps = ")
    editor.open(text)
    (shown,) = editor.diagnostics()
    assert shown["code"] == "TTD001"
    assert shown["range"]["start"]["line"] == start(text, "fps = ")["line"]


def test_a_finding_of_a_curriculum_names_its_stage(editor: Editor) -> None:
    text = (ROOT / "examples" / "curriculum.toml").read_text("utf-8").replace("video.seconds = 9", "video.seconds = 10")
    editor.open(text)
    shown = editor.diagnostics()
    assert shown
    assert {one["message"].splitlines()[0][-len(" (stage 9s)") :] for one in shown} == {" (stage 9s)"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_columns_count_the_code_units_that_the_editor_counts(
    start_editor: Callable[..., Editor], encoding: str
) -> None:
    film = "\N{FILM FRAMES}\N{CLAPPER BOARD}"
    model = f'model = {{preset = "5B", adapter = "{film}", plugin = "ttt-dti", mixer = {{plugin = "none"}}}}'
    text = f"{model}\n[video]\nseconds = 3\nfps = 16\nheight = 480\nwidth = 720\n"
    editor = start_editor(encodings=[encoding])
    assert editor.capabilities["positionEncoding"] == encoding
    editor.open(text)
    (shown,) = (one for one in editor.diagnostics() if one["code"] == "TTD005")
    assert shown["range"]["start"] == start(text, 'plugin = "ttt-dti"', encoding)


def test_an_editor_that_names_no_encoding_counts_in_utf_16(editor: Editor) -> None:
    assert editor.capabilities["positionEncoding"] == "utf-16"


def test_windows_line_ends_move_nothing(editor: Editor) -> None:
    editor.open(TEXT_OF_493.replace("\n", "\r\n"))
    (shown,) = editor.diagnostics()
    assert shown["range"]["start"] == start(TEXT_OF_493, "tokens_per_segment = 493")


def test_of_rapid_typing_the_last_text_counts(start_editor: Callable[..., Editor]) -> None:
    editor = start_editor()
    editor.open(NINE_SECONDS)
    assert editor.diagnostics() == []
    for version in range(2, 101):
        editor.change(NINE_SECONDS[: len(NINE_SECONDS) * version // 101], version)
    editor.change(TEXT_OF_493, version=101)
    assert [one["code"] for one in editor.diagnostics(version=101)] == ["TTD201"]
    others = [message for message in editor.passed_by if message.get("method") == "textDocument/publishDiagnostics"]
    assert len(others) < 50  # nobody has seen most of the versions in between
    assert editor.leave() == 0
    assert b"Traceback" not in editor.complaints


@pytest.mark.parametrize(
    "text",
    ["[project]\nname = 'x'\n[tool.model]\n", "", "# tttdit: skip\n" + TEXT_OF_493],
    ids=["another program's", "empty", "left out"],
)
def test_what_is_no_spec_is_left_alone(editor: Editor, text: str) -> None:
    editor.open(text)
    assert editor.diagnostics() == []


def test_a_text_becomes_a_spec_by_being_written(editor: Editor) -> None:
    editor.open("", uri="untitled:Untitled-1")
    assert editor.diagnostics(uri="untitled:Untitled-1") == []
    editor.change("[video]\nsecnods = 9\n", 2, uri="untitled:Untitled-1")
    assert "TTD002" in [one["code"] for one in editor.diagnostics(2, uri="untitled:Untitled-1")]


@pytest.mark.parametrize(
    "uri",
    [
        "file:///c%3A/specs/spec%20one.toml",
        "file://server/share/spec.toml",
        "vscode-vfs://github/a/b.toml",
        "spec.toml",
        "\N{FILM FRAMES}:",
    ],
)
def test_files_may_be_anywhere(editor: Editor, uri: str) -> None:
    editor.open(TEXT_OF_493, uri=uri)
    assert [one["code"] for one in editor.diagnostics(uri=uri)] == ["TTD201"]


def test_what_was_shown_of_a_file_goes_away_with_it(editor: Editor) -> None:
    editor.open(TEXT_OF_493)
    assert editor.diagnostics() != []
    editor.close()
    assert editor.diagnostics(version=None) == []
    editor.open(TEXT_OF_493)
    assert editor.diagnostics() != []


def test_an_unknown_or_closed_file_is_no_reason_to_die(editor: Editor) -> None:
    where = {"textDocument": {"uri": "file:///nowhere.toml"}, "position": {"line": 0, "character": 0}}
    assert editor.ask("textDocument/hover", where) is None
    editor.change("x", 2, uri="file:///nowhere.toml")
    editor.close(uri="file:///nowhere.toml")
    editor.open(TEXT_OF_493)
    assert editor.diagnostics() != []


def test_a_mistake_of_ours_is_told_in_the_file_and_on_standard_error(
    start_editor: Callable[..., Editor], tmp_path: Path
) -> None:
    plugin = tmp_path / "failing.py"
    plugin.write_text(
        """
from tttdit import hookimpl
from tttdit.core.plugin.kinds import Importer

print("this is no message of the protocol")


def recognises(path, text):
    raise RuntimeError("out of order")


@hookimpl
def tttdit_importers():
    return [Importer(name="failing", summary="Fails.", recognises=recognises, reader="nowhere:read")]
"""
    )
    editor = start_editor("--allow-plugin", str(plugin))
    editor.open(NINE_SECONDS)
    (shown,) = editor.diagnostics()
    assert (
        shown["message"] == "this should not have happened: RuntimeError: out of order; please report it, with the file"
    )
    where = {"textDocument": {"uri": "file:///specs/spec.toml"}, "position": start(NINE_SECONDS, "seconds = 9")}
    assert "out of order" in editor.answer(editor.send_request("textDocument/hover", where))["error"]["message"]
    assert editor.leave() == 0
    assert b"out of order" in editor.complaints
    assert b"this is no message of the protocol" in editor.complaints
    assert editor.stray == b""


def test_messages_that_are_none_are_passed_over(editor: Editor) -> None:
    editor.tell("textDocument/didChange", {"nonsense": 1})
    editor.tell("nobody/knowsThis", {})
    editor.open(TEXT_OF_493, uri="file://[no/address")
    editor.files.clear()
    assert "error" in editor.answer(editor.send_request("nobody/knowsThis", {}))
    editor.send_request("textDocument/hover", {"position": "here"})
    editor.open(TEXT_OF_493)
    assert editor.diagnostics() != []


def test_goodbye_is_exit_code_0(start_editor: Callable[..., Editor]) -> None:
    editor = start_editor()
    assert editor.leave() == 0
    assert editor.complaints == b""
    assert editor.stray == b""


def test_leaving_without_goodbye_is_exit_code_1(start_editor: Callable[..., Editor]) -> None:
    editor = start_editor()
    editor.tell("exit", None)
    assert editor.wait() == 1


def test_an_editor_that_is_gone_takes_the_server_with_it(start_editor: Callable[..., Editor]) -> None:
    editor = start_editor()
    editor.open(NINE_SECONDS)
    assert editor.process.stdin is not None
    editor.process.stdin.close()
    assert editor.wait() == 1
