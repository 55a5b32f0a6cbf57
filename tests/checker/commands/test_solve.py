"""`tttdit solve`: what it says, for people and for programs, and what it ends with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tttdit.checker import cli

Make = Callable[..., str]
Call = Callable[..., tuple[int, str, str]]

BROKEN = Path(__file__).parents[3] / "examples" / "broken"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Exit code, standard output and standard error of `tttdit solve` with these arguments."""

    def called(*arguments: str) -> tuple[int, str, str]:
        code = cli.outcome(cli.tttdit_command, "tttdit", ["solve", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return called


@pytest.fixture
def answer(call: Call) -> Callable[..., dict[str, Any]]:
    """The only answer in the JSON of `tttdit solve` with these arguments."""

    def called(*arguments: str) -> dict[str, Any]:
        (only,) = json.loads(call(*arguments, "--output-format", "json")[1])["answers"]
        assert isinstance(only, dict)
        return only

    return called


def test_the_law_the_class_and_the_values_around_the_present_one(call: Call, make_spec: Make) -> None:
    assert call(make_spec(), "text.tokens_per_segment") == (
        0,
        "spec.toml, stage nine: text.tokens_per_segment = 502\n"
        "  law: L divisible by b = 64 (TTD201)\n"
        "       L = S*T + V = 3*T + 49,950\n"
        "  at most 10,000,000\n"
        "  values: T = 54 (mod 64): ... 374, 438, 502 (the spec's), 566, 630 ...\n",
        "",
    )


def test_a_wrong_value_does_not_count_but_is_told(call: Call, make_spec: Make) -> None:
    code, out, _ = call(make_spec("tokens_per_segment = 493"), "text.tokens_per_segment")
    assert code == 0
    assert out.splitlines()[-1] == ("  values: T = 54 (mod 64): ... 374, 438, 502, 566, 630 ...; 493 is none of them")


@pytest.mark.parametrize("wrong", ['"many"', "0", "TODO", "1.5"])
def test_nothing_that_stands_in_the_key_s_place_stands_in_the_way(wrong: str, call: Call, make_spec: Make) -> None:
    code, out, err = call(make_spec(f"tokens_per_segment = {wrong}"), "text.tokens_per_segment", "--near", "500")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "spec.toml, stage nine: text.tokens_per_segment"
    assert "T = 54 (mod 64): ... 374, 438, 502, 566, 630 ..." in out


def test_auto_is_at_its_limits(call: Call, make_spec: Make) -> None:
    """The most that `max_tokens` lets it be, and what the encoder takes."""
    path = make_spec('tokens_per_segment = "auto"\nencoder = "t5"\nmax_tokens = 1000')
    code, out, _ = call(path, "text.tokens_per_segment")
    assert code == 0
    assert out.startswith('spec.toml, stage nine: text.tokens_per_segment = "auto"\n')
    assert "  law: T at most 512 (TTD2" in out
    assert "  at most 512\n" in out
    assert out.endswith("  values: T = 54 (mod 64): ... 246, 310, 374, 438, 502\n")
    _, out, _ = call(make_spec('tokens_per_segment = "auto"'), "text.tokens_per_segment")
    assert "  at most 512 (text.max_tokens)\n" in out


def test_seconds_may_be_fractions(call: Call, make_spec: Make) -> None:
    """At 32 frames a second 4.5 seconds are 145 frames, 37 latent ones."""
    code, out, _ = call(make_spec("fps = 32"), "video.seconds")
    assert code == 0
    assert "       F = (N + 3)/4 = 8*seconds + 1\n" in out
    assert out.endswith("  values: 4.5; 9 is none of them\n")


def test_what_is_auto_follows(call: Call, make_spec: Make) -> None:
    code, out, _ = call(make_spec('segments = "auto"', 'tokens_per_segment = "auto"'), "video.seconds")
    assert code == 0
    assert '  text.segments is "auto": it follows\n' in out
    assert '  text.tokens_per_segment is "auto": it follows, at most text.max_tokens = 512\n' in out
    # twelve seconds are four segments, and no multiple of 4 makes an odd multiple of 1,350 whole mini-batches
    assert out.endswith("  values: seconds = 3, 6, 9 (mod 12): 3, 6, 9 (the spec's), 15, 18 ...\n")


def test_the_height_repeats_with_a_period(call: Call, make_spec: Make) -> None:
    _, out, _ = call(make_spec(), "video.height")
    assert out.endswith("  values: pixel_height = 480 (mod 1,024): 480 (the spec's), 1504, 2528, 3552, 4576 ...\n")
    _, out, _ = call(make_spec('tokens_per_segment = "auto"'), "video.height", "--near", "720")
    assert "pixel_height = 0 (mod 16): ... 688, 704, 720, 736, 752 ...\n" in out


def test_the_mini_batch_divides(call: Call, make_spec: Make) -> None:
    code, out, _ = call(make_spec(), "model.mixer.mini_batch_size")
    assert code == 0
    assert "  law: L divisible by b (TTD201)\n       L = S*T + V = 51,456\n" in out
    assert out.endswith("  values: ... 32, 48, 64 (the spec's), 67, 96 ...\n")


def test_heads_and_ranks(call: Call, make_spec: Make) -> None:
    assert call(make_spec(), "model.heads")[1].endswith("  values: ... 16, 24, 32, 48 (the spec's), 64 ...\n")
    assert call(make_spec(), "parallelism.tp_sharding")[1].endswith("  values: 1 (the spec's), 2, 3, 4, 6 ...\n")


def test_a_key_that_another_gives(call: Call, make_spec: Make) -> None:
    _, out, _ = call(make_spec(), "video.pixel_frames")
    assert out.startswith("spec.toml, stage nine: video.pixel_frames = 145, which video.seconds gives\n")
    assert out.endswith("  values: 145 (the spec's)\n")
    _, out, _ = call(make_spec("seconds = 9\npixel_frames = 145"), "video.pixel_frames")
    assert out.endswith("  values: 145 (the spec's)\n")
    path = make_spec()
    Path(path).write_text(Path(path).read_text().replace("seconds = 9", "pixel_frames = 145"))
    _, out, _ = call(path, "video.seconds")
    assert out.startswith("spec.toml, stage nine: video.seconds = 9, which video.pixel_frames gives\n")


def test_a_proof_that_there_is_none_and_what_to_move(call: Call, make_spec: Make) -> None:
    """73 latent frames of one token each are odd, and six texts are even."""
    path = make_spec("seconds = 18", "segments = 6", "height = 16", "width = 16")
    assert call(path, "text.tokens_per_segment") == (
        1,
        "spec.toml, stage nine: text.tokens_per_segment = 502\n"
        "  law: L divisible by b = 64 (TTD201)\n"
        "       L = S*T + V = 6*T + 73\n"
        "  at most 10,000,000\n"
        "  no value: S*T = 6*T is even and V = 73 is odd, so L is odd, and b = 64 is even\n"
        "  help: write model.mixer.mini_batch_size = 65 (then text.tokens_per_segment is 497), "
        "or model.patch_size = 1 (then text.tokens_per_segment is 506), "
        "or video.height = 32 (then text.tokens_per_segment is 509)\n",
        "",
    )


def test_what_the_help_says_works(call: Call, make_spec: Make) -> None:
    lines = ("seconds = 18", "segments = 6", "height = 16", "width = 16")
    for key, value, tokens in (
        ("model.mixer.mini_batch_size", 65, 497),
        ("model.patch_size", 1, 506),
        ("video.height", 32, 509),
    ):
        sets = ("--set", f"{key}={value}", "--set", f"text.tokens_per_segment={tokens}")
        assert cli.outcome(cli.tttdit_command, "tttdit", ["check", make_spec(*lines), *sets]) == 0


def test_what_is_wrong_elsewhere_is_told(call: Call, make_spec: Make) -> None:
    code, out, err = call(make_spec("segments = 2"), "text.tokens_per_segment")
    assert (code, out) == (1, "")
    assert err.startswith("error[TTD202] frames-segments: ")
    code, out, err = call(make_spec('plugin = "ttt-det"'), "text.tokens_per_segment")
    assert (code, out) == (1, "")
    assert "error[TTD005] unknown-plugin: " in err


def test_a_mistake_that_has_no_part_in_it_does_not_stand_in_the_way(call: Call, make_spec: Make) -> None:
    code, out, err = call(make_spec(), "text.tokens_per_segment", "--set", "model.heads=47")
    assert (code, err) == (0, "")
    assert "T = 54 (mod 64)" in out


def test_a_key_that_no_law_reads(call: Call, make_spec: Make) -> None:
    assert call(make_spec(), "model.layers") == (
        0,
        "spec.toml, stage nine: model.layers = 42\n  any value: no law reads it\n",
        "",
    )


def test_a_key_that_laws_know_only_as_a_number_is_tried(call: Call, make_spec: Make) -> None:
    code, out, _ = call(make_spec(), "codec.time_compression")
    assert code == 0
    assert out.splitlines()[1] == "  no law has it as an unknown; 20 values from 1 to 20 were tried: 4 works"
    _, out, _ = call(make_spec(), "hardware.nodes", "--set", "hardware.gpus_per_node=8")
    assert out.splitlines()[1] == "  any value: no law reads it"


def test_all_stages_of_a_curriculum(call: Call, make_spec: Make) -> None:
    stages = '\n[[stage]]\nname = "3s"\nvideo.seconds = 3\ntext.segments = 1\n[[stage]]\nname = "9s"\n'
    path = make_spec(added=stages)
    code, out, _ = call(path, "text.tokens_per_segment")
    assert code == 0
    heads = [line for line in out.splitlines() if line.startswith("spec.toml")]
    assert heads == [f"spec.toml, stage {name}: text.tokens_per_segment = 502" for name in ("3s", "9s")]
    assert "T = 50 (mod 64): ... 370, 434, 498, 562, 626 ...; 502 is none of them" in out
    _, out, _ = call(path, "text.tokens_per_segment", "--stage", "9s")
    assert out.count("spec.toml, stage ") == 1
    code, _, err = call(path, "text.tokens_per_segment", "--stage", "12s")
    assert (code, err) == (2, 'tttdit: spec.toml has no stage "12s" (its stages: 3s, 9s)\n')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("text.token_per_segment",),
            "there is no key 'text.token_per_segment'; did you mean text.tokens_per_segment?",
        ),
        (("nonsense",), "there is no key 'nonsense'"),
        (("text.encoder",), "text.encoder takes no numbers, and numbers are what can be solved for"),
        (("memory.attention",), "memory.attention takes no numbers, and numbers are what can be solved for"),
        (("video.height", "--near", "tall"), "--near takes a number, not 'tall'"),
        (("video.height", "--set", "video"), "--set takes key=value, not 'video'"),
    ],
)
def test_a_wrong_command_is_2(arguments: tuple[str, ...], said: str, call: Call, make_spec: Make) -> None:
    assert call(make_spec(), *arguments) == (2, "", f"tttdit: {said}\n")


