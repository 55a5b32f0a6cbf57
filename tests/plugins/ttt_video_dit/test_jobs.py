"""Whole jobs: what is clean, what the public ones are told, and in whose words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker.api import check
from tttdit.checker.report import FileReport

Check = Callable[..., FileReport]

# Latent frames, segments, text tokens and mini-batches, of training that works; at 18 s shorter texts are sampled with.
SAMPLED = {
    "3sec": (13, 1, 498, 282),
    "9sec": (37, 3, 502, 804),
    "18sec": (73, 6, 471, 1584),
    "30sec": (121, 10, 497, 2630),
    "63sec": (253, 21, 458, 5487),
}
# The lines with a TODO, and what the texts' lengths are told to be.
PUBLIC = {
    "3s": ((27, 28, 42), "370, 434 or 498"),
    "9s": ((27, 28), "374, 438 or 502"),
    "18s": ((27, 28), "439, 471 or 503"),
    "30s": ((27, 28), "433, 465 or 497"),
    "63s": ((27, 28), "330, 394 or 458"),
}


@pytest.mark.parametrize("length", SAMPLED)
def test_sampling_jobs_of_all_lengths_are_clean(length: str, sampling: str, check_job: Check) -> None:
    frames, segments, tokens, batches = SAMPLED[length]
    text = sampling.replace('"9sec"', f'"{length}"\nmini_batch_size = 64')
    text = text.replace("37", str(frames)).replace("502", str(tokens))
    file = check_job(text)
    assert file.findings == ()
    (stage,) = file.stages
    assert stage.ok
    assert stage.proved
    assert tuple(stage.dims[symbol] for symbol in ("F", "S", "T", "n")) == (frames, segments, tokens, batches)


def test_the_memory_of_a_training_step_is_told_of_training_jobs_only(
    sampling: str, training: str, check_job: Check
) -> None:
    (stage,) = check_job(sampling).stages
    assert (stage.ok, stage.memory) == (True, None)
    assert stage.unpredicted == "the stage is for sampling, and memory is predicted of training steps only"
    (stage,) = check_job(training, "[parallelism]", "tp_sharding = 1").stages
    assert stage.memory is not None


def test_what_a_sampling_job_leaves_out_is_worth_knowing_and_no_more(check_job: Check) -> None:
    file = check_job('[model]\nsize = "5B"\nssm_layer = "ttt_mlp"\nvideo_length = "3sec"\n[eval]\n')
    assert [(finding.code, finding.severity) for finding in file.findings] == [("TTD812", "info"), ("TTD816", "info")]
    assert file.stages[0].dims["T"] == 498


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_training_jobs(name: str, public_job: Callable[[str], Path]) -> None:
    """Errors where a TODO stands, and nowhere else; no warning; what is worth knowing is said."""
    lines, lengths = PUBLIC[name]
    (file,) = check(public_job(name)).files
    errors = [finding for finding in file.findings if finding.severity == "error"]
    assert [(finding.code, finding.span.line) for finding in errors if finding.span] == [("TTD001", n) for n in lines]
    assert len(errors) == len(lines)
    rest = [finding for finding in file.findings if finding.severity != "error"]
    assert {finding.severity for finding in rest} == {"info"}
    worth_knowing = {"3s": ["TTD811"], "30s": ["TTD811", "TTD607", "TTD812"]}
    assert [finding.code for finding in rest] == worth_knowing.get(name, ["TTD811", "TTD812"])
    assert lengths in rest[0].help
    (stage,) = file.stages
    assert stage.name == f"cogvideo-mlp-{name}"
    assert stage.proved


def test_the_lengths_that_work_come_from_the_laws(training: str, check_job: Check) -> None:
    """With other mini-batches other lengths work; TTT-Linear has no kernel that wants 64."""
    text = training.replace("ttt_mlp", "ttt_linear").replace('"9sec"', '"9sec"\nmini_batch_size = 16')
    (finding,) = [finding for finding in check_job(text).findings if finding.code == "TTD811"]
    assert finding.severity == "info"
    assert finding.key == "model.video_length"
    assert "T = 6 (mod 16) works" in finding.message
    assert "prepare the texts with 470, 486 or 502 tokens a segment" in finding.help


def test_where_no_length_works_that_is_what_is_said(training: str, check_job: Check) -> None:
    """21 segments always add a multiple of 7, which 341,550 video tokens do not forgive."""
    text = training.replace("ttt_mlp", "ttt_linear").replace('"9sec"', '"63sec"\nmini_batch_size = 7')
    (finding,) = check_job(text).findings
    assert finding.code == "TTD204"
    assert finding.span is not None
    assert finding.span.line == 7  # the video's length, which the texts' follows from


def test_a_general_finding_speaks_the_jobs_words(sampling: str, check_job: Check) -> None:
    (finding,) = check_job(sampling.replace("502", "493")).findings
    assert finding.code == "TTD201"
    assert finding.key == "eval.txt_maxlen"
    assert finding.span is not None
    assert finding.span.line == 18
    assert "write eval.txt_maxlen = 374, 438 or 502;" in finding.help
    assert finding.fix is not None
    assert [change.key for change in finding.fix.edits] == ["eval.txt_maxlen"]


def test_a_length_that_is_not_stated_is_the_public_codes_default(sampling: str, check_job: Check) -> None:
    (finding,) = check_job(sampling.replace("txt_maxlen = 502\n", "")).findings
    assert finding.code == "TTD201"
    assert "3*498" in finding.message
    assert finding.span is not None
    assert finding.span.line == 12  # [eval], where the key would stand


def test_the_batch_is_judged_with_the_jobs_defaults(training: str, check_job: Check) -> None:
    """8 samples on 1 x 8 ranks by default; a batch that leaves a rank without a sample is told in the job's words."""
    assert check_job(training).ok
    file = check_job(training, "[parallelism]", "dp_sharding = 16")
    (finding,) = [finding for finding in file.findings if finding.severity == "error"]
    assert finding.code == "TTD602"
    assert finding.key == "training.global_batch_size"
    assert finding.span is not None
    assert finding.span.line == 9


