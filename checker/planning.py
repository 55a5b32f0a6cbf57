"""The setting of `[memory]` that fits with the least recomputation, out of all that there are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from attrs import frozen

from tttdit.checker.memory.settings import Outlook
from tttdit.checker.memory.surveying import Survey
from tttdit.core.errors import UsageError

# So many settings are shown behind the best.
_RUNNERS_UP = 3


@frozen(kw_only=True, slots=False)
class Plan:
    """What is best within a budget, and the proof: of `searched` settings the tensors of `fitting` fit, and none of these recomputes less
    than `chosen`, but `wasteful` ones, which are left out because the best of them do not fit with what the allocator's blocks waste.

    `chosen` is None where nothing fits; `closest` is the setting whose tensors take the fewest bytes. Outlooks know the waste of blocks.
    """

    survey: Survey
    budget_bytes: int
    searched: int
    fitting: int
    wasteful: int
    chosen: Outlook | None
    closest: Outlook

    @property
    def lacking_bytes(self) -> int:
        """What the setting with the fewest bytes needs beyond the budget; 0 where it fits."""
        return max(0, self.survey.needed(self.closest) - self.budget_bytes)

    @property
    def is_own(self) -> bool:
        """Whether the spec has the chosen setting already."""
        return self.chosen is not None and self.chosen.setting == self.survey.own.setting

    @cached_property
    def larger(self) -> Outlook | None:
        """What would be chosen first if the budget grew; None where the answer stays."""
        better = [one for one in self.survey.front if self.chosen is None or _recomputes_less(one, self.chosen)]
        return self.survey.in_blocks(better[0]) if better else None

    @cached_property
    def smaller(self) -> Outlook | None:
        """What would be chosen if the budget shrank below what `chosen` needs; None where nothing would fit."""
        if self.chosen is None:
            return None
        worse = (one for one in reversed(self.survey.front) if _recomputes_less(self.chosen, one))
        needed = self.survey.needed(self.chosen)
        return next((one for one in map(self.survey.in_blocks, worse) if self.survey.needed(one) < needed), None)

    @cached_property
    def runners_up(self) -> tuple[Outlook, ...]:
        """What comes next of all that fits, by recomputation, then by bytes. A setting that differs in no figure is no other plan."""
        return tuple(islice(self._others(), _RUNNERS_UP))

    def _others(self) -> Iterator[Outlook]:
        if self.chosen is None:
            return
        seen = {_figures(self.chosen)}
        for outlook in sorted(self.survey.outlooks, key=lambda one: (one.recompute_flops, one.total_bytes)):
            if (
                not _recomputes_less(outlook, self.chosen)
                and _figures(outlook) not in seen
                and self.survey.fits(outlook)
            ):
                seen.add(_figures(outlook))
                whole = self.survey.in_blocks(outlook)
                if self.survey.fits(whole):
                    yield whole


def plan(survey: Survey) -> Plan:
    """The plan within the survey's budget. Of settings that recompute alike the one with fewer bytes is better, then the first.

    Raises UsageError where there is no budget, and Unpredicted where it cannot be said what blocks waste.
    """
    if survey.budget_bytes is None:
        raise UsageError("there is no budget to plan for: name the GPU in hardware.gpu, or write --budget 74GiB")
    fitting = [outlook for outlook in survey.outlooks if survey.fits(outlook)]
    # whatever is not on the front has somebody on it that takes no more bytes and recomputes no more
    candidates = (survey.in_blocks(outlook) for outlook in reversed(survey.front) if survey.fits(outlook))
    chosen = next((outlook for outlook in candidates if survey.fits(outlook)), None)
    return Plan(
        survey=survey,
        budget_bytes=survey.budget_bytes,
        searched=survey.searched,
        fitting=len(fitting),
        wasteful=sum(chosen is None or _recomputes_less(outlook, chosen) for outlook in fitting),
        chosen=chosen,
        closest=survey.in_blocks(survey.front[0]),
    )


def _recomputes_less(one: Outlook, other: Outlook) -> bool:
    return one.recompute_flops < other.recompute_flops


def _figures(outlook: Outlook) -> tuple[int, ...]:
    return outlook.recompute_flops, outlook.total_bytes, outlook.peak_bytes, outlook.saved_bytes
