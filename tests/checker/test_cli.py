"""The command line: what it says, where, and its exit codes. Mostly in this process; what only a process has, in one of its own."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tttdit
from tttdit.checker import cli

BIN = Path(sys.executable).parent


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Exit code, standard output and standard error of `tttdit` with these arguments."""

    def called(*arguments: str) -> tuple[int, str, str]:
        code = cli.outcome(cli.tttdit_command, "tttdit", list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return called


Call = Callable[..., tuple[int, str, str]]
Make = Callable[..., str]


# -- check


def test_nothing_wrong_is_0(call: Call, make_spec: Make) -> None:
    code, out, err = call("check", make_spec())
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "ok: nothing wrong in 1 file, 1 stage"


def test_a_warning_is_0(call: Call, make_spec: Make) -> None:
    code, out, _ = call("check", make_spec(added="\n[hardware]\ngpus_per_node = 8\nnodes = 1\n"))
    assert code == 0
    assert out.startswith("warning[TTD603] mesh-hardware: ")
    assert "1 warning in 1 file, 1 stage" in out.splitlines()


def test_an_error_is_1_and_drawn(call: Call, make_spec: Make) -> None:
    code, out, err = call("check", make_spec("tokens_per_segment = 493"))
    assert (code, err) == (1, "")
    assert out.startswith("error[TTD201] sequence-mini-batch: ")
    assert "11 | tokens_per_segment = 493\n   | ^^^^^^^^^^^^^^^^^^^^^^^^\n" in out
    assert "= help: write text.tokens_per_segment = " in out
    assert "\nstage nine: has errors\n" in out
    assert out.splitlines()[-2:] == ["1 error in 1 file, 1 stage", "1 can be fixed with --fix"]


def test_a_file_that_cannot_be_read_is_2_and_the_others_are_checked(call: Call, make_spec: Make) -> None:
    code, out, err = call("check", "missing.toml", make_spec())
    assert code == 2
    assert "stage nine: ok" in out
    assert err == "tttdit: cannot read missing.toml: No such file or directory\n"


def test_a_file_s_name_is_text(call: Call) -> None:
    code, out, err = call("check", "\x1b[31m\n.toml")
    assert (code, out) == (2, "")
    assert err == "tttdit: cannot read \\x1b[31m\\n.toml: No such file or directory\n"


def test_json_is_the_report(call: Call, make_spec: Make) -> None:
    path = make_spec("tokens_per_segment = 493")
    code, out, _ = call("check", path, "--output-format", "json")
    assert code == 1
    assert json.loads(out) == tttdit.check(path).as_dict()


def test_keys_set_on_the_command_line(call: Call, make_spec: Make) -> None:
    path = make_spec("tokens_per_segment = 493")
    assert call("check", path, "--set", "text.tokens_per_segment=502")[0] == 0
    code, out, _ = call("check", make_spec(), "--set", "text.tokens_per_segment=493")
    assert code == 1
    assert "= note: text.tokens_per_segment: set on the command line: --set text.tokens_per_segment=493\n" in out
    code, out, err = call("check", path, "--set", "text")
    assert (code, out) == (2, "")
    assert err == "tttdit: --set takes key=value, not 'text'\n"


STAGES = '\n[[stage]]\nname = "3s"\nvideo.seconds = 3\ntext = { segments = 1, tokens_per_segment = 498 }\n[[stage]]\nname = "9s"\n'


def test_one_stage_of_several(call: Call, make_spec: Make) -> None:
    path = make_spec(added=STAGES)
    code, out, _ = call("check", path, "--stage", "9s")
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith("stage ")] == ["stage 9s: ok"]


def test_a_stage_that_is_not_there_lists_those_that_are(call: Call, make_spec: Make) -> None:
    code, out, err = call("check", make_spec(added=STAGES), "--stage", "12s")
    assert (code, out) == (2, "")
    assert err == 'tttdit: spec.toml has no stage "12s" (its stages: 3s, 9s)\n'


def test_a_plugin_of_one_s_own_is_used_only_when_allowed(call: Call, make_spec: Make, tmp_path: Path) -> None:
    plugin = tmp_path / "quiet_mixer_plugin.py"
    plugin.write_text(
        "from tttdit import hookimpl\n"
        "from tttdit.core.plugin.kinds import Logger\n"
        "from tttdit.core.spec.tables import PluginTable\n\n\n"
        "class Table(PluginTable):\n    '''Says nothing.'''\n\n\n"
        "@hookimpl\ndef tttdit_loggers():\n"
        "    return [Logger(name='quiet', summary='Says nothing.', table=__name__ + ':Table')]\n"
    )
    path = make_spec(added='\n[logging]\nplugin = "quiet"\n')
    code, out, _ = call("check", path)
    assert code == 1
    assert 'error[TTD005] unknown-plugin: there is no logger "quiet"' in out
    assert call("check", path, "--allow-plugin", str(plugin))[0] == 0
    code, out, err = call("check", path, "--allow-plugin", "elsewhere.py")
    assert (code, out) == (2, "")
    assert "elsewhere.py" in err
    assert err.count("\n") == 1


