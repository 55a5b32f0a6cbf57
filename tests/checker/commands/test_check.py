"""`tttdit check`: its formats and what it ends with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker import cli

Make = Callable[..., str]
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Exit code, standard output and standard error of `tttdit check` with these arguments."""

    def called(*arguments: str) -> tuple[int, str, str]:
        code = cli.outcome(cli.tttdit_command, "tttdit", ["check", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return called


def test_the_concise_format(call: Call, make_spec: Make) -> None:
    code, out, err = call(make_spec("tokens_per_segment = 493"), "--output-format", "concise")
    first, *closing = out.splitlines()
    assert (code, err) == (1, "")
    assert first.startswith("spec.toml:11:1: error[TTD201] the sequence of L = ")
    assert closing == ["1 error in 1 file, 1 stage", "1 can be fixed with --fix"]


@pytest.mark.parametrize("output_format", ["full", "concise", "json", "github", "sarif"])
def test_exit_codes_are_those_of_every_format(output_format: str, call: Call, make_spec: Make) -> None:
    right, wrong = make_spec(), make_spec("tokens_per_segment = 493", name="wrong.toml")
    for paths, plain, forgiving in (
        ([right], 0, 0),
        ([right, wrong], 1, 0),
        ([wrong, "missing.toml"], 2, 2),
        (["missing.toml"], 2, 2),
    ):
        assert call(*paths, "--output-format", output_format)[0] == plain
        code, _, err = call(*paths, "--output-format", output_format, "--exit-zero")
        assert code == forgiving
        assert ("cannot read missing.toml" in err) == (plain == 2)


def test_json_says_what_could_not_be_read(call: Call) -> None:
    _, out, _ = call("missing.toml", "--output-format", "json")
    assert json.loads(out) == {
        "version": 1,
        "files": [],
        "unreadable": ["cannot read missing.toml: No such file or directory"],
    }


def test_sarif_says_the_exit_code(call: Call, make_spec: Make) -> None:
    path = make_spec("tokens_per_segment = 493")
    for arguments, code in ((), 1), (("--exit-zero",), 0):
        (run,) = json.loads(call(path, "--output-format", "sarif", *arguments)[1])["runs"]
        assert run["invocations"] == [{"executionSuccessful": True, "exitCode": code}]


def test_statistics(call: Call, make_spec: Make) -> None:
    path = make_spec("tokens_per_segment = 493")
    code, out, _ = call(path, "--statistics")
    assert code == 1
    assert out.splitlines() == [
        "  1  error[TTD201]  sequence-mini-batch  1 fixable",
        "1 error in 1 file, 1 stage",
        "1 can be fixed with --fix",
    ]
    code, out, _ = call(path, "--statistics", "--output-format", "json")
    assert code == 1
    assert [(one["code"], one["count"]) for one in json.loads(out)] == [("TTD201", 1)]
    code, out, err = call(path, "--statistics", "--output-format", "github")
    assert (code, out) == (2, "")
    assert err == "tttdit: --statistics counts findings, and --output-format github lists them: leave one out\n"


def test_named_files_that_are_no_specs_can_be_passed_over(call: Call, make_spec: Make) -> None:
    Path("pyproject.toml").write_text('[project]\nname = "example"\n')
    Path("skipped.toml").write_text("# tttdit: skip\n[video]\n")
    spec = make_spec()
    assert call("pyproject.toml")[0] == 1
    code, out, _ = call("pyproject.toml", "skipped.toml", spec, "--specs-only")
    assert code == 0
    assert out.splitlines()[-1] == "ok: nothing wrong in 1 file, 1 stage"
    code, out, err = call("pyproject.toml", "--specs-only")
    assert (code, out, err) == (0, "ok: nothing wrong in 0 files\n", "")
    assert call("missing.toml", "--specs-only")[0] == 2
