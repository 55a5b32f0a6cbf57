"""Sends metrics to Weights & Biases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import tomli

from tttdit.core.errors import UsageError
from tttdit.plugins.wandb.spec import WandbTable

IDENTITY = "wandb-id"  # a file in the run's folder, so that a run that goes on is the same run there
ABOUT = ("time", "stage", "steps")  # of metrics, what is no metric


class WandbWriter:
    """One run of Weights & Biases for the whole curriculum; each stage counts its steps by itself: `9s/loss` over `9s/step`."""

    def __init__(self, table: WandbTable, folder: Path, say: Callable[[str], None]) -> None:
        """Raises UsageError where wandb is not installed."""
        try:
            import wandb
        except ModuleNotFoundError:
            raise UsageError('[logging] plugin = "wandb" needs the package: pip install "tttdit[wandb]"') from None
        identity = folder / IDENTITY
        if not identity.exists():
            identity.write_text(uuid4().hex[:8], "utf-8")
        self._interval, self._known = table.log_interval, set[str]()
        self._run = wandb.init(
            project=table.project,
            entity=table.entity,
            name=folder.name,
            id=identity.read_text("utf-8").strip(),
            resume="allow",
            dir=str(folder),
            mode=table.mode,
            config=tomli.loads((folder / "spec.toml").read_text("utf-8")),
        )
        if self._run.url:
            say(f"wandb: {self._run.url}")

    def write(self, metrics: Mapping[str, Any]) -> None:
        """A step's, every `log_interval` steps; a validation's always."""
        stage, step = metrics["stage"], metrics["step"]
        if "loss" in metrics and step % self._interval and step != metrics["steps"]:
            return
        if stage not in self._known:
            self._known.add(stage)
            self._run.define_metric(f"{stage}/*", step_metric=f"{stage}/step")
        values = {name: value for name, value in metrics.items() if name not in ABOUT and value is not None}
        self._run.log({f"{stage}/{name}": value for name, value in values.items()})

    def close(self) -> None:
        """Sends what is left."""
        self._run.finish()
