"""Ctrl-C and SIGTERM: the last finished step is saved at once, whatever the step at work does, and the process ends.

A step of a long video takes minutes, most of them in calls of torch that no signal handler of Python interrupts. So a thread waits for
the signal. It keeps the main thread from changing the state (forward and backward go on, and change nothing), agrees with the other ranks
on the step that all of them have finished, saves, and ends the process. What saving says to other ranks goes over a process group of its
own, which the step at work does not use.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
REPEATED = 1.0  # seconds after which Ctrl-C is a second one: terminals, torchrun and schedulers deliver the first several times


class Pause:
    """Counts finished steps, and keeps more from being finished when somebody wants to look at the state as it is."""

    def __init__(self, finished: int = 0) -> None:
        self.finished = finished
        self._condition = threading.Condition()
        self._last: int | None = None  # no step behind this one is finished any more

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Around whatever changes the state or reads it whole; the main thread adds to `finished` inside. Waits while it may not."""
        with self._condition:
            self._condition.wait_for(lambda: self._last is None or self.finished < self._last)
            yield
            self._condition.notify_all()

    def hold(self, agree: Callable[[int], int]) -> int:
        """Stops at the step that `agree` makes of the steps that this rank has finished: the largest of all ranks; returns it.

        A rank is never more than one behind, and that one needs nothing of the others any more: all have the norm of its gradients.
        """
        with self._condition:
            self._last = self.finished
        last = agree(self.finished)
        with self._condition:
            self._last = last
            self._condition.notify_all()
            self._condition.wait_for(lambda: self.finished >= last)
        return last


class Stopper:
    """Waits for signals while it is entered. `stop` is called in its thread with the signal's name; then the process ends.

    Where that takes longer than `grace` seconds, or Ctrl-C is pressed again, the process ends without.
    """

    def __init__(self, stop: Callable[[str], None], *, grace: float, code: int) -> None:
        self._stop, self._grace, self._code = stop, grace, code
        self._reading, self._writing = socket.socketpair()
        self._writing.setblocking(False)
        self._stopping = threading.Event()
        self._handlers: dict[signal.Signals, object] = {}

    def __enter__(self) -> Stopper:
        # the number of a signal is written at once, in C, even while the main thread is inside torch
        self._wakeup = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        for each in SIGNALS:
            self._handlers[each] = signal.signal(each, lambda number, frame: None)
        self._thread = threading.Thread(target=self._watch, name="tttdit-stopper", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wait_if_stopping()
        signal.set_wakeup_fd(self._wakeup)
        for each, handler in self._handlers.items():
            signal.signal(each, handler)  # type: ignore[arg-type]
        self._writing.close()
        # what it knows reaches process groups, and the last to let go of one must not be a thread that Python's end overtakes: that aborts
        self._thread.join()

    def wait_if_stopping(self) -> None:
        """Never returns once a signal has come."""
        while self._stopping.is_set():
            time.sleep(0.1)

    def _watch(self) -> None:
        number = self._received()
        if number is None:
            return
        self._stopping.set()
        threading.Thread(target=self._give_up, name="tttdit-grace", daemon=True).start()
        try:
            self._stop(signal.Signals(number).name)
        finally:
            os._exit(self._code)

    def _received(self) -> int | None:
        """The number of the next of our signals; None when nobody waits for one any more."""
        while data := self._reading.recv(1):
            if data[0] in SIGNALS:
                return data[0]
        return None

    def _give_up(self) -> None:
        began = time.monotonic()
        while (left := began + self._grace - time.monotonic()) > 0:
            self._reading.settimeout(left)
            try:
                again = self._received()
            except TimeoutError:
                break
            if again == signal.SIGINT and time.monotonic() - began > REPEATED:
                break
        os._exit(self._code)