def test_a_file_that_cannot_be_read(call: Call, make_spec: Make) -> None:
    code, out, err = call("missing.toml", "video.height")
    assert (code, out, err) == (2, "", "tttdit: cannot read missing.toml: No such file or directory\n")
    code, out, err = call(make_spec(text="[video\n"), "video.height")
    assert (code, out) == (1, "")
    assert err.startswith("error[TTD001] toml-syntax: ")


def test_the_answer_for_programs(answer: Callable[..., dict[str, Any]], make_spec: Make) -> None:
    assert answer(make_spec(), "text.tokens_per_segment") == {
        "stage": "nine",
        "key": "text.tokens_per_segment",
        "symbol": "T",
        "solved": True,
        "present": 502,
        "given_by": None,
        "works": True,
        "laws": [
            {"text": "L divisible by b = 64", "code": "TTD201", "formulas": ["L = S*T + V = 3*T + 49,950"]},
        ],
        "classes": {"text": "T = 54 (mod 64)", "step": 64, "residues": [54]},
        "bounds": {"lowest": 1, "last": 10_000_000, "limit": None},
        "values": [374, 438, 502, 566, 630],
        "free": False,
        "tried": None,
        "follow": [],
        "why_none": "",
        "moves": [],
    }


def test_no_answer_for_programs(answer: Callable[..., dict[str, Any]], call: Call, make_spec: Make) -> None:
    odd = answer(make_spec("seconds = 18", "segments = 6", "height = 16", "width = 16"), "text.tokens_per_segment")
    assert (odd["works"], odd["values"], odd["classes"]) == (False, [], None)
    assert odd["why_none"] == "S*T = 6*T is even and V = 73 is odd, so L is odd, and b = 64 is even"
    assert odd["moves"][0] == {"key": "model.mixer.mini_batch_size", "value": 65, "then": 497}
    code, out, err = call(make_spec("segments = 2"), "text.tokens_per_segment", "--output-format", "json")
    said = json.loads(out)
    assert (code, err, said["version"], said["file"]) == (1, "", 1, "spec.toml")
    assert [finding["code"] for finding in said["findings"]] == ["TTD202"]
    assert (said["answers"][0]["solved"], said["answers"][0]["bounds"]) == (False, None)


