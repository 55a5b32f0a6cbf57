"""Several stages' memory, predicted at once: each stage by a process of its own, before they are asked for one after the other.

Predictions that nobody has made yet take a second or more each, and how they are made leaves all cores but one without work. What those
processes find out is in the user's cache when it is asked for. Where nothing can be kept there, they have no way to tell, and
are not started.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress

from tttdit.checker.examining import Examined, weighed


def foretell(stages: Iterable[Examined]) -> None:
    """Has those stages weighed and predicted whose predictions are not kept yet, if they are several."""
    unknown = [each for each in stages if each.weighing is not None and each.weighing.is_news]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    can_fork = hasattr(os, "fork") and threading.active_count() == 1
    if len(unknown) < 2 or cores == 1 or not can_fork:
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    context = multiprocessing.get_context("fork")
    # the last ones first: a curriculum grows, and what takes longest should not be left over at the end
    numbers = reversed(range(len(unknown)))
    with (
        suppress(BrokenProcessPool),  # then this process does it all
        ProcessPoolExecutor(cores, context, initializer=_STAGES.extend, initargs=(unknown,)) as pool,
    ):
        list(pool.map(_weigh, numbers))


# What other processes are born with: stages hold functions, which cannot be sent to them.
_STAGES: list[Examined] = []


def _weigh(number: int) -> None:
    weighing = weighed(_STAGES[number]).weighing
    assert weighing is not None, "others are not news"
    weighing.unpredicted  # noqa: B018 - the prediction itself, whether rules asked for it or not
