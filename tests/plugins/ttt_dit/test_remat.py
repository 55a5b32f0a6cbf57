"""Remat changes memory and nothing else: every combination of flags and layer groups, to the bit. And regions are what they are declared
to be."""

import itertools
from collections import Counter
from contextlib import contextmanager

import pytest
import torch
from tiny_specs import MIXERS, batch_of, model_of, relative, spec_of, trained

import tttdit
from tttdit.core.regions import Regions
from tttdit.core.runtime.building import build_stage
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.remat import RecomputedRegions

torch.set_num_threads(1)

FLAGS = ("attention", "forward_ssm", "reverse_ssm", "mlp", "seq_modeling_block")
COMBINATIONS = [flags for count in range(6) for flags in itertools.combinations(FLAGS, count)]
LAYERS, MINI_BATCHES = 3, 9


def remat(*flags, layer_group=0):
    """What `--set` would be given."""
    groups = f"memory.transformer_checkpoint_layer_group_size={layer_group}"
    return [groups, *(f"memory.{flag}=true" for flag in flags)]


@pytest.fixture
def spec(tmp_path):
    return lambda *sets, mixer="ttt-mlp": spec_of(tmp_path / "spec.toml", MIXERS[mixer], sets)


# -- numbers


@pytest.mark.parametrize("layer_group", range(LAYERS + 1))
@pytest.mark.parametrize("mixer", MIXERS)
def test_flags_and_layer_groups_change_no_bit(mixer, layer_group, spec):
    fewer = "model.mixer.mini_batch_size=12"
    plain = spec(fewer, mixer=mixer)
    batch = batch_of(plain)
    want = trained(model_of(plain), batch)
    assert all(gradient.any() for name, gradient in want.items() if "layers.0." in name)
    for flags in COMBINATIONS:
        got = trained(model_of(spec(fewer, *remat(*flags, layer_group=layer_group), mixer=mixer)), batch)
        assert [name for name in want if not torch.equal(got[name], want[name])] == [], flags


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-11)])
@pytest.mark.parametrize("mixer", MIXERS)
def test_scan_groups_change_no_number(mixer, dtype, tolerance, spec):
    plain = spec(mixer=mixer)
    batch = batch_of(plain, dtype)
    want = trained(model_of(plain, dtype), batch)
    for size in (1, 2, 3, MINI_BATCHES - 1, MINI_BATCHES, MINI_BATCHES + 1, 1000):
        got = trained(model_of(spec(f"memory.scan_checkpoint_group_size={size}", mixer=mixer), dtype), batch)
        wrong = {name: error for name in want if not (error := relative(got[name], want[name])) < tolerance}
        assert wrong == {}, size


@pytest.mark.parametrize("adapter", ["qkvo", "none"])
def test_frozen_parameters_stay_without_gradients(adapter, spec):
    chosen = f'model.adapter="{adapter}"'
    plain, recomputed = spec(chosen), spec(chosen, *remat(*FLAGS, layer_group=1))
    batch = batch_of(plain)
    runs = []
    for each in (plain, recomputed):
        model = model_of(each)
        loss = tttdit.training_loss(model, *batch)
        if adapter != "none":
            loss.backward()
        gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        assert gradients.keys() <= {name for name in dict(model.named_parameters()) if ".seq_modeling_block." in name}
        runs.append({"loss": loss.detach(), **gradients})
    assert runs[0].keys() == runs[1].keys()
    assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])


# -- what is run again


@contextmanager
def counting(model):
    """Counts the calls of each region's function, by the region's key; both passes of the mixer are one module's."""
    calls = Counter()

    def counted(key, function):
        def run(*arguments):
            calls[key] += 1
            return function(*arguments)

        return run

    model.run_layers = counted("layer_group", model.run_layers)
    for layer in model.layers:
        block = layer.seq_modeling_block
        block.attend = counted("attention", block.attend)
        for key, module in (("mlp", layer.mlp), ("seq_modeling_block", block), ("ssm", block.ssm)):
            module.forward = counted(key, module.forward)
    yield calls


