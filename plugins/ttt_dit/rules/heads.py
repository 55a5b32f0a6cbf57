"""What the rules about heads share: where the model's sizes stand in a spec, and which other sizes work."""

from __future__ import annotations

from tttdit.core.findings import Edit, Fix, Related
from tttdit.core.laws import Law, nearest
from tttdit.core.solving.nearby import nearby
from tttdit.core.stage import Stage
from tttdit.core.wording import either


def place(stage: Stage, key: str) -> str:
    """Where a size of the model stands: at its key, or at the preset that gives it."""
    return key if stage.wrote(key) or not stage.wrote("model.preset") else "model.preset"


def culprit(stage: Stage) -> str:
    """The key that a finding about heads and width points at: heads, if the spec states them."""
    return next((key for key in ("model.heads", "model.width") if stage.wrote(key)), place(stage, "model.heads"))


def others(stage: Stage, key: str) -> tuple[Related, ...]:
    """The places of width and heads that the finding does not point at itself."""
    sizes = {"model.width": f"D = {int(stage.dims['D']):,}", "model.heads": f"A = {int(stage.dims['A']):,} heads"}
    found = {place(stage, name): text for name, text in sizes.items() if place(stage, name) != key}
    return tuple(Related(text, name) for name, text in found.items() if stage.wrote(name))


def remedy(stage: Stage, laws: list[Law]) -> tuple[str, Fix | None]:
    """Help and fix: other heads for this width, and other widths for these heads."""
    width, heads = int(stage.dims["D"]), int(stage.dims["A"])
    fitting, widths = nearby(stage, "A", laws), nearby(stage, "D", laws)
    choices = [
        f"{key} = {either(values)}" for key, values in (("model.heads", fitting), ("model.width", widths)) if values
    ]
    if stage.wrote("model.heads") or not stage.wrote("model.width"):
        fix = Fix("unsafe", (Edit("model.heads", nearest(fitting, heads, 1)[0]),)) if fitting else None
    else:
        fix = Fix("unsafe", (Edit("model.width", nearest(widths, width, 1)[0]),)) if widths else None
    return f"write {', or '.join(choices)}" if choices else "", fix
