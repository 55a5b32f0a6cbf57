"""tttdit: a type checker and memory planner for long-video diffusion training.

    import tttdit

    report = tttdit.check("examples/nine-seconds.toml")
    spec = tttdit.load_spec("examples/nine-seconds.toml")
    model = tttdit.build_model(spec, device="meta")  # this, load_weights and training_loss need torch; nothing else does

A plugin marks its hooks with `hookimpl`. Everything is imported when it is first asked for, so that a plugin's light announcement pays for
nothing that it does not use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tttdit.checker.api import check, load_spec
    from tttdit.checker.memory.predicting import predict_memory
    from tttdit.checker.report import Report
    from tttdit.checker.spec import Spec
    from tttdit.core.plugin.hooks import hookimpl
    from tttdit.core.runtime.building import build_model
    from tttdit.core.runtime.objective import training_loss
    from tttdit.core.runtime.weights.loading import load_weights

    __version__: str

__all__ = [
    "Report",
    "Spec",
    "__version__",
    "build_model",
    "check",
    "hookimpl",
    "load_spec",
    "load_weights",
    "predict_memory",
    "training_loss",
]

_PLACES = {
    "Report": "tttdit.checker.report",
    "Spec": "tttdit.checker.spec",
    "build_model": "tttdit.core.runtime.building",
    "check": "tttdit.checker.api",
    "hookimpl": "tttdit.core.plugin.hooks",
    "load_spec": "tttdit.checker.api",
    "load_weights": "tttdit.core.runtime.weights.loading",
    "predict_memory": "tttdit.checker.memory.predicting",
    "training_loss": "tttdit.core.runtime.objective",
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
