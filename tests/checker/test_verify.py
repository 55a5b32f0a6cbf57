"""`tttdit-check --verify`: what agrees with torch, what does not, and what cannot be proved, is told. The examples: tests/examples."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from tttdit.checker import cli, shrinking
from tttdit.checker.commands.check import check as command
from tttdit.core.symbolic.library import CustomOperator
from tttdit.core.symbolic.world import TORCH
from tttdit.testing import verify_plugin

ROOT = Path(__file__).parents[2]

# A whole model in little: one segment of text, one window, the baseline without a mixer.
TINY = """
name = "tiny"

[video]
pixel_frames = 49
fps = 16
height = 64
width = 96

[text]
segments = 1
tokens_per_segment = 20
width = 64

[model]
plugin = "ttt-dit"
preset = "debug"

[model.mixer]
plugin = "{mixer}"
"""

MODULE = """\
import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, *, width, extra, regions):
        super().__init__()
        self.regions = regions
        self.inner = nn.Linear(width, extra)
        self.outer = nn.Linear(extra, width)

    def forward(self, x):
        return self.regions("mixing", self.mixed, x)

    def mixed(self, x):
        x = self.inner(x)
        {body}
        return self.outer(x)
"""
PLUGIN = '''\
from tttdit import hookimpl
from tttdit.core.plugin.kinds import Mixer, Region
from tttdit.core.spec.tables import Dimension, PluginTable


class Table(PluginTable):
    """One length of its own, which is no dimension."""

    extra: Dimension = 96


@hookimpl
def tttdit_mixers():
    return [
        Mixer(
            name="{name}",
            summary="A mixer of a test.",
            table="{package}.plugin:Table",
            module="{package}.module:Mixer",
            rules="{package}.rules",
            arguments=lambda table, dims, model_table: {{"width": dims["D"], "extra": table.extra}},
            regions=(Region("mixing", "switch", "Recompute it all.", default=True),),
        )
    ]
'''
RULES = """\
from tttdit.core.rules import Rule


class Wide(Rule):
    '''A rule that has no laws.'''

    code, name = "WID001", "wide"

    def check(self, stage):
        if {wrong}:
            yield self.finding("too narrow", key="model.mixer.extra")
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code, standard output and standard error of `tttdit-check` with these arguments."""

    def called(*arguments: str) -> tuple[int, str, str]:
        code = cli.outcome(command, "tttdit-check", list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return called


@pytest.fixture
def mixer(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., str]:
    """Writes a mixer whose forward does this, and a spec that uses it; the plugin's name."""

    def written(body: str = "x = torch.tanh(x)", *, wrong: str = "False") -> str:
        package = "mixer_" + "".join(letter if letter.isalnum() else "_" for letter in request.node.name)
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        (folder / "module.py").write_text(MODULE.format(body=body))
        (folder / "plugin.py").write_text(PLUGIN.format(package=package, name=package))
        (folder / "rules.py").write_text(RULES.format(wrong=wrong))
        Path("spec.toml").write_text(TINY.format(mixer=package))
        return package

    return written


def tiny() -> str:
    Path("spec.toml").write_text(TINY.format(mixer="none"))
    return "spec.toml"


def test_what_is_printed(run: Run) -> None:
    code, out, err = run(tiny(), "--verify")
    assert code == 0
    assert err == 'tttdit: verifying stage "tiny" with small sizes\n'
    verdict, memory, *sizes = out[out.index("  verified small: ") :].split("\n\n")[0].splitlines()
    operators, rest = verdict.removeprefix("  verified small: ").split(" ", 1)
    assert int(operators.replace(",", "")) > 1000
    assert rest == "operators agree in shapes, strides, dtypes and bytes; 88 parameters; FLOPs 0.0 % apart"
    told = re.fullmatch(
        r"    saved ([\d,]+) bytes \(as predicted\), peak ([\d,]+) bytes \(as predicted\); each of \d+ regions as predicted",
        memory,
    )
    assert told is not None
    assert 0 < int(told[1].replace(",", "")) < int(told[2].replace(",", ""))
    assert sizes[0].startswith("    with video.width = ")
    assert all(len(line) <= 120 for line in sizes)


