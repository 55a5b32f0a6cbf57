"""TTD603."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import AtMost
from tttdit.core.rules import Rule
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula
from tttdit.core.wording import written


class MeshHardware(Rule):
    """What: the mesh of ranks is not as large as the hardware.

    Why: a rank is a process with a GPU of its own. A mesh of more ranks than `gpus_per_node * nodes` cannot start; one of fewer leaves GPUs
    idle, which is allowed, but seldom meant.

    Example: `dp_replicate = 8, dp_sharding = 8, tp_sharding = 2` on 8 nodes of 8 GPUs: 128 ranks, 64 GPUs.

    Instead: `dp_replicate * dp_sharding * tp_sharding = gpus_per_node * nodes`.

    Fix: unsafe. Another number of replicas is another share of the batch, and other memory.
    """

    code = "TTD603"
    name = "mesh-hardware"
    about_machine = True

    def laws(self, stage: Stage) -> list[AtMost]:
        """There are no more ranks than GPUs, where the spec says how many there are."""
        hardware, symbol = stage.hardware, stage.dims.symbol
        if hardware.gpus_per_node is None or hardware.nodes is None:
            return []
        gpus = Formula.number(hardware.gpus_per_node * hardware.nodes)
        return [AtMost(symbol("replicas") * symbol("shards") * symbol("tp"), gpus)]

    def check(self, stage: Stage) -> Iterator[Finding]:
        """Ranks against GPUs, where the spec says how many there are."""
        hardware, mesh = stage.hardware, stage.parallelism
        if hardware.gpus_per_node is None or hardware.nodes is None:
            return
        gpus = hardware.gpus_per_node * hardware.nodes
        ranks = mesh.dp_replicate * mesh.dp_sharding * mesh.tp_sharding
        if ranks == gpus:
            return
        product = f"{mesh.dp_replicate:,} * {mesh.dp_sharding:,} * {mesh.tp_sharding:,}"
        replicas, rest = divmod(gpus, mesh.dp_sharding * mesh.tp_sharding)
        places = {
            "parallelism.dp_replicate": f"{mesh.dp_replicate:,} replicas",
            "parallelism.dp_sharding": f"{mesh.dp_sharding:,} shards",
            "parallelism.tp_sharding": f"{mesh.tp_sharding:,} ranks for one sample",
            "hardware.gpus_per_node": f"{hardware.gpus_per_node:,} GPUs in a node",
            "hardware.nodes": f"{hardware.nodes:,} nodes",
        }
        key = next(key for key in places if stage.wrote(key))
        yield self.finding(
            f"the mesh has {product} = {ranks:,} ranks, the hardware {hardware.gpus_per_node:,} * {hardware.nodes:,} "
            f"= {gpus:,} GPUs: {'more than there are' if ranks > gpus else f'{gpus - ranks:,} would be idle'}",
            key=key,
            help=f"write parallelism.dp_replicate = {replicas}"
            if rest == 0
            else f"dp_replicate * dp_sharding * tp_sharding has to be {gpus:,}",
            related=written(stage, {other: message for other, message in places.items() if other != key}),
            fix=Fix("unsafe", (Edit("parallelism.dp_replicate", replicas),)) if rest == 0 else None,
            severity="error" if ranks > gpus else "warning",
        )
