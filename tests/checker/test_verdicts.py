"""No false verdict: what the checker says of small random specs, held against what torch does with the same sizes.

"ok" means that the model is built, runs forward and backward and has the shapes that the report says. An error about the video, the
sequence or the model (TTD1xx to TTD3xx) means that torch refuses, or that there is nothing to ask torch for: a number of latent frames,
rows, columns or samples that is not whole. (Of several errors in one spec that proves one; many specs have a single one.)
`TTTDIT_VERDICTS=5000 pytest tests/checker/test_verdicts.py` draws more specs.
"""

import os
import re
from fractions import Fraction

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_specs import right_specs, toml

from tttdit.checker.api import check, load_spec
from tttdit.checker.render import full
from tttdit.checker.render.paint import Paint
from tttdit.core.construction import construct
from tttdit.core.plugin.references import load
from tttdit.core.runtime.remat import RecomputedRegions
from tttdit.core.shapes import gives_back
from tttdit.testing import verify_plugin

COUNT = int(os.environ.get("TTTDIT_VERDICTS", "100"))


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# -- specs

# What a mistake may write, be it a mistake or not.
OTHERS = {
    "video.seconds": st.sampled_from([0.25, 0.3, 0.5, 1, 1.5, 2, 3, 4.75]),
    "video.pixel_frames": st.integers(1, 50),
    "video.fps": st.integers(1, 30),
    "video.height": st.integers(1, 60),
    "video.width": st.integers(1, 60),
    "text.segments": st.integers(1, 5),
    "text.tokens_per_segment": st.integers(1, 24),
    "text.max_tokens": st.integers(1, 6),
    "text.encoder": st.just("t5"),
    "codec.time_compression": st.integers(1, 6),
    "codec.space_compression": st.integers(1, 10),
    "model.width": st.one_of(st.integers(2, 100), st.integers(1, 6).map(lambda times: 16 * times)),
    "model.heads": st.integers(1, 7),
    "model.patch_size": st.integers(1, 5),
    "model.attention_frames": st.integers(1, 5),
    "model.prefix_frames": st.integers(1, 4),
    "model.mixer.mini_batch_size": st.integers(2, 70),
    "training.global_batch_size": st.integers(1, 4),
}


@st.composite
def specs(draw):
    """The tables of a spec: right in every second one, with one or two keys changed in the others."""
    spec = draw(right_specs())
    keys = OTHERS.keys() - ({"model.mixer.mini_batch_size"} if "mini_batch_size" not in spec["model.mixer"] else set())
    changed = draw(st.lists(st.sampled_from(sorted(keys)), min_size=1, max_size=2, unique=True))
    for key in changed if draw(st.booleans()) else ():
        table, _, name = key.rpartition(".")
        spec[table][name] = draw(OTHERS[key])
        if key in ("video.seconds", "video.pixel_frames"):
            spec[table].pop({"seconds": "pixel_frames", "pixel_frames": "seconds"}[name], None)
    return spec


def not_whole(spec):
    """The sizes, of those that a model and its inputs are made with, that are not whole: computed here once more, from the text alone."""
    video, codec, model = spec["video"], spec["codec"], spec["model"]
    after_first = Fraction(str(video["seconds"])) * video["fps"] if "seconds" in video else video["pixel_frames"] - 1
    space, samples = codec["space_compression"], spec["training"].get("global_batch_size")
    passes = spec["training"].get("grad_accum_steps", 1)
    ranks = spec["parallelism"].get("dp_replicate", 1) * spec["parallelism"]["dp_sharding"]
    exact = {
        "F": Fraction(after_first) / codec["time_compression"],
        "H": Fraction(video["height"], space),
        "W": Fraction(video["width"], space),
        "h": Fraction(video["height"], space * model["patch_size"]),
        "w": Fraction(video["width"], space * model["patch_size"]),
        "B": Fraction(1 if samples is None else samples, 1 if samples is None else ranks * passes),
    }
    return {name for name, value in exact.items() if value.denominator > 1}


# -- torch