@pytest.mark.parametrize("layer_group", [0, 1])
def test_a_region_is_run_again_for_itself_and_for_what_it_lies_in(layer_group, spec):
    """Once in forward, and in backward once for each recomputed region around it: an outer replay runs an inner region whole."""
    (stage,) = spec().stages
    around = {
        region.key: [other.key for other in stage.assembly.model.regions if region.key in other.inside]
        for region in stage.assembly.model.regions
    }
    for flags in COMBINATIONS:
        few = ("model.layers=1", "model.mixer.mini_batch_size=36")
        tiny = spec(*few, *remat(*flags, layer_group=layer_group))
        model = model_of(tiny)
        recomputed = {*flags} | ({"transformer_checkpoint_layer_group_size"} if layer_group else set())

        def runs(key, recomputed=recomputed):
            return 1 + sum(each in recomputed for each in (key, *around[key]))

        with counting(model) as calls:
            trained(model, batch_of(tiny))
        assert calls == {
            "layer_group": runs("transformer_checkpoint_layer_group_size"),
            "attention": runs("attention"),
            "ssm": runs("forward_ssm") + runs("reverse_ssm"),
            "mlp": runs("mlp"),
            "seq_modeling_block": runs("seq_modeling_block"),
        }, flags


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_without_gradients_nothing_is_prepared_for_a_backward(mode, spec, monkeypatch):
    tiny = spec(*remat(*FLAGS, layer_group=1))
    model = model_of(tiny)
    want = model(*batch_of(tiny)[:3])

    def refused(*_, **__):
        raise AssertionError("checkpointed")

    monkeypatch.setattr("tttdit.core.runtime.remat.checkpoint", refused)
    with mode():
        assert torch.equal(model(*batch_of(tiny)[:3]), want)


# -- regions as declared


class Watched(RecomputedRegions):
    """Notes which regions are entered, with what, and which one the program is in."""

    def __init__(self, strategy, path="", notes=None):
        super().__init__(strategy, path)
        self.notes = {"inside": [], "calls": [], "sizes": set()} if notes is None else notes

    def within(self, name):
        return Watched(self.strategy, self._join(name), self.notes)

    def group_size(self, name, count):
        self.notes["sizes"].add(name)
        return super().group_size(name, count)

    def __call__(self, name, function, *arguments):
        self.notes["calls"].append((name, function, arguments))
        self.notes["inside"].append(name)
        result = super().__call__(name, function, *arguments)
        self.notes["inside"].pop()
        return result


def watched(spec, mixer):
    """A model without remat, and the notes of its regions."""
    (stage,) = spec(mixer=mixer).stages
    made = []
    model = build_stage(stage, regions=lambda strategy: made.append(Watched(strategy)) or made[0])
    return stage, model, made[0].notes


@pytest.mark.parametrize("mixer", MIXERS)
def test_regions_called_are_those_declared(mixer, spec):
    stage, model, notes = watched(spec, mixer)
    model(*batch_of(spec())[:3])
    declared = [region for region in (*stage.assembly.model.regions, *stage.assembly.mixer.regions) if region.is_region]
    assert {name for name, _, _ in notes["calls"]} == {region.group or region.key for region in declared} - {
        region.key for region in declared if region.kind == "size"
    }
    assert notes["sizes"] == {region.key for region in declared if region.kind == "size"}


@pytest.mark.parametrize("mixer", MIXERS)
def test_regions_hold_the_modules_that_they_are_said_to_hold(mixer, spec):
    """As in the public code: attention with its projections and norms, a pass of the mixer from input to output, both linear layers."""
    _, model, notes = watched(spec, mixer)
    seen = {}
    for name, module in model.named_modules():
        if name.startswith("layers.0.") and not list(module.children()):
            short = name.removeprefix("layers.0.").removeprefix("seq_modeling_block.")
            module.register_forward_pre_hook(
                lambda _, __, short=short: seen.setdefault(notes["inside"][-1], set()).add(short)
            )
    model(*batch_of(spec())[:3])
    ssm = {"ssm.ttt.wq", "ssm.ttt.wk", "ssm.ttt.wv", "ssm.ttt.post_norm", "ssm.ttt.wo"}
    gates = {f"{way}_ssm_gating_{stream}" for way in ("forward", "backward") for stream in ("text", "video")}
    norms = {
        f"pre_{block}_{part}"
        for block in ("seq", "mlp")
        for part in ("layernorm", "adaLN_modulation.0", "adaLN_modulation.1")
    }
    assert seen == {
        "attention": {"q", "k", "v", "q_norm", "k_norm", "o"},
        "forward_ssm": ssm,
        "reverse_ssm": ssm,
        "mlp": {"mlp.layer1", "mlp.layer2"},
        "seq_modeling_block": gates,
        "layer_group": norms,
    }


@pytest.mark.parametrize("mixer", MIXERS)
def test_what_goes_into_a_region_and_what_comes_out(mixer, spec):
    """Tensors are arguments: no function is a closure, and a region knows nothing but its module, layer numbers and them."""
    stage, model, notes = watched(spec, mixer)
    model(*batch_of(spec())[:3])
    B, D = 2, 32
    L, V = int(stage.dims["L"]), int(stage.dims["V"])
    streams = [(B, V, D), (B, L - V, D)]
    wanted = {
        "layer_group": [(0, 3), [*streams, (B, 12)]],
        "seq_modeling_block": [(), streams],
        "attention": [(), streams],
        "forward_ssm": [(), [(B, L, D)]],
        "reverse_ssm": [(), [(B, L, D)]],
        "mlp": [(), [(B, L, D)]],
    }
    for name, function, arguments in notes["calls"]:
        assert isinstance(getattr(function, "__self__", function), torch.nn.Module)
        numbers = tuple(each for each in arguments if not isinstance(each, torch.Tensor))
        assert [numbers, [tuple(each.shape) for each in arguments[len(numbers) :]]] == wanted[name]