# -- shapes, plugins, schema


def test_shapes_as_a_table(call: Call, make_spec: Make) -> None:
    code, out, _ = call("shapes", make_spec())
    assert code == 0
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in out.splitlines()[2:] if line.strip()}
    assert rows["video"] == "input [B, F, C, h*p, p*w] [1, 37, 16, 60, 90]"
    assert rows["layers.*.seq_modeling_block.q.weight"] == "parameter [D, D] [3072, 3072]"
    assert not any(name.startswith("layers.0") for name in rows)


def test_symbolic_shapes_have_no_numbers(call: Call, make_spec: Make) -> None:
    code, out, _ = call("shapes", make_spec(), "--symbolic")
    assert code == 0
    assert "[B, F, C, h*p, p*w]\n" in out
    assert "3072" not in out
    assert "51,456" not in out


def test_shapes_for_programs(call: Call, make_spec: Make) -> None:
    path = make_spec()
    code, out, _ = call("shapes", path, "--output-format", "json")
    assert code == 0
    (file,) = json.loads(out)["files"]
    (stage,) = file["stages"]
    assert stage["shapes"] == tttdit.check(path).as_dict()["files"][0]["stages"][0]["shapes"]
    symbolic = json.loads(call("shapes", path, "--symbolic", "--output-format", "json")[1])
    assert all("value" not in shape for shape in symbolic["files"][0]["stages"][0]["shapes"])


def test_shapes_of_a_broken_spec_say_why_on_standard_error(call: Call, make_spec: Make) -> None:
    code, _, err = call("shapes", make_spec("segments = 2"))
    assert code == 1
    assert err.startswith("error[TTD202] frames-segments: ")


def test_plugins_are_listed(call: Call) -> None:
    code, out, _ = call("plugins")
    assert code == 0
    lines = out.splitlines()
    at = next(index for index, line in enumerate(lines) if line.split()[:1] == ["ttt-dit"])
    assert lines[at].split()[:3] == ["ttt-dit", "tttdit", tttdit.__version__]
    assert "      presets: 5B, debug" in lines[at:]
    listed = json.loads(call("plugins", "--json")[1])
    assert listed["problems"] == []
    (mixer,) = [one for one in listed["plugins"] if one["name"] == "ttt-mlp"]
    assert (mixer["kind"], mixer["distribution"], mixer["version"]) == ("mixer", "tttdit", tttdit.__version__)
    assert mixer["regions"] == ["scan_checkpoint_group_size"]


def test_the_schema_accepts_the_examples(call: Call) -> None:
    import tomli

    jsonschema = pytest.importorskip("jsonschema")
    code, out, _ = call("schema")
    assert code == 0
    validator = jsonschema.Draft202012Validator(json.loads(out))
    for path in sorted((Path(__file__).parents[2] / "examples").glob("*.toml")):
        assert list(validator.iter_errors(tomli.loads(path.read_text()))) == [], path.name


# -- the command itself


def test_an_unknown_command_names_the_nearest(call: Call) -> None:
    assert call("chek") == (
        2,
        "",
        'tttdit: there is no command "chek"; did you mean "check"? (there are ' + ", ".join(cli.COMMANDS) + ")\n"
        "tttdit: tttdit --help shows how it is used\n",
    )


@pytest.mark.parametrize(
    "arguments", [("check",), ("check", "a", "--output-format", "xml"), ("--nonsense",), ("check", "--nonsense", "a")]
)
def test_a_wrong_command_is_2_and_points_to_help(call: Call, arguments: tuple[str, ...]) -> None:
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].endswith("--help shows how it is used")


def test_without_a_command_there_is_help_but_it_is_no_success(call: Call) -> None:
    code, out, err = call()
    assert (code, out) == (2, "")
    assert err.startswith("Usage: tttdit ")


@pytest.mark.parametrize("command", ["check", "shapes", "plugins", "schema"])
def test_help_has_examples(call: Call, command: str) -> None:
    code, out, _ = call(command, "--help")
    assert code == 0
    assert "Example" in out
    assert f"tttdit {command}" in out or f"tttdit-{command}" in out


