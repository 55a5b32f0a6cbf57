"""`tttdit check --fix`, `--unsafe-fixes` and `--diff`, as they are typed."""

from __future__ import annotations

import io
import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker import cli

BIN = Path(sys.executable).parent

SPEC = """\
[video]
seconds = 9
fps = 16.0  # frames
height = 480
width = 720

[text]
segments = 3
tokens_per_segment = 502
width = 4096

[model]
plugin = "ttt-dit"
preset = "5B"
mixer.plugin = "ttt-mlp"

[training]
global_batch_size = 9

[parallelism]
dp_replicate = 2
"""
SAFE = SPEC.replace("16.0", "16")
UNSAFE = SAFE.replace("batch_size = 9", "batch_size = 10")

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def called(*arguments: str) -> tuple[int, str, str]:
        code = cli.outcome(cli.tttdit_command, "tttdit", ["check", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return called


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "spec.toml"
    path.write_text(SPEC)
    return path


def given(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_without_an_option_it_says_what_could_be_done(call: Call, spec: Path) -> None:
    code, out, _ = call("spec.toml")
    assert code == 1
    assert out.splitlines()[-2:] == ["1 error in 1 file", "1 can be fixed with --fix"]
    spec.write_text(SAFE)
    assert call("spec.toml")[1].splitlines()[-2:] == [
        "1 error in 1 file, 1 stage",
        "1 can be fixed with --unsafe-fixes",
    ]
    spec.write_text(SAFE.replace("502", "493"))
    assert call("spec.toml")[1].splitlines()[-2:] == [
        "2 errors in 1 file, 1 stage",
        "1 can be fixed with --fix (1 more with --unsafe-fixes)",
    ]


def test_safe_fixes_are_written_and_the_rest_is_reported(call: Call, spec: Path) -> None:
    code, out, err = call("--fix", "spec.toml")
    assert (code, err) == (1, "")
    assert spec.read_text() == SAFE
    assert out.startswith("error[TTD602] batch-mesh: ")
    assert out.splitlines()[-2:] == ["1 fixed, 1 error left in 1 file, 1 stage", "1 can be fixed with --unsafe-fixes"]


def test_unsafe_fixes_are_all_fixes(call: Call, spec: Path) -> None:
    code, out, err = call("--unsafe-fixes", "spec.toml")
    assert (code, err) == (0, "")
    assert spec.read_text() == UNSAFE
    assert out.splitlines()[-1] == "ok: 2 fixed, nothing left in 1 file, 1 stage"
    code, out, _ = call("--unsafe-fixes", "spec.toml")
    assert out.splitlines()[-1] == "ok: nothing wrong in 1 file, 1 stage"


def test_the_diff_is_shown_and_nothing_written(call: Call, spec: Path) -> None:
    code, out, err = call("--diff", "spec.toml")
    assert code == 1
    assert spec.read_text() == SPEC
    assert out == (
        "--- spec.toml\n+++ spec.toml\n@@ -1,6 +1,6 @@\n [video]\n seconds = 9\n"
        "-fps = 16.0  # frames\n+fps = 16  # frames\n height = 480\n width = 720\n \n"
    )
    assert err == "1 would be fixed, 1 error left in 1 file, 1 stage\n1 can be fixed with --unsafe-fixes\n"


def test_the_diff_of_all_fixes_is_what_patch_takes(call: Call, spec: Path) -> None:
    data = SPEC.rstrip("\n").replace("\n", "\r\n").encode()
    spec.write_bytes(data)
    code, out, err = call("--unsafe-fixes", "--diff", "spec.toml")
    assert (code, err) == (1, "ok: 2 would be fixed, nothing left in 1 file, 1 stage\n")
    assert "+global_batch_size = 10\r\n" in out
    assert out.endswith(" dp_replicate = 2\n\\ No newline at end of file\n")
    applied = subprocess.run(["patch", "--binary", "spec.toml"], input=out.encode(), capture_output=True, check=False)
    assert applied.returncode == 0, applied.stdout
    assert spec.read_bytes() == UNSAFE.rstrip("\n").replace("\n", "\r\n").encode()
    assert call("--diff", "spec.toml") == (0, "", "ok: nothing wrong in 1 file, 1 stage\n")


@pytest.mark.parametrize("tool", [["patch", "-p0"], ["git", "apply", "-p0"]])
def test_a_diff_fits_files_with_blanks_in_their_names_and_characters_that_are_not_drawn(
    call: Call, spec: Path, tool: list[str]
) -> None:
    folder = spec.parent / "my specs"
    folder.mkdir()
    file = folder / "a spec.toml"
    file.write_bytes(("\ufeff" + SPEC.replace("# frames", "# \u200dframes")).encode())
    _, out, _ = call("--diff", "my specs/a spec.toml")
    assert out.startswith("--- my specs/a spec.toml\t\n+++ my specs/a spec.toml\t\n@@ -1,6 +1,6 @@\n \ufeff[video]\n")
    applied = subprocess.run(tool, cwd=spec.parent, input=out.encode(), capture_output=True, check=False)
    assert applied.returncode == 0, applied.stderr
    assert file.read_bytes() == ("\ufeff" + SAFE.replace("# frames", "# \u200dframes")).encode()


def test_a_diff_is_in_the_encoding_of_specs_whatever_that_of_the_locale(spec: Path) -> None:
    spec.write_text(SPEC.replace("# frames", "# Grüße, 帧"), encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(
        [BIN / "tttdit-check", "--diff", spec.name], cwd=spec.parent, env=environment, capture_output=True, check=False
    )
    assert "-fps = 16.0  # Grüße, 帧\n".encode() in done.stdout


def test_a_diff_without_changes_still_fails_where_errors_are_left(call: Call, spec: Path) -> None:
    spec.write_text(SAFE)
    code, out, err = call("--diff", "spec.toml")
    assert (code, out) == (1, "")
    assert err.startswith("1 error in 1 file, 1 stage\n")
    assert call("--diff", "--exit-zero", "spec.toml")[0] == 0


def test_nothing_in_a_diff_moves_the_cursor(call: Call, spec: Path) -> None:
    spec.write_text(SPEC.replace("# frames", "# \x9b2J"))
    assert "-fps = 16.0  # \\x9b2J\n" in call("--diff", "spec.toml")[1]


def test_link_mode_mark_and_line_ends_stay(call: Call, spec: Path, tmp_path: Path) -> None:
    spec.write_bytes(("\ufeff" + SPEC.replace("\n", "\r\n")).encode())
    spec.chmod(0o600)
    link = tmp_path / "link.toml"
    link.symlink_to("spec.toml")
    assert call("--unsafe-fixes", "link.toml")[0] == 0
    assert link.is_symlink()
    assert spec.read_bytes() == ("\ufeff" + UNSAFE.replace("\n", "\r\n")).encode()
    assert stat.S_IMODE(spec.stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["link.toml", "spec.toml"]


def test_standard_input_goes_to_standard_output(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, SPEC.replace("\n", "\r\n").encode())
    code, out, err = call("--fix", "-")
    assert code == 1
    assert out.encode() == SAFE.replace("\n", "\r\n").encode()
    assert err.startswith("error[TTD602] batch-mesh: ")
    assert err.splitlines()[-2] == "1 fixed, 1 error left in 1 file, 1 stage"


def test_standard_input_that_is_no_text_comes_out_as_it_went_in() -> None:
    command = [BIN / "tttdit-check", "--fix", "-"]
    done = subprocess.run(command, input=b"\xff no text", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"\xff no text")
    assert done.stderr.startswith(b"error[TTD008]")


def test_a_file_that_changes_under_our_hands_is_left_alone(
    call: Call, spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tttdit.checker import fixing_files

    fix = fixing_files.fix

    def meanwhile(*arguments: object) -> object:
        spec.write_text("# theirs\n")
        return fix(*arguments)

    monkeypatch.setattr(fixing_files, "fix", meanwhile)
    code, out, err = call("--fix", "spec.toml")
    assert code == 2
    assert err == "tttdit: cannot write spec.toml: it has changed since it was read\n"
    assert spec.read_text() == "# theirs\n"
    assert "1 error in 1 file" in out


def test_a_read_only_file_is_left_alone_and_the_others_are_fixed(call: Call, spec: Path, tmp_path: Path) -> None:
    spec.chmod(0o444)
    other = tmp_path / "other.toml"
    other.write_text(SPEC)
    code, _, err = call("--unsafe-fixes", "spec.toml", "other.toml")
    assert code == 2
    assert err == "tttdit: cannot write spec.toml: it is read-only\n"
    assert (spec.read_text(), other.read_text()) == (SPEC, UNSAFE)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(call: Call, spec: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        code, _, err = call("--fix", "spec.toml")
    finally:
        tmp_path.chmod(0o755)
    assert code == 2
    assert err == "tttdit: cannot write spec.toml: Permission denied; it is as it was\n"
    assert spec.read_text() == SPEC


def test_a_full_disk(spec: Path, tmp_path: Path) -> None:
    """A limit on the size of files is the nearest thing to one that a test can make."""
    done = subprocess.run(
        [BIN / "tttdit-check", "--fix", "spec.toml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 2
    assert done.stderr == "tttdit: cannot write spec.toml: File too large; it is as it was\n"
    assert spec.read_text() == SPEC
    assert os.listdir(tmp_path) == ["spec.toml"]


def test_what_is_fixed_is_told_to_programs_too(call: Call, spec: Path) -> None:
    code, out, _ = call("--unsafe-fixes", "--output-format", "json", "spec.toml")
    assert code == 0
    (file,) = json.loads(out)["files"]
    assert file["findings"] == []
    assert [finding["code"] for finding in file["fixed"]] == ["TTD003", "TTD602"]


def test_a_selection_chooses_what_is_fixed(call: Call, spec: Path) -> None:
    call("--unsafe-fixes", "--ignore", "TTD602", "spec.toml")
    assert spec.read_text() == SAFE


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--fix", "--watch"), "--watch only shows: leave it out to fix files, or to see what would be fixed"),
        (
            ("--diff", "--statistics"),
            "--diff is written instead of a report: leave --output-format and --statistics out",
        ),
        (
            ("--diff", "--output-format", "json"),
            "--diff is written instead of a report: leave --output-format and --statistics out",
        ),
    ],
)
def test_options_that_exclude_each_other(call: Call, spec: Path, options: tuple[str, ...], why: str) -> None:
    assert call(*options, "spec.toml") == (2, "", f"tttdit: {why}\n")
    assert spec.read_text() == SPEC