def test_the_words_of_a_finding_are_the_same(make_spec: Make, capsys: pytest.CaptureFixture[str]) -> None:
    cli.outcome(cli.tttdit_command, "tttdit", ["check", make_spec("tokens_per_segment = 493")])
    assert "up to text.max_tokens = 512 every T = 54 (mod 64) works" in capsys.readouterr().out


@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.toml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("key", ["text.tokens_per_segment", "video.height", "model.heads"])
def test_whatever_is_wrong_there_is_an_answer_or_a_finding(path: Path, key: str, call: Call) -> None:
    code, out, err = call(str(path), key)
    assert code in (0, 1)
    assert any(word in out for word in (" values: ", " no value", " any value")) or "error[TTD" in err
    assert "should not have happened" not in err


def test_a_limit_that_is_too_low(call: Call, make_spec: Make) -> None:
    code, out, _ = call(make_spec('tokens_per_segment = "auto"\nmax_tokens = 40'), "text.tokens_per_segment")
    assert code == 1
    assert "  at most 40 (text.max_tokens)\n  no value: the smallest would be 54\n" in out


def test_what_has_no_structure_is_tried_near_by(call: Call, make_spec: Make) -> None:
    """A mini-batch that divides the sequence with some text or other: no more than the sequence has tokens, so not next to 90,000."""
    path = make_spec('tokens_per_segment = "auto"')
    code, out, _ = call(path, "model.mixer.mini_batch_size", "--near", "90000")
    assert code == 1
    assert out.endswith("  no value next to it: 2,000 on either side were tried\n")
    assert call(path, "model.mixer.mini_batch_size")[1].endswith("  values: ... 62, 63, 64 (the spec's), 65, 66 ...\n")
