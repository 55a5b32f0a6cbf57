"""What is wrong with the sections, keys and values of a job as such; the rest is read on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.checker.report import FileReport
from tttdit.core.findings import Edit, Finding, Renaming

Check = Callable[..., FileReport]


def found(file: FileReport, code: str) -> Finding:
    (finding,) = [finding for finding in file.findings if finding.code == code]
    return finding


def codes(file: FileReport) -> list[str]:
    return [finding.code for finding in file.findings if finding.severity != "info"]


def test_a_misspelled_section_is_read_as_the_one_that_was_meant(training: str, check_job: Check) -> None:
    file = check_job(training.replace("[model]", "[modle]"))
    finding = found(file, "TTD002")
    assert finding.message == "[modle] is not a section of a job; did you mean [model]?"
    assert finding.severity == "error"
    assert finding.span is not None
    assert finding.span.line == 4
    assert finding.fix is not None
    assert finding.fix.edits == (Renaming("modle", "model"),)
    assert codes(file) == ["TTD002"]
    assert file.stages[0].dims["L"] == 51_456


def test_a_misspelled_key_is_read_as_the_one_that_was_meant(training: str, check_job: Check) -> None:
    file = check_job(training.replace("video_length", "vidoe_length"))
    finding = found(file, "TTD002")
    assert finding.message == "model.vidoe_length is not a key of [model]; did you mean video_length?"
    assert finding.key == "model.vidoe_length"
    assert codes(file) == ["TTD002"]
    assert file.stages[0].dims["F"] == 37


@pytest.mark.parametrize(
    ("line", "message", "help"),
    [
        ("[zebra]", "[zebra] is not a section of a job", "Its sections are job, model, training,"),
        ("remat = 5", "remat is 5, expected a table", "Begin the section with [remat]."),
        ("[remat]\nlr = 1.0", "remat.lr is not a key of [remat]", "lr is a key of [optimizer]."),
        ("[remat]\nqqqqq = 1", "remat.qqqqq is not a key of [remat]", "Its keys are transformer_checkpoint_layer_gr"),
        ('[remat]\nmlp = "true"', 'remat.mlp is "true", expected true or false', "Write true, without quotes."),
        ("[remat]\nmlp = 1", "remat.mlp is 1, expected true or false", "ttt-video-dit accepts it without a word."),
        ('[optimizer]\nlr_schedule = "cosin"', 'optimizer.lr_schedule is "cosin", expected', 'Did you mean "cosine"?'),
        ("[optimizer]\nlr = nan", "optimizer.lr is nan, expected a finite number", ""),
        ("[comm]\ninit_timeout_seconds = 1.5", "comm.init_timeout_seconds is 1.5, expected a whole number", ""),
        ("[parallelism]\ntp_sharding = 0", "parallelism.tp_sharding is 0, expected at least 1", ""),
        ("[parallelism]\ntp_sharding = -0.0", "parallelism.tp_sharding is -0.0, expected a whole number", ""),
    ],
)
def test_what_that_code_takes_without_a_word_is_an_error(
    training: str, check_job: Check, line: str, message: str, help: str
) -> None:
    text = f"{line}\n{training}" if "=" in line.partition("\n")[0] else f"{training}\n{line}"
    file = check_job(text)
    (finding,) = [finding for finding in file.findings if finding.severity == "error"]
    assert finding.code in ("TTD002", "TTD003")
    assert finding.message.startswith(message)
    assert help in finding.help
    assert file.stages[0].dims["L"] == 51_456


def test_a_float_for_a_whole_number_is_a_warning_that_says_what_it_does(training: str, check_job: Check) -> None:
    file = check_job(training, "[remat]", "scan_checkpoint_group_size = 1e6")
    finding = found(file, "TTD003")
    assert finding.severity == "warning"
    assert finding.message == (
        "remat.scan_checkpoint_group_size is 1e6, a float where a whole number is meant: ttt-video-dit accepts it, "
        "and turns the remat of the scan off where it is more than there are mini-batches"
    )
    assert finding.fix is not None
    assert finding.fix.applicability == "safe"
    assert finding.fix.edits == (Edit("remat.scan_checkpoint_group_size", 1_000_000),)
    assert file.ok


def test_a_todo_is_an_error_at_its_line_and_nothing_else_is(training: str, check_job: Check) -> None:
    file = check_job(training.replace('"/data/9s.jsonl"', "TODO") + "interval = TODO\n")
    assert [(finding.code, finding.span.line) for finding in file.findings if finding.severity == "error"] == [
        ("TTD001", 12),
        ("TTD001", 16),
    ]
    assert file.stages[0].dims["L"] == 51_456


@pytest.mark.parametrize("key", ["size", "ssm_layer", "video_length"])
@pytest.mark.parametrize(("value", "code"), [("TODO", "TTD001"), ('"6B"', "TTD003")])
def test_without_knowing_the_model_the_rest_is_checked(
    training: str, check_job: Check, key: str, value: str, code: str
) -> None:
    """Where a TODO or a wrong value stands, nothing is said that follows from it, but all that does not."""
    lines = [f"{key} = {value}" if line.startswith(f"{key} =") else line for line in training.split("\n")]
    file = check_job("\n".join(lines))
    assert [found for found in codes(file) if found != "TTD811"] == [code]
    file = check_job("\n".join(lines), "[parallelism]", "dp_sharding = 3")
    assert [found for found in codes(file) if found != "TTD811"] == [code, "TTD602"]


def test_what_is_not_known_has_no_numbers(training: str, check_job: Check) -> None:
    (stage,) = check_job(training.replace('"9sec"', "TODO").replace('"5B"', "TODO")).stages
    assert {symbol: stage.dims[symbol] for symbol in ("F", "S", "T", "L", "n", "D", "A", "X")} == dict.fromkeys(
        ("F", "S", "T", "L", "n", "D", "A", "X")
    )
    assert stage.dims["b"] == 64


@pytest.mark.parametrize(
    ("section", "lines"),
    [
        ("[training]", "global_batch_size = {}\n[parallelism]\ndp_sharding = 64"),
        ("[training]", "global_batch_size = 64\n[parallelism]\ndp_sharding = 64\ndp_replicate = {}"),
        ("[model]", "mini_batch_size = {}\n[parallelism]\ndp_sharding = 8"),
        ("[parallelism]", "tp_sharding = {}\n[remat]\nshard_transformer_inputs = true"),
        ("[optimizer]", "lr = {}\nlr_end = 5e-4"),
    ],
)
@pytest.mark.parametrize(("value", "code"), [("TODO", "TTD001"), ('"x"', "TTD003")])
def test_nothing_rests_on_a_default_that_is_not_meant(
    training: str, check_job: Check, section: str, lines: str, value: str, code: str
) -> None:
    """A key that is stated has no default, even where what it is cannot be told."""
    text = f"{training}\n{section}\n" if section not in training else training
    file = check_job(
        text.replace(f"{section}\n", f"{section}\n{lines.format(value)}\n", 1)
        if "[" not in lines
        else _with(text, section, lines.format(value))
    )
    assert [finding.code for finding in file.findings if finding.severity != "info"] == [code]


def _with(text: str, section: str, lines: str) -> str:
    """The lines after the section's header, and the sections among them at the end."""
    own, bracket, rest = lines.partition("[")
    return text.replace(f"{section}\n", f"{section}\n{own}", 1) + f"\n{bracket}{rest}\n"


