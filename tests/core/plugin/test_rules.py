"""Rules that come with plugins: found by being there, told apart by their codes."""

from collections.abc import Callable

import pytest

from tttdit.core.errors import PluginError
from tttdit.core.plugin.registry import Registry

Install = Callable[..., None]
Installed = Callable[[], Registry]

ANNOUNCED = """
    from tttdit import hookimpl
    from tttdit.core.plugin.kinds import Rules

    @hookimpl
    def tttdit_rules():
        return [Rules(name="{package}", summary="Ours.", rules="{package}.house")]
"""
RULE = """
    from tttdit.core.rules import Rule

    class First(Rule):
        code = "{code}"
        name = "first"

    class Abstract(Rule):
        '''Has no code, so it is no rule yet.'''

    class Second(Abstract):
        code = "OUR002"
        name = "second"
"""


def test_every_finished_rule_of_a_module_is_found_once(install: Install, installed: Installed) -> None:
    install("ours", plugin=ANNOUNCED.format(package="ours"), house=RULE.format(code="OUR001"))
    registry = installed()
    rules = registry.rules(registry.find("rules", "ours"))
    assert [rule.code for rule in rules] == ["OUR001", "OUR002"]


def test_a_plugin_may_name_several_packages_of_rules(install: Install, installed: Installed) -> None:
    both = ANNOUNCED.replace('"{package}.house"', '("{package}.yard", "{package}.house")')
    yard = RULE.replace("OUR002", "OUR003")
    install(
        "ours", plugin=both.format(package="ours"), house=RULE.format(code="OUR001"), yard=yard.format(code="OUR004")
    )
    registry = installed()
    rules = registry.rules(registry.find("rules", "ours"))
    assert [rule.code for rule in rules] == ["OUR001", "OUR002", "OUR003", "OUR004"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("TTD201", "the rule ours.house:First has the code TTD201: TTD is tttdit's own prefix, choose another"),
        (
            "ours-1",
            'the rule ours.house:First has the code "ours-1": a code is capital letters and three digits, LAX001',
        ),
    ],
)
def test_codes_that_are_refused(code: str, message: str, install: Install, installed: Installed) -> None:
    install("ours", plugin=ANNOUNCED.format(package="ours"), house=RULE.format(code=code))
    registry = installed()
    with pytest.raises(PluginError) as caught:
        registry.rules(registry.find("rules", "ours"))
    assert str(caught.value) == f"ours 1.0: {message}"


def test_two_rules_with_one_code_are_told_with_both_owners(install: Install, installed: Installed) -> None:
    install("mine", plugin=ANNOUNCED.format(package="mine"), house=RULE.format(code="OUR001"))
    install("yours", plugin=ANNOUNCED.format(package="yours"), house=RULE.format(code="OUR001"))
    registry = installed()
    with pytest.raises(PluginError) as caught:
        registry.rules_of([registry.find("rules", "mine"), registry.find("rules", "yours")])
    assert str(caught.value) == 'two rules have the code OUR001: "first" of mine 1.0 and "first" of yours 1.0'


def test_rules_that_two_plugins_share_come_once() -> None:
    registry = Registry.of_environment()
    both = [registry.find("mixer", "ttt-mlp"), registry.find("mixer", "ttt-linear")]
    assert [rule.code for rule in registry.rules_of(both)] == ["TTD201", "TTD715"]
