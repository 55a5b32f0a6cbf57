"""Keys that say the same thing in two ways, of which a spec uses one."""

from __future__ import annotations

from attrs import frozen


@frozen
class EitherOr:
    """Two keys of one table that exclude each other.

    A stage that writes one of them replaces the inherited other. `needed` says that one of them must be there.
    """

    table: str
    keys: tuple[str, str]
    needed: bool

    def other(self, key: str) -> str:
        """The key that this one excludes."""
        first, second = self.keys
        return second if key == first else first


EITHER_OR = (
    EitherOr("video", ("seconds", "pixel_frames"), needed=True),
    EitherOr("hardware", ("gpu", "gpu_memory_gib"), needed=False),
)
