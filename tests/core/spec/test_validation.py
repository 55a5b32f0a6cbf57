"""What is wrong with values is said in plain words, once for each mistake, where it stands."""

from __future__ import annotations

from textwrap import dedent
from typing import Any, ClassVar, Literal

import pytest
from attrs import evolve
from pydantic import Field, field_validator, model_validator

from tttdit.core.findings import Edit, Finding, Fix, Span
from tttdit.core.spec.document import Document
from tttdit.core.spec.run_tables import HardwareTable
from tttdit.core.spec.sets import Set
from tttdit.core.spec.stages import StageSpec, stages
from tttdit.core.spec.tables import BASE_TABLES, Count, PluginTable, Table, TextTable, TrainingTable, VideoTable
from tttdit.core.spec.validation import MOST_UNKNOWN, either_or, once, plugin_name, unknown_tables, validate


class GateTable(Table):
    start: float = Field(description="Where the gate starts.")
    sizes: tuple[int, ...] = Field(description="Sizes.")


class WindowTable(PluginTable):
    presets: ClassVar[dict[str, dict[str, object]]] = {"small": {"window": 64}, "large": {"window": 512}}

    window: Count = Field(description="Tokens to either side.")
    even: Count = Field(default=2, description="An even number.")
    mode: Literal["mean", "sum"] = Field(default="mean", description="What is done.")
    gate: GateTable | None = Field(default=None, description="A gate.")
    causal: bool = Field(default=False, description="Whether it looks ahead.")
    name: str = Field(default="x", description="A name.")

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("Expected an even number")
        return value

    @model_validator(mode="after")
    def _fits(self) -> WindowTable:
        if self.window == 13:
            raise ValueError("13 goes with nothing")
        return self


class PlainTable(PluginTable):
    width: Count = Field(default=1, description="A width.")


def stage_of(text: str, *sets: str) -> StageSpec:
    document = Document.parse(dedent(text))
    assert document.findings == ()
    return stages(document, [Set.parse(one) for one in sets]).stages[0]


def found(table: type[Table], text: str, key: str, *sets: str) -> list[Finding]:
    stage = stage_of(text, *sets)
    values: Any = stage.values
    for part in key.split("."):
        values = values.get(part) if values else None
    instance, findings = validate(table, values, key, stage)
    assert (instance is None) == bool(findings)
    return findings


def said(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.code, finding.message, finding.help) for finding in findings]


TEXT = "[text]\nsegments = 3\ntokens_per_segment = 502\nwidth = 4096\n"


def test_right_values_make_the_table() -> None:
    table, findings = validate(TextTable, {"segments": 3, "tokens_per_segment": "auto", "width": 8}, "text")
    assert findings == []
    assert table == TextTable(segments=3, tokens_per_segment="auto", width=8)