class Seen(dict):
    """Names and shapes on torch; what comes again in another shape is numbered: `norm`, `norm#2`."""

    def note(self, name, kind, value):
        if isinstance(value, torch.Tensor):
            tensor, numbered, count = (kind, tuple(value.shape), str(value.dtype).removeprefix("torch.")), name, 1
            while self.setdefault(numbered, tensor)[1] != tensor[1]:
                count += 1
                numbered = f"{name}#{count}"
        else:
            for index, each in enumerate(value):
                self.note(f"{name}.{index}", kind, each)

    def returned(self, path, given, out):
        if not gives_back(out, given):
            self.note(path, "intermediate", out)

    def once(self):
        """With the layers, which are all alike, named once."""
        groups = {}
        for name, tensor in self.items():
            groups.setdefault(re.sub(r"^layers\.\d+(?=\.)", "layers.*", name), {})[name] = tensor
        collapsed = {}
        for name, members in groups.items():
            collapsed.update({name: next(iter(members.values()))} if len({*members.values()}) == 1 else members)
        return collapsed


class SeenRegions(RecomputedRegions):
    """The runtime's regions, which recompute what the spec says, with a note of what goes in and what comes out."""

    def __init__(self, strategy, seen, path=""):
        super().__init__(strategy, path)
        self.seen = seen

    def within(self, name):
        return SeenRegions(self.strategy, self.seen, self._join(name))

    def __call__(self, name, function, *arguments):
        tensors = [argument for argument in arguments if isinstance(argument, torch.Tensor)]
        self.seen.note(f"{self._join(name)}.in", "intermediate", tensors[0] if len(tensors) == 1 else tensors)
        result = super().__call__(name, function, *arguments)
        self.seen.note(f"{self._join(name)}.out", "intermediate", result)
        return result


def build(stage, seen):
    """The torch model of a stage, from what its plugins announce."""
    return construct(load, stage, SeenRegions(stage.assembly.memory.strategy(stage.memory), seen))


def run(stage, latents=None):
    """Builds the model and takes it through a forward and a backward pass; `latents` are rows and columns, if not those that it expects."""
    torch.manual_seed(0)
    seen = Seen()
    module = build(stage, seen)
    inputs = []
    for name, wanted in stage.assembly.model.inputs(stage.model, stage.dims).items():
        shape = [int(size) for size in wanted.shape]
        if name == "video" and latents is not None:
            shape[3:] = latents
        if name == "text" and stage.assembly.text_encoder is not None:  # as it would give it
            shape[3] = stage.assembly.text_encoder.width(stage.text)
        whole = wanted.dtype == "int64"
        inputs.append(torch.randint(1000, shape) if whole else torch.randn(shape))
        seen.note(name, "input", inputs[-1])
    for name, parameter in module.named_parameters():
        seen.note(name, "parameter", parameter)
    for name, buffer in module.named_buffers():
        seen.note(name, "buffer", buffer)
    for path, each in module.named_modules():
        if path:
            each.register_forward_hook(lambda _, given, out, path=path: seen.returned(path, given, out))
    output = module(*inputs)
    seen.note("output", "output", output)
    if output.shape != inputs[0].shape:
        raise RuntimeError(f"latents {tuple(inputs[0].shape)}, prediction {tuple(output.shape)}: there is no loss")
    (output - torch.randn(output.shape)).square().mean().backward()
    return seen, output, module


def refusal(path, spec, errors):
    """Why a spec cannot be run on torch; "" where it can. Of what stands as "auto" without an answer, every number is tried."""
    holes = not_whole(spec)
    unanswered = [finding.key for finding in errors if finding.code == "TTD204"]
    if "text.segments" in unanswered:
        assert "F" not in holes, "there is nothing to divide into segments"
        return no_segments(path, spec, holes)
    if holes & {"F", "H", "W", "B"}:
        return f"there is no model to build: {', '.join(sorted(holes))} not whole"
    if unanswered:
        assert not holes, "there is no sequence to divide into mini-batches"
        return no_length(path, spec)
    if holes:
        return uncut(path, spec)
    (stage,) = load_spec(path).stages
    if stage.dims.open_symbols():  # a length for which the checker did not look, for what it depends on is wrong
        (stage,) = load_spec(path, sets=any_length(spec)).stages
    return refused(stage)


