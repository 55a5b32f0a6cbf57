"""`tttdit plan`: what fits with the least recomputation; over meshes and batches; and putting it into the file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from small_specs import TWO_LAYERS

from tttdit import load_spec
from tttdit.checker import cli
from tttdit.checker.api import check
from tttdit.checker.memory.surveying import search_space, survey
from tttdit.checker.memory.weighing import DEVICE, RUNTIME
from tttdit.checker.planning import plan

Call = Callable[..., tuple[int, str, str]]
LAYERS = "transformer_checkpoint_layer_group_size"

SPEC = f"""\
# a comment on top
{TWO_LAYERS}
[memory]
attention   = true  # kept as it was

[hardware]
gpu_memory_gib = 80
"""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Exit code, standard output and standard error of a command for a spec in the current folder."""
    monkeypatch.chdir(tmp_path)

    def called(*arguments: str, spec: str | None = SPEC, command: str = "plan") -> tuple[int, str, str]:
        if spec is not None:
            Path("spec.toml").write_text(spec, encoding="utf-8")
        code = cli.outcome(cli.tttdit_command, "tttdit", [command, "spec.toml", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return called


@pytest.fixture
def answer(call: Call) -> Callable[..., dict[str, Any]]:
    """The only stage in the JSON of a command."""

    def called(*arguments: str, spec: str | None = SPEC, command: str = "plan") -> dict[str, Any]:
        _, out, _ = call(*arguments, "--output-format", "json", spec=spec, command=command)
        (only,) = json.loads(out)["stages"]
        assert isinstance(only, dict)
        return only

    return called


@pytest.fixture(scope="module")
def budgets(tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """The budgets at which the answer changes, behind one in which nothing fits."""
    path = tmp_path_factory.mktemp("budgets") / "spec.toml"
    path.write_text(SPEC, encoding="utf-8")
    (stage,) = load_spec(path).stages
    found, made = [1], survey(stage, search_space(stage), device=DEVICE, runtime=RUNTIME)
    while (larger := plan(evolve(made, budget_bytes=found[-1])).larger) is not None:
        found.append(made.needed(larger))
    return [found[1] - 1, *found[1:]]


def test_the_plan_is_the_least_recomputation_of_all_that_fits(answer: Any, budgets: list[int]) -> None:
    every = answer("--all", command="memory")["settings"]
    before = None
    for budget in budgets[1:]:
        made = answer("--budget", f"{budget}B")
        fitting = [one for one in every if one["needed_bytes"] <= budget]
        assert (made["searched"], made["fitting"]) == (len(every), len(fitting))
        chosen = made["chosen"]["recompute_flops"]
        assert sum(one["recompute_flops"] < chosen for one in fitting) == made["wasteful"]
        assert made["chosen"]["needed_bytes"] <= budget
        assert before is None or chosen < before
        before = chosen
    assert len(budgets) > 3
    assert before == 0


def test_what_the_next_budgets_would_give(answer: Any, budgets: list[int]) -> None:
    middle = answer("--budget", f"{budgets[2]}B")
    assert middle["chosen"]["needed_bytes"] == budgets[2]
    assert middle["smaller"]["needed_bytes"] == budgets[1]
    assert middle["larger"]["needed_bytes"] == budgets[3]
    assert answer("--budget", f"{budgets[3]}B")["chosen"] == middle["larger"]
    assert answer("--budget", f"{budgets[2] - 1}B")["chosen"] == middle["smaller"]


def test_where_nothing_fits_it_says_what_comes_closest_and_what_would_help(call: Call, budgets: list[int]) -> None:
    spec = SPEC.replace("gpu_memory_gib = 80", "gpu_memory_gib = 80\n[training]\nglobal_batch_size = 2")
    code, out, err = call("--budget", f"{budgets[0]}B", spec=spec)
    assert (code, err) == (1, "")
    assert out.startswith("spec.toml, stage small: nothing fits ")
    assert " needs the fewest bytes, " in out
    assert "  with training.grad_accum_steps = 2: " in out
    assert ", fits\n" not in out.partition("training.grad_accum_steps")[0]


def test_the_budget_is_the_gpu_s_where_none_is_given(answer: Any, call: Call) -> None:
    assert answer()["budget_bytes"] == 80 * 2**30
    code, out, err = call(spec=SPEC.replace("gpu_memory_gib = 80", ""))
    assert (code, out) == (2, "")
    assert err == ("tttdit: there is no budget to plan for: name the GPU in hardware.gpu, or write --budget 74GiB\n")


def test_for_people(call: Call, budgets: list[int]) -> None:
    code, out, err = call("--budget", f"{budgets[2]}B")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("spec.toml, stage small: fits, ")
    assert lines[1] == "  [memory]"
    assert lines[2].startswith(f"  {LAYERS} = ")
    assert any(line.startswith("  proof: of 96 settings ") and "recomputes less" in line for line in lines)
    assert "  runners-up:" in lines
    assert any(line.startswith("  from ") for line in lines)
    assert any(line.startswith("  below ") for line in lines)


def test_write_changes_these_keys_and_no_other_byte_and_then_the_check_says_that_it_fits(
    call: Call, answer: Any, budgets: list[int]
) -> None:
    spec = SPEC.replace("gpu_memory_gib = 80", f"gpu_memory_gib = {(budgets[2] + 4096) / 2**30:.9f}")
    made = answer("--write", spec=spec)
    written = Path("spec.toml").read_text("utf-8")
    assert written.startswith('# a comment on top\nname = "small"\n')
    kept = [
        line for line in spec.splitlines() if "=" not in line or not line.startswith(tuple(made["chosen"]["flags"]))
    ]
    assert [line for line in written.splitlines() if line in kept] == kept
    if made["chosen"]["flags"]["attention"] is False:
        assert "attention   = false  # kept as it was\n" in written
    (file,) = check("spec.toml").files
    (stage,) = file.stages
    assert file.ok
    assert stage.memory is not None
    assert stage.memory.fits
    assert stage.memory.recompute_flops == made["chosen"]["recompute_flops"]
    again = answer("--write", spec=None)
    assert again["is_own"]
    assert again["chosen"] == made["chosen"]
    assert Path("spec.toml").read_text("utf-8") == written


def test_without_write_the_file_stays(call: Call, budgets: list[int]) -> None:
    assert call("--budget", f"{budgets[1]}B")[0] == 0
    assert Path("spec.toml").read_text("utf-8") == SPEC


def test_every_stage_of_a_curriculum_has_its_own_plan_in_its_own_table(call: Call, budgets: list[int]) -> None:
    stages = '\n[[stage]]\nname = "short"\n[[stage]]\nname = "long"\nvideo.seconds = 6\ntext.segments = 2\n'
    code, out, err = call("--budget", f"{budgets[-1]}B", "--write", "--output-format", "json", spec=SPEC + stages)
    assert (code, err) == (0, "")
    short, long = json.loads(out)["stages"]
    assert short["chosen"]["recompute_flops"] == 0 < long["chosen"]["recompute_flops"]
    written = Path("spec.toml").read_text("utf-8")
    assert written.startswith(SPEC)
    assert "memory.attention = false" in written.partition('name = "short"')[2].partition("[[stage]]")[0]
    code, out, _ = call("--stage", "long", "--budget", f"{budgets[-1]}B", "--output-format", "json", spec=None)
    (again,) = json.loads(out)["stages"]
    assert again["is_own"]
    assert again["chosen"] == long["chosen"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--write", "--set", "model.layers=1"), "--write is for the spec as it stands in its file: leave --set out"),
        (("--gpus", "8"), "--gpus says how many GPUs a mesh may have: write --search mesh --gpus N"),
        (("--budget", "lots"), '--budget takes bytes such as 74GiB or 80GB, not "lots"'),
        (("--stage", "third"), 'spec.toml has no stage "third" (its stages: small)'),
    ],
)
def test_a_wrong_command_is_one_line(arguments: tuple[str, ...], message: str, call: Call) -> None:
    assert call(*arguments) == (2, "", f"tttdit: {message}\n")
    assert Path("spec.toml").read_text("utf-8") == SPEC


def test_a_spec_with_errors_has_no_plan(call: Call) -> None:
    code, out, err = call("--write", spec=SPEC.replace("heads = 4", "heads = 5"))
    assert (code, out) == (1, "")
    assert "error[TTD301]" in err


# Of a planned strategy stated keys narrow the search: two settings are left.
FEW = SPEC.replace(
    "attention   = true  # kept as it was",
    f'plugin = "auto"\n{LAYERS} = 1\nforward_ssm = false\nreverse_ssm = false\nmlp = false\nattention = false',
)
NODES = "\ngpus_per_node = 4\nnodes = 1\n[training]\nglobal_batch_size = 4\n[parallelism]\ndp_replicate = 4\n"


def test_every_mesh_of_the_gpus_those_that_the_rules_forbid_with_the_reason(answer: Any) -> None:
    meshes = answer("--search", "mesh", spec=FEW.rstrip() + NODES)["meshes"]
    found = {tuple(one["values"].values()) for one in meshes}
    assert found == {(4, 1, 1), (2, 2, 1), (1, 4, 1), (2, 1, 2), (1, 2, 2), (1, 1, 4)}
    samples = {tuple(one["values"].values()): one["samples"] for one in meshes if "samples" in one}
    assert samples.get((4, 1, 1)) == 1
    assert samples.get((1, 2, 2), 2) == 2
    six = answer("--search", "mesh", "--gpus", "6", spec=FEW.rstrip() + NODES)["meshes"]
    refused = {tuple(one["values"].values())[:3]: one["refused"] for one in six if "refused" in one}
    assert refused[6, 1, 1].startswith("TTD602 batch-mesh: ")
    assert {one["values"]["hardware.nodes"] for one in six} == {2}


def test_the_largest_batch_that_fits(answer: Any) -> None:
    spec = FEW.replace("gpu_memory_gib = 80", "gpu_memory_gib = 0.62")
    found = answer("--search", "batch", spec=spec)["batch"]
    largest, following = found["largest"], found["next"]
    assert following["samples"] == largest["samples"] + 1
    assert largest["closest"]["needed_bytes"] <= int(0.62 * 2**30) < following["closest"]["needed_bytes"]
    written = answer("--search", "batch", "--write", spec=spec)
    assert written["batch"] == found
    assert f"global_batch_size = {largest['samples']}\n" in Path("spec.toml").read_text("utf-8")
    (file,) = check("spec.toml").files
    assert file.ok


SELECTIVE = f"""\
{TWO_LAYERS}
[memory]
plugin = "selective"

[hardware]
gpu_memory_gib = 80
"""


def test_layers_that_differ_are_planned_shown_and_written(call: Call) -> None:
    Path("spec.toml").write_text(SELECTIVE, encoding="utf-8")
    (stage,) = load_spec("spec.toml").stages
    found = survey(stage, search_space(stage), device=DEVICE, runtime=RUNTIME)
    mixed = [one for one in found.front if any(isinstance(value, str) for value in one.setting.values.values())]
    budget = f"--budget={found.needed(found.in_blocks(mixed[0]))}B"

    code, out, _ = call(budget, "--write", spec=None)
    assert code == 0
    assert f"proof: of {found.searched:,} settings with mixtures of two ways to treat a layer, none that fits" in out
    written = Path("spec.toml").read_text(encoding="utf-8")
    assert re.search(r'^\w+ = "[01]"', written, re.MULTILINE)
    assert "# as the spec has it" in call(budget, spec=None)[1]
    code, out, _ = call("--all", spec=None, command="memory")
    assert code == 0
    assert f"of {found.searched:,} settings (of mixtures of two ways to treat a layer the best)" in out
    assert re.search(r"^ *> .*\w+ in [01]", out, re.MULTILINE)