@pytest.mark.parametrize(
    ("line", "message", "help"),
    [
        ('segments = "three"', 'text.segments is "three", expected a whole number or "auto"', ""),
        ('segments = "Auto"', 'text.segments is "Auto", expected a whole number or "auto"', 'Did you mean "auto"?'),
        ('segments = "3"', 'text.segments is "3", expected a whole number or "auto"', "Write 3, without quotes."),
        ("segments = 3.5", 'text.segments is 3.5, expected a whole number or "auto"', ""),
        ("segments = true", 'text.segments is true, expected a whole number or "auto"', ""),
        ("segments = 0", "text.segments is 0, expected at least 1", ""),
        ("segments = 100001", "text.segments is 100001, expected at most 100,000", ""),
        ("segments = [3]", 'text.segments is [3], expected a whole number or "auto"', ""),
        ("segments = {a = 1}", 'text.segments is a table, expected a whole number or "auto"', ""),
        ("segments = 2024-02-29", 'text.segments is 2024-02-29, expected a whole number or "auto"', ""),
        ("encoder = 5", "text.encoder is 5, expected text", 'Write "5", in quotes.'),
        ('encoder = ""', 'text.encoder is "", expected text that is not empty', ""),
        ("max_tokens = 1e3", "text.max_tokens is 1000.0, expected a whole number", "Write 1000."),
    ],
)
def test_invalid_values_of_text(line: str, message: str, help: str) -> None:
    key = line.partition(" ")[0]
    kept = [other for other in TEXT.splitlines() if not other.startswith(f"{key} ")]
    (finding,) = found(TextTable, "\n".join([*kept, line]), "text")
    assert (finding.code, finding.name, finding.message, finding.help) == ("TTD003", "invalid-value", message, help)
    assert finding.key == f"text.{key}"
    assert finding.span == Span(len(kept) + 1, len(key) + 4, len(kept) + 1, len(line) + 1)


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        ("training", "text_dropout = 2", "training.text_dropout is 2, expected at most 1"),
        ("training", "gradient_clipping_norm = 0", "training.gradient_clipping_norm is 0, expected more than 0"),
        ("optimizer", "lr = true", "optimizer.lr is true, expected a number"),
        ("optimizer", "eps = nan", "optimizer.eps is nan, expected a finite number"),
        ("optimizer", "eps = 1e999", "optimizer.eps is inf, expected a finite number"),
        ("optimizer", "betas = [0.9]", "optimizer.betas is [0.9], expected 2 items, not 1"),
        ("optimizer", "betas = [0.9, 0.9, 0.9]", "optimizer.betas is [0.9, 0.9, 0.9], expected at most 2 items, not 3"),
        ("optimizer", "betas = 0.9", "optimizer.betas is 0.9, expected an array"),
        ("optimizer", 'betas = [0.9, "x"]', 'optimizer.betas[1] is "x", expected a number'),
        ("optimizer", "betas = [0.9, 1]", "optimizer.betas[1] is 1, expected less than 1"),
        ("optimizer", 'schedule = "cosin"', 'optimizer.schedule is "cosin", expected "linear" or "cosine"'),
        (
            "parallelism",
            "reduce_dtype = 16",
            'parallelism.reduce_dtype is 16, expected "float32", "bfloat16" or "float16"',
        ),
        (
            "checkpoint",
            f'folder = "{"x" * 5000}"',
            f'checkpoint.folder is "{"x" * 55} ..., expected at most 4,096 characters',
        ),
    ],
)
def test_invalid_values_of_other_tables(table: str, line: str, message: str) -> None:
    (finding,) = found(BASE_TABLES[table], f"[{table}]\n{line}\n", table)
    assert (finding.code, finding.message) == ("TTD003", message)
    assert finding.span is not None
    assert finding.span.line == 2


def test_fixes() -> None:
    text = TEXT + "max_tokens = 1e3\n"
    (finding,) = found(TextTable, text, "text")
    assert finding.fix == Fix("safe", (Edit("text.max_tokens", 1000),))
    (finding,) = found(TextTable, text.replace("1e3", '"1000"'), "text")
    assert finding.fix == Fix("safe", (Edit("text.max_tokens", 1000),))
    (finding,) = found(BASE_TABLES["optimizer"], "[optimizer]\nschedule = 'cosin'", "optimizer")
    assert finding.fix == Fix("shown", (Edit("optimizer.schedule", "cosine"),))


# -- unknown and missing keys


@pytest.mark.parametrize(
    ("key", "message", "help"),
    [
        ("secnds", "video.secnds is not a key of [video]; did you mean seconds?", ""),
        ("Pixel-Frames", "video.Pixel-Frames is not a key of [video]; did you mean pixel_frames?", ""),
        ("segments", "video.segments is not a key of [video]", "segments is a key of [text]."),
        ("xyz", "video.xyz is not a key of [video]", "Its keys are seconds, pixel_frames, fps, height, width."),
        ('"a.b"', 'video."a.b" is not a key of [video]', None),
    ],
)
def test_unknown_keys(key: str, message: str, help: str | None) -> None:
    (finding,) = found(VideoTable, f"[video]\nfps = 16\nheight = 480\nwidth = 720\n{key} = 9\n", "video")
    assert (finding.code, finding.name, finding.message) == ("TTD002", "unknown-key", message)
    assert help is None or finding.help == help
    assert finding.span == Span(5, 1, 5, len(key) + 1)


def test_missing_keys_point_at_the_table() -> None:
    findings = found(VideoTable, "\n[video]\nseconds = 9\nwidth = 720\n", "video")
    assert said(findings) == [
        ("TTD004", "video.fps is missing", "Write fps = 16 under [video]."),
        ("TTD004", "video.height is missing", "Write height = 480 under [video]."),
    ]
    assert {finding.span for finding in findings} == {Span(2, 1, 2, 8)}


