"""What `[sampling]` says to `dpmpp-2m-sde`."""

from __future__ import annotations

from tttdit.plugins.guidance.spec import GuidanceTable


class DPMSolverTable(GuidanceTable):
    """`[sampling]` with `plugin = "dpmpp-2m-sde"`."""
