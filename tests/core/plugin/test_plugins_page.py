"""docs/plugins.md: its plugin works as it stands there, and its tables say what there is."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import fields

from tttdit.core.plugin.hookspecs import HOOKS
from tttdit.core.plugin.kinds import Announcement

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "plugins.md").read_text("utf-8")
SPEC = """
[video]
seconds = 9
fps = 16
height = 480
width = 720
[text]
segments = 3
tokens_per_segment = "auto"
width = 4096
[model]
plugin = "ttt-dit"
preset = "debug"
[model.mixer]
plugin = "block-mean"
[memory]
block_mean = true
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    for text in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        path = folder / re.match(r"# (\S+)\n", text)[1]  # type: ignore[index]
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        (path.parent / "__init__.py").touch()
    (folder / "spec.toml").write_text(SPEC)
    return folder


def run(folder: Path, *arguments: str, code: int) -> str:
    program = "import sys; from tttdit.checker.cli import check_main; code = check_main(); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def check(folder: Path, *arguments: str, code: int) -> dict[str, Any]:
    command = re.search(r"`tttdit-check (--allow-plugin \S+ \S+)`", PAGE)
    assert command is not None
    output = run(folder, *command[1].split(), "--output-format", "json", *arguments, code=code)
    (file,) = json.loads(output)["files"]
    return file  # type: ignore[no-any-return]


def test_the_pages_plugin_checks_clean_and_is_proved(folder: Path) -> None:
    file = check(folder, code=0)
    assert file["findings"] == []
    (stage,) = file["stages"]
    assert stage["proved"]
    assert stage["dims"]["T"] == 502
    assert stage["dims"]["blocks"] == 804


def test_its_rule_fires(folder: Path) -> None:
    (finding,) = check(folder, "--set", "text.tokens_per_segment=500", code=1)["findings"]
    assert (finding["code"], finding["name"]) == ("BLM001", "whole-blocks")
    assert finding["message"] == "L = V + S*T = 49,950 + 3*500 = 51,450 tokens do not make blocks of 64"
    assert finding["help"] == "write model.mixer.block = 50, 70 or 75"


def test_its_table_and_its_region_are_keys(folder: Path) -> None:
    (finding,) = check(folder, "--set", "model.mixer.blok=32", code=1)["findings"]
    assert finding["code"] == "TTD002"
    (finding,) = check(folder, "--set", "memory.attention=1", code=1)["findings"]
    assert finding["code"] == "TTD003"


def test_without_allow_plugin_it_is_not_there(folder: Path) -> None:
    assert 'there is no mixer "block-mean"' in run(folder, "spec.toml", code=1)


def test_its_importer_reads_a_file_and_its_findings_speak_the_files_words(folder: Path) -> None:
    (folder / "clips" / "rules.py").write_text("")
    (folder / "clip.toml").write_text("# a clip\n[clip]\nrows = 479\n")
    output = run(folder, "--allow-plugin", "clips", "clip.toml", "--output-format", "json", code=1)
    (file,) = json.loads(output)["files"]
    (finding,) = file["findings"]
    assert (finding["code"], finding["key"], finding["span"]["line"]) == ("TTD102", "clip.rows", 3)


def test_the_table_of_hooks_is_complete() -> None:
    rows = re.findall(r"^\| `(tttdit_\w+)` \| `(\w+)` \|[^|]*\|([^|]*)\|$", PAGE, re.MULTILINE)
    assert {hook: kind for hook, kind, _ in rows} == {hook: kind.__name__ for hook, kind in HOOKS.items()}
    common = {field.name for field in fields(Announcement)}
    for hook, _, told in rows:
        own = {field.name for field in fields(HOOKS[hook])} - common
        assert set(re.findall(r"`(\w+)`", told)) - {"table", "MemoryTable", "SamplerTable"} == own, hook
        table = next(field for field in fields(HOOKS[hook]) if field.name == "table")
        assert ("no `table`" in told) == (not table.init), hook
