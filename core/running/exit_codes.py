"""How `tttdit run` ends, for people, schedulers and scripts."""

from __future__ import annotations

FINISHED = 0
FINDINGS = 1  # the check found errors; nothing ran
USAGE = 2  # the command was wrong, or a file could not be read or written
FAILED = 70  # training could not go on (EX_SOFTWARE of sysexits.h)
INTERRUPTED = 75  # stopped by a signal and saved; the same command goes on (EX_TEMPFAIL)
OTHER_WORLD = 76  # the stages so far are done; the next one needs another number of ranks