def test_a_plain_check_says_nothing_of_it(run: Run) -> None:
    code, out, err = run(tiny())
    assert (code, err) == (0, "")
    assert "verified" not in out


def test_at_full_size(run: Run) -> None:
    code, out, err = run(tiny(), "--verify", "--full")
    assert code == 0
    assert err == 'tttdit: verifying stage "tiny" at full size\n'
    assert "  verified at full size: " in out
    assert "    with " not in out


def test_full_without_verify_is_refused(run: Run) -> None:
    code, out, err = run(tiny(), "--full")
    assert (code, out) == (2, "")
    assert err == "tttdit: --full says how to verify: write --verify --full\n"


def test_a_stage_with_errors_is_not_verified(run: Run) -> None:
    code, out, err = run(tiny(), "--verify", "--set", "model.heads=7")
    assert (code, err) == (1, "")
    assert "  not verified: it has errors\n" in out


@pytest.mark.parametrize(
    ("code", "sets"),
    [
        ("TTD506", ("hardware.gpu_memory_gib=1",)),
        ("TTD510", ("hardware.host_memory_gib=1", "hardware.gpus_per_node=1")),
        ("TTD603", ("hardware.gpus_per_node=1", "hardware.nodes=1", "parallelism.dp_sharding=2")),
    ],
)
def test_a_stage_for_which_the_machine_is_too_small_is_verified(run: Run, code: str, sets: tuple[str, ...]) -> None:
    exit_code, out, _ = run(tiny(), "--verify", *(word for each in sets for word in ("--set", each)))
    assert exit_code == 1
    assert re.findall(r"error\[(\w+)\]", out) == [code]
    assert "stage tiny: has errors\n" in out
    assert "  verified small: " in out


def test_an_error_beside_a_machine_that_is_too_small_is_not_verified(run: Run) -> None:
    sets = ("hardware.gpus_per_node=1", "hardware.nodes=1", "parallelism.dp_sharding=2", "model.heads=7")
    code, out, err = run(tiny(), "--verify", *(word for each in sets for word in ("--set", each)))
    assert (code, err) == (1, "")
    assert "error[TTD603]" in out
    assert "  not verified: it has errors\n" in out


def test_json(run: Run) -> None:
    code, out, _ = run(tiny(), "--verify", "--output-format", "json")
    (stage,) = json.loads(out)["files"][0]["stages"]
    proof = stage["proof"]
    assert (code, stage["ok"]) == (0, True)
    assert (proof["scale"], proof["agrees"], proof["traced"], proof["flops_apart"]) == ("small", True, False, 0)
    assert proof["peak_bytes"] == proof["predicted_peak_bytes"] > proof["saved_bytes"] == proof["predicted_saved_bytes"]
    regions = {region["name"]: region for region in proof["regions"]}
    assert {"outside all regions", "layers.*.attention", "layers.*.mlp"} <= set(regions)
    assert max(region["peak_bytes"] for region in regions.values()) == proof["peak_bytes"]
    assert sum(region["saved_bytes"] for region in regions.values()) == proof["saved_bytes"]
    assert all(r["predicted_peak_bytes"] == r["peak_bytes"] for r in regions.values())
    heads = next(size for size in proof["sizes"] if size["key"] == "model.heads")
    assert 1 < heads["value"] < heads["spec"] == 8
    code, out, _ = run(tiny(), "--output-format", "json")
    assert "proof" not in json.loads(out)["files"][0]["stages"][0]


def test_without_torch_one_line_says_what_to_install() -> None:
    code = """
import sys
sys.modules["torch"] = None
from tttdit.checker.cli import check_main
sys.argv = ["tttdit-check", "--verify", "spec.toml"]
check_main()
"""
    tiny()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("tttdit: --verify runs the model on torch, which cannot be imported (")
    assert line.endswith("): pip install 'tttdit[run]'")


