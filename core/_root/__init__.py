"""tttdit: a type checker and memory planner for long-video diffusion training.

    import tttdit

    report = tttdit.check("examples/nine-seconds.toml")
    spec = tttdit.load_spec("examples/nine-seconds.toml")

A plugin marks its hooks with `hookimpl`. Everything is imported when it is first asked for, so that a plugin's light announcement pays for
nothing that it does not use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tttdit.checker.api import check, load_spec
    from tttdit.checker.report import Report
    from tttdit.checker.spec import Spec
    from tttdit.core.plugin.hooks import hookimpl

    __version__: str

__all__ = ["Report", "Spec", "__version__", "check", "hookimpl", "load_spec"]

_PLACES = {
    "Report": "tttdit.checker.report",
    "Spec": "tttdit.checker.spec",
    "check": "tttdit.checker.api",
    "hookimpl": "tttdit.core.plugin.hooks",
    "load_spec": "tttdit.checker.api",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("tttdit")
    elif name in _PLACES:
        value = getattr(import_module(_PLACES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
