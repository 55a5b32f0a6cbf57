"""From a stage's values to a stage that can be judged: plugins, tables, dimensions, and what `"auto"` stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from attrs import frozen

from tttdit.checker.assembling import Assembled, assemble
from tttdit.checker.auto import settle
from tttdit.checker.dimensions import fill
from tttdit.checker.judging import laws_of
from tttdit.checker.locating import Locator
from tttdit.checker.report import Chosen
from tttdit.checker.rules.unusable_plugin import UnusablePlugin
from tttdit.core.dimensions import Dimensions
from tttdit.core.errors import PluginError
from tttdit.core.findings import Finding
from tttdit.core.laws import Law
from tttdit.core.plugin.kinds import Announcement
from tttdit.core.plugin.references import load_rules, one_line
from tttdit.core.plugin.registry import Registry
from tttdit.core.rules import Rule
from tttdit.core.spec.stages import StageSpec
from tttdit.core.stage import Assembly, Stage


@frozen
class Resolved:
    """A stage as far as it could be resolved; `stage` is None where its tables or plugins are not all there."""

    spec: StageSpec
    stage: Stage | None
    rules: tuple[Rule, ...]
    chosen: tuple[Chosen, ...]
    findings: tuple[Finding, ...]  # with their places
    locator: Locator

    @property
    def is_open(self) -> bool:
        """Whether sizes have no value because the file that was imported does not tell them; a finding says so."""
        return self.stage is not None and bool(self.spec.assumed and self.stage.dims.open_symbols())


def resolve(spec: StageSpec, registry: Registry) -> Resolved:
    """The stage of these values."""
    assembled = assemble(spec, registry)
    locator = Locator(spec, assembled.tables)
    findings = list(assembled.findings)
    rules = _rules(spec, assembled, registry, findings)
    stage, chosen = None, []
    assembly = assembled.assembly
    if assembly is not None and not findings:
        stage = _stage(spec, assembled, assembly, rules, findings)
    if stage is not None:
        _forget_assumed(stage.dims, locator)
        for settled in settle(stage):
            if isinstance(settled, Chosen):
                chosen.append(settled)
            else:
                findings.append(settled)
        if stage.assembly.memory.planned and not findings:
            from tttdit.checker.planned_memory import planned_memory

            settled_memory = planned_memory(stage)
            chosen += settled_memory.chosen
            findings += settled_memory.findings
            tables = {**assembled.tables, "memory": settled_memory.table}
            stage = make_stage(spec, tables, stage.assembly, stage.dims, rules)
    located = tuple(locator.located(finding) for finding in findings)
    return Resolved(spec, stage, rules, tuple(chosen), located, locator)


def _forget_assumed(dims: Dimensions, locator: Locator) -> None:
    """Opens the dimensions that are given by what an importer assumes."""
    for symbol in dims:
        about = dims.describe(symbol)
        if about.definition is None and any(locator.is_assumed(key) for key in about.keys):
            dims.forget(symbol)


@cache
def our_rules() -> tuple[Rule, ...]:
    """The rules that hold for any plugin."""
    return load_rules("tttdit.checker.rules")


def _rules(spec: StageSpec, assembled: Assembled, registry: Registry, findings: list[Finding]) -> tuple[Rule, ...]:
    """Our rules, those of the plugins in use, those that hold for every spec, and those of the importer that read this one."""
    everywhere = [offer.announcement for offer in registry.offers("rules")]
    found: list[Rule] = list(our_rules())
    try:
        if spec.importer is not None:
            everywhere.append(registry.find("importer", spec.importer))
        found += registry.rules_of([*assembled.plugins.values(), *everywhere])
    except PluginError as error:
        findings.append(UnusablePlugin().finding(str(error), key=""))
    return tuple(found)


def _stage(
    spec: StageSpec, assembled: Assembled, assembly: Assembly, rules: Sequence[Rule], findings: list[Finding]
) -> Stage | None:
    tables = assembled.tables
    try:
        dims = fill(
            tables["video"],
            tables["text"],
            tables["training"],
            tables["parallelism"],
            (assembly.codec, tables["codec"]),
            (assembly.model, tables["model"]),
            (assembly.mixer, tables["model.mixer"]),
        )
    except Exception as error:
        findings.append(
            UnusablePlugin().finding(
                f"the dimensions of {_names(assembled.plugins)} cannot be had: {one_line(error)}",
                key="model.plugin",
                help="this is a mistake in a plugin, not in the spec: please tell its authors",
            )
        )
        return None
    return make_stage(spec, tables, assembly, dims, rules)


def make_stage(
    spec: StageSpec, tables: dict[str, Any], assembly: Assembly, dims: Dimensions, rules: Sequence[Rule]
) -> Stage:
    """The stage, whose laws are those of these rules."""
    laws: Callable[[], list[Law]] = cache(lambda: laws_of(rules, stage))
    stage = Stage(
        name=spec.name,
        video=tables["video"],
        text=tables["text"],
        codec=tables["codec"],
        model=tables["model"],
        mixer=tables["model.mixer"],
        memory=tables["memory"],
        data=tables.get("data"),
        sampling=tables.get("sampling"),
        logging=tables.get("logging"),
        training=tables["training"],
        optimizer=tables["optimizer"],
        parallelism=tables["parallelism"],
        hardware=tables["hardware"],
        checkpoint=tables["checkpoint"],
        assembly=assembly,
        dims=dims,
        wrote=spec.wrote,
        laws=laws,
    )
    return stage


def _names(plugins: dict[str, Announcement]) -> str:
    return ", ".join(plugin.name for key, plugin in plugins.items() if key in ("codec", "model", "model.mixer"))
