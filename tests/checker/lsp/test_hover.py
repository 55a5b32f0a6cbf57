"""What an editor shows of the key, table or name under the cursor."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from editor import Editor, start
from job_files import SAMPLING

ROOT = Path(__file__).parents[3]
NINE_SECONDS = (ROOT / "examples" / "nine-seconds.toml").read_text("utf-8")
CURRICULUM = (ROOT / "examples" / "curriculum.toml").read_text("utf-8")


def hovered(editor: Editor, text: str, words: str, behind: str = "") -> str:
    """The Markdown for the place right behind the first part of the words; "" for nothing."""
    at = start(text, words)
    where = {"line": at["line"], "character": at["character"] + len(behind)}
    found = editor.ask("textDocument/hover", {"textDocument": {"uri": "file:///specs/spec.toml"}, "position": where})
    if found is None:
        return ""
    assert found["contents"]["kind"] == "markdown"
    assert found["range"]["start"]["line"] == where["line"]
    return str(found["contents"]["value"])


def test_a_key_tells_its_meaning_and_every_formula_that_it_enters(editor: Editor) -> None:
    editor.open(NINE_SECONDS)
    said = hovered(editor, NINE_SECONDS, "seconds = 9")
    assert said.startswith(
        "**`video.seconds`**: number more than 0 and at most 100,000\n\nLength of a video in seconds;"
    )
    for line in (
        "N = fps*seconds + 1 = 16*9 + 1 = 145 ",
        "F = (N + 3)/4 = (145 + 3)/4 = 37 ",
        "V = F*h*w = 37*30*45 = 49,950 ",
        "L = S*T + V = 3*502 + 49,950 = 51,456 ",
    ):
        assert f"\n{line}" in said
    assert "- `L divisible by b = 64` holds" in said


def test_what_has_a_default_says_so(editor: Editor) -> None:
    editor.open(NINE_SECONDS)
    said = hovered(editor, NINE_SECONDS, "warmup_steps")
    assert said.startswith(
        "**`training.warmup_steps`**: whole number from 0 to 100,000; default `50`\n\nOptimizer steps over"
    )


def test_auto_tells_what_it_was_solved_to_and_why(editor: Editor) -> None:
    editor.open(NINE_SECONDS)
    said = hovered(editor, NINE_SECONDS, 'tokens_per_segment = "auto"', behind='tokens_per_segment = "')
    assert '`"auto"` is **502**: the largest up to text.max_tokens = 512 with L divisible by b = 64' in said
    assert "Values that keep them: 374, 438, 502; T = 54 (mod 64)." in said


def test_a_broken_law_is_called_broken(editor: Editor) -> None:
    text = NINE_SECONDS.replace('tokens_per_segment = "auto"', "tokens_per_segment = 500")
    editor.open(text)
    assert "- `L divisible by b = 64` is broken" in hovered(editor, text, "tokens_per_segment = 500")


def test_a_key_that_no_value_saves_says_why(editor: Editor) -> None:
    text = NINE_SECONDS.replace("segments = 3 ", "segments = 2 ").replace('= "auto"', "= 500")
    editor.open(text)
    said = hovered(editor, text, "segments = 2")
    assert "No value keeps them: " in said
    assert "- `12*S + 1 = F = 37` is broken" in said


def test_a_table_tells_its_keys_and_where_their_values_come_from(editor: Editor) -> None:
    editor.open(NINE_SECONDS)
    said = hovered(editor, NINE_SECONDS, "[model]")
    assert "`ttt-dit`, a model of tttdit " in said
    assert "| `width` | `3072` | preset `5B` |" in said
    assert '| `adapter` | `"qkvo"` | the file |' in said
    assert "| `attention_frames` | `12` | default |" in said


def test_a_region_of_the_memory_tells_what_lies_in_it(editor: Editor) -> None:
    editor.open(NINE_SECONDS)
    said = hovered(editor, NINE_SECONDS, "scan_checkpoint_group_size")
    assert "Mini-batches of the TTT scan whose steps are kept at once in backward" in said


def test_the_memory_tells_what_a_step_needs_and_of_what_it_consists(editor: Editor) -> None:
    editor.open(NINE_SECONDS)
    said = hovered(editor, NINE_SECONDS, "[memory]")
    needs = r"\n\nWhat one rank needs for a training step \(predicted\): \*\*fits, [\d.]+ GiB to spare\*\*\. It is highest in `backward of "
    assert re.search(needs, said)
    figures = dict(re.findall(r"(?m)^\| (\w+) \| ([\d.]+) GiB \|$", said))
    *parts, total, reserved, outside, gpu = figures.values()
    assert [*figures][-4:] == ["total", "reserved", "outside", "GPU"]
    assert {"parameters", "optimizer", "activations", "other"} < {*figures}
    assert sum(map(float, parts)) == pytest.approx(float(total), abs=0.01 * len(parts))
    assert float(total) < float(reserved) < float(reserved) + float(outside) < float(gpu)


def test_a_key_of_the_memory_tells_what_the_same_step_needs_in_short(editor: Editor) -> None:
    editor.open(NINE_SECONDS)
    whole, said = (hovered(editor, NINE_SECONDS, words) for words in ("[memory]", "scan_checkpoint_group_size"))
    title = "What one rank needs for a training step (predicted): **fits, "
    verdict = whole[whole.index(title) :].split("\n\n")[0]
    rows = re.findall(r"(?m)^\| (\w+) \| .* GiB \|$", said)
    assert said.split("\n\n")[-2] == verdict
    assert rows == ["total", "reserved", "outside", "GPU"]
    assert title not in hovered(editor, NINE_SECONDS, "[training]")


def test_the_memory_of_a_curriculum_tells_of_every_stage(editor: Editor) -> None:
    editor.open(CURRICULUM)
    said = hovered(editor, CURRICULUM, "[memory]")
    assert "| stage | total | reserved | outside | GPU | verdict | highest in |\n" in said
    for stage in ("3s", "9s", "18s", "30s", "63s"):
        verdict = r"[^|]+ \| [^|]+ \| [^|]+ \| 79\.11 GiB \| fits, [\d.]+ GiB to spare \| `backward of "
        assert re.search(rf"\| `{stage}` \| {verdict}", said)
    of_a_stage = hovered(editor, CURRICULUM, "memory.attention = true", behind="memory.")
    assert "What one rank needs for a training step (predicted): **fits, " in of_a_stage


def test_the_memory_of_a_stage_with_errors_is_not_told(editor: Editor) -> None:
    for text in (
        NINE_SECONDS.replace('tokens_per_segment = "auto"', "tokens_per_segment = 500"),
        NINE_SECONDS.replace("[memory]", "[memory]\nattention = 3"),
    ):
        editor.open(text)
        said = hovered(editor, text, "[memory]")
        assert said.endswith("What one rank needs for a training step is not predicted: the stage has errors.")
        editor.close()
        editor.diagnostics(version=None)


def test_a_plugins_name_tells_what_it_is_and_what_else_there_is(editor: Editor) -> None:
    editor.open(NINE_SECONDS)
    said = hovered(editor, NINE_SECONDS, '"ttt-mlp"')
    assert "`ttt-mlp`, a mixer of tttdit " in said
    assert '"ttt-linear"' in said
    assert "`t5`, a text encoder of tttdit " in hovered(editor, NINE_SECONDS, '"t5"')


def test_a_preset_tells_what_it_sets(editor: Editor) -> None:
    editor.open(NINE_SECONDS)
    said = hovered(editor, NINE_SECONDS, "preset = ")
    assert said.startswith('**`model.preset`**: "5B" or "debug"')
    assert "| `heads` | `48` |" in said


def test_a_key_of_a_stage_speaks_of_that_stage(editor: Editor) -> None:
    editor.open(CURRICULUM)
    said = hovered(editor, CURRICULUM, "video.seconds = 9", behind="video.")
    assert "In the stage `9s`; the base says `3`." in said
    assert "\nN = fps*seconds + 1 = 16*9 + 1 = 145 " in said


def test_a_key_that_stages_inherit_speaks_of_those_that_do(editor: Editor) -> None:
    editor.open(CURRICULUM)
    said = hovered(editor, CURRICULUM, "seconds = 3")
    assert "Inherited by the stage `3s`." in said
    said = hovered(editor, CURRICULUM, "fps = 16")
    assert "Inherited by 5 stages: `3s`, `9s`, `18s`, `30s`, `63s`." in said
    assert "| `18s` | 16 | 289 | 73 |" in said


def test_a_value_that_no_stage_takes_says_so(editor: Editor) -> None:
    text = CURRICULUM.replace('name = "3s"', 'name = "3s"\nvideo.seconds = 3')
    editor.open(text)
    assert "No stage uses this value: each has its own." in hovered(editor, text, "seconds = 3\nfps")


def test_a_stage_and_a_name_tell_what_they_are_for(editor: Editor) -> None:
    editor.open(CURRICULUM)
    assert "inherits every table" in hovered(editor, CURRICULUM, "[[stage]]")
    assert hovered(editor, CURRICULUM, 'name = "3s"') == "What reports and folders call it."


def test_nothing_is_said_of_comments_unknown_keys_and_unreadable_texts(editor: Editor) -> None:
    text = NINE_SECONDS.replace("[video]", "[video]\nunheard_of = 1")
    editor.open(text)
    assert hovered(editor, text, "# 502") == ""
    assert hovered(editor, text, "unheard_of") == ""
    editor.change(text.replace("fps = 16", "fps = "), version=2)
    assert hovered(editor, text, "seconds = 9") == ""


def test_what_a_hover_tells_follows_the_text_at_once(editor: Editor) -> None:
    editor.open(NINE_SECONDS)
    text = NINE_SECONDS.replace("seconds = 9 ", "seconds = 12")
    editor.change(text, version=2)
    assert "= 16*12 + 1 = 193" in hovered(editor, text, "seconds = 12")


def test_text_from_a_spec_stays_text(editor: Editor) -> None:
    text = NINE_SECONDS.replace('manifest = "nine-seconds.jsonl"', 'manifest = "`|](https://x) \\u001b[31m\\u202e"')
    editor.open(text)
    said = hovered(editor, text, "[data]")
    assert '| `manifest` | `` "`&#124;](https://x) \\u001b[31m\\u202e" `` | the file |' in said


@pytest.mark.parametrize(
    ("key", "said", "spec"),
    [
        ("size", '**`model.size`**: "5B" or "debug"\n\n5B: width 3,072', '`model.preset = "5B"`'),
        ("ssm_layer", '**`model.ssm_layer`**: "ttt_mlp" or "ttt_linear"', '`model.mixer.plugin = "ttt-mlp"`'),
        ("video_length", '**`model.video_length`**: "3sec", "9sec"', "`video.seconds = 9`"),
        (
            "txt_maxlen",
            "**`eval.txt_maxlen`**: whole number at least 1; default `498`",
            "`text.tokens_per_segment = 502`",
        ),
        ("output_dir", "**`eval.output_dir`**: text\n\nFolder for the videos.", None),
        ("exp_name", '**`job.exp_name`**: text; default `"default job"`\n\nName of the run.', None),
    ],
)
def test_a_key_of_a_job_means_what_it_means_there(
    start_editor: Callable[..., Editor], key: str, said: str, spec: str | None
) -> None:
    editor = start_editor()
    editor.open(SAMPLING)
    hover = hovered(editor, SAMPLING, key)
    assert hover.startswith(said)
    if spec is None:
        assert "In a spec" not in hover
    else:
        assert f"\n\nIn a spec: {spec}." in hover


def test_a_section_of_a_job_and_a_key_that_is_not_known_yet(start_editor: Callable[..., Editor]) -> None:
    text = SAMPLING.replace('"9sec"', "TODO").replace("sampling_num_frames = 37\n", "")
    editor = start_editor()
    editor.open(text)
    assert hovered(editor, text, "model") == "`[model]`: the transformer, and how long its videos are."
    said = hovered(editor, text, "video_length")
    assert said.partition("In a spec: ")[2].startswith("`video.seconds`.")
    assert "seconds = 3" not in said


def test_a_file_that_an_importer_knows_has_its_own_words(start_editor: Callable[..., Editor], tmp_path: Path) -> None:
    plugin = tmp_path / "their_clips.py"
    plugin.write_text(
        """
from tttdit import hookimpl
from tttdit.core.plugin.importing import Imported
from tttdit.core.plugin.kinds import Importer


def read(document):
    return Imported(
        name="clip",
        values={"video": {"seconds": document.values["clip"]["length"]}},
        origins={("video",): ("clip",), ("video", "seconds"): ("clip", "length")},
        words={"video.seconds": "clip.length", "video": "clip"},
    )


@hookimpl
def tttdit_importers():
    recognises = lambda path, text: text.startswith("[clip]")
    return [Importer(name="clips", summary="Clips.", recognises=recognises, reader="their_clips:read")]
""",
        encoding="utf-8",
    )
    editor = start_editor("--allow-plugin", str(plugin))
    text = "[clip]\nlength = 9\ncolour = 'red'\n"
    editor.open(text)
    assert editor.diagnostics() != []
    said = hovered(editor, text, "length")
    assert said.startswith("**`clip.length`**, in a spec `video.seconds`: number more than 0")
    assert hovered(editor, text, "colour") == ""
