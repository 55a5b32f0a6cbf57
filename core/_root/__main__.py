"""`python -m tttdit` is `tttdit`: by the Python that is meant, wherever its scripts are."""

from __future__ import annotations

from tttdit.checker.cli import main

main()
