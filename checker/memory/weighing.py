"""A stage's memory, predicted when somebody asks: what rules weigh, and what the report shows."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from attrs import asdict, field, frozen

from tttdit.core.errors import TttditError, Unpredicted, Unresolved
from tttdit.core.plugin.references import one_line

if TYPE_CHECKING:
    from tttdit.checker.memory.prediction import Prediction, Runtime
    from tttdit.core.stage import Stage

# A check speaks of what a rank of `tttdit run` needs on its GPU.
DEVICE = "cuda"
RUNTIME: Runtime = "fsdp2"


class Weighing:
    """A stage, and what its training step needs in any setting of `[memory]`."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @cached_property
    def prediction(self) -> Prediction:
        """What it needs as the spec says it. Raises Unpredicted where that cannot be said."""
        return self.outlook()

    @cached_property
    def unpredicted(self) -> str:
        """Why that cannot be said, in one sentence; "" where it can."""
        try:
            self.prediction  # noqa: B018 - made here if it has not been before
        except Unpredicted as why:
            return str(why)
        return ""

    def outlook(self, **memory: Any) -> Prediction:
        """What it would need with other values for keys of `[memory]`.

        Raises Unpredicted where that cannot be said, and UsageError for a key or a value that the table does not take.
        """
        from tttdit.checker.memory.predicting import with_memory

        return _predicted(_Asked.of(with_memory(self.stage, memory)))


@frozen
class _Asked:
    """A stage, which is like another if all that its memory depends on is. Plugins whose code is loaded anew are others."""

    likeness: tuple[Any, ...]
    stage: Stage = field(eq=False)

    @classmethod
    def of(cls, stage: Stage) -> _Asked:
        fields = asdict(stage, recurse=False).items()
        tables = tuple((type(value), repr(value)) for name, value in fields if name not in _NO_TABLES)
        sizes = tuple((symbol, stage.dims.exact(symbol)) for symbol in stage.dims)
        assembly = stage.assembly
        plugins = (
            assembly.model.name,
            assembly.model.module,
            assembly.mixer.name,
            assembly.mixer.module,
            assembly.memory.name,
        )
        return cls((tables, sizes, plugins), stage)


_NO_TABLES = ("assembly", "dims", "laws", "wrote")


@lru_cache(maxsize=256)
def _predicted(asked: _Asked) -> Prediction:
    """What is asked for once more, while somebody edits a file or fixes are tried, is known already."""
    from tttdit.checker.memory.cache import Cache
    from tttdit.checker.memory.prediction import prediction_of, text_of

    stage = asked.stage
    cache, key = Cache(stage), f"{DEVICE} {RUNTIME} {asked.likeness!r}"
    kept = cache.read("predictions", key)
    known = prediction_of(kept) if kept is not None else None
    if known is not None:
        return known
    made = _made(stage)
    cache.write("predictions", key, text_of(made))
    return made


def _made(stage: Stage) -> Prediction:
    from tttdit.checker.memory.predicting import predict

    try:
        return predict(stage, device=DEVICE, dtype=stage.parallelism.unsharded_dtype, runtime=RUNTIME)
    except Unpredicted:
        raise
    except Unresolved as hole:
        raise Unpredicted(f"{hole.symbol} has no value") from hole
    except TttditError as error:
        raise Unpredicted(str(error)) from error
    except Exception as error:  # from a plugin's module, of which backward runs more than the shapes need
        raise Unpredicted(one_line(error)) from error