def test_a_mistake_of_ours_is_one_line(call: Call, make_spec: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("of\x1bours")

    monkeypatch.setattr("tttdit.checker.api.check_paths", broken)
    monkeypatch.delenv("TTTDIT_DEBUG", raising=False)
    code, out, err = call("check", make_spec())
    assert (code, out) == (2, "")
    assert err == (
        "tttdit: this should not have happened: KeyError: 'of\\x1bours'; please report it, with the spec "
        "(TTTDIT_DEBUG=1 shows where it happened)\n"
    )
    monkeypatch.setenv("TTTDIT_DEBUG", "1")
    with pytest.raises(KeyError):
        call("check", make_spec())


def test_an_interrupt_is_130(call: Call, make_spec: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tttdit.checker.api.check_paths", interrupted)
    code, out, err = call("check", make_spec())
    assert code == 130
    assert out == ""
    assert err.strip() == ""


# -- in a process of its own


def run(*arguments: str, **keywords: object) -> subprocess.CompletedProcess[str]:
    keywords = {"capture_output": True, "text": True, "check": False, **keywords}
    return subprocess.run(arguments, **keywords)  # type: ignore[call-overload, no-any-return]


def test_tttdit_check_is_tttdit_check(make_spec: Make) -> None:
    path = make_spec("tokens_per_segment = 493")
    one, other = run(str(BIN / "tttdit-check"), path), run(str(BIN / "tttdit"), "check", path)
    assert (one.returncode, one.stdout, one.stderr) == (other.returncode, other.stdout, other.stderr)
    assert one.returncode == 1


def test_both_commands_know_their_version() -> None:
    assert run(str(BIN / "tttdit-check"), "--version").stdout == f"tttdit {tttdit.__version__}\n"
    assert run(str(BIN / "tttdit"), "--version").stdout == f"tttdit {tttdit.__version__}\n"


def test_standard_input(make_spec: Make) -> None:
    text = Path(make_spec("tokens_per_segment = 493")).read_text()
    done = run(str(BIN / "tttdit-check"), "-", input=text)
    assert done.returncode == 1
    assert "--> <stdin>:11:1" in done.stdout


def test_a_reader_that_goes_away_is_no_trouble(make_spec: Make) -> None:
    make_spec()
    done = run("bash", "-c", f"set -o pipefail; {BIN}/tttdit schema | head -1; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


def test_a_terminal_that_knows_ascii_only_gets_escapes(make_spec: Make) -> None:
    path = make_spec(added='\n[logging]\nplugin = "日本"\n')
    done = run(
        str(BIN / "tttdit-check"),
        path,
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 1
    assert '"\\u65e5\\u672c"' in done.stdout


def on_a_terminal(path: str, **environment: str) -> str:
    """What `tttdit-check` writes to a terminal."""
    leader, follower = pty.openpty()
    clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM")}
    with subprocess.Popen(
        [str(BIN / "tttdit-check"), path],
        stdout=follower,
        stderr=follower,
        env={**clean, "TERM": "xterm", **environment},
    ):
        os.close(follower)
        said = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:  # the other end has closed
                break
            if not part:
                break
            said += part
    os.close(leader)
    return said.decode()


def test_colours_on_a_terminal_only(make_spec: Make) -> None:
    path = make_spec("tokens_per_segment = 493")
    assert "\x1b[1;31merror[TTD201]\x1b[0m" in on_a_terminal(path)
    assert "\x1b" not in on_a_terminal(path, NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(path, TERM="dumb")
    assert "\x1b" not in run(str(BIN / "tttdit-check"), path).stdout


def test_the_same_spec_says_the_same(make_spec: Make) -> None:
    """Whatever the order in which Python hashes."""
    path = make_spec("tokens_per_segment = 493", added=STAGES)
    said = {
        run(str(BIN / "tttdit-check"), path, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


def test_what_cannot_be_written_is_one_line(make_spec: Make) -> None:
    command = [str(BIN / "tttdit-check"), make_spec()]
    with open("/dev/full", "w") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (2, "tttdit: cannot write: No space left on device\n")
    for closing, message in (
        ("1", "cannot write: standard output is closed"),
        ("0", "cannot read standard input: it is closed"),
    ):
        path = "-" if closing == "0" else command[1]
        shell = f'exec "$0" {path} {closing}>&-'
        ran = subprocess.run(["sh", "-c", shell, command[0]], stderr=subprocess.PIPE, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (2, f"tttdit: {message}\n")
