"""--watch, as a user has it: a process that runs on while files change."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CHECK = str(Path(sys.executable).parent / "tttdit-check")
PATIENCE = 30.0  # seconds; a busy machine is no failure

Make = Callable[..., str]


class Watcher:
    """`tttdit-check --watch` with these arguments, and what it has said so far, standard error included."""

    def __init__(self, *arguments: str) -> None:
        self.said = ""
        self.process = subprocess.Popen(
            [CHECK, "--watch", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: object) -> None:
        for line in stream:  # type: ignore[attr-defined]
            self.said += line

    def waits_until_said(self, text: str, times: int = 1) -> None:
        end = time.monotonic() + PATIENCE
        while self.said.count(text) < times:
            assert time.monotonic() < end, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.02)


@pytest.fixture
def watch() -> Iterator[Callable[..., Watcher]]:
    started: list[Watcher] = []

    def start(*arguments: str) -> Watcher:
        started.append(Watcher(*arguments))
        return started[-1]

    yield start
    for watcher in started:
        watcher.process.kill()
        watcher.process.communicate()


Watch = Callable[..., Watcher]
WAITS = "tttdit: watching for changes; Ctrl-C ends it\n"


def test_a_change_is_checked_and_ctrl_c_ends_it(watch: Watch, make_spec: Make) -> None:
    watcher = watch(make_spec("tokens_per_segment = 493"))
    watcher.waits_until_said(WAITS)
    assert watcher.said.count("error[TTD201]") == 1
    make_spec()
    watcher.waits_until_said(WAITS, 2)
    assert watcher.said.count("error[TTD201]") == 1
    assert "ok: nothing wrong in 1 file, 1 stage\n" in watcher.said
    assert "\x1b" not in watcher.said
    watcher.process.send_signal(signal.SIGINT)
    assert watcher.process.wait(PATIENCE) == 130
    assert "Traceback" not in watcher.said


def test_a_file_that_is_saved_by_renaming_is_never_missed(watch: Watch, make_spec: Make) -> None:
    path = make_spec()
    watcher = watch(path, "--output-format", "concise")
    watcher.waits_until_said(WAITS)
    os.rename(path, "spec.toml~")
    time.sleep(0.4)  # longer than it takes to see that the file has gone
    make_spec("tokens_per_segment = 493", name="new.toml")
    os.rename("new.toml", path)
    watcher.waits_until_said("spec.toml:11:1: error[TTD201]")
    assert "cannot read" not in watcher.said


def test_a_file_that_stays_away_is_told_and_waited_for(watch: Watch, make_spec: Make) -> None:
    path = make_spec()
    watcher = watch(path)
    watcher.waits_until_said(WAITS)
    os.remove(path)
    watcher.waits_until_said("tttdit: cannot read spec.toml: No such file or directory\n")
    watcher.waits_until_said(WAITS, 2)
    make_spec()
    watcher.waits_until_said("ok: nothing wrong", 2)


def test_new_files_of_a_folder_are_found(watch: Watch, make_spec: Make) -> None:
    Path("specs").mkdir()
    make_spec(name="specs/one.toml")
    watcher = watch("specs")
    watcher.waits_until_said(WAITS)
    Path("specs/inner").mkdir()
    make_spec(name="specs/inner/two.toml")
    watcher.waits_until_said("ok: nothing wrong in 2 files, 2 stages\n")


def test_a_mistake_in_the_command_that_a_change_can_mend_ends_nothing(watch: Watch, make_spec: Make) -> None:
    watcher = watch(make_spec(added='\n[[stage]]\nname = "one"\n'), "--stage", "two")
    watcher.waits_until_said('tttdit: spec.toml has no stage "two" (its stages: one)\n')
    make_spec(added='\n[[stage]]\nname = "two"\n')
    watcher.waits_until_said("ok: nothing wrong in 1 file, 1 stage\n")


def test_a_local_plugin_that_changes_is_loaded_anew(watch: Watch, make_spec: Make) -> None:
    plugin = Path("watched_rules.py")
    text = (
        "from tttdit import hookimpl\nfrom tttdit.core.plugin.kinds import Rules\nfrom tttdit.core.rules import Rule\n\n\n"
        "class Example(Rule):\n    code, name = 'WAT001', 'example'\n\n"
        "    def check(self, stage):\n        yield self.finding('as first written', key='text')\n\n\n"
        "@hookimpl\ndef tttdit_rules():\n    return [Rules(name='watched', summary='An example.', rules=__name__)]\n"
    )
    plugin.write_text(text)
    watcher = watch(make_spec(), "--allow-plugin", "watched_rules.py")
    watcher.waits_until_said("as first written")
    watcher.waits_until_said(WAITS)
    plugin.write_text(text.replace("as first written", "as written again"))
    watcher.waits_until_said("tttdit: a plugin has changed: starting anew\n")
    watcher.waits_until_said("as written again")


def test_it_ends_when_nobody_reads(make_spec: Make) -> None:
    command = [CHECK, "--watch", make_spec()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == WAITS
        process.stdout.close()
        make_spec("tokens_per_segment = 493")
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == ""


def test_a_terminal_is_cleared(make_spec: Make) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen([CHECK, "--watch", make_spec()], stdout=follower, stderr=follower)
    os.close(follower)
    said = b""
    while WAITS.strip().encode() not in said:
        said += os.read(leader, 4096)
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE)
    os.close(leader)
    assert said.startswith(b"\x1b[2J")


def test_standard_input_cannot_be_watched() -> None:
    done = subprocess.run(
        [CHECK, "--watch", "-"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tttdit: --watch takes files and folders: standard input can be read only once\n"
