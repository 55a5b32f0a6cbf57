"""Predictions that have been made before: in this process, or kept in the user's cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import asdict, field, frozen

from tttdit.checker.memory.collector import collector_at_rest
from tttdit.core.errors import TttditError, Unpredicted, Unresolved
from tttdit.core.plugin.references import one_line

if TYPE_CHECKING:
    from tttdit.checker.memory.prediction import Prediction, Runtime
    from tttdit.core.stage import Stage


def predicted(stage: Stage, *, device: str, runtime: Runtime) -> Prediction:
    """What a training step of a stage needs, in its own dtype. Raises Unpredicted, with the reason, where that cannot be said."""
    return _predicted(_Asked(device, runtime, likeness(stage), stage))


def is_news(stage: Stage, *, device: str, runtime: Runtime) -> bool:
    """Whether what `predicted` says of a stage is not in the user's cache yet, and will be."""
    from tttdit.checker.memory.cache import Cache

    return Cache(stage).lacks("predictions", _key(_Asked(device, runtime, likeness(stage), stage)))


@contextmanager
def unpredicted() -> Iterator[None]:
    """What keeps a prediction from being made is an Unpredicted with the reason."""
    try:
        yield
    except Unpredicted:
        raise
    except Unresolved as hole:
        raise Unpredicted(f"{hole.symbol} has no value") from hole
    except TttditError as error:
        raise Unpredicted(str(error)) from error
    except (
        Exception
    ) as error:  # a plugin's module is code of somebody else's, of which backward runs more than the shapes need
        raise Unpredicted(one_line(error)) from error


@frozen
class _Asked:
    """A question, which is like another if all that the answer depends on is. Plugins whose code is loaded anew are others."""

    device: str
    runtime: Runtime
    likeness: tuple[Any, ...]
    stage: Stage = field(eq=False)


def likeness(stage: Stage) -> tuple[Any, ...]:
    """All of a stage that what it needs depends on; stages that are alike need the same."""
    fields = asdict(stage, recurse=False).items()
    tables = tuple((type(value), repr(value)) for name, value in fields if name not in _NO_TABLES)
    sizes = tuple((symbol, stage.dims.exact(symbol)) for symbol in stage.dims)
    return tables, sizes, stage.assembly.of_a_step


def _key(asked: _Asked) -> str:
    return f"{asked.device} {asked.runtime} {asked.likeness!r}"


_NO_TABLES = ("assembly", "dims", "laws", "wrote")


@lru_cache(maxsize=256)
def _predicted(asked: _Asked) -> Prediction:
    """What is asked for once more, while somebody edits a file or fixes are tried, is known already."""
    from tttdit.checker.memory.cache import Cache
    from tttdit.checker.memory.prediction import prediction_of, text_of

    stage = asked.stage
    cache, key = Cache(stage), _key(asked)
    kept = cache.read("predictions", key)
    known = prediction_of(kept) if kept is not None else None
    if known is not None:
        return known
    from tttdit.checker.memory.predicting import predict

    with unpredicted(), collector_at_rest():
        dtype = stage.parallelism.unsharded_dtype
        made = predict(stage, device=asked.device, dtype=dtype, runtime=asked.runtime)
    cache.write("predictions", key, text_of(made))
    return made
