"""A stranger's plugin: installed into a fresh environment, found, checked with, and heard."""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin-sliding-window"


class Environment:
    """A virtual environment that sees this one's packages, and has the example installed on top."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "environment"
        self._run(sys.executable, "-m", "venv", "--without-pip", self.home)
        paths = {"base": str(self.home), "platbase": str(self.home)}
        site, scripts = (Path(sysconfig.get_path(name, vars=paths)) for name in ("purelib", "scripts"))
        self.python = scripts / "python"
        ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        # addsitedir, so that the .pth files of an editable tttdit are read too
        (site / "beside.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in sorted(ours)))
        source = shutil.copytree(EXAMPLE, folder / "source")
        pip = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check", "--quiet"]
        self._run(*pip, "install", "--no-deps", "--no-index", "--no-build-isolation", source)
        shutil.rmtree(source)

    def tttdit(self, *arguments: str | Path, code: int = 0) -> str:
        """What a command prints, run where neither the repository nor the plugin's source is."""
        return self._run(self.python, "-c", "from tttdit.checker.cli import main; main()", *arguments, code=code)

    def _run(self, *command: str | Path, code: int = 0) -> str:
        done = subprocess.run(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("elsewhere"))


def check(environment: Environment, *arguments: str, code: int = 0) -> dict[str, Any]:
    spec = EXAMPLE / "sliding-window.toml"
    (file,) = json.loads(environment.tttdit("check", spec, *arguments, "--output-format", "json", code=code))["files"]
    return file  # type: ignore[no-any-return]


def test_it_is_listed_with_what_it_offers(environment: Environment) -> None:
    listed = environment.tttdit("plugins")
    (line,) = [line for line in listed.splitlines() if line.split()[:1] == ["sliding-window"]]
    assert line.split()[1:3] == ["tttdit-sliding-window", "0.1.0"]
    assert "rules: SWA001" in listed
    assert "regions: sliding_window" in listed


def test_its_spec_is_clean_and_every_shape_is_proved(environment: Environment) -> None:
    file = check(environment)
    assert (file["ok"], file["findings"]) == (True, [])
    (stage,) = file["stages"]
    assert stage["proved"]
    assert {symbol: stage["dims"][symbol] for symbol in ("T", "L", "window", "windows")} == {
        "T": 502,
        "L": 51_456,
        "window": 64,
        "windows": 804,
    }


def test_its_parameters_have_shapes_in_its_own_and_the_models_dimensions(environment: Environment) -> None:
    (stage,) = check(environment)["stages"]
    shapes = {shape["name"]: shape["formula"] for shape in stage["shapes"]}
    (outside,) = [name for name in shapes if re.search(r"\.outside$", name)]
    assert shapes[outside] == ["F*h*w/window + S*T/window", "1", "1", "3*window"]


def test_its_own_rule_fires(environment: Environment) -> None:
    (finding,) = check(environment, "--set", "text.tokens_per_segment=500", code=1)["findings"]
    assert (finding["code"], finding["name"], finding["severity"]) == ("SWA001", "sequence-window", "error")
    assert finding["message"] == (
        "the sequence of L = V + S*T = 49,950 + 3*500 = 51,450 tokens is no whole number of windows of 64: "
        "58 tokens are left over"
    )
    assert finding["help"] == "write model.mixer.window = 50, 70 or 75"
    assert finding["span"]["line"] == 23
    assert finding["fix"] == {"applicability": "unsafe", "edits": [{"key": "model.mixer.window", "value": 70}]}


def test_its_table_is_as_strict_as_any(environment: Environment) -> None:
    (finding,) = check(environment, "--set", "model.mixer.neighbour=2", code=1)["findings"]
    assert finding["code"] == "TTD002"
    assert "neighbours" in finding["message"] + finding["help"]


def test_its_region_is_a_key_of_memory(environment: Environment) -> None:
    assert check(environment, "--set", "memory.sliding_window=false")["findings"] == []
    (finding,) = check(environment, "--set", "memory.scan_checkpoint_group_size=4", code=1)["findings"]
    assert finding["code"] == "TTD002"  # this mixer has no scan


def test_without_it_the_spec_is_told_what_there_is(tmp_path: Path) -> None:
    spec = EXAMPLE / "sliding-window.toml"
    code = "from tttdit.checker.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", spec], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert 'there is no mixer "sliding-window" (there are the mixers ttt-linear, ttt-mlp)' in done.stdout


def test_the_module_agrees_with_a_mask_over_the_whole_sequence() -> None:
    torch = pytest.importorskip("torch")
    from tttdit.core.plugin.registry import Registry

    registry = Registry.of_environment(allow=[EXAMPLE / "tttdit_sliding_window"])
    registry.find("mixer", "sliding-window")
    from tttdit_sliding_window.module import SlidingWindowMixer  # type: ignore[import-not-found]

    torch.manual_seed(0)
    B, L, D, A, window = 2, 24, 32, 2, 4
    x = torch.randn(B, L, D)
    for neighbours in (0, 1, 2):
        mixer = SlidingWindowMixer(width=D, heads=A, length=L, window=window, neighbours=neighbours)
        q, k, v = (layer(x).view(B, L, A, D // A).transpose(1, 2) for layer in (mixer.q, mixer.k, mixer.v))
        place = torch.arange(L) // window
        near = (place[:, None] - place[None, :]).abs() <= neighbours
        mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=near)
        expected = torch.sigmoid(mixer.gate(x)) * mixer.o(mixed.transpose(1, 2).reshape(B, L, D))
        torch.testing.assert_close(mixer(x), expected)