@pytest.mark.parametrize(("value", "code"), [("TODO", "TTD001"), ('"502"', "TTD003"), ("0", "TTD003")])
def test_where_a_sampling_job_says_no_length_those_that_work_are_told(
    sampling: str, check_job: Check, value: str, code: str
) -> None:
    file = check_job(sampling.replace("502", value))
    told, wrong = file.findings if file.findings[0].code == "TTD811" else file.findings[::-1]
    assert (told.code, wrong.code) == ("TTD811", code)
    assert told.message == "the job does not say how many tokens each of its 3 text segments has: T = 54 (mod 64) works"
    assert told.help == "write eval.txt_maxlen = 374, 438 or 502; the text encoder takes up to 512"
    assert told.span is not None
    assert told.span.line == 18


def test_a_sampling_jobs_frames_say_its_length_where_a_todo_does_not(sampling: str, check_job: Check) -> None:
    file = check_job(sampling.replace('"9sec"', "TODO").replace("502", "493"))
    assert sorted(codes(file)) == ["TTD001", "TTD201"]


def test_many_unknown_names_are_not_all_told(training: str, check_job: Check) -> None:
    file = check_job("\n".join(f"[x{number}]\na = 1" for number in range(500)) + "\n" + training)
    assert len(file.findings) < 60