def any_length(spec):
    """What makes of the texts' length something that is not what is wrong."""
    return [
        "text.tokens_per_segment=1",
        *(["model.mixer.mini_batch_size=1"] if "mini_batch_size" in spec["model.mixer"] else []),
    ]


def refused(stage, latents=None):
    try:
        run(stage, latents)
    except (ValueError, RuntimeError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def uncut(path, spec):
    """Latent frames that patches do not divide: the model with the tokens that there are, on all the rows and columns."""
    patch, space = spec["model"]["patch_size"], spec["codec"]["space_compression"]
    latents = [spec["video"][side] // space for side in ("height", "width")]
    if min(latents) < patch:
        return "there is no model to build: not one whole patch"
    sides = zip(("height", "width"), latents, strict=True)
    whole = [f"video.{key}={size // patch * patch * space}" for key, size in sides]
    (stage,) = load_spec(path, sets=[*whole, *any_length(spec)]).stages
    return refused(stage, latents)


def no_segments(path, spec, holes):
    """Why "auto" has no number of segments: none of them can be built."""
    if holes:
        return f"there is no model to build: {', '.join(sorted(holes))} not whole"
    stages = (load_spec(path, sets=[f"text.segments={number}", *any_length(spec)]).stages[0] for number in range(1, 60))
    return "" if any(map(builds, stages)) else "no number of segments can be built"


def no_length(path, spec):
    """Why "auto" has no length for the texts: none of them can be built."""
    lengths = range(1, spec["text"]["max_tokens"] + 1)
    stages = (load_spec(path, sets=[f"text.tokens_per_segment={length}"]).stages[0] for length in lengths)
    return "" if any(map(builds, stages)) else "no length of the texts can be built"


def builds(stage):
    try:
        with torch.device("meta"):
            build(stage, Seen())
    except (ValueError, RuntimeError):
        return False
    return True


# -- the promise


def verdict(spec, path):
    """Checks a spec and holds the verdict against torch; the codes of the errors, and why torch refuses ("" where it runs)."""
    path.write_text(toml(spec), encoding="utf-8")
    report = check(path)
    report.to_json()
    list(full.findings(report, Paint()))
    errors = [finding for finding in report.findings if finding.severity == "error"]
    codes = {finding.code for finding in errors}
    assert not {"TTD009", "TTD312"} & {finding.code for finding in report.findings}, "the checker itself failed"
    if not codes:
        agrees(report, load_spec(path).stages[0])
        return codes, ""
    if any(code < "TTD1" for code in codes):  # no spec that could be run
        return codes, "no spec"
    reason = refusal(path, spec, errors)
    if any("TTD1" <= code < "TTD4" for code in codes):
        assert reason, f"false verdicts: {[finding.message for finding in errors]}"
    return codes, reason


def agrees(report, stage):
    """A spec that is said to be ok runs, and has the shapes that the report says."""
    (said,) = report.files[0].stages
    assert said.proved
    seen, output, module = run(stage)
    told = {shape.name: (shape.kind, shape.value, shape.dtype) for shape in said.shapes}
    on_torch = seen.once()
    named = {name for name in told.keys() - on_torch.keys() if told[name][0] == "intermediate"}  # torch hears no names
    assert on_torch == {name: shape for name, shape in told.items() if name not in named}
    assert output.isfinite().all()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@settings(max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck))
@given(spec=specs())
def test_a_verdict_is_what_torch_says(spec, tmp_path_factory):
    verdict(spec, tmp_path_factory.getbasetemp() / "verdict.toml")


@settings(max_examples=max(1, COUNT // 10), deadline=None, suppress_health_check=list(HealthCheck))
@given(right_specs(), st.sampled_from(["sft", "qkvo", "none"]))
def test_what_is_right_is_verified(spec, adapter):
    """Every operator of a step has the shapes, strides, types and bytes that the check believes."""
    (verified,) = verify_plugin(toml({**spec, "model": {**spec["model"], "adapter": adapter}}))
    assert verified.operators > 100
