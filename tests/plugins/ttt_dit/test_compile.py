"""`torch.compile(model)`: one graph without breaks, each scan one node of it, and the numbers of the plain model.

The backend is `aot_eager`: what dynamo and AOTAutograd make of forward and backward, run operator by operator. So equality is to the bit.
"""

from collections import Counter
from functools import partial

import pytest
import torch
from tiny_specs import MIXERS, batch_of, gradients_of, model_of, spec_of, trained
from torch._dynamo.backends.debugging import aot_eager, boxed_nop
from torch.fx import GraphModule

import tttdit

torch.set_num_threads(1)

FLAGS = ("attention", "forward_ssm", "reverse_ssm", "mlp", "seq_modeling_block")
KEEP = ()
LAYER_GROUPS = ("memory.transformer_checkpoint_layer_group_size=1",)
EVERYTHING = (*LAYER_GROUPS, *(f"memory.{flag}=true" for flag in FLAGS))


@pytest.fixture(autouse=True)
def nothing_compiled_before():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


class Captured:
    """A backend that counts the operators of every graph that dynamo hands over."""

    def __init__(self):
        self.graphs, self.operators = 0, Counter()

    def __call__(self, graph, inputs):
        self.graphs += 1
        for module in graph.modules():  # regions that are recomputed are graphs inside
            if isinstance(module, GraphModule):
                calls = (node for node in module.graph.nodes if node.op == "call_function")
                self.operators.update(str(node.target).removesuffix(".default") for node in calls)
        return aot_eager(graph, inputs)


@pytest.mark.parametrize("mixer", MIXERS)
@pytest.mark.parametrize(
    ("sets", "regions"),
    [(KEEP, 0), (LAYER_GROUPS, 1), (EVERYTHING, 6)],
    ids=["no remat", "layer groups", "all regions"],
)
def test_compiled_it_is_the_same_to_the_bit(mixer, sets, regions, tmp_path):
    spec = spec_of(tmp_path / "spec.toml", MIXERS[mixer], ["model.layers=1", *sets])
    model, batch = model_of(spec), batch_of(spec)
    want = trained(model, batch)
    captured = Captured()
    compiled = torch.compile(model, backend=captured, fullgraph=True)
    model.zero_grad()
    loss = tttdit.training_loss(compiled, *batch)
    loss.backward()
    got = {"loss": loss.detach(), **gradients_of(model)}
    assert [name for name in want if not torch.equal(got[name], want[name])] == []
    assert captured.graphs == 1
    ours = {name: count for name, count in captured.operators.items() if name.startswith("tttdit.")}
    scan = f"tttdit.{mixer.replace('-', '_')}_scan"
    assert ours == {"tttdit.interleave": 2, scan: 2, "tttdit.deinterleave": 2}
    assert captured.operators["tag_activation_checkpoint"] == regions


def test_the_objective_can_be_compiled_with_it(tmp_path):
    """Loss and all, with the public checkpoints' learning rates; what a mixed-up graph break would hide is counted by dynamo itself."""
    sets = ["model.layers=1", 'model.mixer.learning_rates="upstream"']
    spec = spec_of(tmp_path / "spec.toml", sets=sets)
    model, batch = model_of(spec), batch_of(spec)
    want = trained(model, batch)
    torch._dynamo.utils.counters.clear()
    model.zero_grad()
    loss = torch.compile(tttdit.training_loss, backend="aot_eager", fullgraph=True)(model, *batch)
    loss.backward()
    got = {"loss": loss.detach(), **gradients_of(model)}
    assert [name for name in want if not torch.equal(got[name], want[name])] == []
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    assert not torch._dynamo.utils.counters["graph_break"]


def test_a_second_batch_compiles_nothing_anew(tmp_path):
    """Numbers, timesteps among them, are no part of the graph."""
    spec = spec_of(tmp_path / "spec.toml", sets=["model.layers=1"])
    model, (video, text, timestep, _) = model_of(spec), batch_of(spec)
    captured = Captured()
    compiled = torch.compile(model, backend=captured, fullgraph=True)
    for shift in (0, 1):
        with torch.no_grad():
            later = (timestep + shift) % 1000
            assert torch.equal(compiled(video + shift, text, later), model(video + shift, text, later))
    assert captured.graphs == 1


def test_compiled_regions_are_run_again_and_keep_less(tmp_path):
    """AOTAutograd honours the regions: its backward has the scans in it once more, and gets fewer bytes from its forward."""
    scans, given = {}, {}
    for name, sets in {"kept": KEEP, "recomputed": LAYER_GROUPS}.items():
        torch._dynamo.reset()
        spec = spec_of(tmp_path / "spec.toml", sets=["model.layers=1", *sets])

        def backward(graph, inputs, name=name):
            scans[name] = sum("ttt_mlp_scan.default" in str(node.target) for node in graph.graph.nodes)
            given[name] = sum(x.nbytes for x in inputs if x.dtype != torch.uint8)  # bytes are a generator's state
            return boxed_nop(graph, inputs)

        compiled = torch.compile(model_of(spec), backend=partial(aot_eager, bw_compiler=backward), fullgraph=True)
        tttdit.training_loss(compiled, *batch_of(spec)).backward()
    assert scans == {"kept": 0, "recomputed": 2}
    assert given["recomputed"] < given["kept"] / 2