def test_the_page_shows_what_is_printed(run: Run) -> None:
    shown = re.search(
        r"```\n\$ tttdit-check (.*?) (.*?)\n\.\.\.\n(.*?)```", (ROOT / "docs/verify.md").read_text("utf-8"), re.DOTALL
    )
    assert shown is not None
    code, out, _ = run(shown[1], str(ROOT / shown[2]))
    assert code == 0
    assert shown[3] in out


# -- what does not agree


def test_a_rule_that_is_wrong_is_a_finding_with_both_lines(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    right = TORCH.nn.functional.gelu

    def keeps_its_output(input: object, approximate: str = "none") -> object:
        out = right(input, approximate=approximate)
        if out.node is not None:
            out.node.save_output(result=out)
        return out

    monkeypatch.setattr(TORCH.nn.functional, "gelu", keeps_its_output)
    code, out, _ = run(tiny(), "--verify", "--output-format", "json")
    assert code == 1
    (file,) = json.loads(out)["files"]
    (finding,) = file["findings"]
    assert (finding["code"], finding["name"], finding["severity"]) == ("TTD320", "worlds-differ", "error")
    assert (finding["key"], finding["span"]["line"]) == ("model.plugin", 16)
    assert "held by the symbolic world only, by the node gelu: " in finding["message"]
    module, rule = finding["related"]
    assert module["path"] == str(ROOT / "plugins/ttt_dit/module.py")
    assert module["message"].startswith("the module: return self.layer2(F.gelu(self.layer1(x)")
    assert rule["path"] == str(ROOT / "core/symbolic/ops/activations.py")
    assert rule["message"] == "the rule: return _GELU[0](input)"
    (stage,) = file["stages"]
    assert (stage["ok"], stage["proof"]["agrees"]) == (False, False)
    assert stage["proof"]["predicted_peak_bytes"] > stage["proof"]["peak_bytes"]

    code, out, _ = run("spec.toml", "--verify")
    assert code == 1
    assert "error[TTD320] worlds-differ: operator " in out
    assert f"= note: {ROOT / 'plugins/ttt_dit/module.py'}:" in out
    assert "  not verified: torch does something else than the check believes (TTD320)\n" in out
    with pytest.raises(
        AssertionError, match=r"error\[TTD320\] worlds-differ: operator [\d,]+ of [\d,]+: live bytes of"
    ):
        verify_plugin("spec.toml")


def test_a_prediction_that_leaves_out_workspace(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every operator agrees, for a custom one's body is looked into; what is predicted counts it as one."""
    right = CustomOperator.work
    monkeypatch.setattr(CustomOperator, "work", lambda self, arguments: evolve(right(self, arguments), workspace=0))
    Path("spec.toml").write_text(TINY.format(mixer="ttt-mlp") + "mini_batch_size = 4\n")
    code, out, _ = run("spec.toml", "--verify", "--output-format", "json")
    assert code == 1
    (file,) = json.loads(out)["files"]
    (finding,) = file["findings"]
    assert (finding["code"], finding["key"]) == ("TTD320", "model.mixer.plugin")
    said = finding["message"].splitlines()
    assert re.fullmatch(
        r"the peak of layers\.\*\.forward_ssm differs: [\d,]+ bytes on torch, [\d,]+ predicted", said[0]
    )
    assert re.match(
        r"torch:     operator [\d,]+ of [\d,]+, \w+ \[.*\] float32 with strides \[.*\] in layers\.\d\.seq", said[1]
    )
    assert re.match(r"predicted: \w+ in layers\.\d\.seq", said[2])
    assert finding["related"][0]["path"].endswith("operators.py")
    proof = file["stages"][0]["proof"]
    assert proof["agrees"] is False
    assert proof["predicted_saved_bytes"] == proof["saved_bytes"]
    code, out, _ = run("spec.toml", "--verify")
    assert code == 1
    assert re.search(
        r"    saved [\d,]+ bytes \(as predicted\), peak [\d,]+ bytes \(.*\); \d of \d+ regions as predicted\n", out
    )


def test_a_plugin_gets_saved_and_peak_bytes_region_by_region(mixer: Callable[..., str]) -> None:
    name = mixer()
    (verified,) = verify_plugin("spec.toml", allow_plugins=[name])
    assert 0 < verified.saved_bytes < verified.peak_bytes
    (own,) = [region for region in verified.regions if region.name.endswith(".mixing")]
    assert own.peak_bytes == own.predicted_peak_bytes > 0
    assert sum(region.saved_bytes for region in verified.regions) == verified.saved_bytes


def test_a_module_that_does_different_things_in_the_two_worlds(mixer: Callable[..., str]) -> None:
    name = mixer("x = x.to(torch.float64 if type(x).__module__ == 'torch' else torch.float16).to(x.dtype)")
    with pytest.raises(AssertionError) as caught:
        verify_plugin("spec.toml", allow_plugins=[name])
    said = str(caught.value)
    assert re.search(
        r"operator [\d,]+ of [\d,]+: dtypes and live bytes of _to_copy in layers.0.seq_modeling_block.ssm differ", said
    )
    assert f"{name}/module.py:17: the module: x = x.to(torch.float64 if" in said


# -- a stranger's plugin


def test_a_plugin_from_a_folder_agrees_and_its_own_length_shrinks(mixer: Callable[..., str]) -> None:
    name = mixer()
    (verified,) = verify_plugin(Path("spec.toml"), allow_plugins=[name])
    (extra,) = [size for size in verified.sizes if size[0] == "model.mixer.extra"]
    assert 2 <= extra[1] < extra[2] == 96
    assert extra[1] not in {small for key, small, _ in verified.sizes if key != "model.mixer.extra"}


def test_a_spec_may_be_text(mixer: Callable[..., str]) -> None:
    name = mixer()
    (verified,) = verify_plugin(
        TINY.format(mixer=name), stage="tiny", allow_plugins=[name], sets=["memory.mixing=false"]
    )
    assert verified.operators > 1000


def test_a_rule_without_laws_is_heard(mixer: Callable[..., str]) -> None:
    """Its size is raised until it is content."""
    name = mixer(wrong="stage.mixer.extra < 40")
    (verified,) = verify_plugin("spec.toml", allow_plugins=[name])
    (extra,) = [size for size in verified.sizes if size[0] == "model.mixer.extra"]
    assert 40 <= extra[1] < 96


def test_no_small_sizes_are_right(mixer: Callable[..., str], run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that wants the width of the spec, which counts as large here."""
    monkeypatch.setattr(shrinking, "_LARGEST", 300_000)
    name = mixer(wrong="stage.model.width != 512")
    code, out, _ = run("spec.toml", "--verify", "--allow-plugin", name)
    assert code == 0
    why = "with the smallest sizes that were found layers.*.mlp.layer1.weight still is [2,048, 512]\n"
    assert f"warning[TTD321] not-verified: no small sizes were found for this stage: {why}" in out
    assert "help: ask for --verify --full, which keeps the sizes\n" in out
    assert f"  not verified: {why}" in out
    code, out, _ = run("spec.toml", "--verify", "--full", "--allow-plugin", name)
    assert code == 0
    assert "  verified at full size: " in out


def test_an_unknown_call_is_traced_on_torch(mixer: Callable[..., str], run: Run) -> None:
    name = mixer("x = torch.special.erfcx(x)")
    code, out, err = run("spec.toml", "--verify", "--allow-plugin", name)
    assert code == 0
    assert err == 'tttdit: tracing stage "tiny" on fake tensors\n'
    assert "warning[TTD312] unknown-call: " in out
    assert f"{name}/module.py:17: in layers.0.seq_modeling_block.ssm: x = torch.special.erfcx(x)" in out
    assert (
        "  not verified: the check does not know every call (TTD312); traced on torch's fake tensors instead: " in out
    )
    assert " GiB at the peak, parameters and their gradients left out\n" in out


def test_the_shapes_of_what_was_traced_are_torchs(mixer: Callable[..., str], run: Run) -> None:
    name = mixer("x = torch.special.erfcx(x)")
    _, out, _ = run("spec.toml", "--verify", "--allow-plugin", name, "--output-format", "json")
    (stage,) = json.loads(out)["files"][0]["stages"]
    shapes = {shape["name"]: shape["value"] for shape in stage["shapes"]}
    assert shapes["layers.*.seq_modeling_block.ssm"] == [1, 13 * 4 * 6 + 20, 512]
    assert shapes["output"] == [1, 13, 16, 8, 12]
    assert (stage["proved"], stage["proof"]["traced"], stage["proof"]["agrees"]) == (False, True, None)
    assert stage["proof"]["peak_bytes"] > stage["proof"]["saved_bytes"] > 0


def test_a_call_that_only_training_meets(mixer: Callable[..., str], run: Run) -> None:
    """The check follows the forward pass; backward asks more."""
    name = mixer("x.register_hook(lambda gradient: gradient * 2)")
    code, out, _ = run("spec.toml", "--verify", "--allow-plugin", name)
    assert code == 0
    assert "unknown-call" in out


def test_an_unknown_call_is_no_proof_for_a_plugins_tests(mixer: Callable[..., str]) -> None:
    name = mixer("x = torch.special.erfcx(x)")
    with pytest.raises(AssertionError, match=r"warning\[TTD312\] unknown-call: torch.special.erfcx is not known"):
        verify_plugin("spec.toml", allow_plugins=[name])


def test_errors_of_the_check_are_told() -> None:
    with pytest.raises(
        AssertionError, match=r"error\[TTD301\] heads-width: the width D = 512 cannot be shared by A = 7"
    ):
        verify_plugin(tiny(), sets=["model.heads=7"])


def test_a_buffer_made_when_first_asked_for_is_no_difference(mixer: Callable[..., str]) -> None:
    make = 'if not hasattr(self, "table"): self.register_buffer("table", x.new_ones(x.shape[1])[:, None])'
    name = mixer(f"{make}\n        x = x * self.table")
    verify_plugin("spec.toml", allow_plugins=[name])


FAKE = """

@torch.library.custom_op("tttdit_test_verify::{name}", mutates_args=())
def doubled(x: torch.Tensor) -> torch.Tensor:
    return x * 2


@doubled.register_fake
def promised(x):
    return {promised}


doubled.register_autograd(lambda ctx, gradient: gradient * 2)
"""


@pytest.mark.parametrize(
    ("kind", "promised", "said"),
    [
        ("right", "torch.empty_like(x)", None),
        (
            "strides",
            "x.new_empty(len(x), x.shape[2], x.shape[1]).transpose(1, 2)",
            "promises something else than its body gives",
        ),
        ("type", "torch.empty_like(x, dtype=torch.float64)", "promises something else than its body gives"),
        ("failing", "torch.empty_like(x).reshape(7, -1, 11, 13)", "fails: RuntimeError"),
    ],
    ids=["right", "strides", "type", "failing"],
)
def test_a_fake_that_promises_something_else(
    mixer: Callable[..., str], kind: str, promised: str, said: str | None
) -> None:
    name = mixer("x = doubled(x)")
    with Path(name, "module.py").open("a") as file:
        file.write(FAKE.format(name=kind, promised=promised))
    if said is None:
        verify_plugin("spec.toml", allow_plugins=[name])
        return
    with pytest.raises(AssertionError, match=rf"the fake of tttdit_test_verify::{kind} {said}") as caught:
        verify_plugin("spec.toml", allow_plugins=[name])
    assert f"{name}/module.py:" in str(caught.value)
