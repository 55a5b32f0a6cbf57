"""Signals: what is saved, when the process ends, and that the state holds still meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

from tttdit.core.runtime.training.stopping import Pause

STOPPED = """
import sys, time
from tttdit.core.runtime.training.stopping import Stopper

def stop(name):
    print("saved because of", name, flush=True)
    time.sleep({saving})
    print("done", flush=True)

with Stopper(stop, grace={grace}, code=75):
    print("ready", flush=True)
    {work}
"""
# bytecode never runs in the main thread while it waits in C
IN_C = "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()"


def run_and_signal(
    *signals: signal.Signals, saving: float = 0, grace: float = 20, pause: float = 0.1
) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED.format(saving=saving, grace=grace, work=IN_C)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for each in signals:
        process.send_signal(each)
        time.sleep(pause)
    out, _ = process.communicate(timeout=30)
    return process.returncode, out


def test_a_signal_saves_and_ends_the_process_while_the_main_thread_is_in_c() -> None:
    assert run_and_signal(signal.SIGTERM) == (75, "saved because of SIGTERM\ndone\n")
    assert run_and_signal(signal.SIGINT) == (75, "saved because of SIGINT\ndone\n")


def test_saving_that_takes_longer_than_the_grace_is_given_up() -> None:
    began = time.monotonic()
    assert run_and_signal(signal.SIGTERM, saving=60, grace=0.5) == (75, "saved because of SIGTERM\n")
    assert time.monotonic() - began < 10


def test_a_second_control_c_ends_it_at_once() -> None:
    assert run_and_signal(signal.SIGINT, signal.SIGINT, saving=60, pause=1.2) == (75, "saved because of SIGINT\n")


def test_a_signal_that_is_delivered_several_times_is_one() -> None:
    several = (signal.SIGINT, signal.SIGTERM, signal.SIGINT, signal.SIGTERM)
    assert run_and_signal(*several, saving=1) == (75, "saved because of SIGINT\ndone\n")


def test_without_a_signal_it_is_left_as_usual() -> None:
    process = subprocess.run(
        [sys.executable, "-c", STOPPED.format(saving=0, grace=1, work="pass") + "\nprint('left')"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert process.stdout == "ready\nleft\n"


def test_no_step_is_finished_while_the_state_is_held() -> None:
    pause = Pause(3)
    assert pause.hold(lambda finished: finished) == 3
    stepping = threading.Thread(target=_finish_a_step, args=(pause,), daemon=True)
    stepping.start()
    stepping.join(0.3)
    assert stepping.is_alive()
    assert pause.finished == 3


def test_a_rank_that_is_one_step_behind_may_finish_that_one_and_no_more() -> None:
    pause = Pause(3)
    done: list[int] = []
    holding = threading.Thread(target=lambda: done.append(pause.hold(lambda finished: 4)), daemon=True)
    holding.start()
    _finish_a_step(pause)
    holding.join(10)
    assert done == [4]
    stepping = threading.Thread(target=_finish_a_step, args=(pause,), daemon=True)
    stepping.start()
    stepping.join(0.3)
    assert pause.finished == 4


def _finish_a_step(pause: Pause) -> None:
    with pause.changing():
        pause.finished += 1
