"""What goes to the processes that read ahead arrives with the local plugin that it is from, which they cannot find by its name."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

from attrs import frozen

from tttdit.core.plugin.local import load_local


@frozen
class Packed:
    """An object for another process: its bytes, and the path of the local plugin that it needs, if it is one's."""

    content: bytes
    local: str | None

    @classmethod
    def of(cls, content: object, needs: type) -> Packed:
        """The object, in which there is something of the class that it `needs`."""
        return cls(pickle.dumps(content), _local(needs.__module__))

    def unpacked(self) -> Any:
        """The object, in the process that it has come to. Raises PluginError where the plugin cannot be had there."""
        if self.local is not None:
            load_local(Path(self.local))
        return pickle.loads(self.content)


def _local(module: str) -> str | None:
    """The path of the local plugin that a module belongs to; None for one that can be found."""
    name = module.partition(".")[0]
    spec = sys.modules[name].__spec__
    if spec is None or spec.origin is None or spec.origin == _found(name):
        return None
    return str(Path(spec.origin).parent if spec.submodule_search_locations else spec.origin)


def _found(name: str) -> str | None:
    """The file that an import of this name would read; `importlib.util.find_spec` answers with what has been imported already."""
    specs = (finder.find_spec(name, None) for finder in sys.meta_path if hasattr(finder, "find_spec"))
    return next((spec.origin for spec in specs if spec is not None), None)