def test_one_mistake_is_one_finding(sampling: str, check_job: Check) -> None:
    """What follows from a picture, or a mini-batch, that cannot be is not told beside it."""
    for wrong in ("image_width = 1280", "image_height = 960"):
        assert [finding.code for finding in check_job(sampling, wrong).findings] == ["TTD803"]
    text = sampling.replace('"9sec"', '"9sec"\nmini_batch_size = 100')
    assert [finding.code for finding in check_job(text).findings] == ["TTD801"]
    grouped = check_job(sampling, "[remat]", "transformer_checkpoint_layer_group_size = 4")
    assert [finding.code for finding in grouped.findings] == ["TTD807"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("image_height = 482", "a picture of 482 x 720 pixels"),
        ("num_denoising_steps = 1001", "1,001 denoising steps"),
        ('dtype = "float16"', "float16 with ttt_mlp"),
        (
            "[remat]\nshard_transformer_inputs = true",
            "remat.shard_transformer_inputs = true without tensor parallelism",
        ),
        (
            '[training]\nadapter_method = "sft"\n[parallelism]\ntp_sharding = 2',
            "2 ranks of tensor parallelism with sft",
        ),
        ("[parallelism]\ntp_sharding = 5", "A = 48 heads cannot be shared by 5 tensor-parallel ranks"),
    ],
)
def test_what_that_runtime_forbids(sampling: str, check_job: Check, lines: str, message: str) -> None:
    (finding,) = check_job(sampling, lines).findings
    assert finding.severity == "error"
    assert finding.message.startswith(message)


def test_no_group_size_is_advised_that_a_job_cannot_have(training: str, check_job: Check) -> None:
    """A spec says with 0 that nothing is in groups; in a job 0 is an error."""
    lines = ("transformer_checkpoint_layer_group_size = 42", "scan_checkpoint_group_size = 5000")
    assert [finding.code for finding in check_job(training, "[remat]", *lines).findings] == ["TTD811"]


def test_ttt_linear_has_no_such_kernel(sampling: str, check_job: Check) -> None:
    text = sampling.replace("ttt_mlp", "ttt_linear").replace('"9sec"', '"9sec"\nmini_batch_size = 16')
    assert check_job(text, 'dtype = "float32"').findings == ()


def test_the_frames_tell_the_length_where_the_model_does_not(sampling: str, check_job: Check) -> None:
    text = sampling.replace('video_length = "9sec"\n', "")
    assert check_job(text).stages[0].dims["S"] == 3
    (finding,) = check_job(text.replace("37", "36")).findings
    assert finding.code == "TTD808"
    assert finding.message == (
        "eval.sampling_num_frames is 36, which is not 12 * S + 1: frames that no attention window covers become NaN"
    )


def test_frames_of_another_length_are_told_both_ways_out(sampling: str, check_job: Check) -> None:
    (finding,) = check_job(sampling.replace("37", "73")).findings
    assert finding.code == "TTD808"
    assert finding.help == 'write eval.sampling_num_frames = 37, or model.video_length = "18sec"'


def test_the_rules_of_jobs_are_no_rules_of_specs() -> None:
    """A spec may have any picture, and mini-batches of 16 with TTT-MLP."""
    report = check(
        Path(__file__).parents[3] / "examples" / "nine-seconds.toml",
        sets=["video.height=384", "video.width=640", "model.mixer.mini_batch_size=16"],
    )
    assert not [finding for finding in report.findings if finding.code.startswith("TTD8")]
