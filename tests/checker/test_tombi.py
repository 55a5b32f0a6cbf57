"""The JSON Schema in tombi, which editors run: what its linter says of specs, what its language server completes and explains.

Without the network, and with a cache of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tttdit.checker.api import check

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TOMBI = shutil.which("tombi", path=sysconfig.get_path("scripts")) or shutil.which("tombi")

pytestmark = pytest.mark.skipif(TOMBI is None, reason="tombi is not installed (it comes with tttdit[dev])")

SPEC = """\
#:schema tttdit.schema.json
name = "nine"

[video]
seconds = 9
fps = 16
height = 480
width = 720

[text]
segments = 3
tokens_per_segment = 502
width = 4096

[model]
plugin = "ttt-dit"
preset = "5B"

[model.mixer]
plugin = "ttt-mlp"

[memory]

[data]
plugin = ""
"""
LINES = SPEC.split("\n")
DRAFT = SPEC.replace('preset = "5B"', "")  # while it is written


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the schema in it, in which nothing else of the repository is found."""
    shutil.copy(EXAMPLES / "tttdit.schema.json", tmp_path)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TOMBI_OFFLINE": "true", "XDG_CACHE_HOME": str(folder), "HOME": str(folder)}


def lint(folder: Path, text: str) -> list[tuple[int, str]]:
    """Line and message of everything that tombi says of a spec, warnings included, in the order of the lines."""
    (folder / "spec.toml").write_text(text, encoding="utf-8")
    told = folder / "told.json"
    assert TOMBI is not None
    done = subprocess.run(
        [TOMBI, "lint", "--offline", "--diagnostics-format", "json", "--diagnostics-file", told, "spec.toml"],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    said = json.loads(told.read_text(encoding="utf-8"))
    assert done.returncode == (1 if any(one["level"] == "error" for one in said) else 0), done.stderr
    return sorted((one["range"]["start"]["line"], one["message"]) for one in said)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_examples_are_clean(folder: Path, path: Path) -> None:
    assert lint(folder, path.read_text(encoding="utf-8")) == []


def changed(line: str) -> str:
    """The spec with one line exchanged, and a data source that there is."""
    key = line.partition(" =")[0]
    lines = ['plugin = "synthetic"' if each == 'plugin = ""' else each for each in LINES]
    index = next(index for index, each in enumerate(lines) if each.startswith(f"{key} ="))
    return "\n".join([*lines[:index], line, *lines[index + 1 :]])


def test_the_spec_is_clean(folder: Path) -> None:
    assert lint(folder, changed("fps = 16")) == []


@pytest.mark.parametrize(
    ("line", "number", "said"),
    [
        ('fps = "16"', 6, "expected a value of type Integer, but found String"),
        ("height = -480", 7, "the value must be ≥ 1, but found -480"),
        ('preset = "6B"', 17, 'the value must be one of ["5B", "debug"], but found "6B"'),
        ("width = 720\nwidht = 720", 9, '"widht" is not allowed'),
    ],
)
def test_mistakes_are_told_at_their_line(folder: Path, line: str, number: int, said: str) -> None:
    assert lint(folder, changed(line)) == [(number, said)]


@pytest.mark.parametrize("name", ["misspelled-key", "misspelled-table", "float-group-size"])
def test_what_a_schema_can_say_it_says_where_the_check_says_it(folder: Path, name: str) -> None:
    path = EXAMPLES / "broken" / f"{name}.toml"
    text = path.read_text(encoding="utf-8").replace("../tttdit", "tttdit")
    (finding,) = check(path).findings
    assert finding.span is not None
    assert [line for line, _ in lint(folder, text)] == [finding.span.line]


def test_what_one_plugin_has_is_no_key_of_another(folder: Path) -> None:
    text = changed("fps = 16").replace('plugin = "synthetic"', 'plugin = "synthetic"\nmanifest = "a.jsonl"')
    assert lint(folder, text) == [(26, '"manifest" is not allowed')]


def test_what_a_plugin_needs_is_missed(folder: Path) -> None:
    text = changed("fps = 16").replace('plugin = "synthetic"', 'plugin = "precomputed"')
    assert lint(folder, text) == [(24, '"manifest" is required')]


def test_a_plugin_that_is_not_there_is_told_at_its_line(folder: Path) -> None:
    told = lint(folder, changed("fps = 16").replace('"ttt-mlp"', '"ttt-lpm"'))
    assert {number for number, _ in told} == {20}
    assert any('"ttt-mlp"' in message for _, message in told)


# -- the language server


class Editor:
    """Speaks the language server protocol with tombi, about one open file. https://microsoft.github.io/language-server-protocol"""

    def __init__(self, folder: Path) -> None:
        assert TOMBI is not None
        self.process = subprocess.Popen(
            [TOMBI, "lsp", "--offline"],
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.asked = 0
        self.uri = (folder / "spec.toml").as_uri()
        self.ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}})
        self.send({"method": "initialized", "params": {}})
        opened = {"uri": self.uri, "languageId": "toml", "version": 1, "text": DRAFT}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": opened}})

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def received(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        headers = dict(line.lower().split(b": ") for line in iter(lambda: self.process.stdout.readline().strip(), b""))
        message: dict[str, Any] = json.loads(self.process.stdout.read(int(headers[b"content-length"])))
        return message

    def ask(self, method: str, parameters: dict[str, Any]) -> Any:
        self.asked += 1
        self.send({"id": self.asked, "method": method, "params": parameters})
        while True:
            message = self.received()
            if "method" in message and "id" in message:  # the server asks something too
                self.send({"id": message["id"], "result": None})
            elif message.get("id") == self.asked:
                return message.get("result")

    def at(self, method: str, line: int, character: int) -> Any:
        """The answer about a place; the server answers nothing while it still reads the schema."""
        position = {"textDocument": {"uri": self.uri}, "position": {"line": line, "character": character}}
        for _ in range(100):
            if answer := self.ask(method, position):
                return answer
            time.sleep(0.05)
        return None

    def completed(self, line: int, character: int = 0) -> list[str]:
        answer = self.at("textDocument/completion", line, character) or []
        return [one["label"] for one in (answer["items"] if isinstance(answer, dict) else answer)]

    def hovered(self, line: int) -> str:
        answer = self.at("textDocument/hover", line, 1)
        return str(answer["contents"]["value"]) if answer else ""


@pytest.fixture
def editor(folder: Path) -> Iterator[Editor]:
    found = Editor(folder)
    yield found
    found.process.kill()
    found.process.communicate()


def test_keys_are_completed(editor: Editor) -> None:
    assert {"preset", "width", "heads", "adapter"} <= set(editor.completed(LINES.index('preset = "5B"')))
    assert {"mini_batch_size", "base_learning_rate"} <= set(editor.completed(LINES.index('plugin = "ttt-mlp"') + 1))
    assert {"attention", "forward_ssm", "scan_checkpoint_group_size"} <= set(
        editor.completed(LINES.index("[memory]") + 1)
    )


def test_plugins_names_are_completed(editor: Editor) -> None:
    line = LINES.index('plugin = ""')
    assert {'"precomputed"', '"synthetic"'} <= set(editor.completed(line, len('plugin = "')))


def test_keys_are_explained(editor: Editor) -> None:
    explained = editor.hovered(LINES.index("fps = 16"))
    assert "Frames a second." in explained
    assert "Maximum: `100000`" in explained
    assert "Which plugin this table is for." in editor.hovered(LINES.index('plugin = "ttt-mlp"'))
