"""What is predicted of one training step of one rank, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from attrs import asdict, frozen

Part: TypeAlias = Literal[
    "parameters", "gradients", "optimizer", "inputs", "tables", "activations", "workspace", "buffers", "rounding"
]
Runtime: TypeAlias = Literal["plain", "fsdp2"]


@frozen
class Exchange:
    """Collectives of one kind that a rank takes part in during a step.

    `name` is all-gather, reduce-scatter, all-reduce or all-to-all; `dimension` the mesh's (`shards`, `replicas`, `tensor`), `ranks` how
    many take part, `count` how often a step does it, `sent` and `received` the bytes of all of them. `between_nodes` says whether its
    ranks lie in more than one node; None where the spec does not say how many GPUs a node has.
    """

    name: str
    dimension: str
    ranks: int
    count: int
    sent: int
    received: int
    between_nodes: bool | None
    purpose: str  # "parameters of layers.*, forward"

    def as_dict(self) -> dict[str, Any]:
        """Its part of the JSON."""
        return {
            "name": self.name,
            "dimension": self.dimension,
            "ranks": self.ranks,
            "count": self.count,
            "sent_bytes": self.sent,
            "received_bytes": self.received,
            "between_nodes": self.between_nodes,
            "purpose": self.purpose,
        }


@frozen(kw_only=True)
class Prediction:
    """One training step of one rank, in bytes. The words are those of docs/memory.md.

    saved_bytes     live when the loss has been computed: all that the step has created
    peak_bytes      the most that lives over forward and backward, gradients included; without parameters, buffers, optimizer, inputs
    peak_at         where that is: "backward of layers.41, recomputing attention"
    total_bytes     the most that the rank allocates in a whole step, the optimizer's included, each tensor rounded as the allocator does
    parts           what total_bytes consists of, at its moment; adds up to it
    reserved_bytes  total_bytes and what the allocator's blocks waste
    outside_bytes   what no allocator of torch's knows: CUDA context, NCCL
    host_bytes      main memory of one node, by holder; empty for the runtime "plain", and where the spec does not say how many ranks a
                    node has. `page_cache_bytes` come on top until they are on disk: the kernel gives them up when memory is wanted
    flops           of forward and backward; `recompute_flops` of them for what is recomputed
    workspace_bytes of peak_bytes, what an operator allocates for a moment
    standing_bytes  of total_bytes, what is there all the time: before the step, and what libraries keep
    after_bytes     the most that lives beside that after backward, each tensor rounded as the allocator does
    waiting         switches of `[memory]` whose regions lie in others that are recomputed, and wait for their own replay at the peak
    fits            whether reserved and outside fit on the GPU that the spec names; None where it names none
    """

    stage: str
    device: str
    dtype: str
    runtime: Runtime
    saved_bytes: int
    peak_bytes: int
    peak_at: str
    total_bytes: int
    total_at: str
    parts: Mapping[Part, int]
    reserved_bytes: int
    outside_bytes: int
    host_bytes: Mapping[str, int]
    flops: int
    recompute_flops: int
    communication: tuple[Exchange, ...]
    budget_bytes: int | None  # what the GPU has
    page_cache_bytes: int = 0
    workspace_bytes: int = 0
    standing_bytes: int = 0
    after_bytes: int = 0
    waiting: frozenset[str] = frozenset()

    @property
    def needed_bytes(self) -> int:
        """What a GPU must hold: what the allocator reserves, and what is outside of it."""
        return self.reserved_bytes + self.outside_bytes

    @property
    def fits(self) -> bool | None:
        """Whether a GPU can hold it; None where nobody says how large that is."""
        return None if self.budget_bytes is None else self.needed_bytes <= self.budget_bytes

    def as_dict(self) -> dict[str, Any]:
        """Its part of the JSON."""
        return {
            "device": self.device,
            "dtype": self.dtype,
            "runtime": self.runtime,
            "saved_bytes": self.saved_bytes,
            "peak_bytes": self.peak_bytes,
            "peak_at": self.peak_at,
            "total_bytes": self.total_bytes,
            "total_at": self.total_at,
            "reserved_bytes": self.reserved_bytes,
            "outside_bytes": self.outside_bytes,
            "host_bytes": sum(self.host_bytes.values()) if self.host_bytes else None,
            "host_parts": dict(self.host_bytes),
            "page_cache_bytes": self.page_cache_bytes,
            "budget_bytes": self.budget_bytes,
            "parts": dict(self.parts),
            "flops": self.flops,
            "recompute_flops": self.recompute_flops,
            "communication": [exchange.as_dict() for exchange in self.communication],
            "fits": self.fits,
        }


def text_of(prediction: Prediction) -> str:
    """The prediction as text, which `prediction_of` reads."""
    return json.dumps({**asdict(prediction), "waiting": sorted(prediction.waiting)}, separators=(",", ":"))


def prediction_of(text: str) -> Prediction | None:
    """The prediction that a text is of; None where it is of none."""
    try:
        found = json.loads(text)
        exchanges = tuple(Exchange(**exchange) for exchange in found.pop("communication"))
        return Prediction(**{**found, "communication": exchanges, "waiting": frozenset(found["waiting"])})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
