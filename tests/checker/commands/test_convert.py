"""`tttdit convert`: another project's file becomes a spec that is judged as the file was."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import tomli
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from job_files import TRAINING

from tttdit.checker.checking import Checker
from tttdit.checker.cli import outcome, tttdit_command
from tttdit.checker.converting import spec_text
from tttdit.checker.report import FileReport
from tttdit.core.spec import writing
from tttdit.core.spec.document import Document

JOB = TRAINING + '\n[wandb]\nproject = "videos"\n'

CHECKER = Checker()


@pytest.fixture
def convert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs the command beside a job file; its exit code, what it prints and what it complains of."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.toml").write_text(JOB)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = outcome(tttdit_command, "tttdit", ["convert", *arguments])
        return code, *capsys.readouterr()

    return run


Convert = Callable[..., tuple[int, str, str]]


def test_it_prints_the_spec(convert: Convert) -> None:
    code, out, err = convert("job.toml")
    assert (code, err) == (0, "")
    assert out.startswith('# Converted from job.toml, which the importer "ttt-video-dit" reads.\n')
    spec = tomli.loads(out)
    assert spec["name"] == "nine-seconds"
    assert spec["video"] == {"seconds": 9, "fps": 16, "height": 480, "width": 720}
    assert spec["model"]["mixer"] == {
        "plugin": "ttt-mlp",
        "mini_batch_size": 64,
        "base_learning_rate": 0.1,
        "learning_rates": "upstream",
    }
    assert spec["data"] == {"plugin": "precomputed", "manifest": "/data/9s.jsonl", "folder": "/data/9s"}
    assert spec["parallelism"]["dp_sharding"] == 8  # the public code's default, which is not the spec's
    assert spec["checkpoint"] == {"init_from": "/runs/3s", "interval": 0}


def test_what_a_spec_has_no_place_for_is_a_comment(convert: Convert) -> None:
    _, out, _ = convert("job.toml")
    assert '# What it says and a spec has no place for:\n#   wandb.project = "videos"\n' in out


def test_a_todo_is_a_commented_line_and_the_errors_are_told(convert: Convert) -> None:
    Path("job.toml").write_text(JOB.replace('"/data/9s.jsonl"', "TODO") + "entity = TODO\n[optimizer]\nlr = TODO\n")
    code, out, err = convert("job.toml")
    assert code == 0
    assert err == "tttdit: job.toml has 3 errors: tttdit-check job.toml says which\n"
    assert "# That file has 3 errors: tttdit-check says which.\n" in out
    assert '[data]\nplugin = "precomputed"\n# manifest = TODO\n' in out
    assert "#   wandb.entity = TODO\n" in out
    assert "# lr = TODO\n" in out
    assert "manifest" not in tomli.loads(out)["data"]


def test_a_value_that_cannot_be_is_a_commented_line_too(convert: Convert) -> None:
    """Neither it nor what the check puts in its place becomes a part of the spec."""
    lines = '[optimizer]\nlr = "1e-5"\n[parallelism]\ndp_sharding = 0\n[remat]\nmlp = 1\n'
    Path("job.toml").write_text(JOB.replace('"9sec"', '"10sec"') + lines)
    code, out, _ = convert("job.toml")
    assert code == 0
    for line in ('# seconds = "10sec"', '# lr = "1e-5"', "# dp_sharding = 0", "# mlp = 1"):
        assert f"\n{line}\n" in out
    spec = tomli.loads(out)
    assert "seconds" not in spec["video"]
    assert spec["text"]["segments"] == "auto"


def test_a_spec_is_not_called_as_a_todo(convert: Convert) -> None:
    Path("job.toml").write_text(JOB.replace('"nine-seconds"', "TODO"))
    assert tomli.loads(convert("job.toml")[1])["name"] == "job"


def test_it_writes_a_file_and_never_over_another(convert: Convert) -> None:
    assert convert("job.toml", "-o", "spec.toml") == (0, "written: spec.toml\n", "")
    written = Path("spec.toml").read_bytes()
    assert CHECKER.check(Document.decode(written, "spec.toml")).ok
    Path("spec.toml").write_text("# mine")
    assert convert("job.toml", "-o", "spec.toml") == (
        2,
        "",
        "tttdit: spec.toml is there already: --force replaces it\n",
    )
    assert Path("spec.toml").read_text() == "# mine"
    assert convert("job.toml", "-o", "spec.toml", "--force")[0] == 0
    assert Path("spec.toml").read_bytes() == written
    assert sorted(path.name for path in Path().iterdir()) == ["job.toml", "spec.toml"]


def test_a_new_file_has_the_rights_of_any_other(convert: Convert) -> None:
    convert("job.toml", "-o", "spec.toml")
    Path("other").write_text("")
    assert stat.S_IMODE(Path("spec.toml").stat().st_mode) == stat.S_IMODE(Path("other").stat().st_mode)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["spec.toml"], "spec.toml is a spec already: there is nothing to convert"),
        (["notes.toml"], "notes.toml is no file that an installed importer reads (there are ttt-video-dit)"),
        (["nothing.toml"], "cannot read nothing.toml: No such file or directory"),
        (["."], ". is a folder, not a file"),
        (["job.toml", "-o", "."], ". is a folder: -o takes a file"),
        (["job.toml", "-o", "no/where.toml"], "cannot write no/where.toml: No such file or directory"),
        (["job.toml", "-o", "job.toml", "--force"], "job.toml is the file itself: a spec goes into another one"),
        (["job.toml", "--force"], "--force says that a file may be replaced: write -o SPEC --force"),
    ],
)
def test_what_cannot_be_done_is_one_line(convert: Convert, arguments: list[str], complaint: str) -> None:
    Path("spec.toml").write_text("[video]\nseconds = 9\n")
    Path("notes.toml").write_text("a = 1\n")
    assert convert(*arguments) == (2, "", f"tttdit: {complaint}\n")


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (JOB.replace('"9sec"', '"9sec'), "error[TTD001]"),
        (JOB.replace('video_length = "9sec"\n', ""), "warning[TTD817]"),
    ],
)
def test_what_cannot_be_read_as_a_spec_is_told_with_its_findings(convert: Convert, text: str, finding: str) -> None:
    Path("job.toml").write_text(text)
    code, out, err = convert("job.toml", "-o", "spec.toml")
    assert (code, out) == (1, "")
    assert finding in err
    assert err.endswith("tttdit: job.toml cannot be read as a spec, and nothing is written\n")
    assert not Path("spec.toml").exists()


def test_hostile_text_stays_text(convert: Convert) -> None:
    text = JOB.replace('"videos"', '"\\u001b[2J\\nx = 1"').replace('"/runs/3s"', '"a\\"b\\u2028\\u0000c"')
    Path("job.toml").write_text(text.replace('"nine-seconds"', '"../../x"'))
    code, out, _ = convert("job.toml")
    assert code == 0
    assert "\x1b" not in out
    spec = tomli.loads(out)
    assert set(spec) <= {"name", "video", "text", "model", "data", "memory", "training", "optimizer"} | {
        "parallelism",
        "checkpoint",
    }
    assert spec["name"] == "job"
    assert spec["checkpoint"]["init_from"] == 'a"b\u2028\x00c'


# -- whatever a job says, the spec is judged as the job

SECTIONS: dict[str, dict[str, st.SearchStrategy[object]]] = {
    "job": {"exp_name": st.sampled_from(["a job", "", "../x"]), "seed": st.integers(-1, 100)},
    "model": {
        "norm_eps": st.sampled_from([1e-6, 1e-5, 0.0]),
        "mini_batch_size": st.sampled_from([64, 16, 7, 100, 0]),
        "ttt_base_lr": st.sampled_from([0.1, 1, 0.0]),
    },
    "training": {
        "adapter_method": st.sampled_from(["sft", "qkvo", "none", "lora"]),
        "jsonl_paths": st.sampled_from(["/data/a.jsonl", ""]),
        "dataset_path": st.just("/data"),
        "global_batch_size": st.sampled_from([1, 8, 64, 63]),
        "grad_accum_steps": st.integers(1, 3),
        "warmup_steps": st.sampled_from([0, 50, 10**7]),
        "steps": st.sampled_from([5000, 10, 0, 5.0, "5"]),
    },
    "optimizer": {"lr": st.sampled_from([1e-4, 0, -1]), "gradient_clipping_norm": st.sampled_from([0.1, 0.0])},
    "checkpoint": {"init_state_dir": st.just("/runs/a"), "interval": st.integers(-1, 3)},
    "parallelism": {
        "tp_sharding": st.sampled_from([1, 2, 4, 5]),
        "dp_sharding": st.sampled_from([1, 4, 8]),
        "dp_replicate": st.sampled_from([1, 8, 16]),
        "fsdp_unsharded_dtype": st.sampled_from(["bfloat16", "float32"]),
    },
    "remat": {
        "transformer_checkpoint_layer_group_size": st.sampled_from([1, 2, 4, 100]),
        "scan_checkpoint_group_size": st.sampled_from([16, 1e6, 10**9, 1.5]),
        "attention": st.booleans(),
        "seq_modeling_block": st.booleans(),
        "forward_ssm": st.sampled_from([True, "true"]),
    },
    "eval": {
        "image_width": st.sampled_from([720, 722, 1280]),
        "sampling_fps": st.sampled_from([16, 8]),
        "sampling_num_frames": st.sampled_from([13, 37, 36]),
        "num_denoising_steps": st.sampled_from([50, 1000]),
        "txt_maxlen": st.sampled_from([498, 502, 471, 493]),
        "latent_channels": st.sampled_from([16, 4]),
    },
    "guider": {"scale": st.integers(-1, 6), "exp": st.integers(0, 5)},
}
NEEDED = {
    "size": st.sampled_from(["5B", "debug"]),
    "ssm_layer": st.sampled_from(["ttt_mlp", "ttt_linear"]),
    "video_length": st.sampled_from(["3sec", "9sec", "18sec"]),
}


@st.composite
def jobs(draw: st.DrawFn) -> str:
    """A job file that says which model it has, and of everything else something, not all of it right."""
    chosen = draw(st.lists(st.sampled_from([name for name in SECTIONS if name != "model"]), unique=True, max_size=5))
    lines = []
    for section in ["model", *chosen]:
        keys: Mapping[str, st.SearchStrategy[object]] = SECTIONS[section]
        picked = draw(st.lists(st.sampled_from(sorted(keys)), unique=True, max_size=4))
        values = {key: draw(keys[key]) for key in picked}
        if section == "model":
            values |= {key: draw(value) for key, value in NEEDED.items()}
        lines += [f"[{section}]", *(f"{key} = {writing.value(value)}" for key, value in values.items())]
    return "\n".join(lines)


def general_errors(file: FileReport, silent: frozenset[str]) -> list[str]:
    """Of the rules that hold for any spec; those about text and types, and those of jobs, are about the file itself."""
    codes = [finding.code for finding in file.findings if finding.severity == "error"]
    return sorted(code for code in codes if code not in silent and not code.startswith(("TTD0", "TTD8")))


@settings(max_examples=60)
@given(jobs())
def test_the_spec_is_judged_as_the_job(text: str) -> None:
    document = Document.parse(text, "job.toml")
    imported = CHECKER.imported(document)
    assert imported is not None
    assume(not imported.assumed)  # of a value that cannot be a comment is left
    job = CHECKER.check(document)
    spec = CHECKER.check(Document.parse(spec_text(document, imported, "an importer", 0), "spec.toml"))
    assert general_errors(job, imported.replaces) == general_errors(spec, imported.replaces)
    assert [stage.dims for stage in job.stages] == [stage.dims for stage in spec.stages]
    assert [stage.name for stage in job.stages] == [stage.name for stage in spec.stages]
    assert not any(finding.code in ("TTD002", "TTD004") for finding in spec.findings)
