"""What is installed, what of it can be used, and what is said about the rest."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from tttdit.core.errors import PluginError, UnknownPlugin
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec.tables import PluginTable

Install = Callable[..., None]
Installed = Callable[[], Registry]

EULER = """
    from tttdit import hookimpl
    from tttdit.core.plugin.kinds import Sampler

    @hookimpl
    def tttdit_samplers():
        return [Sampler(name="euler", summary="Euler steps.", table="{package}.spec:Table")]
"""
TABLE = """
    from pydantic import Field
    from tttdit.core.spec.tables import PluginTable

    class Table(PluginTable):
        presets = {"fast": {"steps": 4}}
        steps: int = Field(default=10, description="Steps.")
"""


def problem(registry: Registry) -> str:
    (only,) = registry.problems
    return only.message


def test_a_plugin_is_found_with_its_table_and_owner(install: Install, installed: Installed) -> None:
    install("my-samplers", "1.2", plugin=EULER.format(package="my_samplers"), spec=TABLE)
    registry = installed()
    euler = registry.find("sampler", "euler")
    assert euler.summary == "Euler steps."
    assert issubclass(registry.table(euler), PluginTable)
    assert str(registry.owner(euler)) == "my-samplers 1.2"
    assert registry.problems == ()


def test_discovery_imports_announcements_and_nothing_behind_them(install: Install, installed: Installed) -> None:
    install("my-samplers", plugin=EULER.format(package="my_samplers"), spec=TABLE)
    registry = installed()
    assert "my_samplers.plugin" in sys.modules
    assert "my_samplers.spec" not in sys.modules
    registry.table(registry.find("sampler", "euler"))
    assert "my_samplers.spec" in sys.modules


def test_an_unknown_name_lists_what_there_is_and_the_nearest(install: Install, installed: Installed) -> None:
    install("my-samplers", plugin=EULER.format(package="my_samplers"))
    with pytest.raises(UnknownPlugin) as caught:
        installed().find("sampler", "eulers")
    assert str(caught.value) == 'there is no sampler "eulers"; did you mean "euler"? (there is the sampler euler)'
    assert caught.value.available == ("euler",)
    assert caught.value.nearest == "euler"


def test_a_name_of_another_kind_is_recognised() -> None:
    with pytest.raises(UnknownPlugin) as caught:
        Registry.of_environment().find("model", "ttt-mlp")
    assert str(caught.value) == ('there is no model "ttt-mlp"; "ttt-mlp" is a mixer (there is the model ttt-dit)')


def test_a_kind_without_plugins_says_so(installed: Installed) -> None:
    with pytest.raises(UnknownPlugin, match=r'there is no text encoder "clip" \(there are no text encoders\)'):
        installed().find("text-encoder", "clip")


def test_two_plugins_with_one_name_are_told_with_both_owners(install: Install, installed: Installed) -> None:
    install("my-samplers", "1.0", plugin=EULER.format(package="my_samplers"))
    install("your-samplers", "2.1", plugin=EULER.format(package="your_samplers"))
    registry = installed()
    message = 'my-samplers 1.0 and your-samplers 2.1 both offer the sampler "euler"; uninstall one of them'
    with pytest.raises(PluginError, match=message):
        registry.find("sampler", "euler")
    assert problem(registry) == message


def test_one_plugin_that_offers_a_name_twice(install: Install, installed: Installed) -> None:
    source = EULER.format(package="p").replace("return [", "return 2 * [")
    install("my-samplers", plugin=source)
    with pytest.raises(PluginError, match=r'my-samplers 1\.0 offers the sampler "euler" twice'):
        installed().find("sampler", "euler")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nowhere", "bad 1.0 cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ("1 / 0", "bad 1.0 cannot be imported: ZeroDivisionError: division by zero"),
        ("def broken(:", "bad 1.0 cannot be imported: SyntaxError: invalid syntax (plugin.py, line 1)"),
        ("", "bad 1.0 announces nothing: bad.plugin has no function marked with hookimpl"),
        (
            EULER.replace("samplers()", "sampler()"),
            'bad 1.0 implements the hook "tttdit_sampler", which does not exist; did you mean "tttdit_samplers"? There are '
            "tttdit_models, tttdit_mixers, tttdit_codecs, tttdit_text_encoders, tttdit_data_sources, "
            "tttdit_memory_strategies, tttdit_samplers, tttdit_loggers, tttdit_rules, tttdit_importers",
        ),
        (
            EULER + "\n    tttdit_hook_version = 2",
            "bad 1.0 is written for version 2 of tttdit's hooks, and this tttdit has version 1: a newer tttdit is needed",
        ),
        (
            EULER + "\n    tttdit_hook_version = 0",
            "bad 1.0 is written for version 0 of tttdit's hooks, and this tttdit has version 1: a newer version of bad is needed",
        ),
        (
            EULER.replace("samplers()", "samplers(spec)"),
            "bad 1.0 cannot be used: Plugin 'bad 1.0: bad.plugin' for hook 'tttdit_samplers' hookimpl definition: "
            "tttdit_samplers(spec) Argument(s) {'spec'} are declared in the hookimpl but can not be found in the hookspec",
        ),
        (
            EULER.replace("return [", "return ({").replace(")]", ")})").replace("Sampler(name", "1: Sampler(name"),
            'bad 1.0: the hook "tttdit_samplers" must return a list, and returned dict',
        ),
        (
            EULER.replace("tttdit_samplers()", "tttdit_codecs()"),
            'bad 1.0: the hook "tttdit_codecs" must return Codec objects, and returned Sampler',
        ),
        (
            EULER.replace('"euler"', '"a b"'),
            'bad 1.0: "a b" is no name for a plugin: letters, digits, dots and dashes, 100 at most',
        ),
        (
            EULER.replace("spec:Table", "spec.Table"),
            'bad 1.0: "euler" says table = "{package}.spec.Table", which does not read like "package.module:Name"',
        ),
        (
            "    from tttdit import hookimpl\n" + EULER.replace("return [", "raise KeyError(").replace('")]', '"))'),
            None,
        ),
    ],
)
def test_a_broken_plugin_is_a_problem_and_no_obstacle(
    source: str, message: str | None, install: Install, installed: Installed
) -> None:
    install("bad", plugin=source)
    install("my-samplers", plugin=EULER.format(package="my_samplers"))
    registry = installed()
    assert registry.find("sampler", "euler").name == "euler"
    if message is None:
        assert problem(registry).startswith("bad 1.0 cannot be used: KeyError: ")
    else:
        assert problem(registry) == message


def test_only_a_mixer_may_be_without_a_module(install: Install, installed: Installed) -> None:
    source = """
        from tttdit import hookimpl
        from tttdit.core.plugin.kinds import {kind}

        @hookimpl
        def tttdit_{hook}():
            return [{kind}(name="bare", summary="Nothing.", table="p.spec:Table", module=None{rest})]
    """
    needed = "".join(f", {name}=None" for name in ("dimensions", "arguments", "inputs"))
    install("good", plugin=source.format(kind="Mixer", hook="mixers", rest=""))
    install("bad", plugin=source.format(kind="Model", hook="models", rest=needed))
    registry = installed()
    assert registry.find("mixer", "bare").name == "bare"
    assert problem(registry) == 'bad 1.0: "bare" says module = "None", which does not read like "package.module:Name"'


def test_torch_in_an_announcement_is_named_as_the_mistake(install: Install, installed: Installed) -> None:
    install("bad", plugin="raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    assert problem(installed()) == (
        "bad 1.0 cannot be imported: ModuleNotFoundError: No module named 'torch' (announcing must work without torch)"
    )


def test_whoever_misses_a_plugin_hears_of_those_that_do_not_work(install: Install, installed: Installed) -> None:
    install("bad", plugin="import nowhere")
    with pytest.raises(UnknownPlugin) as caught:
        installed().find("mixer", "linear-attention")
    assert str(caught.value) == (
        'there is no mixer "linear-attention" (there are no mixers); '
        "bad 1.0 cannot be imported: ModuleNotFoundError: No module named 'nowhere'"
    )


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("import nowhere", "\"p.spec\" cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ("", '"p.spec:Table" cannot be used: the module has no "Table"'),
        ("class Table: pass", '"p.spec:Table" is no PluginTable'),
    ],
)
def test_a_table_that_cannot_be_had(spec: str, message: str, install: Install, installed: Installed) -> None:
    install("p", plugin=EULER.format(package="p"), spec=spec)
    registry = installed()
    with pytest.raises(PluginError) as caught:
        registry.table(registry.find("sampler", "euler"))
    assert str(caught.value) == f"p 1.0: {message}"


def test_the_listing_says_what_each_plugin_offers(install: Install, installed: Installed) -> None:
    install("my-samplers", "1.2", plugin=EULER.format(package="my_samplers"), spec=TABLE)
    (listed,) = installed().listing()
    assert (listed.kind, listed.name, listed.distribution, listed.version) == ("sampler", "euler", "my-samplers", "1.2")
    assert (listed.keys, listed.presets, listed.regions, listed.rules) == (("steps",), ("fast",), (), ())
    assert listed.problem is None


def test_the_listing_survives_a_plugin_without_its_table(install: Install, installed: Installed) -> None:
    install("my-samplers", plugin=EULER.format(package="my_samplers"))
    (listed,) = installed().listing()
    assert listed.problem is not None
    assert listed.problem.startswith('my-samplers 1.0: "my_samplers.spec" cannot be imported: ModuleNotFoundError')


def test_the_listing_of_everything_imports_neither_torch_nor_sympy() -> None:
    code = (
        "import sys; from tttdit.core.plugin.registry import Registry; listing = Registry.of_environment().listing();"
        "assert all(listed.problem is None for listed in listing), listing;"
        "print(sorted({'torch', 'sympy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_finding_all_plugins_imports_no_tables() -> None:
    code = (
        "import sys; from tttdit.core.plugin.registry import Registry; print(len(Registry.of_environment().offers()) > 9,"
        "sorted({'torch', 'sympy', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True []"