def test_a_misspelt_key_is_not_missing_as_well() -> None:
    findings = found(VideoTable, "[video]\nseconds = 9\nfsp = 16\nheigth = 480\nwidth = 720\n", "video")
    assert [finding.message for finding in findings] == [
        "video.fsp is not a key of [video]; did you mean fps?",
        "video.heigth is not a key of [video]; did you mean height?",
    ]


def test_missing_tables() -> None:
    (finding,) = found(VideoTable, "", "video")
    assert (finding.code, finding.message) == ("TTD004", "the spec has no [video] table")
    assert finding.help == "Write a table:\n[video]\nseconds = 9\nfps = 16\nheight = 480\nwidth = 720"
    assert finding.span == Span(1, 1, 1, 1)
    assert validate(TrainingTable, None, "training") == (TrainingTable(), [])


def test_what_is_no_table() -> None:
    (finding,) = found(VideoTable, "video = 9", "video")
    assert said([finding]) == [
        ("TTD003", "video is 9, expected a table", "Begin it with [video] on a line of its own.")
    ]
    assert finding.span == Span(1, 9, 1, 10)


def test_thousands_of_unknown_keys_are_not_all_reported() -> None:
    values = {f"q{index}": 1 for index in range(5000)}
    _, findings = validate(TrainingTable, values, "training")
    assert len(findings) == MOST_UNKNOWN


def test_what_was_set_on_the_command_line_says_so() -> None:
    (finding,) = found(TrainingTable, "[training]\nsteps = 3", "training", "training.steps=many")
    assert finding.message == 'training.steps is "many", expected a whole number (by --set training.steps=many)'
    assert finding.span is None
    (finding,) = found(TrainingTable, "", "training", "training.stepps=1")
    assert (
        finding.message
        == "training.stepps is not a key of [training]; did you mean steps? (by --set training.stepps=1)"
    )


# -- plugins' tables, at any key


def window(lines: str) -> list[Finding]:
    return found(WindowTable, f'[model.mixer]\nplugin = "window"\n{lines}\n', "model.mixer")


@pytest.mark.parametrize(
    ("lines", "message", "help"),
    [
        (
            "",
            "model.mixer.window is missing",
            'Write window = 64 under [model.mixer], or choose a preset that has it: "small" or "large".',
        ),
        ("window = 1\nwindov = 2", "model.mixer.windov is not a key of [model.mixer]; did you mean window?", ""),
        ("window = 1\nmode = 'men'", 'model.mixer.mode is "men", expected "mean" or "sum"', 'Did you mean "mean"?'),
        ("window = 1\neven = 3", "model.mixer.even is 3, expected an even number", ""),
        ("window = 13", "[model.mixer]: 13 goes with nothing", ""),
        (
            "window = 1\ncausal = 'True'",
            'model.mixer.causal is "True", expected true or false',
            "Write true, without quotes.",
        ),
        ("window = 1\ngate = 3", "model.mixer.gate is 3, expected a table", ""),
        (
            "window = 1\ngate = {start = 1}",
            "model.mixer.gate.sizes is missing",
            "Write sizes = [16] under [model.mixer.gate].",
        ),
        (
            "window = 1\n[model.mixer.gate]\nstart = 1\nsizes = [1, 2.0]",
            "model.mixer.gate.sizes[1] is 2.0, expected a whole number",
            "Write 2.",
        ),
        (
            "window = 1\ngate = {start = 1, sizes = [], stat = 1}",
            "model.mixer.gate.stat is not a key of [model.mixer.gate]; did you mean start?",
            "",
        ),
        ('preset = "smal"', 'model.mixer.preset is "smal", expected "small" or "large"', 'Did you mean "small"?'),
        ("preset = 5", "model.mixer.preset is 5, expected text", None),
    ],
)
def test_plugins_tables(lines: str, message: str, help: str | None) -> None:
    (finding,) = window(lines)
    assert finding.message == message
    assert help is None or finding.help == help
    assert finding.span is not None


def test_a_preset_makes_keys_unnecessary() -> None:
    assert window('preset = "small"') == []


def test_a_table_without_presets_has_no_such_key() -> None:
    (finding,) = found(PlainTable, '[codec]\nplugin = "plain"\npreset = "x"\n', "codec")
    assert said([finding]) == [("TTD002", "codec.preset is not a key of [codec]", "Its keys are plugin, width.")]