# -- what is freed


def live_after_forward(spec):
    """Bytes that the step holds when the loss has been computed."""
    model, batch = model_of(spec), batch_of(spec)
    with LiveBytes([*batch, *model.parameters(), *model.buffers()]) as live:
        loss = tttdit.training_loss(model, *batch)
        assert loss.requires_grad
        return live.now


class Weighed(Regions):
    """Keeps everything; notes by how much `bytes_now` grows in each region, and the bytes of its results and tensor arguments."""

    def __init__(self, bytes_now, path="", notes=None):
        super().__init__(path)
        self.bytes_now, self.notes = bytes_now, {} if notes is None else notes

    def within(self, name):
        return Weighed(self.bytes_now, self._join(name), self.notes)

    def __call__(self, name, function, *arguments):
        before = self.bytes_now()
        result = function(*arguments)
        results = result if isinstance(result, tuple) else (result,)
        storages = {x.untyped_storage().data_ptr(): x.untyped_storage().nbytes() for x in results}
        note = self.notes.setdefault(name, Counter())
        note["growth"] += self.bytes_now() - before
        note["results"] += sum(storages.values())
        note["arguments"] += sum(x.nbytes for x in arguments if isinstance(x, torch.Tensor))
        return result


@pytest.mark.parametrize("mixer", MIXERS)
def test_each_flag_frees_what_its_region_kept(mixer, spec):
    """All that the region holds on to without remat, but for its results; its arguments are what it may keep instead."""
    (stage,) = spec(mixer=mixer).stages
    batch = batch_of(spec(mixer=mixer))
    regions = Weighed(lambda: live.now)
    model = build_stage(stage, regions=lambda strategy: regions)
    with LiveBytes([*batch, *model.parameters(), *model.buffers()]) as live:
        loss = tttdit.training_loss(model, *batch)
        assert loss.requires_grad
        everything = live.now
    for flag in FLAGS:
        note = regions.notes[flag]
        kept = note["growth"] - note["results"]
        freed = everything - live_after_forward(spec(*remat(flag), mixer=mixer))
        assert kept - note["arguments"] <= freed <= kept, flag
        assert freed > everything / 40, flag


@pytest.mark.parametrize("mixer", MIXERS)
def test_a_recomputed_layer_group_keeps_its_inputs_and_nothing_else(mixer, spec):
    """To the byte: a group costs the two streams of tokens; the timestep's embedding is everybody's; flags inside change nothing."""
    streams = 2 * 36 * 32 * 4  # B L D, float32

    def live(*sets):
        return live_after_forward(spec("model.mixer.mini_batch_size=12", *sets, mixer=mixer))

    alone, pairs, one = (live(*remat(layer_group=size)) for size in (1, 2, 3))
    assert (alone - pairs, pairs - one) == (streams, streams)
    assert live("model.layers=4", *remat(layer_group=1)) == alone + streams
    assert live(*remat(*FLAGS, layer_group=1)) == alone


@pytest.mark.parametrize("mixer", MIXERS)
def test_a_scan_group_costs_its_fast_weights(mixer, spec):
    """n mini-batches in groups of g keep ceil(n / g) copies of the fast weights a pass, in float32."""
    K, A, B = 16, 2, 2
    weights = (K * K + K if mixer == "ttt-linear" else 8 * K * K + 5 * K) * A * B * 4
    live = {
        size: live_after_forward(spec(f"memory.scan_checkpoint_group_size={size}", mixer=mixer))
        for size in (1, 2, 4, 9)
    }
    passes = 2 * LAYERS
    assert live[1] - live[9] == passes * 8 * weights
    assert live[2] - live[9] == passes * 4 * weights
    assert live[4] - live[9] == passes * 2 * weights


def test_regions_that_keep_everything_are_the_plain_ones(spec):
    """The model needs no runtime of ours: its default regions give the same numbers."""
    (stage,) = spec().stages
    plain = build_stage(stage, regions=lambda strategy: Regions())
    plain.load_state_dict(model_of(spec()).state_dict())
    batch = batch_of(spec())
    want = trained(model_of(spec()), batch)
    got = trained(plain, batch)
    assert all(torch.equal(got[name], want[name]) for name in want)
