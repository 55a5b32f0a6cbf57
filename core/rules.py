"""Rules: one mistake each, in a file of its own.

    class MiniBatch(Rule):
        \"\"\"What: ... Why: ... Example: ... Instead: ...\"\"\"   # the rule's page

        code = "TTD201"
        name = "sequence-mini-batch"

        def laws(self, stage):          # what must hold, for the solver as well
            ...

        def check(self, stage):         # yields findings
            ...

The docstring is the rule's page: what, why, an example, what to write instead, and how safe a fix is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from tttdit.core.findings import Finding, Fix, Related, Severity
from tttdit.core.laws import Law

if TYPE_CHECKING:
    from tttdit.core.stage import BuiltStage, Stage
    from tttdit.core.weighing import Weighed


class Rule:
    """One rule. A subclass in a plugin's `rules` package, or in `checker/rules`, is found by being there.

    Rules that spoil something run first; otherwise the order is that of the codes. `check` may read any dimension: where one has
    no believable value, reading it raises `Unresolved` and the rule is silent, because what spoiled the value has been
    reported. `spoils` names the dimensions that are not to be believed once the rule has found an error. `about_machine` says that its
    errors are about what a step runs on (a GPU's memory, a node's, how many GPUs there are) and never about what it does: somewhere larger
    the same step is right, and `--verify` proves it nevertheless.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity] = "error"
    spoils: ClassVar[tuple[str, ...]] = ()
    about_machine: ClassVar[bool] = False

    def laws(self, stage: Stage) -> Iterable[Law]:
        """The laws behind the rule, for solving a key for its valid values. Must not need a value that may be open."""
        return ()

    def check(self, stage: Stage) -> Iterator[Finding]:
        """What this rule has to say about a stage; nothing where it looks at two, or at parameters."""
        return iter(())

    def follow(self, before: Stage, stage: Stage) -> Iterator[Finding]:
        """What it has to say about a stage of a curriculum that comes after another; the findings belong to the later one.

        Both stages are resolved, and may have errors of their own.
        """
        return iter(())

    def inspect(self, built: BuiltStage, before: BuiltStage | None) -> Iterator[Finding]:
        """What it has to say about the parameters of a stage's model, once that could be made.

        `before` is the stage of the curriculum that comes before, where its model could be made too.
        """
        return iter(())

    def weigh(self, weighed: Weighed) -> Iterator[Finding]:
        """What it has to say about the memory that a stage's training step needs, where the model could be followed to its end.

        Predictions are made when they are read, and cost time: read none that the stage's tables make needless. Where one cannot be made
        reading it raises `Unpredicted`, and the rule is silent: the report says why.
        """
        return iter(())

    def finding(
        self,
        message: str,
        *,
        key: str,
        help: str = "",
        related: Iterable[Related] = (),
        fix: Fix | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of this rule at a key of the spec."""
        return Finding(self.code, self.name, severity or self.severity, message, help, key, tuple(related), fix)


class Page(Rule):
    """A code whose findings are made on the way to a stage, not by looking at one.

    It has the code's page and name; what finds such mistakes (the reader, the resolver, an importer, the trace) makes the finding with it.
    """


class DataPage(Page):
    """A code whose findings are made by looking into the files of a data source, which `tttdit-check --data` does."""