# -- what goes beyond one table


def test_unknown_tables() -> None:
    stage = stage_of("[vidio]\nfps = 1\n[job]\nname = 1\n", "lr=1")
    known = ["video", "text", "model"]
    findings = unknown_tables(stage.values, known, stage)
    assert said(findings) == [
        ("TTD002", "[vidio] is not a table of a spec; did you mean [video]?", ""),
        (
            "TTD002",
            "[job] is not a table of a spec",
            "A spec's tables are video, text, model; stages begin with [[stage]].",
        ),
        ("TTD002", "lr is not a key of a spec", "lr is a key of [optimizer]."),
    ]
    assert [finding.span for finding in findings] == [Span(1, 2, 1, 7), Span(3, 2, 3, 5), None]


def test_either_or() -> None:
    stage = stage_of("[video]\nseconds = 9\nfps = 16\npixel_frames = 145\n[hardware]\nnodes = 1\n")
    (finding,) = either_or(stage.values, stage)
    assert (finding.code, finding.name) == ("TTD006", "either-or")
    assert said([finding])[0][1:] == (
        "video.seconds and video.pixel_frames say the same thing in two ways",
        "Keep one of the two.",
    )
    assert (finding.key, finding.span) == ("video.pixel_frames", Span(4, 1, 4, 19))
    (related,) = finding.related
    assert (related.message, related.key, related.span) == (
        "the other one stands here",
        "video.seconds",
        Span(2, 1, 2, 12),
    )


def test_neither_nor() -> None:
    stage = stage_of("[video]\nfps = 16\n")
    (finding,) = either_or(stage.values, stage)
    assert said([finding]) == [
        ("TTD006", "video.seconds or video.pixel_frames is missing", "Write one of the two: seconds = 9")
    ]
    assert finding.span == Span(1, 1, 1, 8)
    assert either_or({"video": {"secnds": 9}}) == [], "said by the unknown key"
    assert either_or({"hardware": {}}) == [], "both may be left out"
    assert either_or({"video": 9}) == [], "said by the table"


@pytest.mark.parametrize(
    ("text", "default", "name", "message", "help"),
    [
        ('[codec]\nplugin = "x"', None, "x", None, None),
        ("[codec]\nspace = 8", "vae", "vae", None, None),
        ("", "vae", "vae", None, None),
        ("", None, None, "the spec has no [codec] table", 'Write a table:\n[codec]\nplugin = "..."'),
        ("[codec]\nspace = 8", None, None, "codec.plugin is missing", 'Write plugin = "..." under [codec].'),
        ("[codec]\nplugin = 8", None, None, "codec.plugin is 8, expected text", ""),
        ("codec = 8", None, None, "codec is 8, expected a table", "Begin it with [codec] on a line of its own."),
    ],
)
def test_plugin_name(text: str, default: str | None, name: str | None, message: str | None, help: str | None) -> None:
    stage = stage_of(text)
    found_name, findings = plugin_name(stage.values, "codec", default, stage)
    assert found_name == name
    assert [(finding.message, finding.help) for finding in findings] == ([] if message is None else [(message, help)])
    assert all(finding.span for finding in findings)


def test_a_plugin_in_what_is_no_table_is_left_to_whoever_reads_that() -> None:
    assert plugin_name({"model": 3}, "model.mixer") == (None, [])


def test_a_mistake_that_stages_inherit_is_said_once() -> None:
    document = Document.parse(
        dedent("""\
        [training]
        steps = "many"
        [[stage]]
        name = "a"
        [[stage]]
        name = "b"
        training.warmup_steps = true
        """)
    )
    findings = [
        evolve(finding, stage=stage.name)
        for stage in stages(document).stages
        for finding in validate(TrainingTable, stage.values["training"], "training", stage)[1]
    ]
    assert len(findings) == 3
    assert [(finding.key, finding.stage) for finding in once(findings)] == [
        ("training.steps", None),
        ("training.warmup_steps", "b"),
    ]


def test_of_names_that_are_equally_near_the_first_one() -> None:
    (finding,) = found(HardwareTable, '[hardware]\ngpu = "H100"\n', "hardware")
    assert finding.help == 'Did you mean "H100-80GB"?'
