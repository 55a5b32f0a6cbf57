"""Blocks of docs/performance.md that the benches write."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def write(bench: str, block: str, page: Path = PAGE) -> None:
    """Puts a bench's text between its two marks. The page is written whole or not at all."""
    begin, end = (f"<!-- what `bench/{bench}` writes: {side} -->" for side in ("begin", "end"))
    before, _, rest = page.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    assert closed, f"{page.name} needs the lines {begin} and {end}"
    draft = page.with_name(f"{page.name}.new")
    draft.write_text(f"{before}{begin}\n\n{block}\n\n{end}{after}", "utf-8")
    draft.replace(page)


def machine() -> str:
    """What the figures were measured on, and with."""
    return (
        f"{platform.system()} on {platform.machine()}, {processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"torch {version('torch')}, tttdit {version('tttdit')}"
    )


def processor() -> str:
    """The processor's name, where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf-8", errors="replace").splitlines() if cpuinfo.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
