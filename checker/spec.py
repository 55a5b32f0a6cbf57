"""A spec as Python sees it: `tttdit.load_spec`."""

from __future__ import annotations

from attrs import field, frozen

from tttdit.core.spec.document import Document
from tttdit.core.stage import Stage


@frozen
class Spec:
    """A spec whose every stage has its tables, its plugins and its dimensions, as far as these follow from what is written.

    That does not say that it will run: `tttdit.check(spec)` does.
    """

    name: str
    document: Document = field(repr=False)
    stages: tuple[Stage, ...]
    sets: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Where it was read from."""
        return self.document.path

    def stage(self, name: str) -> Stage:
        """The stage of this name. Raises KeyError where there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)
