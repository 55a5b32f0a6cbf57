"""Whatever bytes a file holds: a finding or exit code 2, never a traceback. Through the installed commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tttdit.checker.checking import Checker
from tttdit.checker.render import full
from tttdit.checker.render.paint import Paint
from tttdit.checker.report import Report
from tttdit.core.spec.document import LARGEST_FILE, Document

COMMAND = [str(Path(sys.executable).parent / "tttdit-check")]

BYTES = {
    "binary": (bytes(range(256)) * 4, "TTD008"),
    "half a sequence": (b'name = "\xe2\x82', "TTD008"),
    "latin-1": ('name = "caf\xe9"'.encode("latin-1"), "TTD008"),
    "utf-16": ('name = "x"'.encode("utf-16"), "TTD008"),
    "nested": (b"x = " + b"[" * 10_000 + b"]" * 10_000, "TTD008"),
    "nested and cut off": (b"x = " + b"[" * 10_000, "TTD008"),
    "nested tables": (b"x = " + b"{a=" * 10_000, "TTD008"),
    "digits": (b"x = " + b"9" * 5_000, "TTD008"),
    "large": (b"# " + b"x" * LARGEST_FILE, "TTD008"),
    "nul": (b"\0" * 100, "TTD008"),
    "no toml": (b"video: {seconds: 9}\n", "TTD001"),
    "json": (b'{"video": {}}', "TTD001"),
    "empty": (b"", "TTD004"),
    "escapes": (b'name = "\\u001b[31m"\nvideo = 3\n', "TTD003"),
    "not a table": (b"video = 1\ntext = []\nmodel = 'x'\n", "TTD003"),
    "stage is no array": (b"stage = 3\n", "TTD003"),
    "strange keys": (b'"\\u0000" = 1\n"a b".c = 2\n', "TTD002"),
}


def run(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *map(str, arguments)], input=stdin, capture_output=True, check=False)


def test_bytes_are_findings_and_no_traceback(tmp_path: Path) -> None:
    for name, (data, _) in BYTES.items():
        (tmp_path / f"{name}.toml").write_bytes(data)
    paths = [tmp_path / f"{name}.toml" for name in BYTES]
    done = run(*paths, "--output-format", "json")
    assert (done.returncode, done.stderr) == (1, b"")
    files = json.loads(done.stdout)["files"]
    for file, (name, (_, code)) in zip(files, BYTES.items(), strict=True):
        assert code in [finding["code"] for finding in file["findings"]], name
    drawn = run(*paths)
    assert (drawn.returncode, drawn.stderr) == (1, b"")
    assert all(character == "\n" or character.isprintable() for character in drawn.stdout.decode())
    assert len(drawn.stdout) < 2_000 * len(paths)


def test_what_cannot_be_read_is_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path, said in (
        (tmp_path / "missing.toml", b"cannot read"),
        (tmp_path / "empty", b"there is no spec in the folder"),
        (tmp_path / ("x" * 5000), b"cannot read"),
    ):
        done = run(path)
        assert done.returncode == 2
        assert done.stdout == b""
        assert said in done.stderr
        assert b"Traceback" not in done.stderr
        assert done.stderr.count(b"\n") == 1


def test_standard_input_is_bytes_too() -> None:
    done = run("-", "--output-format", "json", stdin=b"\xff\xfe\x00")
    assert done.returncode == 1
    (file,) = json.loads(done.stdout)["files"]
    assert (file["path"], file["findings"][0]["code"]) == ("<stdin>", "TTD008")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
TABLES = ["name", "video", "text", "codec", "model", "data", "memory", "training", "parallelism", "hardware", "stage"]


def written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value) if isinstance(value, str) else "0" if value is None else repr(value)


@given(st.dictionaries(st.sampled_from(TABLES), values, max_size=4))
def test_any_values_are_a_report(tables: dict[str, object]) -> None:
    document = Document.parse("\n".join(f"{key} = {written(value)}" for key, value in tables.items()))
    report = Report((Checker().check(document),))
    assert not report.ok
    json.loads(report.to_json())
    assert "\n".join(full.render(report, Paint()))


@given(st.text())
def test_any_text_is_a_report(text: str) -> None:
    report = Report((Checker().check(Document.parse(text)),))
    assert not report.ok
    assert "\n".join(full.render(report, Paint()))


@given(st.binary())
def test_any_bytes_are_a_report(data: bytes) -> None:
    assert not Checker().check(Document.decode(data)).ok
