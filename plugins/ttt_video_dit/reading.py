"""Reads a job file: the spec that it is, and what is wrong with it as a job."""

from __future__ import annotations

from tttdit.core.plugin.importing import Imported
from tttdit.core.plugin.references import load_rules
from tttdit.core.spec.document import Document
from tttdit.plugins.ttt_video_dit.job_rule import JobRule
from tttdit.plugins.ttt_video_dit.mapping import Mapped, as_spec, name
from tttdit.plugins.ttt_video_dit.sections import read_sections
from tttdit.plugins.ttt_video_dit.tables import SECTIONS

_RULES = "tttdit.plugins.ttt_video_dit.rules"

# Rules about specs that do not hold of jobs: several lists of samples are fine there, no group size is 0, which they would advise, and of
# start weights a rule of their own speaks.
_NOT_OF_JOBS = frozenset({"TTD402", "TTD503", "TTD705"})


def read(document: Document) -> Imported:
    """What a job file is, as a spec. One that cannot be a spec has no values, and a finding that says why."""
    job, findings = read_sections(document)
    replaced: set[str] = set()
    for rule in load_rules(_RULES):
        if isinstance(rule, JobRule) and not job.doubtful & set(rule.reads):
            found = list(rule.look(job))
            findings += found
            replaced.update(rule.speaks_for if found else ())
    spec = as_spec(job) or Mapped()
    return Imported(
        name=name(job),
        values=spec.values,
        origins=spec.origins,
        words=spec.words,
        findings=tuple(findings),
        replaces=_NOT_OF_JOBS | replaced,
        tables={place: SECTIONS[section] for section, place in job.sections.items()},
        assumed=spec.assumed,
        notes=spec.notes,
    )
