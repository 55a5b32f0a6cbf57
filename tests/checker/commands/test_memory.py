"""`tttdit memory`: every setting with what it needs, for people, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_specs import TWO_LAYERS

from tttdit.checker import cli

Call = Callable[..., tuple[int, str, str]]
LAYERS = "transformer_checkpoint_layer_group_size"

SPEC = TWO_LAYERS + "\n[hardware]\ngpu_memory_gib = 0.585\n"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Exit code, standard output and standard error of `tttdit memory` for a spec in the current folder."""
    monkeypatch.chdir(tmp_path)

    def called(*arguments: str, spec: str = SPEC) -> tuple[int, str, str]:
        Path("spec.toml").write_text(spec, encoding="utf-8")
        code = cli.outcome(cli.tttdit_command, "tttdit", ["memory", "spec.toml", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return called


@pytest.fixture
def stage(call: Call) -> Callable[..., dict[str, Any]]:
    """The only stage in the JSON."""

    def called(*arguments: str, spec: str = SPEC) -> dict[str, Any]:
        code, out, err = call(*arguments, "--output-format", "json", spec=spec)
        assert (code, err) == (0, "")
        (only,) = json.loads(out)["stages"]
        assert isinstance(only, dict)
        return only

    return called


def test_every_setting_with_its_flags_and_figures(stage: Any) -> None:
    only = stage("--all")
    assert only["searched"] == len(only["settings"]) == 2**5 * 3
    assert only["budget_bytes"] == int(0.585 * 2**30)
    (own,) = (one for one in only["settings"] if one["own"])
    assert own["flags"] == {
        LAYERS: 1,
        "attention": False,
        "forward_ssm": False,
        "reverse_ssm": False,
        "mlp": False,
        "seq_modeling_block": False,
    }
    for one in only["settings"]:
        assert 0 < one["saved_bytes"] <= one["peak_bytes"] <= one["total_bytes"] <= one["needed_bytes"]
        assert 0 <= one["recompute_flops"] < one["flops"]
        assert one["recompute_share"] == one["recompute_flops"] / one["flops"]
        assert one["fits"] == (one["needed_bytes"] <= only["budget_bytes"])


def test_the_figures_are_those_of_a_prediction(stage: Any, call: Call) -> None:
    from tttdit import load_spec, predict_memory

    only = stage("--all", "--runtime", "plain", "--device", "cpu")
    for one in only["settings"][::17]:
        made = predict_memory(load_spec("spec.toml"), dtype="bfloat16", **one["flags"])
        for name in ("saved_bytes", "peak_bytes", "total_bytes", "recompute_flops", "flops"):
            assert one[name] == getattr(made, name), name


def test_the_front_is_shown_and_nothing_is_better_than_one_of_it(stage: Any) -> None:
    every, shown = stage("--all")["settings"], stage()["settings"]
    best = [one for one in every if one["front"]]
    assert [one for one in shown if one["front"]] == sorted(best, key=lambda one: one["recompute_flops"])
    assert [one["flags"] for one in shown if not one["front"]] in ([], [one["flags"] for one in every if one["own"]])
    for one in best:
        assert not any(
            other["needed_bytes"] <= one["needed_bytes"] and other["recompute_flops"] < one["recompute_flops"]
            for other in every
        )
    assert {one["fits"] for one in every} == {True, False}


@pytest.mark.parametrize("order", ["peak", "saved", "total", "recompute"])
def test_the_least_comes_first(order: str, stage: Any) -> None:
    name = "recompute_flops" if order == "recompute" else f"{order}_bytes"
    amounts = [one[name] for one in stage("--all", "--sort", order)["settings"]]
    assert amounts == sorted(amounts)


def test_a_filter_leaves_the_settings_with_these_values_and_the_spec_s_own(stage: Any) -> None:
    only = stage("--all", "--filter", "mlp=true", "--filter", f"memory.{LAYERS}=0", "--filter", f"{LAYERS}=2")
    others = [one["flags"] for one in only["settings"] if not one["own"]]
    assert len(others) == 2**4 * 2
    assert {(flags["mlp"], flags[LAYERS] in (0, 2)) for flags in others} == {(True, True)}
    assert all(one["fits"] for one in stage("--all", "--filter", "fits=true")["settings"] if not one["own"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("mlp", '--filter takes KEY=VALUE, such as attention=true or fits=true, not "mlp"'),
        ("mlp=yes", '--filter takes KEY=VALUE, such as attention=true or fits=true, not "mlp=yes"'),
        ("fits=3", '--filter fits takes true or false, not "3"'),
        ("atention=true", '--filter: settings have no key "atention"; did you mean attention? (they have '),
    ],
)
def test_a_wrong_filter_is_one_line(option: str, message: str, call: Call) -> None:
    code, out, err = call("--filter", option)
    assert (code, out) == (2, "")
    assert err.startswith(f"tttdit: {message}")
    assert len(err.splitlines()) == 1


def test_a_wrong_budget_is_one_line(call: Call) -> None:
    assert call("--budget", "74") == (2, "", 'tttdit: --budget needs a unit: "74" may be 74GiB or 74GB\n')


def test_csv_has_one_header_and_a_row_a_setting(call: Call) -> None:
    code, out, _ = call("--all", "--output-format", "csv", "--sort", "peak")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert len(rows) == 96
    assert rows[0].keys() >= {"stage", LAYERS, "mlp", "saved_bytes", "peak_bytes", "recompute_flops", "fits", "own"}
    assert [row["own"] for row in rows].count("true") == 1
    assert {row["stage"] for row in rows} == {"small"}


def test_the_table_marks_the_spec_s_own_setting(call: Call) -> None:
    code, out, err = call("--budget", "80GB")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].startswith("spec.toml, stage small: 96 settings, 96 fit 74.51 GiB, of ")
    assert lines[1].split() == [
        *("needed", "total", "peak", "saved", "recomputed", "fits"),
        *("layers", "switches"),
    ]
    assert sum(line.startswith("  > ") and " layers" not in line for line in lines) == 2  # the row, and what it means
    assert f"  layers: in groups of, {LAYERS}" in lines


def test_stages_have_a_table_each(call: Call) -> None:
    spec = SPEC + '\n[[stage]]\nname = "first"\n[[stage]]\nname = "second"\nvideo.seconds = 6\ntext.segments = 2\n'
    code, out, _ = call("--output-format", "json", spec=spec)
    assert code == 0
    assert [(one["name"], one["searched"]) for one in json.loads(out)["stages"]] == [("first", 96), ("second", 96)]
    _, out, _ = call("--output-format", "json", "--stage", "second", spec=spec)
    assert [one["name"] for one in json.loads(out)["stages"]] == ["second"]


def test_a_spec_with_errors_has_no_table_but_its_findings(call: Call) -> None:
    code, out, err = call(spec=SPEC.replace("heads = 4", "heads = 5"))
    assert (code, out) == (1, "")
    assert "error[TTD301]" in err
    code, out, _ = call("--output-format", "json", spec=SPEC.replace("heads = 4", "heads = 5"))
    said = json.loads(out)
    assert (code, said["stages"], said["findings"][0]["code"]) == (1, [], "TTD301")


def test_over_budget_is_no_reason_not_to_look(call: Call) -> None:
    code, out, err = call(spec=SPEC.replace("0.585", "0.1"))
    assert (code, err) == (0, "")
    assert " 0 fit 102.40 MiB" in out
