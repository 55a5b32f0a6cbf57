"""`--select`, `--ignore` and comments, as a user types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker import cli

Call = Callable[..., tuple[int, str, str]]
Make = Callable[..., str]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Exit code, standard output and standard error of `tttdit check` with these arguments."""

    def called(*arguments: str) -> tuple[int, str, str]:
        code = cli.outcome(cli.tttdit_command, "tttdit", ["check", *arguments])
        return code, *capsys.readouterr()

    return called


def test_what_is_ignored_is_counted_and_no_reason_to_fail(call: Call, make_spec: Make) -> None:
    code, out, err = call(make_spec("tokens_per_segment = 493"), "--ignore", "TTD5", "--ignore", "TTD6,TTD201")
    assert (code, err) == (0, "")
    assert out.startswith("spec.toml\nstage nine: ok\n")
    assert out.splitlines()[-1] == "ok: nothing wrong in 1 file, 1 stage (1 finding silenced)"


def test_what_is_selected_is_all_that_is_heard_of(call: Call, make_spec: Make) -> None:
    path = make_spec("tokens_per_segment = 493", added="\n[hardware]\ngpus_per_node = 8\nnodes = 1\n")
    code, out, _ = call(path, "--select", "TTD6")
    assert code == 0
    assert "\n1 warning in 1 file, 1 stage (1 finding silenced)\n" in out
    assert call(path, "--select", "TTD2")[0] == 1


def test_json_says_how_many_were_silenced(call: Call, make_spec: Make) -> None:
    path = make_spec("tokens_per_segment = 493 # tttdit: ignore[TTD201]")
    (file,) = json.loads(call(path, "--output-format", "json")[1])["files"]
    assert (file["ok"], file["findings"], file["silenced"], file["stages"][0]["ok"]) == (True, [], 1, True)


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_an_unknown_code_is_2_and_names_the_nearest(call: Call, make_spec: Make, option: str) -> None:
    assert call(make_spec(), option, "TTD202,TTD2O1") == (
        2,
        "",
        f'tttdit: {option}: no code is "TTD2O1" or begins with it; did you mean TTD201? (tttdit rule --all lists them)\n',
    )


def test_a_comment_without_effect_is_a_warning(call: Call, make_spec: Make) -> None:
    path = make_spec("seconds = 9  # tttdit: ignore[TTD204]")
    code, out, _ = call(path)
    assert code == 0
    assert out.startswith("warning[TTD011] unused-ignore: there is no TTD204 to silence on this line\n")
    assert call(path, "--ignore", "TTD011")[1].splitlines()[-1].startswith("ok: nothing wrong")


def test_a_fix_removes_it(call: Call, make_spec: Make) -> None:
    path = make_spec("seconds = 9  # tttdit: ignore[TTD204]")
    right = Path(make_spec(name="right.toml")).read_bytes()
    assert call(path, "--fix")[0] == 0
    assert Path(path).read_bytes() == right
