"""What a stage's training step needs, as rules see it: in the setting of its `[memory]`, and in others.

    def weigh(self, weighed):                                # a rule's hook
        now = weighed.prediction                             # what the spec's own setting needs
        other = weighed.outlook(attention=True)              # the same with another `[memory]`
        if other.peak_bytes < now.peak_bytes: ...

A prediction is made when it is first asked for: a rule looks at what is cheap first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tttdit.core.stage import Stage


class SamplingOutlook(Protocol):
    """One video, drawn by one process with the whole model, in bytes."""

    @property
    def total_bytes(self) -> int:
        """The most that is allocated."""
        ...

    @property
    def total_at(self) -> str:
        """Where that is."""
        ...

    @property
    def parts(self) -> Mapping[Any, int]:
        """What `total_bytes` consists of."""
        ...

    @property
    def outside_bytes(self) -> int:
        """What torch's allocator does not know: the CUDA context."""
        ...

    @property
    def budget_bytes(self) -> int | None:
        """What the GPU has; None where the spec names none."""
        ...


class Outlook(SamplingOutlook, Protocol):
    """One training step of one rank, in bytes; what the words mean stands in docs/memory.md."""

    @property
    def saved_bytes(self) -> int:
        """Live when the loss has been computed."""
        ...

    @property
    def peak_bytes(self) -> int:
        """The most that lives over forward and backward, without parameters, buffers, optimizer state and inputs."""
        ...

    @property
    def peak_at(self) -> str:
        """Where that is: "backward of layers.41, recomputing attention"."""
        ...

    @property
    def reserved_bytes(self) -> int:
        """`total_bytes`, and what the allocator's blocks waste."""
        ...

    @property
    def needed_bytes(self) -> int:
        """What a GPU must hold: reserved and outside."""
        ...

    @property
    def fits(self) -> bool | None:
        """Whether `needed_bytes` fit on the GPU; None where the spec names none."""
        ...

    @property
    def workspace_bytes(self) -> int:
        """Of `peak_bytes`, what an operator allocates for a moment."""
        ...

    @property
    def waiting(self) -> frozenset[str]:
        """Switches of `[memory]` whose regions lie in others that are recomputed, and wait for their own replay at the peak."""
        ...

    @property
    def host_bytes(self) -> Mapping[str, int]:
        """Main memory of one node, by holder."""
        ...

    @property
    def flops(self) -> int:
        """Of forward and backward."""
        ...

    @property
    def recompute_flops(self) -> int:
        """Those of them that recomputation costs."""
        ...


class Weighed(Protocol):
    """A stage whose training step can be predicted, in the runtime that `tttdit run` uses on GPUs, for one rank of its mesh."""

    @property
    def stage(self) -> Stage:
        """The stage."""
        ...

    @property
    def prediction(self) -> Outlook:
        """What it needs as the spec says it. Raises Unpredicted where that cannot be said."""
        ...

    @property
    def sampling(self) -> SamplingOutlook | None:
        """What drawing a video needs; None where the stage has no sampler that can be run. Raises Unpredicted where that cannot be said."""
        ...

    def outlook(self, **memory: Any) -> Outlook:
        """What it would need with other values for keys of `[memory]`: `outlook(attention=True)`.

        Raises Unpredicted where that cannot be said, and UsageError for a key or a value that the table does not take.
        """
        ...
