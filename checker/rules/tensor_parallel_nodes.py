"""TTD604."""

from __future__ import annotations

from collections.abc import Iterator

from tttdit.core.findings import Edit, Finding, Fix
from tttdit.core.laws import Divisible, Law, nearest
from tttdit.core.rules import Rule
from tttdit.core.solving.nearby import nearby
from tttdit.core.stage import Stage
from tttdit.core.symbolic.formula import Formula
from tttdit.core.wording import either, written

KEY = "parallelism.tp_sharding"


class TensorParallelNodes(Rule):
    """What: ranks that compute one sample together do not all lie in one node.

    Why: tensor parallelism sends activations between its ranks several times in every layer, forward and backward. It runs between nodes
    too, over the network between them, which is many times slower than the links inside a node. Ranks are numbered with those of a
    tensor-parallel group next to each other, so groups stay inside nodes if their size divides the GPUs of a node.

    Example: `tp_sharding = 16` with `gpus_per_node = 8`; or 6, where every other group has ranks in two nodes.

    Instead: a divisor of `gpus_per_node`: 1, 2, 4 or 8 of 8.

    Fix: unsafe. Another mesh of ranks is another run, though its results are the same but for rounding.
    """

    code = "TTD604"
    name = "tensor-parallel-nodes"
    severity = "warning"

    def check(self, stage: Stage) -> Iterator[Finding]:
        """One finding at the mesh, where it is known to be larger than a node and no larger than the hardware."""
        mesh, hardware = stage.parallelism, stage.hardware
        gpus, nodes, together = hardware.gpus_per_node, hardware.nodes, mesh.tp_sharding
        ranks = mesh.dp_replicate * mesh.dp_sharding * together
        if gpus is None or ranks <= gpus or gpus % together == 0 or (nodes is not None and ranks > gpus * nodes):
            return
        inside: list[Law] = [Divisible(Formula.number(gpus), stage.dims.symbol("tp"))]
        values = nearby(stage, "tp", inside)
        yield self.finding(
            f"{together:,} tensor-parallel ranks do not divide the {gpus:,} GPUs of a node: "
            f"{'every group' if together > gpus else 'some groups'} would have ranks in several nodes",
            key=KEY,
            help=f"write {KEY} = {either(values)}" if values else "",
            related=written(stage, {"hardware.gpus_per_node": f"{gpus:,} GPUs in a node"}),
            fix=Fix("unsafe", (Edit(KEY, nearest(map(int, values), together, 1)[0]),)) if values else None,
        )
