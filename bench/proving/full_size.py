"""The five stages of the curriculum at "5B", in bfloat16, with many settings of `[memory]`, on fake CPU tensors.

A measurement takes most of a minute, so each is kept in build/prove/: what has been measured once is not measured again until the
model, the runtime or torch has changed. Predictions are made anew each time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from attrs import asdict, frozen

import tttdit
from proving.case import Case, case_of
from tttdit.checker.memory.predicting import with_memory
from tttdit.core.runtime.measuring import Measured, measure

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "examples" / "curriculum.toml"
DTYPE = "bfloat16"
KEPT = ROOT / "build" / "prove" / "full-size.json"
# What a measurement depends on: what runs in a step, and what counts it. The symbolic world is not among it.
MEASURED_BY = (
    "core/loops.py",
    "core/regions.py",
    "core/runtime/live_bytes.py",
    "core/runtime/objective.py",
    "core/runtime/remat.py",
    "plugins/**/module.py",
    "plugins/**/operators.py",
    "plugins/ttt/**/*.py",
    "plugins/ttt_dit/sequence/*.py",
    "examples/curriculum.toml",
)

FLAGS = ("attention", "forward_ssm", "reverse_ssm", "mlp", "seq_modeling_block")
LAYERS, SCAN = "transformer_checkpoint_layer_group_size", "scan_checkpoint_group_size"

Setting = Mapping[str, Any]


def _measured_by() -> str:
    digest = hashlib.sha256(torch.__version__.encode())
    for pattern in MEASURED_BY:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


_MEASURED_BY = _measured_by()  # now: the files may change while this program runs


def settings() -> dict[str, Setting]:
    """What of `[memory]` is tried at each stage, by a name for people."""

    def of(layers: int, *flags: str, scan: int = 16) -> Setting:
        return {LAYERS: layers, SCAN: scan, **{flag: flag in flags for flag in FLAGS}}

    return {
        "nothing": of(0, scan=0),
        **{f"{flag} alone": of(0, flag) for flag in FLAGS},
        "layer groups of 1 (the jobs of 3, 9 and 18 s)": of(1),
        **{f"layer groups of 1, {flag}": of(1, flag) for flag in FLAGS},
        "layer groups of 1, all flags": of(1, *FLAGS),
        "layer groups of 2, all but seq_modeling_block (the job of 30 s)": of(2, *FLAGS[:-1]),
        "layer groups of 2, all flags (the job of 63 s)": of(2, *FLAGS),
        "layer groups of 5, the last of 2": of(5),
    }


@frozen
class Question:
    """One stage with one setting."""

    stage: str
    setting: str

    @property
    def name(self) -> str:
        """For people, and the key in the file."""
        return f"{self.stage}: {self.setting}"


def questions(stages: tuple[str, ...] = ()) -> Iterator[Question]:
    """All of them, or those of some stages: stage by stage, since the scan's loops are run once for a stage's sizes."""
    for stage in tttdit.load_spec(SPEC).stages:
        if not stages or stage.name in stages:
            for setting in settings():
                yield Question(stage.name, setting)


def answer(question: Question) -> Case:
    """Predicts and, unless that has been done, measures."""
    spec = tttdit.load_spec(SPEC)
    (stage,) = (each for each in spec.stages if each.name == question.stage)
    setting = settings()[question.setting]
    kept = _kept()
    if question.name not in kept:
        measured = measure(with_memory(stage, setting), DTYPE, without_data=True)
        kept = {**_kept(), question.name: asdict(measured)}
        _keep(kept)
    prediction = tttdit.predict_memory(spec, question.stage, dtype=DTYPE, **setting)
    return case_of(question.name, prediction, Measured(**kept[question.name]))


def is_kept(question: Question) -> bool:
    """Whether it has been measured before."""
    return question.name in _kept()


def _kept() -> dict[str, Any]:
    if not KEPT.exists():
        return {}
    file = json.loads(KEPT.read_text("utf-8"))
    measured: dict[str, Any] = file["measured"] if file["by"] == _MEASURED_BY else {}
    return measured


def _keep(measured: Mapping[str, Any]) -> None:
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    draft = KEPT.with_suffix(".new")
    draft.write_text(json.dumps({"by": _MEASURED_BY, "measured": measured}, indent=1), "utf-8")
    draft.replace(KEPT)
