"""`tttdit explain memory`, as people and programs see it."""

import json
import re

import pytest

from tttdit.checker.cli import outcome, tttdit_command


@pytest.fixture
def explain(capsys):
    def run(*arguments):
        code = outcome(tttdit_command, "tttdit", ["explain", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_layer_is_a_polynomial_with_its_tensors(explain, make_spec):
    code, out, err = explain("memory", make_spec(added="\n[memory]\ntransformer_checkpoint_layer_group_size = 1\n"))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("spec.toml, stage nine: one rank, runtime ")
    assert "L = 51,456" in lines[1]
    layer = next(number for number, line in enumerate(lines) if "layers.0 to layers.40, 41 alike, each" in line)
    assert lines[layer].endswith("316,145,664 bytes (301.50 MiB) = 2*B*D*L")
    assert re.fullmatch(
        r" +306,892,800 +2\*B\*D\*V +\[B, V, D\] +bfloat16 +add of layers\.\* +region layers\.\*\.layer_group",
        lines[layer + 1],
    )
    assert any(line.startswith("  peak backward of layers.") for line in lines)


def test_listed_lines_add_up(explain, make_spec):
    _, out, _ = explain("memory", make_spec(added="\n[memory]\nattention = true\nmlp = true\n"))
    total, listed, sums = 0, 0, []
    for line in out.splitlines():
        if match := re.match(r" {4}\S.*?(?:, (\d+) alike, each|:) ([\d,]+) bytes", line):
            sums.append((total, listed))
            total, listed = int(match[2].replace(",", "")), 0
        elif match := re.match(r" {6} *([\d,]+)  ", line):
            listed += int(match[1].replace(",", ""))
    sums.append((total, listed))
    assert len(sums) > 5
    assert all(total == listed for total, listed in sums)


def test_json_has_every_tensor_and_adds_up(explain, make_spec):
    code, out, _ = explain("memory", make_spec(), "--output-format", "json")
    assert code == 0
    (stage,) = json.loads(out)["files"][0]["stages"]
    assert stage["dims"]["L"] == 51456
    for part in ("saved", "peak"):
        shares = stage[part]["shares"]
        assert sum(share["times"] * share["bytes"] for share in shares) == stage[part]["bytes"]
        for share in shares:
            assert sum(tensor["count"] * tensor["bytes"] for tensor in share["tensors"]) == share["bytes"]
    tensor = stage["saved"]["shares"][0]["tensors"][0]
    assert tensor["line"].rpartition(":")[0].endswith("module.py")


def test_a_spec_with_errors_is_not_explained(explain, make_spec):
    code, out, err = explain("memory", make_spec("tokens_per_segment = 493"))
    assert (code, out) == (1, "")
    assert "TTD201" in err


def test_what_is_not_there(explain, make_spec):
    assert explain("memory", "none.toml") == (2, "", "tttdit: cannot read none.toml: No such file or directory\n")
    assert explain()[0] == 2
    code, _, err = explain("memory", make_spec(), "--stage", "63s")
    assert code == 2
    assert 'has no stage "63s"' in err
